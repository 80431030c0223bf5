"""What LayerNorm and RMSNorm compute and move for each element, op by op and in one fused kernel.

    LayerNorm  y = (x - mean(x)) / sqrt(var(x) + e) * weight + bias      Ba et al. 2016, arXiv 1607.06450
    RMSNorm    y = x / sqrt(mean(x^2) + e) * weight                      Zhang and Sennrich 2019, arXiv 1910.07467

Op by op is the eager code of norm_bandwidth: x is widened to fp32, every operation reads its operand from memory and writes
its result back, and the last one narrows it again. Fused, x is read once and y written once. The row's statistics
and the weights are nothing beside them in a tensor of many rows.
"""

from typing import Annotated, Literal

from kernels import Bound, kernel
from kernels.library.machines._devices import DEVICES

ITEMSIZE = {"bf16": 2, "fp16": 2, "fp32": 4}
WIDE = 4  # statistics and what comes of them are fp32

# the operations in order: name -> (FLOP per element, what it writes: "wide", "narrow" or "row", a number a row)
NORMS = {
    "layer": {
        "widen": (0, "wide"),
        "mean": (1, "row"),
        "subtract the mean": (1, "wide"),
        "square": (1, "wide"),
        "mean of squares": (1, "row"),
        "times 1/sigma": (1, "wide"),
        "times weight": (1, "wide"),
        "plus bias": (1, "wide"),
        "narrow": (0, "narrow"),
    },
    "rms": {
        "widen": (0, "wide"),
        "square": (1, "wide"),
        "mean of squares": (1, "row"),
        "times 1/rms": (1, "wide"),
        "times weight": (1, "wide"),
        "narrow": (0, "narrow"),
    },
}


@kernel(
    kind="formula",
    outputs={
        **{f"{norm}_flops": "FLOP" for norm in NORMS},
        **{f"{norm}_eager": "B" for norm in NORMS},
        **{f"{norm}_passes": "" for norm in NORMS},
        "fused": "B",
        "residual_apart": "B",
        "residual_fused": "B",
        **{f"{norm}_intensity_{way}": "FLOP/B" for norm in NORMS for way in ("eager", "fused")},
        "ridge": "FLOP/B",
    },
)
def norm_traffic(
    dtype: Literal["bf16", "fp16", "fp32"] = "bf16",
    peak: Annotated[float, Bound("FLOP/s", low=1)] = DEVICES["h100"].peak["fp32"],
    bandwidth: Annotated[float, Bound("B/s", low=1)] = DEVICES["h100"].bandwidth,
):
    """FLOP and bytes per element of LayerNorm and RMSNorm op by op (eager) and fused, and their FLOP per byte.

    passes: operations that go over the tensor, widening and narrowing included. fused: bytes of either norm in one kernel;
    residual_apart, residual_fused: with the sum of the residual stream before it as a kernel of its own, and in the same kernel.
    ridge: FLOP per byte from which on a GPU is bound by arithmetic, peak / bandwidth; the defaults are an H100 SXM's
    fp32 rate outside the tensor cores, which do no norms, and its memory's.
    """
    narrow = ITEMSIZE[dtype]
    flops = {norm: sum(flop for flop, _ in steps.values()) for norm, steps in NORMS.items()}
    eager = {norm: moved(steps, narrow) for norm, steps in NORMS.items()}
    fused = 2 * narrow
    return {
        **{f"{norm}_flops": flops[norm] for norm in NORMS},
        **{f"{norm}_eager": eager[norm] for norm in NORMS},
        **{f"{norm}_passes": len(without_copies(steps, narrow)) for norm, steps in NORMS.items()},
        "fused": fused,
        "residual_apart": 3 * narrow + fused,  # two summands in, the sum out; then the norm
        "residual_fused": 2 * narrow + 2 * narrow,  # two summands in, the sum and its norm out
        **{f"{norm}_intensity_eager": flops[norm] / eager[norm] for norm in NORMS},
        **{f"{norm}_intensity_fused": flops[norm] / fused for norm in NORMS},
        "ridge": peak / bandwidth,
    }


def moved(steps: dict, narrow: int) -> int:
    """Bytes per element that all operations read and write, each reading one tensor."""
    size = {"wide": WIDE, "narrow": narrow, "row": 0}
    total = 0
    for name, (_, writes) in without_copies(steps, narrow).items():
        total += (narrow if name == "widen" else WIDE) + size[writes]
    return total


def without_copies(steps: dict, narrow: int) -> dict:
    """In fp32 there is nothing to widen or narrow."""
    return {name: step for name, step in steps.items() if narrow < WIDE or name not in ("widen", "narrow")}


@norm_traffic.figure
def draw(result, ax):
    from kernels import plot

    moves = {"LayerNorm op by op": result["layer_eager"], "RMSNorm op by op": result["rms_eager"], "either, fused": result["fused"]}
    plot.bars(ax, moves, "B", highlight="either, fused")
