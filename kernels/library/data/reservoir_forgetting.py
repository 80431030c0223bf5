"""A reservoir that overwrites a random slot: how long an item stays, which is how far back such a sample looks.

Each event is written, with `probability`, into one of k slots drawn at random, so an item is lost at each later event
with probability / k, whatever its age, and is still there after `age` of them with

    (1 - probability / k)^age,  nearly exp(-age probability / k),   half-life ln 2 / -ln(1 - probability / k).

The memoryless bias of Aggarwal, On Biased Reservoir Sampling in the Presence of Stream Evolution, VLDB 2006.
"""

import math
from typing import Annotated

from kernels import Bound, kernel


@kernel(kind="formula", outputs={"survival": "", "half_life": "", "mean_stay": "", "last_k": ""})
def reservoir_forgetting(
    k: Annotated[int, Bound(low=2)] = 1000,
    age: Annotated[int, Bound(low=0)] = 1000,
    probability: Annotated[float, Bound(low=1e-9, high=1.0)] = 1.0,
):
    """The share of the items written that is left `age` events later, and how many events halve it.

    mean_stay: the events that an item outlives on average. last_k: the mean inclusion of the latest k items where every
    event is considered alike (so `probability` counts), as k / n would be for a uniform sample.
    """
    logarithm = math.log1p(-probability / k)  # of what one event leaves
    return {
        "survival": math.exp(age * logarithm),
        "half_life": -math.log(2) / logarithm,
        "mean_stay": k / probability - 1,
        "last_k": -math.expm1(k * logarithm),  # probability / k times the geometric sum of the survivals
    }
