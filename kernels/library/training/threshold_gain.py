"""What moving the decision threshold does to accuracy, for balanced classes whose logits are normal around +m and -m, times a scale, plus a bias.

With scores z = scale (m y + e) + bias, y = +1 or -1, e standard normal, the ranking (AUC) knows neither scale nor bias: scale moves the loss
alone, bias what a threshold can mend. True probabilities have scale 2 m.
"""

import math
from statistics import NormalDist
from typing import Annotated

from kernels import Bound, Free, kernel

NORMAL = NormalDist()


@kernel(kind="formula", outputs={"accuracy": "", "lowered": "", "best": "", "best_threshold": "", "auc": "", "loss": ""})
def threshold_gain(
    separation: Annotated[float, Bound(low=0.0, high=5.0), Free(0.25, 2.0)] = 0.5,
    scale: Annotated[float, Bound(low=0.01, high=20.0)] = 1.0,
    bias: Annotated[float, Bound(low=-20.0, high=20.0)] = 0.0,
    threshold: Annotated[float, Bound(low=0.001, high=0.999)] = 0.3,
):
    """Accuracy at 50 %, at the lowered threshold, and at the best one; AUC; cross-entropy in nats.

    separation: m, half the classes' distance; free from 0.25, little better than guessing, to 2, nearly always right.
    """
    auc = NORMAL.cdf(separation * math.sqrt(2))
    return {
        "accuracy": accuracy(0.0, separation, scale, bias),
        "lowered": accuracy(math.log(threshold / (1 - threshold)), separation, scale, bias),
        "best": NORMAL.cdf(separation),
        "best_threshold": 1 / (1 + math.exp(-bias)),
        "auc": auc,
        "loss": cross_entropy(separation, scale, bias),
    }


def accuracy(at: float, separation: float, scale: float, bias: float) -> float:
    cut = (at - bias) / scale
    return (NORMAL.cdf(separation - cut) + NORMAL.cdf(separation + cut)) / 2


def cross_entropy(separation: float, scale: float, bias: float, points: int = 2001) -> float:
    """The mean of ln(1 + exp(-y z)) over both classes, by Simpson's rule over the noise from -8 to 8."""

    def softplus(z: float) -> float:
        return max(z, 0.0) + math.log1p(math.exp(-abs(z)))

    width, total = 16 / (points - 1), 0.0
    for i in range(points):
        e = -8 + i * width
        weight = (1 if i in (0, points - 1) else 4 if i % 2 else 2) * width / 3
        up, down = scale * (separation + e) + bias, scale * (-separation + e) + bias
        total += weight * NORMAL.pdf(e) * (softplus(-up) + softplus(down)) / 2
    return total
