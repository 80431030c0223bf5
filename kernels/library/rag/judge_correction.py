"""A judge that errs, and the accuracy behind what it counts: its rate corrected by its sensitivity and specificity.

    seen  = sens t + (1 - spec) (1 - t)         t = (seen + spec - 1) / (sens + spec - 1)        Rogan and Gladen 1978, Am. J. Epidemiology 107(1)

    var(t) = [seen (1 - seen) / n + t^2 sens (1 - sens) / m1 + (1 - t)^2 spec (1 - spec) / m0] / (sens + spec - 1)^2       (delta method)

sens: the share of right answers that the judge calls right, seen on m1 of them; spec: of wrong ones that it calls wrong, on m0.
"""

import math
from statistics import NormalDist
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

Share = Annotated[float, Bound(low=0.0, high=1.0)]
Size = Annotated[int, Bound(low=1, high=10_000_000)]


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("corrected", "lower", "upper", "half_width", "half_width_seen", "labels_share", "youden"), ""),
        "sweep": Series("true accuracy", ""),
    },
)
def judge_correction(
    seen: Share = 0.78,
    sensitivity: Share = 0.95,
    specificity: Share = 0.7,
    judged: Size = 2000,
    labelled_right: Size = 100,
    labelled_wrong: Size = 50,
    confidence: Annotated[float, Bound(low=0.5, high=0.9999)] = 0.95,
):
    """The accuracy that a judge's rate implies, with its interval, from the judge's two rates as people's labels showed them.

    half_width_seen: of the judge's own rate, as if it never erred. labels_share: the share of the variance that comes of the few labels. youden:
    sensitivity + specificity - 1, the slope of the sweep, which is what the judge sees against the true accuracy.
    """
    slope = sensitivity + specificity - 1
    if slope < 1e-3:
        raise KernelError(f"judge_correction: sensitivity and specificity are {sensitivity + specificity:g} together, but must be more than 1")
    true = (seen + specificity - 1) / slope
    if not -1e-12 <= true <= 1 + 1e-12:
        raise KernelError(f"judge_correction: no accuracy gives a rate of {seen:g}: seen must be from {1 - specificity:g} to {sensitivity:g}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    counted = seen * (1 - seen) / judged
    labels = true**2 * sensitivity * (1 - sensitivity) / labelled_right + (1 - true) ** 2 * specificity * (1 - specificity) / labelled_wrong
    half = z * math.sqrt(counted + labels) / slope
    grid = [k / 20 for k in range(21)]
    return {
        "corrected": true,
        "lower": max(0.0, true - half),
        "upper": min(1.0, true + half),
        "half_width": half,
        "half_width_seen": z * math.sqrt(counted),
        "labels_share": labels / (counted + labels) if counted + labels else 0.0,
        "youden": slope,
        "sweep": {"true accuracy": grid, "seen": [sensitivity * t + (1 - specificity) * (1 - t) for t in grid]},
    }


@judge_correction.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 230)
    plot.lines(ax, result["sweep"], unit="percent", labels={"seen": ""}, x_label="true accuracy", y_label="accuracy by the judge")
    ax.plot([0, 1], [0, 1], color=plot.MUTED, linewidth=1, linestyle=":", zorder=1)
    ax.text(0.32, 0.25, "a perfect judge", color=plot.MUTED, fontsize=plot.SMALL, ha="left", va="top")
    plot.mark(ax, result["corrected"], result.parameters["seen"], "what it saw", plot.ACCENT, "left above")
    ax.set_ylim(0, 1.02)
    return (
        f"What the judge sees against the true accuracy: a line from {1 - result.parameters['specificity']:.0%} to "
        f"{result.parameters['sensitivity']:.0%}, flatter than the diagonal. Seen {result.parameters['seen']:.0%}, true {result['corrected']:.0%}."
    )
