"""Speculative decoding from the data sheet: what a draft's and a target's pass take at least at batch 1, and the speed-up that follows.

A round drafts g tokens one after the other and checks them in one pass of the target over g + 1 positions. With pass(m, n) the least time of one pass
of model m over n positions (decode_roofline: the larger of weights and cache over bandwidth, and FLOP over peak) and o what every pass takes beyond
that (launches, the host),

    c = (pass(draft, 1) + o) / (pass(target, 1) + o)       v = (pass(target, g + 1) + o) / (pass(target, 1) + o)
    speedup = (1 + a + .. + a^g) / (g c + v)               break-even: the acceptance a at which that is 1

(Leviathan et al. 2023, arXiv 2211.17192, theorem 3.8, where v is 1). Each model runs in bf16 on GPUs of its own number: bandwidths and peaks add up,
communication is left out. Sampling is left out too.
"""

from typing import Annotated

from kernels import Bound, Lower, Series, kernel
from kernels.library.inference.decode_roofline import decode_roofline
from kernels.library.inference.speculative_speedup import expected
from kernels.library.machines._devices import Gpu
from kernels.library.machines._measured import points
from kernels.library.models._models import Model

ACCEPTANCES = tuple(k / 50 for k in range(51))


@kernel(
    kind="prediction",
    outputs={
        **dict.fromkeys(("target_time", "draft_time", "verify_time", "target_arithmetic", "verify_arithmetic"), Lower("s")),
        "cost_ratio": "",
        "verify_ratio": "",
        "parameter_ratio": "",
        "speedup": "",
        "speedup_at_zero": "",
        "break_even": "",
        "sweep": Series("acceptance", ""),
    },
)
def speculative_roofline(
    target: Model = "llama-3-70b",
    draft: Model = "llama-3.2-1b",
    draft_tokens: Annotated[int, Bound(low=1, high=256)] = 4,
    acceptance: Annotated[float, Bound(low=0, high=1)] = 0.8,
    context: Annotated[int, Bound("token", low=0)] = 1024,
    target_gpus: Annotated[int, Bound(low=1)] = 1,
    draft_gpus: Annotated[int, Bound(low=1)] = 1,
    overhead: Annotated[float, Bound("s", low=0)] = 0.0,
    gpu: Gpu = "h100",
):
    """Cost ratio, speed-up and break-even acceptance of a draft for a target at batch 1, by the bytes and FLOP of both.

    overhead: what a pass of either model takes beyond bytes and FLOP. *_time: a pass over one position, verify: over all drafts and one more;
    *_arithmetic: its FLOP over the peak. parameter_ratio: of what a pass reads. break_even: 1 where even full acceptance loses. sweep:
    speed-up over acceptance.
    """

    def one(model, gpus: int, positions: int = 1):
        return decode_roofline(model=model, context=context, gpu=gpu, gpus=gpus, positions=positions)

    large, small, check = one(target, target_gpus), one(draft, draft_gpus), one(target, target_gpus, draft_tokens + 1)
    step = large["time"] + overhead
    cost, verify = (small["time"] + overhead) / step, (check["time"] + overhead) / step

    def gain(a: float) -> float:
        return expected(a, draft_tokens) / (draft_tokens * cost + verify)

    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if gain(middle) < 1 else (low, middle)
    return {
        "target_time": step,
        "draft_time": small["time"] + overhead,
        "verify_time": check["time"] + overhead,
        "target_arithmetic": large["compute_time"],
        "verify_arithmetic": check["compute_time"],
        "cost_ratio": cost,
        "verify_ratio": verify,
        "parameter_ratio": small["parameters"] / large["parameters"],
        "speedup": gain(acceptance),
        "speedup_at_zero": gain(0.0),
        "break_even": high,
        "sweep": {"acceptance": ACCEPTANCES, "speed-up": [gain(a) for a in ACCEPTANCES]},
    }


@speculative_roofline.figure
def draw(result, ax, measured=None):
    from kernels import plot

    plot.lines(ax, result["sweep"], labels={"speed-up": ""}, x_label="acceptance rate", y_label="speed-up")
    if measured:
        points(ax, zip(measured["sweep"].x, measured["sweep"].values("measured")), "")
    plot.hline(ax, 1.0, "plain decoding")
    even = result["break_even"]
    plot.mark(ax, even, 1.0, f"break-even {even:.2g}", plot.AMBER, "right below" if even < 0.5 else "left above")
