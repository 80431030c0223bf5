"""The tail of a request that waits for many calls at once: the slowest of them decides.

    some call is slow = 1 - (1 - p)^n            p99 of all needs each call within the limit at the percentile 0.99^(1/n)
    hedged, a second copy once a call is slow: 1 - (1 - p^2)^n, for p more calls

(Dean and Barroso 2013, The Tail at Scale, CACM 56(2).) Calls are independent, and so are a call and its copy: one overloaded server or one common
pause breaks that, and then the formula is too pessimistic for the fan-out and too hopeful for the hedge.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

SHOWN = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@kernel(
    kind="formula",
    outputs={"slow_requests": "", "hedged": "", "extra": "", "needed": "", "needed_slow": "", "times": "", "sweep": Series("calls", "")},
)
def fanout_tail(
    calls: Annotated[int, Bound(low=1, high=1_000_000)] = 20,
    slow: Annotated[float, Bound(low=1e-9, high=0.5)] = 0.01,
    percentile: Annotated[float, Bound(low=0.5, high=0.99999)] = 0.99,
):
    """The share of requests that are slow where any of their calls is, and what that asks of a call.

    slow: the share of single calls that miss the limit. hedged: of requests, each slow call sent a second time; extra: calls that it adds, over all.
    needed: the percentile at which a single call must meet the limit for the request to meet it at `percentile`; needed_slow: what may miss it.
    times: slow requests over slow calls. sweep: both by calls.
    """

    def some(p: float, n: int) -> float:
        import math

        return -math.expm1(n * math.log1p(-p))

    needed = percentile ** (1 / calls)
    return {
        "slow_requests": some(slow, calls),
        "hedged": some(slow * slow, calls),
        "extra": slow,
        "needed": needed,
        "needed_slow": 1 - needed,
        "times": some(slow, calls) / slow,
        "sweep": {"calls": SHOWN, "slow": [some(slow, n) for n in SHOWN], "hedged": [some(slow * slow, n) for n in SHOWN]},
    }


@fanout_tail.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, unit="percent", x_label="calls at once", y_label="slow requests", highlight="slow")
    calls, share = result.parameters["calls"], result["slow_requests"]
    plot.mark(ax, calls, share, f"{100 * share:.0f} % at {calls}", plot.AMBER, "left above", name="slow")
