"""Similarity weighted by age: a weight that halves with each half-life, and the age at which an old match falls behind a fresh one.

weight = 2^(-age / h)        old item first while s_old 2^(-age / h) > s_new:   age < h log2(s_old / s_new)
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

DAY = 86400.0


@kernel(kind="formula", outputs={"weight": "", "break_even": "s", "ratio": "", "sweep": Series("age", "", x_unit="s")})
def recency_weight(
    half_life: Annotated[float, Bound("s", low=1.0, high=1e10)] = 30 * DAY,
    age: Annotated[float, Bound("s", low=0.0, high=1e10)] = 30 * DAY,
    old_score: Annotated[float, Bound(low=1e-6, high=1.0)] = 0.84,
    new_score: Annotated[float, Bound(low=1e-6, high=1.0)] = 0.6,
):
    """The weight of an item of that age, and the age up to which a better match outranks a fresh one of lower similarity.

    ratio: old_score over new_score. sweep: the old item's weighted score and the fresh one's, over the old one's age.
    """
    if old_score < new_score:
        raise KernelError(f"recency_weight: old_score must be at least new_score ({old_score} is less than {new_score})")
    shown = [half_life * k / 8 for k in range(17)]
    return {
        "weight": 2 ** (-age / half_life),
        "break_even": half_life * math.log2(old_score / new_score),
        "ratio": old_score / new_score,
        "sweep": {"age": shown, "better match": [old_score * 2 ** (-each / half_life) for each in shown], "fresh": [new_score for _ in shown]},
    }


@recency_weight.figure
def draw(result, ax):
    from kernels import plot

    curve = result["sweep"]
    days = [age / DAY for age in curve.x]
    ax.plot(days, curve.values("better match"), color=plot.ACCENT, linewidth=2.4)
    ax.plot(days, curve.values("fresh"), color=plot.MUTED, linestyle=(0, (5, 1.6)))
    plot.axes(ax, "age of the better match (days)", y_label="weighted similarity", xs=days)
    ax.set_ylim(0, None)
    plot.mark(ax, result["break_even"] / DAY, result.parameters["new_score"], f"{result['break_even'] / DAY:.3g} days", where="right above")
    return f"The better match's weighted similarity falls with its age and meets the fresh one's at {result['break_even'] / DAY:.3g} days."
