"""How long sales must be counted before a change of demand shows.

Two periods of equal length t, sales Poisson at rates r and r (1 + d). Their difference is d r t on average, its standard deviation sqrt(r t (2 +
d)), so that it stands z of those above nothing after

    t = z^2 (2 + d) / (d^2 r)            (the z statistic of two Poisson counts: Przyborowski and Wilenski 1940, Biometrika 31)

At that t it is found every second time only.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

DAY = 86400.0
SHOWN = (0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5)


@kernel(kind="formula", outputs={"time": "s", "sales": "", "in_interval": "", "sweep": Series("change", "s")})
def sales_evidence(
    daily: Annotated[float, Bound(low=1e-3, high=1e9)] = 40.0,
    change: Annotated[float, Bound(low=0.001, high=10.0)] = 0.1,
    z: Annotated[float, Bound(low=0.5, high=10.0)] = 2.0,
    interval: Annotated[float, Bound("s", low=1e-3, high=1e9)] = 0.01,
):
    """The length of each of two periods after which a change of sales stands z standard deviations out, and sales in an interval.

    daily: sales a day before the change. sales: in a period of that length before it. in_interval: on average. sweep: time by change.
    """
    rate = daily / DAY

    def needed(d: float) -> float:
        return z * z * (2 + d) / (d * d * rate)

    return {
        "time": needed(change),
        "sales": rate * needed(change),
        "in_interval": rate * interval,
        "sweep": {"change": SHOWN, "time": [needed(d) for d in SHOWN]},
    }
