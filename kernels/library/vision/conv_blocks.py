"""Four ways from c channels to c channels: their parameters, and so their multiplications a pixel.

    plain 3x3            9 c^2
    pointwise 1x1        c^2
    bottleneck           c b + 9 b^2 + b c,  b = c / reduction       He et al. 2015, arXiv 1512.03385, figure 5
    separable            9 c + c^2                                   Howard et al. 2017, arXiv 1704.04861, section 3.1

Each weight is used once at every pixel, so parameters, multiplications and FLOP stand in the same ratios. Biases and norms are left out. Times do
not stand in them: by the data sheet each layer takes at least max(FLOP / peak, bytes / bandwidth, launch) in 16 bits, its maps read and written once.
"""

from typing import Annotated

from kernels import Bound, KernelError, Lower, kernel
from kernels.library.machines._devices import Gpu
from kernels.library.machines._reach import least

BLOCKS = ("plain", "pointwise", "bottleneck", "separable")
BYTES = 2  # of a value in 16 bits


@kernel(
    kind="prediction",
    outputs={
        **dict.fromkeys(BLOCKS, ""),
        **{f"{name}_saving": "" for name in BLOCKS[1:]},
        "one_by_one_share": "",
        **{f"{name}_time": Lower("s") for name in BLOCKS},
        **{f"{name}_at_best": "" for name in BLOCKS[1:]},
    },
)
def conv_blocks(
    channels: Annotated[int, Bound(low=1)] = 256,
    reduction: Annotated[int, Bound(low=1)] = 4,
    size: Annotated[int, Bound(low=1)] = 56,
    batch: Annotated[int, Bound(low=1)] = 32,
    gpu: Gpu = "h100",
    launch: Annotated[float, Bound("s", low=0, high=1e-3)] = 0.0,
):
    """Parameters of a plain 3x3 convolution, a 1x1, a bottleneck and a depthwise separable one of the same width; saving: plain over it.

    one_by_one_share: of the bottleneck's parameters, what its two 1x1 layers take. time: of the block's layers one after another on `batch` maps
    of size x size, at the data sheet's peak and bandwidth, no layer below its launch; at_best: the plain layer's time over that, if both run at their
    roofs.
    """
    if channels % reduction:
        raise KernelError(f"conv_blocks: {channels} channels do not divide by the reduction, {reduction}, which must be a divisor")
    narrow = channels // reduction
    sizes = {
        "plain": 9 * channels**2,
        "pointwise": channels**2,
        "bottleneck": 2 * channels * narrow + 9 * narrow**2,
        "separable": 9 * channels + channels**2,
    }
    times = {name: at_least(layers(name, channels, narrow), size**2 * batch, gpu, launch) for name in BLOCKS}
    return {
        **sizes,
        **{f"{name}_saving": sizes["plain"] / sizes[name] for name in BLOCKS[1:]},
        "one_by_one_share": 2 * channels * narrow / sizes["bottleneck"],
        **{f"{name}_time": time for name, time in times.items()},
        **{f"{name}_at_best": times["plain"] / times[name] for name in BLOCKS[1:]},
    }


def layers(name: str, channels: int, narrow: int) -> list[tuple[int, int, int]]:
    """A block's layers: channels in, channels out, weights of each."""
    c, b = channels, narrow
    return {
        "plain": [(c, c, 9 * c * c)],
        "pointwise": [(c, c, c * c)],
        "bottleneck": [(c, b, c * b), (b, b, 9 * b * b), (b, c, b * c)],
        "separable": [(c, c, 9 * c), (c, c, c * c)],
    }[name]


def at_least(layers: list[tuple[int, int, int]], pixels: int, gpu: str, launch: float) -> float:
    """Seconds of the layers in a row: each at least its FLOP at peak, its maps and weights at full bandwidth, and its launch."""
    return sum(least(gpu, 2 * pixels * weights, BYTES * (pixels * (inputs + outputs) + weights), launch) for inputs, outputs, weights in layers)


@conv_blocks.figure
def draw(result, ax):
    from kernels import plot

    names = {"plain": "plain 3×3", "bottleneck": "bottleneck", "separable": "separable", "pointwise": "1×1 alone"}
    plot.bars(ax, {said: result[name] for name, said in names.items()}, "", highlight="bottleneck")
