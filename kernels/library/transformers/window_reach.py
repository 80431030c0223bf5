"""Where what a windowed layer stack holds at a position comes from, if every layer averages its window.

A toy without content: each layer keeps 1 - m of its own position, and spreads m evenly over the last w tokens, its own among them. After L layers
the distance is a sum of L independent steps, each 0 with probability 1 - m and else uniform on 0 .. w - 1:

    bound L (w - 1)      mean L m (w - 1) / 2      variance L (m (w - 1)(2 w - 1) / 6 - (m (w - 1) / 2)^2)

(The bound: Jiang et al. 2023, Mistral 7B, arXiv 2310.06825, section 2, which rounds it to L w. That such averages concentrate: Luo et al. 2016,
Understanding the Effective Receptive Field, arXiv 1701.04128, for convolutions.)
"""

from itertools import accumulate
from typing import Annotated

from kernels import Bound, Free, Series, kernel

BINS = 16  # of a window, for the distribution


@kernel(
    kind="formula",
    outputs={
        "bound": "token",
        "mean": "token",
        "deviation": "token",
        "beyond_half": "",
        "beyond_quarter": "",
        "sweep": Series("distance", "", "token"),
    },
)
def window_reach(
    window: Annotated[int, Bound("token", low=2, high=1_000_000)] = 4096,
    layers: Annotated[int, Bound(low=1, high=128)] = 32,
    mixing: Annotated[float, Bound(low=0.01, high=1.0), Free(0.2, 0.8)] = 0.5,
):
    """The farthest token that can matter, and where the toy's influence comes from: its distance, and shares from beyond parts of the bound.

    mixing: what attention adds, over what the layer passes on; a toy's, so free. sweep: the share of the influence from farther away than that.
    """
    steps = window - 1
    bound = layers * steps
    variance = layers * (mixing * steps * (2 * window - 1) / 6 - (mixing * steps / 2) ** 2)
    masses = distribution(layers, mixing)
    tail = [1.0, *(1 - below for below in accumulate(masses))]  # tail[i]: from bin i on
    last = len(masses) - 1
    grid = [i * last // 32 for i in range(33)]
    return {
        "bound": bound,
        "mean": layers * mixing * steps / 2,
        "deviation": variance**0.5,
        "beyond_half": max(tail[last // 2 + 1], 0.0),
        "beyond_quarter": max(tail[last // 4 + 1], 0.0),
        "sweep": {"distance": [bound * i / last for i in grid], "share": [min(max(tail[i], 0.0), 1.0) for i in grid]},
    }


def distribution(layers: int, mixing: float, bins: int = BINS) -> list[float]:
    """Of the sum, in bins of a window each: every layer a mixture of staying and a running mean."""
    masses = [1.0]
    for _ in range(layers):
        sums = [0.0, *accumulate(masses)]
        size = len(masses)
        spread = [sums[min(i + 1, size)] - sums[max(i + 1 - bins, 0)] for i in range(size + bins - 1)]
        masses = [mixing * s / bins + (1 - mixing) * (masses[i] if i < size else 0.0) for i, s in enumerate(spread)]
    return masses


@window_reach.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], labels={"share": ""}, unit="percent", x_label="distance in tokens", y_label="influence from farther away")
    ax.set_ylim(0, 1)
    mean = result["mean"]
    values, xs = result["sweep"].values("share"), result["sweep"].x
    at = min(range(len(xs)), key=lambda i: abs(xs[i] - mean))
    plot.mark(ax, xs[at], values[at], "mean", plot.ACCENT, "right above")
    plot.vline(ax, result["bound"], "bound")
