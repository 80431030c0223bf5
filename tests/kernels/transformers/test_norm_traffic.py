"""Bytes and FLOP per element against what torch dispatches when the eager norms run."""

from __future__ import annotations

import pytest

from kernels.library.transformers.norm_traffic import norm_traffic

ROWS, COLUMNS = 64, 256
ARITHMETIC = ("aten.mul", "aten.sub", "aten.add", "aten.pow", "aten.mean")


@pytest.mark.oracle("norm_traffic", "what torch dispatches when the norms run")
@pytest.mark.parametrize("dtype", ["bf16", "fp32"])
@pytest.mark.parametrize("norm", ["layer", "rms"])
def test_torch_moves_and_computes_the_same(norm, dtype):
    torch = pytest.importorskip("torch")
    from torch.utils._python_dispatch import TorchDispatchMode

    from kernels.library.transformers.norm_bandwidth import eager

    seen = {"bytes": 0, "flops": 0}

    class Count(TorchDispatchMode):
        """Only whole tensors count: those of ROWS * COLUMNS elements."""

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            out = function(*args, **(kwargs or {}))
            whole = [t for t in (*args, out) if isinstance(t, torch.Tensor) and t.numel() == ROWS * COLUMNS]
            seen["bytes"] += sum(t.numel() * t.element_size() for t in whole)
            seen["flops"] += ROWS * COLUMNS * (bool(whole) and str(function).startswith(ARITHMETIC))
            return out

    kind = {"bf16": torch.bfloat16, "fp32": torch.float32}[dtype]
    x, weight, bias = (torch.randn(*size).to(kind) for size in ((ROWS, COLUMNS), (COLUMNS,), (COLUMNS,)))
    with Count():
        eager(norm, x, weight, bias)
    got = norm_traffic(dtype=dtype)
    assert seen["bytes"] / (ROWS * COLUMNS) == got[f"{norm}_eager"]
    assert seen["flops"] / (ROWS * COLUMNS) == got[f"{norm}_flops"]


def test_by_hand_in_bf16():
    got = norm_traffic()
    assert got["rms_eager"] == (2 + 4) + (4 + 4) + 4 + (4 + 4) + (4 + 4) + (4 + 2)
    assert got["layer_eager"] - got["rms_eager"] == 4 + (4 + 4) + (4 + 4)  # the mean, its subtraction, the bias
    assert (got["fused"], got["layer_passes"], got["rms_passes"]) == (4, 9, 6)
    assert (got["layer_intensity_fused"], got["rms_intensity_fused"]) == (7 / 4, 1)


def test_the_residual_sum_in_the_same_kernel_saves_reading_it_again():
    got = norm_traffic()
    assert got["residual_apart"] == 3 * 2 + got["fused"]
    assert got["residual_apart"] - got["residual_fused"] == 2


def test_h100_needs_20_flop_for_each_byte():
    assert norm_traffic()["ridge"] == pytest.approx(20, rel=5e-3)  # 67 TFLOP/s over 3.35 TB/s
