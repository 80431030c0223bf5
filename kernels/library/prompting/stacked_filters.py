"""Filters in a row that err together: the chance that an attack passes all of them.

Each filter misses a share m of attacks. An attack's difficulty is a normal number that all filters see, with a share r of its variance in common:

    passes all k = integral of phi(z) Phi((Phi^-1(m) + sqrt(r) z) / sqrt(1 - r))^k dz

r = 0 gives m^k, r = 1 gives m. (The one-factor Gaussian copula: Vasicek 2002, The Distribution of Loan Portfolio Value, Risk 15(12).)
"""

import math
from statistics import NormalDist
from typing import Annotated

from kernels import Bound, Free, Series, kernel

NORMAL = NormalDist()
STEP = 1 / 16
POINTS = 144  # to 9 standard deviations: what lies beyond weighs 1e-19
SHARED = tuple(k / 20 for k in range(21))


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("passes", "independent", "same", "over_independent", "worth", "next_misses"), ""),
        "sweep": Series("shared", ""),
    },
)
def stacked_filters(
    filters: Annotated[int, Bound(low=1, high=20)] = 3,
    miss: Annotated[float, Bound(low=0.0001, high=0.5)] = 0.05,
    shared: Annotated[float, Bound(low=0.0, high=1.0), Free(0.0, 1.0)] = 0.5,
):
    """The share of attacks that pass all filters, where a share `shared` of what makes an attack hard is common to them.

    independent, same: at shared 0 and 1. over_independent: how many times what independence promises. worth: as many independent filters would do as
    well. next_misses: what one more such filter misses of the attacks that passed all of these. sweep: passes against shared, which is free: of
    filters that learnt from the same attacks nobody knows it.
    """
    now = passing(filters, miss, shared)
    return {
        "passes": now,
        "independent": miss**filters,
        "same": miss,
        "over_independent": now / miss**filters,
        "worth": math.log(now) / math.log(miss),
        "next_misses": passing(filters + 1, miss, shared) / now,
        "sweep": {"shared": SHARED, "passes": [passing(filters, miss, r) for r in SHARED]},
    }


def passing(filters: int, miss: float, shared: float) -> float:
    """By the trapezium rule, whose error falls faster than any power of the step where the integrand and its slopes end at 0."""
    threshold, common, own = NORMAL.inv_cdf(miss), math.sqrt(shared), math.sqrt(1 - shared)

    def over_common(z: float) -> float:
        return NORMAL.pdf(z) * NORMAL.cdf((threshold + common * z) / own) ** filters

    def over_own(u: float) -> float:  # the same by parts, since the other is all but a step where next to nothing is their own
        return filters * NORMAL.cdf(u) ** (filters - 1) * NORMAL.pdf(u) * NORMAL.cdf((threshold - own * u) / common)

    integrand = over_common if common < own else over_own
    return STEP * math.fsum(integrand(k * STEP) for k in range(-POINTS, POINTS + 1))


@stacked_filters.figure
def draw(result, ax):
    from kernels import plot

    curve = result["sweep"]
    x_label = "what the filters' misses have in common"
    plot.lines(ax, curve, ylog=True, labels={"passes": ""}, unit="percent", x_label=x_label, y_label="attacks that pass all")
    for at, where in ((0.0, "right above"), (0.5, "right below"), (1.0, "left above")):
        share = curve.values("passes")[SHARED.index(at)]
        plot.mark(ax, at, share, f"{100 * share:.3g} %", plot.INK, where)
