"""A copied index ages: the share of documents that have changed since they were last embedded.

    fresh on average = (1 - exp(-x)) / x,  x = changes a document in one interval            (Cho and Garcia-Molina 2000, SIGMOD, Synchronizing a
    stale just before the next pass = 1 - exp(-x)                                             Database to Improve Freshness)

Each document changes at random moments (Poisson) at the same rate, and every `interval` all are embedded anew.
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

DAY = 86_400.0


@kernel(kind="formula", outputs={"fresh": "", "stale": "", "stale_at_end": "", "interval_for": "s", "sweep": Series("days", "")})
def index_freshness(
    interval: Annotated[float, Bound("s", low=1.0, high=1e9)] = 7 * DAY,
    between: Annotated[float, Bound("s", low=60.0, high=1e10)] = 30 * DAY,
    wanted: Annotated[float, Bound(low=1e-4, high=0.9)] = 0.01,
):
    """The shares of documents that are current and outdated, on average and just before the next pass.

    between: mean time between two changes of a document. interval_for: how often to embed for an average stale share as wanted. sweep: that share
    against the interval in days.
    """
    low, high = 0.0, 100.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if stale(middle) < wanted else (low, middle)
    x = interval / between
    grid = [k * 1.5 for k in range(21)]
    return {
        "fresh": 1 - stale(x),
        "stale": stale(x),
        "stale_at_end": -math.expm1(-x),
        "interval_for": high * between,
        "sweep": {"days": grid, "stale": [stale(t * DAY / between) for t in grid]},
    }


def stale(x: float) -> float:
    return 1 + math.expm1(-x) / x if x > 1e-4 else x / 2 - x * x / 6


@index_freshness.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], unit="percent", labels={"stale": ""}, x_label="days between passes", y_label="stale on average")
    plot.mark(ax, result.parameters["interval"] / DAY, result["stale"], plot.show(result["stale"], "percent"), plot.ACCENT, "left above")
