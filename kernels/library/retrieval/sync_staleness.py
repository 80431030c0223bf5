"""How old an index is that asks its sources for changes every so often: items that changed meanwhile, calls, and rights that outlive their
revocation.

    stale = 1 - exp(-e D) (1 - exp(-e T)) / (e T)       an item changes e times a second, the index asks every T seconds and needs D to take it in

The index's copy is D + U old, U uniform on (0, T); it is stale where the item changed in that time. Changes are a Poisson process. (Without D: Cho
and Garcia-Molina 2000, SIGMOD, Synchronizing a Database to Improve Freshness.)
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

DAY = 86400.0


@kernel(
    kind="formula",
    outputs={
        "stale": "",
        "mean_age": "s",
        "oldest": "s",
        "calls_a_day": "",
        "calls_rate": "1/s",
        "shortest": "s",
        "sweep": Series("seconds between syncs", ""),
    },
)
def sync_staleness(
    interval: Annotated[float, Bound("s", low=1.0, high=1e7)] = 900.0,
    processing: Annotated[float, Bound("s", low=0.0, high=1e6)] = 60.0,
    between_edits: Annotated[float, Bound("s", low=1.0, high=1e9)] = 3600.0,
    users: Annotated[int, Bound(low=1, high=1_000_000_000)] = 10_000,
    sources: Annotated[int, Bound(low=1, high=1000)] = 4,
    quota: Annotated[float, Bound("1/s", low=1e-3, high=1e9)] = 100.0,
):
    """The chance that the index holds an old copy of an item, how old copies are, and the calls that polling takes.

    between_edits: mean time between two changes of the item. mean_age, oldest: of the index's copy, and so of a right that was revoked. calls: one a
    user, source and interval. shortest: the interval at which the calls fill the quota. sweep: stale over the interval.
    """
    rate = users * sources / interval
    shown = [10 * (DAY / 10) ** (k / 40) for k in range(41)]
    return {
        "stale": stale(interval, processing, between_edits),
        "mean_age": interval / 2 + processing,
        "oldest": interval + processing,
        "calls_a_day": rate * DAY,
        "calls_rate": rate,
        "shortest": users * sources / quota,
        "sweep": {"seconds between syncs": shown, "stale": [stale(each, processing, between_edits) for each in shown]},
    }


def stale(interval: float, processing: float, between_edits: float) -> float:
    x, late = interval / between_edits, -math.expm1(-processing / between_edits)
    waited = 1 + math.expm1(-x) / x if x > 1e-4 else x / 2 - x * x / 6  # the series, where the difference would cancel
    return late + (1 - late) * waited


@sync_staleness.figure
def draw(result, ax):
    from kernels import plot

    labels = {"stale": ""}
    plot.lines(ax, result["sweep"], xlog=True, unit="percent", labels=labels, x_label="seconds between syncs", y_label="copies that are out of date")
    plot.mark(ax, result.parameters["interval"], result["stale"], f"{100 * result['stale']:.2g} %", where="left above")
