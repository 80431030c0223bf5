"""Gradient checkpointing of a stack of transformer blocks, traced: the peak of forward and backward, what fills it, and the FLOP of a step.

The same modules as gradient_checkpointing measures, on meta tensors at full size: every tensor's bytes from birth to death, and FLOP by torch's
own counter, of matrix products and of attention, whose backward pass computes the scores again in any case. torch's checkpoint (the
version without reentrance) ends a layer's recomputation as soon as it has what the backward pass saved: a layer's last product need not be computed
again, unless dropout follows it, whose mask is wanted.
"""

import functools
from typing import TYPE_CHECKING, Annotated, Any

from kernels import Bound, KernelError, Series, kernel
from kernels.library.models._transformer import HEAD
from kernels.library.training import gradient_checkpointing

if TYPE_CHECKING:
    from kernels.tracing import Memory

WAYS = ("plain", "checkpointed")
PARTS = ("activations", "temporaries")


@kernel(
    kind="trace",
    outputs={
        **dict.fromkeys(WAYS, "B"),
        **{f"{way}_{part}": "B" for way in WAYS for part in PARTS},
        **{f"{way}_kept": "B" for way in WAYS},
        **dict.fromkeys(("kept_share", "peak_share"), ""),
        "weights": "B",
        "gradients": "B",
        "workspace": "B",
        **{f"{way}_flop": "FLOP" for way in WAYS},
        **dict.fromkeys(("slowdown", "slowdown_causal", "recomputed"), ""),
        "timeline": Series("done", "B"),
    },
)
def activation_recomputation(
    width: Annotated[int, Bound(low=64)] = 2048,
    layers: Annotated[int, Bound(low=2, high=128)] = 16,
    tokens: Annotated[int, Bound("token", low=1)] = 2048,
    batch: Annotated[int, Bound(low=1)] = 2,
    segment: Annotated[int, Bound(low=1)] = 1,
    dropout: bool = True,
):
    """Peak memory of forward and backward beyond weights and gradients, and FLOP, with everything kept and checkpointed, traced in bf16.

    segment: so many layers are checkpointed together. activations, temporaries: of what the peak holds; kept: after the forward pass; their shares:
    checkpointed over plain. workspace: of FlashAttention's backward, on top of the peaks. slowdown: FLOP over FLOP, with attention's squares whole;
    slowdown_causal: with half of them. recomputed: the share of the forward pass's FLOP that is computed again. timeline: memory beyond weights and
    gradients over the operations done.
    """
    from kernels import tracing

    if width % HEAD or layers % segment:
        raise KernelError(
            f"activation_recomputation: width {width} must be a multiple of {HEAD}, the head size, and segment {segment} divide the layers"
        )
    model, x = gradient_checkpointing.prepared(width, layers, tokens, batch, "bf16", "meta")
    model.train(dropout)
    segments = {"plain": 0, "checkpointed": segment}
    histories, kept, peaks, flop = {}, {}, {}, {}
    for way, length in segments.items():
        trace, kept[way] = traced(model, x, length)
        histories[way] = [{part: held.get(part, 0) for part in PARTS} for held in trace.history()]
        peaks[way] = max(histories[way], key=lambda held: sum(held.values()))
        flop[way] = tracing.flops(functools.partial(gradient_checkpointing.step, model, x, length))
    total = {way: sum(peak.values()) for way, peak in peaks.items()}
    forward = tracing.flops(lambda: model(x))
    lines = {way: tracing.sampled([{way: sum(held.values())} for held in history]) for way, history in histories.items()}
    return {
        **total,
        **{f"{way}_{part}": peaks[way][part] for way in WAYS for part in PARTS},
        **{f"{way}_kept": size for way, size in kept.items()},
        "kept_share": kept["checkpointed"] / kept["plain"],
        "peak_share": total["checkpointed"] / total["plain"],
        "weights": sum(p.numel() * p.element_size() for p in model.parameters()),
        "gradients": sum(p.grad.numel() * p.grad.element_size() for p in model.parameters()),
        "workspace": tracing.flash_workspace(batch, width // HEAD, width // HEAD, tokens, HEAD),
        **{f"{way}_flop": work(counted) for way, counted in flop.items()},
        "slowdown": work(flop["checkpointed"]) / work(flop["plain"]),
        "slowdown_causal": work(flop["checkpointed"], 0.5) / work(flop["plain"], 0.5),
        "recomputed": (work(flop["checkpointed"]) - work(flop["plain"])) / work(forward),
        "timeline": lines["plain"] | lines["checkpointed"],
    }


@activation_recomputation.invariant
def the_parts_fill_the_peak(result) -> bool:
    """Activations and temporaries fill a peak, what the forward pass keeps is below it, and no more than one forward pass is repeated."""
    filled = all(result[way] == sum(result[f"{way}_{part}"] for part in PARTS) for way in WAYS)
    return filled and all(result[f"{way}_kept"] <= result[way] for way in WAYS) and 0 < result["recomputed"] <= 1


def traced(model: Any, x: Any, segment: int) -> "tuple[Memory, int]":
    """Forward and backward of gradient_checkpointing's step, and the bytes that are there between the two."""
    from kernels import tracing

    with tracing.memory() as trace:
        trace.label("weights", model.parameters())
        trace.label("gradients", (parameter.grad for parameter in model.parameters()))
        trace.label("inputs", [x])
        output = model(x, segment)
        kept = trace.alive()["activations"]
        trace.forward = False
        output.backward(x)
    return trace, kept


def work(counted: dict[str, int], attention: float = 1.0) -> float:
    """FLOP, with so much of attention's squares."""
    return counted["products"] + attention * counted["attention"]


@activation_recomputation.figure
def draw(result, ax):
    from kernels import plot

    names = {"plain": "everything kept", "checkpointed": "checkpointed"}
    plot.lines(
        ax,
        result["timeline"],
        labels=names,
        x_label="share of the operations of forward and backward",
        y_label="activations held",
        highlight="checkpointed",
    )
    peaks = ", ".join(f"{plot.show(result[way], 'B')} ({said})" for way, said in names.items())
    return f"Memory beyond weights and gradients over a step's operations. Peaks: {peaks}."
