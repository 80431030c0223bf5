"""What an alarm of a hallucination detector is worth, by how often there is something to find.

    precision = sens p / (sens p + (1 - spec) (1 - p))            (Bayes' theorem)

p: the share of answers that are hallucinated; sens: the share of those that are flagged; spec: of the sound ones that are not.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

Share = Annotated[float, Bound(low=0.0, high=1.0)]
RATES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("precision", "flagged", "missed", "left", "false_per_true", "even_prevalence", "reviews"), ""),
        "sweep": Series("prevalence", ""),
    },
)
def detector_precision(
    prevalence: Annotated[float, Bound(low=1e-6, high=0.999)] = 0.02,
    sensitivity: Annotated[float, Bound(low=0.01, high=1.0)] = 0.9,
    specificity: Share = 0.9,
    answers: Annotated[int, Bound(low=1, high=10**12)] = 10_000,
):
    """Precision of the flags, the share flagged, hallucinated answers that pass (of all answers), and their share of what passes.

    false_per_true: false alarms for each hallucination found. even_prevalence: where every second flag is right. reviews: flagged of `answers`.
    """
    found, alarms = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    passed = 1 - found - alarms
    return {
        "precision": found / (found + alarms),
        "flagged": found + alarms,
        "missed": prevalence - found,
        "left": (prevalence - found) / passed if passed > 1e-12 else 0.0,
        "false_per_true": alarms / found,
        "even_prevalence": (1 - specificity) / (sensitivity + 1 - specificity),
        "reviews": answers * (found + alarms),
        "sweep": {
            "prevalence": list(RATES),
            "precision": [sensitivity * p / (sensitivity * p + (1 - specificity) * (1 - p)) for p in RATES],
        },
    }


@detector_precision.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 220)
    curve = result["sweep"]
    plot.lines(
        ax,
        curve,
        xlog=True,
        unit="percent",
        labels={"precision": ""},
        x_label="share of answers that are hallucinated",
        y_label="flags that are right",
    )
    ax.set_ylim(0, 1)
    from matplotlib.ticker import FixedLocator, FuncFormatter

    ax.xaxis.set_major_locator(FixedLocator([0.002, 0.01, 0.05, 0.2, 0.5]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:g}%"))
    plot.mark(ax, result.parameters["prevalence"], result["precision"], plot.show(result["precision"], "percent"), plot.ACCENT, "right below")
    return (
        f"Share of flags that are right against the share of hallucinated answers, on a logarithmic axis: from {curve.values('precision')[0]:.1%} "
        f"at 0.2 % to {curve.values('precision')[-1]:.0%} at 50 %; {result['precision']:.0%} at {result.parameters['prevalence']:.1%}."
    )
