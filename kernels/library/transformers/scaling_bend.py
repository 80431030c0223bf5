"""A power law in the parameters of the blocks, plotted against all parameters: it bends, and a fit to its small end misses.

    L = N_body^-alpha,   N_body = 12 L d^2,   N_total = N_body + V d

Only the reducible loss is meant. Kaplan et al. 2020, arXiv 2001.08361, equation 1.1 (alpha_N = 0.076) and figure 6 right. The ladder's shapes are
this file's; the widths are those of GPT-2 and GPT-3 with smaller ones before.
"""

import math
from collections.abc import Sequence
from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.models._models import SHAPES

LADDER = (
    (4, 128),
    (6, 256),
    (6, 384),
    (8, 512),
    (10, 640),
    (12, 768),
    (24, 1024),
    (24, 1536),
    (24, 2048),
    (32, 2560),
    (32, 4096),
    (40, 5120),
    (80, 10240),
)


@kernel(
    kind="formula",
    outputs={
        "share_smallest": "",
        "share_largest": "",
        "fitted_largest": "",
        "slope_fitted": "",
        "slope_steepest": "",
        "slope_large": "",
        "slope_body": "",
        "largest": "",
        "predicted": "",
        "loss": "",
        "ratio": "",
        "needed": "",
        "ladder": Series("parameters", ""),
    },
)
def scaling_bend(
    alpha: Annotated[float, Bound(low=0.01, high=1.0)] = 0.076,
    vocab: Annotated[int, Bound(low=1)] = SHAPES["llama-3-8b"].vocab,
    fitted: Annotated[int, Bound(low=2, high=12)] = 6,
    tied: bool = True,
):
    """Slopes of log loss against log parameters on a ladder of 13 models, and the smallest ones' fit carried to the largest.

    Slopes are magnitudes: of the fit to the `fitted` smallest against total parameters, the steepest and the last step of the ladder, and
    the same fit against the blocks' parameters. ratio: predicted over true reducible loss of the largest. needed: how many times its
    blocks' parameters the predicted loss would really take.
    """
    bodies = [12 * layers * d * d for layers, d in LADDER]
    tables = [vocab * d * (1 if tied else 2) for _, d in LADDER]
    totals = [body + table for body, table in zip(bodies, tables)]
    losses = [body**-alpha for body in bodies]
    slope, level = fit(totals[:fitted], losses[:fitted])
    predicted = math.exp(level + slope * math.log(totals[-1]))
    steps = [-math.log(b / a) / math.log(n / m) for a, b, m, n in zip(losses, losses[1:], totals, totals[1:])]
    return {
        "share_smallest": tables[0] / totals[0],
        "share_largest": tables[-1] / totals[-1],
        "fitted_largest": totals[fitted - 1],
        "slope_fitted": -slope,
        "slope_steepest": max(steps),
        "slope_large": steps[-1],
        "slope_body": -fit(bodies[:fitted], losses[:fitted])[0],
        "largest": totals[-1],
        "predicted": predicted,
        "loss": losses[-1],
        "ratio": predicted / losses[-1],
        "needed": (predicted / losses[-1]) ** (-1 / alpha),
        "ladder": {"parameters": totals, "true": losses, "fit": [math.exp(level + slope * math.log(n)) for n in totals]},
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

    plot.lines(
        ax,
        result["ladder"],
        xlog=True,
        ylog=True,
        labels={"true": "models", "fit": "fit"},
        x_label="total parameters",
        y_label="reducible loss",
        highlight="true",
    )
    plot.mark(
        ax,
        result["fitted_largest"],
        result["ladder"].lines["true"][result.parameters["fitted"] - 1].value,
        "last model fitted",
        plot.INK,
        "right above",
    )
