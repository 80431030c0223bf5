"""The slowest of n tool calls that run at once.

    P(slowest <= t) = F(t)^n        median of the slowest = F^-1(2^(-1/n))        mean = integral of t n F^(n-1) dF

for independent, log-normal times (order statistics: David and Nagaraja 2003, section 2.1). How many turns have a slow call is fanout_tail's.
"""

import math
from statistics import NormalDist
from typing import Annotated

from kernels import Bound, Series, kernel

CALLS = tuple(range(1, 33))
NORMAL = NormalDist()


@kernel(
    kind="formula",
    outputs={
        "mean": "s",
        "sequential": "s",
        "slowest": "s",
        "slowest_median": "s",
        "speedup": "",
        "over_one": "",
        "sweep": Series("calls", ""),
    },
    timeout=10,
)
def parallel_tools(
    calls: Annotated[int, Bound(low=1, high=1000)] = 10,
    median: Annotated[float, Bound("s", low=1e-3, high=1e4)] = 1.0,
    p95: Annotated[float, Bound("s", low=1e-3, high=1e6)] = 3.0,
):
    """The time of a turn whose tool calls run at once, against one after another.

    median, p95: of one call, log-normal; a p95 below the median counts as the median. mean: of one call. sequential: of all, one after another.
    slowest: the mean time of the slowest. over_one: over one call's mean. sweep: speed-up by calls.
    """
    sigma = max(0.0, math.log(max(p95, median) / median)) / NORMAL.inv_cdf(0.95)
    mean = median * math.exp(sigma * sigma / 2)

    def slowest(n: int) -> float:
        """Simpson over z of exp(sigma z) n Phi^(n - 1) phi, from where it is nothing to where it is nothing again."""
        low, high, parts = -9.0, 9.0 + sigma, 120
        width = (high - low) / parts
        total = 0.0
        for k in range(parts + 1):
            z = low + k * width
            weight = 1 if k in (0, parts) else 4 if k % 2 else 2
            total += weight * math.exp(sigma * z) * n * (0.5 * math.erfc(-z / math.sqrt(2))) ** (n - 1) * NORMAL.pdf(z)
        return median * total * width / 3

    at_once = slowest(calls)
    return {
        "mean": mean,
        "sequential": calls * mean,
        "slowest": at_once,
        "slowest_median": median * math.exp(sigma * NORMAL.inv_cdf(0.5 ** (1 / calls))),
        "speedup": calls * mean / at_once,
        "over_one": at_once / mean,
        "sweep": {"calls": CALLS, "speed-up": [n * mean / slowest(n) for n in CALLS]},
    }


@parallel_tools.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 200)
    curve = result["sweep"]
    plot.lines(ax, curve, labels={"speed-up": ""}, x_label="tool calls in the turn", y_label="speed-up by running at once")
    k = result.parameters["calls"]
    if k in curve.x:
        plot.mark(ax, k, result["speedup"], f"{plot.show(result['speedup'], '')} for {k}", plot.AMBER, "left above", name="at its calls")
