"""A gain measured on the same test items twice: only the items where the two disagree tell.

    gain = (b - c) / n        standard error = sqrt(b + c - (b - c)^2 / n) / n        p = 2 P(Binomial(b + c, 1/2) <= min(b, c))

b: items that only the new prompt gets right, c: only the old one. (McNemar 1947, Psychometrika 12(2); the error: Fleiss, Levin and Paik 2003,
chapter 13; p exact.) As if two different sets of items had been drawn, the error would be sqrt(p0 (1 - p0)/n + p1 (1 - p1)/n).
"""

import math
from statistics import NormalDist
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

SIZES = (50, 100, 200, 400, 800, 1600, 3200)


@kernel(
    kind="formula",
    outputs={
        "gain": "",
        "error": "",
        "half": "",
        "lower": "",
        "upper": "",
        "p_value": "",
        "unpaired_half": "",
        "narrower": "",
        "needed": "",
        "before": "",
        "after": "",
        "sweep": Series("items", ""),
    },
)
def mcnemar_gain(
    items: Annotated[int, Bound(low=10, high=1_000_000)] = 200,
    gained: Annotated[int, Bound(low=0, high=100_000)] = 16,
    lost: Annotated[int, Bound(low=0, high=100_000)] = 8,
    right_before: Annotated[int, Bound(low=0, high=1_000_000)] = 160,
    confidence: Annotated[float, Bound(low=0.5, high=0.9999)] = 0.95,
):
    """The interval of a gain in accuracy on paired test items, McNemar's exact p, and the items that would settle it.

    gained: items that only the new prompt gets right; lost: only the old one. right_before: by the old one. half: half the interval's width.
    unpaired_half: as if the two had been measured on sets of their own. needed: items at which, with the same shares, the interval would just
    leave out 0. sweep: the interval by items, with the same shares.
    """
    if gained + lost > items:
        raise KernelError(f"mcnemar_gain: gained and lost are {gained + lost} together, but must be at most items, {items}")
    if gained == lost:
        raise KernelError("mcnemar_gain: gained and lost are equal, so that there is no gain to measure; give two that differ")
    if not lost <= right_before <= items - gained:
        raise KernelError(f"mcnemar_gain: with {gained} gained and {lost} lost, right_before must lie between {lost} and {items - gained}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    gain, apart = (gained - lost) / items, (gained + lost) / items
    spread = apart - gain * gain  # of one item's difference
    error = math.sqrt(spread / items)
    before, after = right_before / items, (right_before + gained - lost) / items
    unpaired = math.sqrt((before * (1 - before) + after * (1 - after)) / items)
    return {
        "gain": gain,
        "error": error,
        "half": z * error,
        "lower": gain - z * error,
        "upper": gain + z * error,
        "p_value": two_sided(min(gained, lost), gained + lost),
        "unpaired_half": z * unpaired,
        "narrower": unpaired / error if error else 1e6,
        "needed": math.ceil(z * z * spread / (gain * gain) - 1e-9),
        "before": before,
        "after": after,
        "sweep": {
            "items": SIZES,
            "lower": [gain - z * math.sqrt(spread / n) for n in SIZES],
            "upper": [gain + z * math.sqrt(spread / n) for n in SIZES],
        },
    }


def two_sided(fewer: int, n: int) -> float:
    """Twice the lower tail of a fair coin's n throws, up to 1."""
    log_half = n * math.log(0.5)
    total, term = 0.0, log_half
    for k in range(fewer + 1):
        total += math.exp(term)
        if k < n:
            term += math.log((n - k) / (k + 1))
    return min(1.0, 2 * total)


@mcnemar_gain.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 200)
    curve, n = result["sweep"], result.parameters["items"]
    ax.fill_between(curve.x, curve.values("lower"), curve.values("upper"), color=plot.SAND, linewidth=0)
    labels = {"lower": "", "upper": ""}
    plot.lines(
        ax, curve, xlog=True, unit="percent", labels=labels, x_label="paired test items", y_label="gain, 95 % interval", highlight="", zero=False
    )
    plot.hline(ax, 0.0, "")
    plot.mark(ax, n, result["lower"], "")
    plot.mark(ax, n, result["upper"], f"{n} items", where="right above", name="the items")
    return (
        f"Around a gain of {result['gain']:.1%} the interval narrows with the number of paired items; at {n} it runs from {result['lower']:.1%} to "
        f"{result['upper']:.1%}."
    )
