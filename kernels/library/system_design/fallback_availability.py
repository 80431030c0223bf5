"""How often a service with a fallback is down, where some outages take both along.

    down = U1 * (c + (1 - c) * U2)            U = 1 - availability

c is the share of the first one's outages that take the fallback along: a shared network, identity provider, prompt, release, or the overflow itself
(the beta factor of common-cause failures: Fleming 1975). c = 0 is independence, c = 1 no fallback at all.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

MONTH = 30 * 86400.0
SHARES = tuple(k / 20 for k in range(21))


@kernel(
    kind="formula",
    outputs={"alone": "s", "together": "s", "availability": "", "independent": "s", "times": "", "chain": "", "sweep": Series("common", "")},
)
def fallback_availability(
    primary: Annotated[float, Bound(low=0.0, high=1.0)] = 0.995,
    fallback: Annotated[float, Bound(low=0.0, high=1.0)] = 0.995,
    common: Annotated[float, Bound(low=0.0, high=1.0)] = 0.1,
    parts: Annotated[int, Bound(low=1, high=1000)] = 6,
):
    """Seconds a month (of 30 days) without service, with a fallback and without, by the share of outages that take both along.

    independent: were no outage common to both. times: alone over together.
    sweep: minutes a month, by common. chain: availability of `parts` such parts in a row, all of them needed.
    """
    down = 1 - primary

    def off(c: float) -> float:
        return down * (c + (1 - c) * (1 - fallback))

    return {
        "alone": down * MONTH,
        "together": off(common) * MONTH,
        "availability": 1 - off(common),
        "independent": off(0.0) * MONTH,
        "times": 1 / (common + (1 - common) * (1 - fallback)) if common + (1 - common) * (1 - fallback) > 0 else 1e9,
        "chain": primary**parts,
        "sweep": {"common": SHARES, "down": [off(c) * MONTH / 60 for c in SHARES]},
    }


@fallback_availability.figure
def draw(result, ax):
    from kernels import plot

    common, together = result.parameters["common"], result["together"]
    x_label = "share of outages that take the fallback along"
    plot.lines(ax, result["sweep"], labels={"down": ""}, x_label=x_label, y_label="minutes down a month")
    plot.mark(ax, common, together / 60, f"{together / 60:.3g} at {100 * common:.0f} %", plot.AMBER, "right below")
