"""How far each head sees under ALiBi, which subtracts slope x distance from the scores.

    slope of head k of h: 2^(-8k/h)       k = 1 .. h, h a power of two
    a key at distance x keeps exp(-slope x) of the weight it would have next to the query, all else equal

(Press et al. 2022, Train Short, Test Long, arXiv 2108.12409, section 3.)
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

DISTANCES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


@kernel(
    kind="formula",
    outputs={"steepest": "", "flattest": "", "near": "token", "far": "token", "at_distance": "", "sweep": Series("distance", "", x_unit="token")},
)
def alibi_window(
    heads: Annotated[int, Bound(low=1, high=1024)] = 8,
    left: Annotated[float, Bound(low=1e-12, high=1.0)] = 1e-3,
    distance: Annotated[float, Bound("token", low=0.0)] = 1024.0,
):
    """First and last head's slope, the distance at which `left` of a key's weight remains in each, and the last head's factor at `distance`."""
    if heads & (heads - 1):
        raise KernelError(f"alibi_window: heads is {heads}, but must be a power of two (the paper interpolates other numbers)")
    slopes = [2 ** (-8 * k / heads) for k in range(1, heads + 1)]
    shown = sorted({1, heads // 2 or 1, heads})
    return {
        "steepest": slopes[0],
        "flattest": slopes[-1],
        "near": -math.log(left) / slopes[0],
        "far": -math.log(left) / slopes[-1],
        "at_distance": math.exp(-slopes[-1] * distance),
        "sweep": {"distance": DISTANCES, **{f"head {k}": [math.exp(-slopes[k - 1] * x) for x in DISTANCES] for k in shown}},
    }


@alibi_window.figure
def draw(result, ax):
    from kernels import plot

    sweep = result["sweep"]
    plot.lines(
        ax,
        sweep,
        xlog=True,
        unit="percent",
        x_label="distance in tokens",
        y_label="weight kept, all else equal",
        labels=dict.fromkeys(sweep.lines, ""),
    )
    for head in sweep.lines:  # all of them end at zero, so each is named where it has fallen to about a half
        kept, distance = min(zip(sweep.values(head), sweep.x), key=lambda point: abs(point[0] - 0.5))
        plot.mark(ax, distance, kept, head, where="right above")
