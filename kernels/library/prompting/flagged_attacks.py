"""What a detector's rates say once attacks are rare: Bayes' rule on a day's messages.

    precision = pi d / (pi d + (1 - pi) f)        pi share of attacks, d detection rate, f false-alarm rate

(Axelsson 2000, The Base-Rate Fallacy and the Difficulty of Intrusion Detection, ACM TISSEC 3(3), section 4.)
"""

from typing import Annotated

from kernels import Bound, Series, kernel

RATES = tuple(10 ** (k / 10 - 4) for k in range(41))  # 0.01 % to all


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("precision", "accuracy", "false_alarm_needed"), ""),
        **dict.fromkeys(("attacks", "flagged", "caught", "false_alarms", "missed", "alarms_each"), ""),
        "sweep": Series("attack_rate", ""),
    },
)
def flagged_attacks(
    messages: Annotated[float, Bound(low=1, high=1e12)] = 1e6,
    attack_rate: Annotated[float, Bound(low=1e-9, high=1.0)] = 0.001,
    detection: Annotated[float, Bound(low=1e-6, high=1.0)] = 0.95,
    false_alarm: Annotated[float, Bound(low=0.0, high=1.0)] = 0.05,
):
    """Of a day's messages: the attacks, what the detector flags, catches and misses, and the share of the flagged that are attacks.

    accuracy: the share of all messages that it judges rightly. alarms_each: false alarms for each attack caught. false_alarm_needed: the rate of
    false alarms at which half of the flagged messages are attacks. sweep: precision against the share of attacks.
    """
    attacks = messages * attack_rate
    caught = attacks * detection
    false_alarms = (messages - attacks) * false_alarm
    clean = 1 - attack_rate
    return {
        "precision": caught / (caught + false_alarms),
        "accuracy": attack_rate * detection + clean * (1 - false_alarm),
        "false_alarm_needed": min(1.0, attack_rate * detection / clean) if clean else 1.0,
        "attacks": attacks,
        "flagged": caught + false_alarms,
        "caught": caught,
        "false_alarms": false_alarms,
        "missed": attacks - caught,
        "alarms_each": false_alarms / caught,
        "sweep": {"attack_rate": RATES, "precision": [r * detection / (r * detection + (1 - r) * false_alarm) for r in RATES]},
    }


@flagged_attacks.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 165)
    curve, parameters = result["sweep"], result.parameters
    plot.lines(
        ax, curve, xlog=True, labels={"precision": ""}, unit="percent", x_label="attacks among the messages", y_label="attacks among the flagged"
    )
    for rate in sorted({0.001, 0.01, parameters["attack_rate"]}):
        caught, false_alarms = rate * parameters["detection"], (1 - rate) * parameters["false_alarm"]
        share = caught / (caught + false_alarms)
        plot.mark(ax, rate, share, f"{100 * share:.2g} %", plot.INK, "left above")
