"""How often noise on a router's logits makes a token leave its expert, by the lead that the expert has.

The leading logit is `gap` above E - 1 rivals that tie. With independent normal noise of deviation s on each logit, the leader wins where its
noise z is above every rival's less the lead:

    moved = 1 - integral phi(z) Phi(z + gap / s)^(E - 1) dz        for s to infinity 1 - 1/E, a random choice
"""

import math
from typing import Annotated

from kernels import Bound, kernel


@kernel(kind="formula", outputs={"moved": "", "random": "", "lead_probability": ""})
def router_flip(
    gap: Annotated[float, Bound(low=0.0, high=100.0)] = 5.0,
    noise: Annotated[float, Bound(low=1e-3, high=1e3)] = 1.0,
    experts: Annotated[int, Bound(low=2, high=1024)] = 8,
):
    """The share of tokens that normal noise on the logits moves to another expert.

    random: the share that a random choice would move. lead_probability: the leader's softmax probability.
    """
    return {
        "moved": moved(gap / noise, experts),
        "random": 1 - 1 / experts,
        "lead_probability": 1 / (1 + (experts - 1) * math.exp(-gap)),
    }


def moved(lead: float, experts: int) -> float:
    """1 - the integral, by the trapezoidal rule over +-12 deviations. lead: in deviations of the noise."""
    steps, span = 480, 12.0
    width = 2 * span / steps

    def lost(z: float) -> float:
        beaten = min(0.5 * math.erfc((z + lead) / math.sqrt(2)), 1 - 2**-53)  # by one rival
        return math.exp(-z * z / 2) / math.sqrt(2 * math.pi) * -math.expm1((experts - 1) * math.log1p(-beaten))

    return math.fsum(lost(i * width - span) for i in range(steps + 1)) * width
