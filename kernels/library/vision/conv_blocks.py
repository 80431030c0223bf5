"""Four ways from c channels to c channels: their parameters, and so their multiplications a pixel.

    plain 3x3            9 c^2
    pointwise 1x1        c^2
    bottleneck           c b + 9 b^2 + b c,  b = c / reduction       He et al. 2015, arXiv 1512.03385, figure 5
    separable            9 c + c^2                                   Howard et al. 2017, arXiv 1704.04861, section 3.1

Each weight is used once at every pixel, so parameters, multiplications and FLOP stand in the same ratios. Biases and norms are left out.
"""

from typing import Annotated

from kernels import Bound, KernelError, kernel

BLOCKS = ("plain", "pointwise", "bottleneck", "separable")


@kernel(kind="formula", outputs={**dict.fromkeys(BLOCKS, ""), **{f"{name}_saving": "" for name in BLOCKS[1:]}, "one_by_one_share": ""})
def conv_blocks(channels: Annotated[int, Bound(low=1)] = 256, reduction: Annotated[int, Bound(low=1)] = 4):
    """Parameters of a plain 3x3 convolution, a 1x1, a bottleneck and a depthwise separable one of the same width; saving: plain over it.

    one_by_one_share: of the bottleneck's parameters, what its two 1x1 layers take.
    """
    if channels % reduction:
        raise KernelError(f"conv_blocks: {channels} channels do not divide by {reduction}")
    narrow = channels // reduction
    sizes = {
        "plain": 9 * channels**2,
        "pointwise": channels**2,
        "bottleneck": 2 * channels * narrow + 9 * narrow**2,
        "separable": 9 * channels + channels**2,
    }
    return {
        **sizes,
        **{f"{name}_saving": sizes["plain"] / sizes[name] for name in BLOCKS[1:]},
        "one_by_one_share": 2 * channels * narrow / sizes["bottleneck"],
    }


@conv_blocks.figure
def draw(result, ax):
    from kernels import plot

    names = {"plain": "plain 3×3", "bottleneck": "bottleneck", "separable": "separable", "pointwise": "1×1 alone"}
    plot.bars(ax, {said: result[name] for name, said in names.items()}, "", highlight="bottleneck")
