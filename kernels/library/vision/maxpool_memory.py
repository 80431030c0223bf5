"""What torch's 2x2 max-pooling with stride 2 holds, forward and backward, traced: input, output, int64 positions, gradients.

The positions are made by the forward pass whether a gradient is wanted or not (torch's CUDA and meta kernels are one operation with two
results); under no_grad they are dropped at once, but the peak has seen them.
"""

from typing import Annotated, Literal

from kernels import Bound, KernelError, kernel

BYTES = {"bf16": 2, "fp16": 2, "fp32": 4}
PARTS = ("input", "output", "positions", "gradients")


@kernel(
    kind="trace",
    outputs={
        **dict.fromkeys(("input", "output", "positions", "kept", "peak", "no_grad_peak", "no_grad_kept"), "B"),
        **{f"peak_{part}": "B" for part in PARTS},
        **dict.fromkeys(("positions_over_output", "positions_share"), ""),
    },
)
def maxpool_memory(
    batch: Annotated[int, Bound(low=1, high=4096)] = 32,
    channels: Annotated[int, Bound(low=1, high=4096)] = 64,
    size: Annotated[int, Bound(low=2, high=4096)] = 224,
    dtype: Literal["bf16", "fp16", "fp32"] = "bf16",
):
    """Bytes of 2x2 max-pooling's input, output and positions, and the peak of forward and backward, traced on maps of the given size.

    kept: between forward and backward, the input included. peak: of both, and peak_*: what it holds. no_grad_*: of a forward pass without
    a graph. positions_share: of what is kept.
    """
    if size % 2:
        raise KernelError(f"maxpool_memory: size is {size}, but must be even")
    import torch
    from torch.nn import functional

    from kernels import tracing

    def kind_of(tensor) -> str:
        return "positions" if tensor.dtype == torch.int64 else "output" if tensor.shape[-1] == size // 2 else "gradients"

    x = torch.zeros(batch, channels, size, size, dtype={"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[dtype], device="meta")
    with tracing.memory(kind_of=kind_of) as without:
        without.label("input", [x])
        y = functional.max_pool2d(x, 2)
        no_grad_kept = without.alive()
    dy = torch.zeros_like(y)
    x.requires_grad_()
    with tracing.memory(kind_of=kind_of) as trace:
        trace.label("input", [x])
        y = functional.max_pool2d(x, 2)
        kept = trace.alive()
        trace.label("gradients", [dy])
        y.backward(dy)
    peak = trace.peak()
    return {
        **{part: kept[part] for part in ("input", "output", "positions")},
        "kept": sum(kept.values()),
        "peak": sum(peak.values()),
        "no_grad_peak": sum(without.peak().values()),
        "no_grad_kept": sum(no_grad_kept.values()),
        **{f"peak_{part}": peak[part] for part in PARTS},
        "positions_over_output": kept["positions"] / kept["output"],
        "positions_share": kept["positions"] / sum(kept.values()),
    }


@maxpool_memory.invariant
def positions_are_there_in_any_case(result) -> bool:
    """The parts fill the peak; without a graph the forward pass peaks at all that a graph keeps, and leaves all of it but the positions."""
    filled = result["peak"] == sum(result[f"peak_{part}"] for part in PARTS)
    return filled and result["no_grad_peak"] == result["kept"] == result["no_grad_kept"] + result["positions"]


@maxpool_memory.figure
def draw(result, ax):
    from kernels import plot

    parts = ("input", "output", "positions")
    rows = {"between forward and backward": {part: result[part] for part in parts}}
    plot.stacked_bars(ax, rows, "B", fills=dict(zip(parts, (plot.STONE, plot.MINT, plot.ACCENT))))
