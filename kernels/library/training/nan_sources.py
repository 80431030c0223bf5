"""Where NaN comes from: log(0) and 1/0 are infinite; NaN is what has no limit (0 * inf, 0 / 0, inf / inf, inf - inf) or no real value (log(-1)).

Binary cross-entropy written out, -y ln p - (1 - y) ln(1 - p), meets it where p rounds to 1: for y = 1 the second term is 0 * -inf.
In fp32 that is from the logit 24 ln 2 on, where e^-z falls to 2^-24, half the spacing above 1. From the logit itself the loss is ln(1 + e^-z).
"""

from typing import Literal

from kernels import kernel

FLAGS = ("log_zero_inf", "one_over_zero_inf", "zero_times_log_zero", "zero_over_zero", "inf_over_inf", "inf_minus_inf", "log_negative",
         "root_negative", "masked_row", "root_gradient")  # fmt: skip


@kernel(
    kind="simulation",
    outputs={**dict.fromkeys(FLAGS, ""), "saturates_at": "", "naive_right_nan": "", "naive_wrong_inf": "", "clamped_wrong": "", "stable_wrong": "",
             "stable_right_finite": ""},
    tolerance=1e-3,
)  # fmt: skip
def nan_sources(dtype: Literal["fp32", "bf16", "fp16"] = "fp32"):
    """1 where an operation gives what its name says (or else NaN), and the logit from which a sigmoid is exactly 1.

    naive, clamped, stable: cross-entropy there, written out, by torch's binary_cross_entropy (fp32), from the logit; right, wrong: label 1, 0.
    """
    import torch
    from torch.nn import functional

    from kernels import precision

    kind = precision.torch_dtype(dtype)
    zero, one, infinite = (torch.tensor(v, dtype=kind) for v in (0.0, 1.0, float("inf")))
    logit = torch.tensor(saturation(kind), dtype=kind)
    p = torch.sigmoid(logit)
    naive = [-y * torch.log(p) - (1 - y) * torch.log(1 - p) for y in (one, zero)]
    root = torch.zeros((), dtype=kind, requires_grad=True)
    (slope,) = torch.autograd.grad(root.square().sqrt(), root)
    masked = torch.softmax(torch.full((4,), float("-inf"), dtype=kind), 0)
    return {
        "log_zero_inf": torch.log(zero).isinf(),
        "one_over_zero_inf": (one / zero).isinf(),
        "zero_times_log_zero": (zero * torch.log(zero)).isnan(),
        "zero_over_zero": (zero / zero).isnan(),
        "inf_over_inf": (infinite / infinite).isnan(),
        "log_negative": torch.log(-one).isnan(),
        "root_negative": torch.sqrt(-one).isnan(),
        "inf_minus_inf": (infinite - infinite).isnan(),
        "masked_row": masked.isnan().all(),
        "root_gradient": slope.isnan(),
        "saturates_at": logit,
        "naive_right_nan": naive[0].isnan(),
        "naive_wrong_inf": naive[1].isinf(),
        "clamped_wrong": functional.binary_cross_entropy(p.float(), zero.float()),
        "stable_wrong": functional.binary_cross_entropy_with_logits(logit.float(), zero.float()),
        "stable_right_finite": functional.binary_cross_entropy_with_logits(logit.float(), one.float()).isfinite(),
    }


@nan_sources.invariant
def ieee_754_knows_them_all(result) -> bool:
    """Every flag is 1: infinities from log(0) and 1/0, and NaN from each operation without a value (IEEE 754-2019, section 7.2)."""
    return all(result[flag] == 1 for flag in FLAGS) and result["naive_right_nan"] == result["naive_wrong_inf"] == 1


def saturation(kind) -> float:
    """The smallest logit, to 1e-6 or the format's own spacing, whose sigmoid is exactly 1."""
    import torch

    low, high = 0.0, 64.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        if torch.sigmoid(torch.tensor(middle, dtype=kind)) == 1:
            high = middle
        else:
            low = middle
    return high
