"""A power law in the parameters of the blocks, plotted against all parameters: it bends, and a fit to its small end misses.

    L = N_body^-alpha,   N_body = 12 L d^2 = 12 d^3 / aspect,   N_total = N_body + V d
    local slope against N_total, over alpha:  3 N_total / (3 N_body + V d),  from 3 where the table is all to 1 where the blocks are

Kaplan et al. 2020, arXiv 2001.08361, equation 1.1: the whole loss, with no irreducible part, falls as N^-0.076 in the parameters outside the
embedding.
How far the fit misses in parameters does not depend on alpha, since a line through logarithms scales with it.
"""

import math
from collections.abc import Sequence
from typing import Annotated

from kernels import Bound, Free, KernelError, Series, kernel
from kernels.library.models._models import SHAPES


@kernel(
    kind="formula",
    outputs={
        "share_smallest": "",
        "share_largest": "",
        "share_target": "",
        "width_smallest": "",
        "width_largest": "",
        "width_target": "",
        "slope_fitted": "",
        "slope_smallest": "",
        "slope_target": "",
        "ratio": "",
        "needed": "",
        "ladder": Series("parameters", ""),
    },
)
def scaling_bend(
    vocab: Annotated[int, Bound(low=1)] = SHAPES["llama-3-8b"].vocab,
    smallest: Annotated[float, Bound(low=1e5, high=1e12)] = 20e6,
    largest: Annotated[float, Bound(low=1e5, high=1e12)] = 140e6,
    target: Annotated[float, Bound(low=1e5, high=1e15)] = 100e9,
    fitted: Annotated[int, Bound(low=2, high=100)] = 6,
    alpha: Annotated[float, Bound(low=0.01, high=1.0), Free(0.05, 0.35)] = 0.076,
    aspect: Annotated[float, Bound(low=1.0, high=1000.0), Free(39.0, 128.0)] = 128.0,
    tied: bool = True,
):
    """A loss that follows a power law in the blocks' parameters, fitted against total parameters by small proxies and carried to a large model.

    `fitted` proxies from `smallest` to `largest`, evenly spaced in the logarithm. alpha: Kaplan's 0.076 is of the whole loss, laws with an
    irreducible part have about 0.34, so it is free between; aspect: width over layers, free between Chinchilla's 39 (as
    Pearce and Song fit it, arXiv 2406.12907) and GPT-3's 128. Slopes are magnitudes over alpha: of the fit, at the smallest proxy, at the target.
    ratio: what the line promises over the law's loss at the target; needed: how many times the target's blocks the promised loss would take.
    """
    if not smallest < largest < target:
        raise KernelError("scaling_bend: smallest, largest and target must rise in this order")
    copies = 1 if tied else 2

    def body(d: float) -> float:
        return 12 * d**3 / aspect

    def table(d: float) -> float:
        return copies * vocab * d

    def width(total: float) -> float:
        low, high = 0.0, total
        while high - low > 1e-12 * high:
            middle = (low + high) / 2
            low, high = (middle, high) if body(middle) + table(middle) < total else (low, middle)
        return high

    def slope(d: float) -> float:
        return 3 * (body(d) + table(d)) / (3 * body(d) + table(d))

    totals = [smallest * (largest / smallest) ** (i / (fitted - 1)) for i in range(fitted)]
    widths = [width(total) for total in totals]
    line, level = fit(totals, [body(d) ** -alpha for d in widths])
    goal = width(target)
    ratio = math.exp(level + line * math.log(target)) / body(goal) ** -alpha
    grid = [smallest * (target / smallest) ** (i / 24) for i in range(25)]
    return {
        "share_smallest": table(widths[0]) / smallest,
        "share_largest": table(widths[-1]) / largest,
        "share_target": table(goal) / target,
        "width_smallest": widths[0],
        "width_largest": widths[-1],
        "width_target": goal,
        "slope_fitted": -line / alpha,
        "slope_smallest": slope(widths[0]),
        "slope_target": slope(goal),
        "ratio": ratio,
        "needed": ratio ** (-1 / alpha),
        "ladder": {
            "parameters": grid,
            "law": [body(width(n)) ** -alpha for n in grid],
            "fit": [math.exp(level + line * math.log(n)) for n in grid],
        },
    }


def fit(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float]:
    """Least squares in logarithms: slope and level."""
    us, vs = [math.log(x) for x in xs], [math.log(y) for y in ys]
    u, v = sum(us) / len(us), sum(vs) / len(vs)
    slope = sum((a - u) * (b - v) for a, b in zip(us, vs)) / sum((a - u) ** 2 for a in us)
    return slope, v - slope * u


@scaling_bend.figure
def draw(result, ax):
    from kernels import plot

    ladder, largest = result["ladder"], result.parameters["largest"]
    plot.lines(
        ax,
        ladder,
        xlog=True,
        ylog=True,
        labels={"law": "law", "fit": "fit"},
        x_label="total parameters",
        y_label="loss, without its unit",
        highlight="law",
    )
    at = min(range(len(ladder.x)), key=lambda i: abs(math.log(ladder.x[i] / largest)))
    plot.mark(ax, ladder.x[at], ladder.values("law")[at], "last proxy", plot.INK, "right above")
