"""A query that waits for several sources waits for the slowest: percentiles of the largest of k independent times.

    P(max <= t) = F(t)^k        p99 of the largest: the 0.99^(1/k) quantile of one        some source missing at a deadline T: 1 - F(T)^k

Each source's time is log-normal, by its p50 and p99. A hedged request goes out a second time where the first has not come back after h, and takes
whichever is first: it exceeds t with (1 - F(t)) (1 - F(t - h)). (Dean and Barroso 2013, The Tail at Scale, CACM 56(2).) Times are taken to be
independent; where sources are slow together, the largest is less above one.
"""

import math
from statistics import NormalDist
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

NORMAL = NormalDist()
WIDE = NORMAL.inv_cdf(0.99)
SHOWN = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)


@kernel(
    kind="formula",
    outputs={
        "p50": "s",
        "p99": "s",
        "slow": "",
        "partial": "",
        "missing": "",
        "hedged_p99": "s",
        "hedged_source_p99": "s",
        "hedge_after": "s",
        "extra": "",
        "sweep": Series("sources", "s"),
    },
)
def fanout_latency(
    sources: Annotated[int, Bound(low=1, high=10_000)] = 4,
    median: Annotated[float, Bound("s", low=1e-6, high=3600.0)] = 0.2,
    tail: Annotated[float, Bound("s", low=1e-6, high=3600.0)] = 1.5,
    deadline: Annotated[float, Bound("s", low=1e-6, high=3600.0)] = 1.0,
    hedge: Annotated[float, Bound(low=0.5, high=0.999)] = 0.95,
):
    """Percentiles of the time until all sources have answered, and what a deadline or a hedge does to them.

    median, tail: p50 and p99 of one source. slow: the chance that some source is slower than its own p99. partial: that some source misses the
    deadline; missing: that one given source does. hedge: the percentile of one source after which a second request goes out, at hedge_after; extra:
    the share of requests that are sent twice. hedged_p99: of the slowest source, each hedged.
    """
    if tail < median:
        raise KernelError(f"fanout_latency: tail must be at least median ({tail} s is less than {median} s)")
    spread = math.log(tail / median) / WIDE
    after = quantile(hedge, median, spread)
    late = 1 - below(deadline, median, spread)
    return {
        "p50": slowest(0.5, sources, median, spread),
        "p99": slowest(0.99, sources, median, spread),
        "slow": 1 - 0.99**sources,
        "partial": -math.expm1(sources * math.log1p(-late)) if late < 1 else 1.0,
        "missing": late,
        "hedged_p99": hedged(0.99 ** (1 / sources), after, median, spread),
        "hedged_source_p99": hedged(0.99, after, median, spread),
        "hedge_after": after,
        "extra": 1 - hedge,
        "sweep": {
            "sources": list(SHOWN),
            "p99": [slowest(0.99, count, median, spread) for count in SHOWN],
            "p50": [slowest(0.5, count, median, spread) for count in SHOWN],
            "p99, hedged": [hedged(0.99 ** (1 / count), after, median, spread) for count in SHOWN],
        },
    }


def below(time: float, median: float, spread: float) -> float:
    if time <= 0:
        return 0.0
    if spread == 0:
        return float(time >= median)
    return math.erfc(-math.log(time / median) / spread / math.sqrt(2)) / 2


def quantile(share: float, median: float, spread: float) -> float:
    return median * math.exp(spread * NORMAL.inv_cdf(share))


def slowest(share: float, sources: int, median: float, spread: float) -> float:
    return quantile(share ** (1 / sources), median, spread)


def hedged(share: float, after: float, median: float, spread: float) -> float:
    """The time by which the first of both answers has come with that probability."""
    low, high = 0.0, quantile(share, median, spread)
    for _ in range(60):
        middle = (low + high) / 2
        left = (1 - below(middle, median, spread)) * (1 - below(middle - after, median, spread))
        low, high = (low, middle) if left <= 1 - share else (middle, high)
    return high


@fanout_latency.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax,
        result["sweep"],
        labels={"p99, hedged": "p99,\nhedged"},
        x_label="sources asked at once",
        y_label="until all have answered",
        highlight="p99",
    )
