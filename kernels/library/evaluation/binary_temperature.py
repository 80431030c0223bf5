"""The temperature that takes a binary classifier from the confidence it states to the accuracy it has.

    sigmoid(z / T) = accuracy,   z = logit(confidence)        T = logit(confidence) / logit(accuracy)

Temperature scaling (Guo et al. 2017, arXiv 1706.04599, section 4.2) with two classes, all predictions equally confident.
"""

import math
from typing import Annotated

from kernels import Bound, kernel

Probability = Annotated[float, Bound(low=0.501, high=0.9999)]


@kernel(kind="formula", outputs={"temperature": "", "gap": "", "odds_stated": "", "odds_true": "", "inverse": "", "odds_ratio": ""})
def binary_temperature(confidence: Probability = 0.9, accuracy: Probability = 0.6):
    """The temperature, the gap in confidence, and the odds stated and true; inverse: 1 / temperature, odds_ratio: stated over true odds."""
    stated, true = confidence / (1 - confidence), accuracy / (1 - accuracy)
    temperature = math.log(stated) / math.log(true)
    return {
        "temperature": temperature,
        "gap": confidence - accuracy,
        "odds_stated": stated,
        "odds_true": true,
        "inverse": 1 / temperature,
        "odds_ratio": stated / true,
    }
