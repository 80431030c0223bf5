"""What an alarm is worth, by how often there is something to find: Bayes' rule for a detector.

    precision = p s / (p s + (1 - p) f)        p prevalence, s sensitivity (or detection rate), f false-alarm rate (1 - specificity)

(Axelsson 2000, The Base-Rate Fallacy and the Difficulty of Intrusion Detection, ACM TISSEC 3(3), section 4.)
"""

from typing import Annotated

from kernels import Bound, Series, kernel

RATES = tuple(10 ** (k / 10 - 4) for k in range(38))  # 0.01 % to one half


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("precision", "false_alarm_needed", "even_prevalence"), ""),
        **dict.fromkeys(("flagged", "caught", "false_alarms", "missed", "alarms_each"), ""),
        "sweep": Series("prevalence", ""),
    },
)
def detector_precision(
    prevalence: Annotated[float, Bound(low=1e-9, high=1.0)] = 0.02,
    sensitivity: Annotated[float, Bound(low=1e-6, high=1.0)] = 0.9,
    false_alarm: Annotated[float, Bound(low=0.0, high=1.0)] = 0.1,
    cases: Annotated[float, Bound(low=1, high=1e12)] = 1e6,
):
    """The share of flags that are right, and of so many cases those flagged, caught, flagged for nothing and missed.

    alarms_each: false alarms for each that is caught. false_alarm_needed: the rate of false alarms at which every second flag is right;
    even_prevalence: the prevalence at which it is. sweep: precision by prevalence.
    """
    real = cases * prevalence
    caught, false_alarms = real * sensitivity, (cases - real) * false_alarm
    clean = 1 - prevalence
    return {
        "precision": caught / (caught + false_alarms),
        "false_alarm_needed": min(1.0, prevalence * sensitivity / clean) if clean else 1.0,
        "even_prevalence": false_alarm / (sensitivity + false_alarm),
        "flagged": caught + false_alarms,
        "caught": caught,
        "false_alarms": false_alarms,
        "missed": real - caught,
        "alarms_each": false_alarms / caught,
        "sweep": {"prevalence": RATES, "precision": [r * sensitivity / (r * sensitivity + (1 - r) * false_alarm) for r in RATES]},
    }


@detector_precision.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 190)
    curve, at = result["sweep"], result.parameters["prevalence"]
    plot.lines(ax, curve, xlog=True, labels={"precision": ""}, unit="percent", x_label="cases that are real", y_label="flags that are right")
    if RATES[0] <= at <= RATES[-1]:
        plot.mark(ax, at, result["precision"], plot.show(result["precision"], "percent"), plot.ACCENT, "left above")
    return (
        f"Share of flags that are right against the share of cases that are real, on a logarithmic axis: from {curve.values('precision')[0]:.1%} "
        f"at 0.01 % to {curve.values('precision')[-1]:.0%} at 50 %; {result['precision']:.0%} at {at:.1%}."
    )
