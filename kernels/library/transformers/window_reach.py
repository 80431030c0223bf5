"""Where what a windowed layer stack holds at a position comes from, if every layer averages its window.

A toy without content: each layer keeps 1 - m of its own position, and spreads m evenly over the last w tokens, its own among them. After L layers
the distance is a sum of L independent steps, each 0 with probability 1 - m and else uniform on 0 .. w - 1:

    bound L (w - 1)      mean L m (w - 1) / 2      variance L (m (w - 1)(2 w - 1) / 6 - (m (w - 1) / 2)^2)

(The bound: Jiang et al. 2023, Mistral 7B, arXiv 2310.06825, section 2, which rounds it to L w. That such averages concentrate: Luo et al. 2016,
Understanding the Effective Receptive Field, arXiv 1701.04128, for convolutions.)
"""

import functools
from itertools import accumulate
from typing import Annotated

from kernels import Bound, Free, Series, kernel

POINTS = 129  # of a window, for the distribution: a narrower one is taken token by token


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
    exact = window <= POINTS
    masses = distribution(layers, mixing, window) if exact else distribution(layers, mixing, POINTS, ends=0.5)
    tail = beyond(masses)  # tail[i]: from point i on
    last = len(masses) - 1

    def farther(i: int) -> float:
        """From farther away than point i, half of whose mass is farther where points stand for many tokens."""
        return tail[i + 1] if exact else (tail[i] + tail[i + 1]) / 2

    grid = [i * last // 32 for i in range(33)]
    return {
        "bound": bound,
        "mean": layers * mixing * steps / 2,
        "deviation": variance**0.5,
        "beyond_half": farther(last // 2),
        "beyond_quarter": farther(last // 4),
        "sweep": {"distance": [bound * i / last for i in grid], "share": [min(tail[i], 1.0) if tail[i] > 1e-9 else 0.0 for i in grid]},
    }


@functools.lru_cache(maxsize=64)
def distribution(layers: int, mixing: float, points: int = POINTS, ends: float = 1.0) -> list[float]:
    """Of the sum, in steps of a window over points - 1: every layer a mixture of staying and a running mean, its two ends weighted.

    With ends of a half the points stand for a continuous window, whose variance they meet to 2 / (points - 1)^2.
    """
    masses = [1.0]
    for _ in range(layers):
        tail = beyond(masses)  # from far to near: what is far and small keeps its digits
        size = len(masses)
        spread = []
        for i in range(size + points - 1):
            first, last = i - points + 1, i
            inside = tail[max(first, 0)] - tail[min(last + 1, size)]
            edges = (masses[last] if last < size else 0.0) + (masses[first] if first >= 0 else 0.0)
            spread.append((inside - (1 - ends) * edges) / (points - 2 + 2 * ends))
        masses = [mixing * max(s, 0.0) + (1 - mixing) * (masses[i] if i < size else 0.0) for i, s in enumerate(spread)]
    return masses


def beyond(masses: list[float]) -> list[float]:
    """Sums from each on, and 0 behind the last."""
    return [*accumulate(reversed(masses), initial=0.0)][::-1]


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
