"""What a probability is worth in a decision: accuracy looks at one threshold, the costs set another, and only calibration links the two.

A signal x is normal with variance 1 around +d/2 (positive) or -d/2 (negative), so the true log-odds are L = d x + logit(prior). The
model reports scale * L: over-confident for scale > 1. With a false negative `ratio` times as dear as a false positive,
flagging pays from the probability t = 1 / (1 + ratio) on (Elkan 2001, The Foundations of Cost-Sensitive Learning, equation 2).
"""

import math
from statistics import NormalDist
from typing import Annotated

from kernels import Bound, kernel

PHI = NormalDist().cdf


@kernel(
    kind="formula",
    outputs={"threshold": "", "acts_from": "", "accuracy": "", "cost": "", "missed": "", "flagged": "", "cost_calibrated": ""},
)
def decision_cost(
    separation: Annotated[float, Bound(low=0.1, high=10.0)] = 2.0,
    scale: Annotated[float, Bound(low=0.1, high=10.0)] = 1.0,
    prior: Annotated[float, Bound(low=0.001, high=0.999)] = 0.1,
    ratio: Annotated[float, Bound(low=0.001, high=10_000.0)] = 50.0,
):
    """Accuracy at 50 %, and at the threshold that the costs ask for: cost an example (in false positives), share of positives missed.

    acts_from: the true probability from which the model's stated one passes the threshold. cost_calibrated: with scale 1.
    """
    threshold = 1 / (1 + ratio)
    acts_at = logit(threshold) / scale
    missed, alarms = rates(acts_at, separation, prior)
    missed_half, alarms_half = rates(0.0, separation, prior)
    missed_best, alarms_best = rates(logit(threshold), separation, prior)
    return {
        "threshold": threshold,
        "acts_from": 1 / (1 + math.exp(-acts_at)),
        "accuracy": 1 - prior * missed_half - (1 - prior) * alarms_half,
        "cost": ratio * prior * missed + (1 - prior) * alarms,
        "missed": missed,
        "flagged": prior * (1 - missed) + (1 - prior) * alarms,
        "cost_calibrated": ratio * prior * missed_best + (1 - prior) * alarms_best,
    }


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def rates(at: float, separation: float, prior: float) -> tuple[float, float]:
    """The share of positives below true log-odds `at`, and of negatives above."""
    cut = (at - logit(prior)) / separation
    return PHI(cut - separation / 2), PHI(-cut - separation / 2)
