"""FedAvg with differential privacy for users: the noise on the averaged update, and epsilon after so many rounds.

Each client's update is clipped to norm S; to the sum of a cohort drawn with probability q = cohort / users the server adds Gaussian noise of
standard deviation z S (McMahan et al. 2017, arXiv 1710.06963). On the average that is z S / cohort in each of d coordinates.

epsilon by Renyi divergence of the sampled Gaussian at integer order a (Mironov, Talwar and Zhang 2019, arXiv 1908.10530):

    r(a) = ln sum_k C(a, k) (1 - q)^(a - k) q^k exp((k^2 - k) / (2 z^2)) / (a - 1)
    epsilon = min over a of  rounds r(a) + ln((a - 1) / a) - (ln delta + ln a) / (a - 1)      (Canonne et al. 2020, arXiv 2004.00010)
"""

import math
from typing import Annotated

from kernels import Bound, kernel

ORDERS = (*range(2, 65), 72, 80, 96, 128, 192, 256, 512)


@kernel(
    kind="formula",
    outputs={"noise": "", "noise_norm": "", "of_clip": "", "rate": "", "epsilon": "", "epsilon_unsampled": ""},
)
def dp_fedavg(
    users: Annotated[int, Bound(low=1)] = 1_000_000,
    cohort: Annotated[int, Bound(low=1)] = 1000,
    multiplier: Annotated[float, Bound(low=0.1, high=1000.0)] = 1.0,
    rounds: Annotated[int, Bound(low=1)] = 1000,
    delta: Annotated[float, Bound(low=1e-20, high=0.1)] = 1e-7,
    clip: Annotated[float, Bound(low=1e-9)] = 1.0,
    parameters: Annotated[int, Bound(low=1)] = 1_000_000,
):
    """Noise of one coordinate of the average and of all of them (norm), its ratio to the clip, and epsilon with and without sampling.

    multiplier: z, the noise on the sum in clips. Every user's chance of a round is cohort / users; epsilon_unsampled: everybody in every round.
    """
    rate = min(1.0, cohort / users)
    noise = multiplier * clip / cohort
    return {
        "noise": noise,
        "noise_norm": noise * parameters**0.5,
        "of_clip": noise * parameters**0.5 / clip,
        "rate": rate,
        "epsilon": epsilon(rate, multiplier, rounds, delta),
        "epsilon_unsampled": epsilon(1.0, multiplier, rounds, delta),
    }


def epsilon(rate: float, multiplier: float, rounds: int, delta: float) -> float:
    found = []
    for a in ORDERS:
        spent = rounds * renyi(rate, multiplier, a) + math.log((a - 1) / a) - (math.log(delta) + math.log(a)) / (a - 1)
        found.append(max(spent, 0.0))
    return min(found)


def renyi(rate: float, multiplier: float, a: int) -> float:
    if rate == 1.0:
        return a / (2 * multiplier**2)
    terms = [
        math.lgamma(a + 1) - math.lgamma(k + 1) - math.lgamma(a - k + 1)
        + (a - k) * math.log1p(-rate) + k * math.log(rate) + (k * k - k) / (2 * multiplier**2)
        for k in range(a + 1)
    ]  # fmt: skip
    top = max(terms)
    return (top + math.log(math.fsum(math.exp(term - top) for term in terms))) / (a - 1)
