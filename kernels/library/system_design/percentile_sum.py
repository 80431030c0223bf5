"""Why percentiles of stages do not add up to that of the whole.

k stages one after another, each exponential with mean m. Alone each has its percentile q at -m ln(1 - q). Independent stages add up to a gamma
distribution, whose percentile lies below the sum of theirs:

    P(sum > x) = exp(-x/m) * sum_{j < k} (x/m)^j / j!        (Erlang; Feller, An Introduction to Probability Theory and Its Applications II, section
    I.3)

Where all stages are slow in the same requests, the sum of the percentiles is right: they are then the percentile of the sum.
"""

import math
from typing import Annotated

from kernels import Bound, kernel


@kernel(kind="formula", outputs={"each": "s", "summed": "s", "independent": "s", "over": "", "beyond": "", "mean": "s"})
def percentile_sum(
    stages: Annotated[int, Bound(low=1, high=100)] = 4,
    stage: Annotated[float, Bound("s", low=1e-6, high=1e4)] = 0.025,
    percentile: Annotated[float, Bound(low=0.5, high=0.9999)] = 0.99,
):
    """The percentile of a sum of independent exponential stages, and the sum of their percentiles.

    each: a stage's percentile. summed: of all, added. independent: the percentile of the sum. over: summed over that. beyond: the share of requests
    that take longer than summed. mean: of the sum.
    """

    def survival(x: float) -> float:
        term, total = 1.0, 0.0
        for j in range(stages):
            total += term
            term *= x / (j + 1)
        return math.exp(math.log(total) - x)

    alone = -math.log(1 - percentile)
    low, high = 0.0, stages * alone + 50.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if survival(middle) > 1 - percentile else (low, middle)
    return {
        "each": stage * alone,
        "summed": stages * stage * alone,
        "independent": stage * high,
        "over": stages * alone / high,
        "beyond": survival(stages * alone),
        "mean": stages * stage,
    }
