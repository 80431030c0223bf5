"""A mixture-of-experts layer from the data sheet: experts one after the other in a loop, or all of them in one grouped product.

    loop       E * max(FLOP of an expert / peak, its bytes / bandwidth, launches * launch)
    grouped    max(all FLOP / peak, all bytes / bandwidth, launches * launch)

The experts that T tokens touch (moe_weight_reads) share their k T choices evenly. An expert has three matrices (gate, up, down: Shazeer 2020, arXiv
2002.05202) and reads weights and inputs, writes outputs. All of it is a bound from below: small products do not reach the peak, skewed loads make
the fullest expert wait, and gathering moves the tokens; what published layers reach stands in machines/_reach.py. Grouped products: Gale et al.
2022, MegaBlocks, arXiv 2211.15841. The shape is OLMoE's (arXiv 2409.02060).
"""

from typing import Annotated

from kernels import Bound, Free, KernelError, Lower, Series, kernel
from kernels.library.machines._devices import DEVICES, Gpu
from kernels.library.machines._measured import points
from kernels.library.machines._reach import expected
from kernels.library.models._models import SHAPES
from kernels.library.transformers.moe_weight_reads import touched

OLMOE = SHAPES["olmoe-1b-7b"]
TOKENS = tuple(4**k for k in range(2, 9))
BYTES = 2  # of a number in bf16


@kernel(
    kind="prediction",
    outputs={
        "looped": Lower("s"),
        "grouped": Lower("s"),
        "expected": "s",
        "loop_over_grouped": "",
        "arithmetic": Lower("s"),
        "reading": Lower("s"),
        "launching": Lower("s"),
        "load": "token",
        "sweep": Series("tokens", "s", "token"),
    },
)
def expert_loop(
    tokens: Annotated[int, Bound("token", low=1)] = 4096,
    experts: Annotated[int, Bound(low=2)] = OLMOE.experts,
    top_k: Annotated[int, Bound(low=1)] = OLMOE.active_experts,
    d_model: Annotated[int, Bound(low=1)] = OLMOE.d_model,
    ffn: Annotated[int, Bound(low=1)] = OLMOE.ffn,
    launches: Annotated[int, Bound(low=1), Free(4, 12)] = 8,
    launch: Annotated[float, Bound("s", low=0), Free(2e-6, 10e-6)] = 5e-6,
    gpu: Gpu = "h100",
):
    """The least time of one MoE layer's experts in bf16, looped and grouped, and what sets it: arithmetic, reading or launching.

    arithmetic, reading, launching: of the whole loop. expected: of the grouped layer. load: tokens of an average expert. sweep: both over the
    tokens of the batch.

    launches counts the kernels of one pass of the loop: find its tokens, gather, two products, activation, weighting, add; 4 fused, 12 written
    plainly. launch is the time between two of them, 2 to 10 microseconds from Python. Both are free.
    """
    if top_k > experts:
        raise KernelError(f"expert_loop: top_k is {top_k}, but must be at most the number of experts, {experts}")
    peak, bandwidth = DEVICES[gpu].half, DEVICES[gpu].bandwidth

    def times(batch: int) -> dict[str, float]:
        used = touched(experts, top_k, batch)  # few tokens leave some idle
        each = batch * top_k / used
        arithmetic = 2 * 3 * d_model * ffn * each / peak
        reading = BYTES * (3 * d_model * ffn + 2 * each * d_model) / bandwidth
        launching = launches * launch
        return {
            "looped": used * max(arithmetic, reading, launching),
            "grouped": max(used * arithmetic, used * reading, launching),
            "arithmetic": used * arithmetic,
            "reading": used * reading,
            "launching": used * launching,
            "load": batch * top_k / experts,
        }

    now = times(tokens)
    shown = sorted({*TOKENS, tokens})
    swept = [times(batch) for batch in shown]
    return {
        **now,
        "expected": expected("experts", gpu, now["arithmetic"] * peak, now["reading"] * bandwidth, launches * launch),
        "loop_over_grouped": now["looped"] / now["grouped"],
        "sweep": {"tokens": shown, **{way: [found[way] for found in swept] for way in ("looped", "grouped")}},
    }


@expert_loop.figure
def draw(result, ax, measured=None):
    from kernels import plot

    plot.height(ax, 220)
    names = {"looped": "experts\nlooped", "grouped": "grouped"}
    plot.lines(
        ax, result["sweep"], xlog=True, ylog=True, labels=names, x_label="tokens in the batch", y_label="one layer, at least", highlight="grouped"
    )
    if measured:
        points(ax, zip(measured["sweep"].x, measured["sweep"].values("looped")), "s", "measured")
        points(ax, zip(measured["sweep"].x, measured["sweep"].values("grouped")), "s", "measured")
