"""Spare hosts that keep a fleet at the size that its load needs.

    up = sum over k = n .. n + s of C(n + s, k) a^k (1 - a)^(n + s - k)        hosts that fail on their own, each up with probability a

(k out of n systems: Barlow and Proschan 1975, Statistical Theory of Reliability and Life Testing, section 2.1.)
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

MOST = 200


@kernel(
    kind="formula",
    outputs={"none": "", "up": "", "spares": "", "with_spares": "", "overhead": "", "mean_up": "", "sweep": Series("spares", "")},
)
def fleet_spares(
    needed: Annotated[int, Bound(low=1, high=500)] = 20,
    host: Annotated[float, Bound(low=0.5, high=1.0)] = 0.99,
    held: Annotated[int, Bound(low=0, high=200)] = 1,
    target: Annotated[float, Bound(low=0.0, high=0.999999)] = 0.999,
):
    """The chance that at least the needed hosts are up, with spares, and the fewest spares that reach a target.

    none: without spares; up: with those held. spares: the fewest for the target, 200 where even so many are too few; with_spares: the chance then.
    overhead: spares over needed. mean_up: hosts up on average, with those held. sweep: the chance by spares.
    """

    def up(s: int) -> float:
        n = needed + s
        return min(1.0, math.fsum(math.comb(n, k) * host**k * (1 - host) ** (n - k) for k in range(needed, n + 1)))

    fewest = next((s for s in range(MOST + 1) if up(s) >= target), MOST)
    most = max(6, min(fewest + 2, 12))
    return {
        "none": up(0),
        "up": up(held),
        "spares": fewest,
        "with_spares": up(fewest),
        "overhead": fewest / needed,
        "mean_up": (needed + held) * host,
        "sweep": {"spares": list(range(most + 1)), "up": [up(s) for s in range(most + 1)]},
    }


@fleet_spares.figure
def draw(result, ax):
    from kernels import plot

    plot.bars(
        ax,
        {f"{s:.0f} spare": 1 - u for s, u in zip(result["sweep"].x, result["sweep"].values("up")) if s <= 4},
        "percent",
        highlight=f"{result['spares']:.0f} spare",
    )
