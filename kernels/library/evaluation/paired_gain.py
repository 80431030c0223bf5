"""A gain measured on the same test items twice: only the items where the two disagree tell.

    gain = (b - c) / n        standard error = sqrt(b + c - (b - c)^2 / n) / n        p = min(1, 2 P(Binomial(b + c, 1/2) >= max(b, c)))

b: items that only the new variant gets right (or on which it does better), c: only the old one. (McNemar 1947, Psychometrika 12(2), in its exact
form, which is the sign test; the error: Fleiss, Levin and Paik 2003, chapter 13.) As if two different sets of items had been drawn, the error would
be sqrt(p0 (1 - p0) / n + p1 (1 - p1) / n).
"""

import math
from statistics import NormalDist
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

SIZES = (50, 100, 200, 400, 800, 1600, 3200)


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("gain", "error", "half", "lower", "upper", "p_value", "differing", "wins_needed"), ""),
        **dict.fromkeys(("unpaired_half", "unpaired_z", "before", "after"), ""),
        "sweep": Series("items", ""),
    },
)
def paired_gain(
    items: Annotated[int, Bound(low=5, high=1_000_000)] = 200,
    gained: Annotated[int, Bound(low=0, high=100_000)] = 16,
    lost: Annotated[int, Bound(low=0, high=100_000)] = 8,
    right_before: Annotated[int, Bound(low=0, high=1_000_000)] = 160,
    confidence: Annotated[float, Bound(low=0.5, high=0.9999)] = 0.95,
):
    """The interval of a gain on paired test items and the sign test's exact p, two-sided.

    gained: items that only the new variant gets right; lost: only the old one; right_before: by the old one. half: half the interval's width.
    wins_needed: the fewest gains among as many differing items that chance would seldom give at this confidence; one more than all of them where
    none do. unpaired_half, unpaired_z: as if the two had been measured on sets of their own (0 where neither errs, or neither is ever right).
    sweep: the interval by items, with the same shares.
    """
    if not 0 < gained + lost <= items:
        raise KernelError(f"paired_gain: gained and lost are {gained + lost} together, but must be from 1 to items, {items}")
    if not lost <= right_before <= items - gained:
        raise KernelError(f"paired_gain: with {gained} gained and {lost} lost, right_before must lie between {lost} and {items - gained}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    gain, differing = (gained - lost) / items, gained + lost
    spread = differing / items - gain * gain  # of one item's difference
    error = math.sqrt(spread / items)
    before, after = right_before / items, (right_before + gained - lost) / items
    unpaired = math.sqrt((before * (1 - before) + after * (1 - after)) / items)
    tails = upper_tails(differing)
    return {
        "gain": gain,
        "error": error,
        "half": z * error,
        "lower": gain - z * error,
        "upper": gain + z * error,
        "p_value": min(1.0, 2 * tails[max(gained, lost)]),
        "differing": differing,
        "wins_needed": next((w for w in range((differing + 1) // 2, differing + 1) if 2 * tails[w] <= 1 - confidence), differing + 1),
        "unpaired_half": z * unpaired,
        "unpaired_z": gain / unpaired if unpaired else 0.0,
        "before": before,
        "after": after,
        "sweep": {
            "items": SIZES,
            "lower": [gain - z * math.sqrt(spread / n) for n in SIZES],
            "upper": [gain + z * math.sqrt(spread / n) for n in SIZES],
        },
    }


def upper_tails(n: int) -> list[float]:
    """P(Binomial(n, 1/2) >= w) for every w from 0 to n, in logarithms, since half to the power n underflows."""
    total, tails = 0.0, [0.0] * (n + 1)
    for w in range(n, -1, -1):
        total += math.exp(math.lgamma(n + 1) - math.lgamma(w + 1) - math.lgamma(n - w + 1) - n * math.log(2))
        tails[w] = min(1.0, total)
    return tails


@paired_gain.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 200)
    curve, n = result["sweep"], result.parameters["items"]
    ax.fill_between(curve.x, curve.values("lower"), curve.values("upper"), color=plot.SAND, linewidth=0)
    said = f"gain, {100 * result.parameters['confidence']:.3g} % interval"
    plot.lines(
        ax, curve, xlog=True, unit="percent", labels={"lower": "", "upper": ""}, x_label="paired test items", y_label=said, highlight="", zero=False
    )
    plot.hline(ax, 0.0, "")
    plot.mark(ax, n, result["lower"], "")
    plot.mark(ax, n, result["upper"], f"{n} items", where="right above", name="the items")
    return (
        f"Around a gain of {result['gain']:.1%} the interval narrows with the number of paired items; at {n} it runs from {result['lower']:.1%} to "
        f"{result['upper']:.1%}."
    )
