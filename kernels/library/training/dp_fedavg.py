"""FedAvg with differential privacy for users: the noise on the averaged update, and epsilon after so many rounds.

Each client's update is clipped to norm S; to the sum of a cohort drawn with probability q = cohort / users the server adds Gaussian noise of
standard deviation z S (McMahan et al. 2017, arXiv 1710.06963). On the average that is z S / cohort in each of d coordinates.

What one user changes in one round is a draw from Q = N(0, z^2) or from P = (1 - q) N(0, z^2) + q N(1, z^2), and the loss l(x) = ln(P / Q) tells them
apart (Koskela, Jalko and Honkela 2020, arXiv 1906.03049):

    l(x) = ln(1 - q + q e^((2x - 1) / (2 z^2)))        delta(epsilon) = E[(1 - e^(epsilon - L))+],  L the sum of the rounds' losses

L's distribution is the one-round distribution convolved with itself, here by Fourier transform on a grid; losses rounded up to the grid give an upper
bound, rounded down a lower one. P against Q and Q against P are both taken, and the larger epsilon counts.

The bound by Renyi divergence (Mironov, Talwar and Zhang 2019, arXiv 1908.10530; conversion of Canonne et al. 2020, arXiv 2004.00010) is quick but,
where q is small, several times too large: no ground for comparing two plans.

    r(a) = ln sum_k C(a, k) (1 - q)^(a - k) q^k exp((k^2 - k) / (2 z^2)) / (a - 1)
    epsilon <= min over a of  rounds r(a) + ln((a - 1) / a) - (ln delta + ln a) / (a - 1)
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, kernel

ORDERS = (*range(2, 65), 72, 80, 96, 128, 192, 256, 512)
POINTS = 2**21  # of the grid of losses
LARGEST = 700.0  # the exponential of a larger loss is no float


@kernel(
    kind="simulation",
    outputs={"noise": "", "noise_norm": "", "of_clip": "", "rate": "", "epsilon": "", "epsilon_least": "", "epsilon_renyi": ""},
    tolerance=1e-4,  # a step of the grid
)
def dp_fedavg(
    users: Annotated[int, Bound(low=2)] = 1_000_000,
    cohort: Annotated[int, Bound(low=1)] = 1000,
    multiplier: Annotated[float, Bound(low=0.5, high=1000.0)] = 1.0,
    rounds: Annotated[int, Bound(low=1, high=10_000)] = 1000,
    delta: Annotated[float, Bound(low=1e-10, high=0.01)] = 1e-7,
    clip: Annotated[float, Bound(low=1e-9)] = 1.0,
    parameters: Annotated[int, Bound(low=1)] = 1_000_000,
):
    """Noise of one coordinate of the average and of all of them (norm), its ratio to the clip, and epsilon by the distribution of the privacy loss.

    multiplier: z, the noise on the sum in clips. Every user's chance of a round is cohort / users. epsilon, epsilon_least: bounds from above and
    below, which differ by the grid alone; epsilon_renyi: the looser bound of Renyi divergence.
    """
    if cohort >= users:
        raise KernelError(f"dp_fedavg: cohort is {cohort}, but must be less than the {users} users, of whom it is drawn")
    rate, noise = cohort / users, multiplier * clip / cohort
    loose = epsilon_renyi(rate, multiplier, rounds, delta)
    if loose > LARGEST - 10:
        raise KernelError(f"dp_fedavg: epsilon may reach {loose:.3g}, which protects nobody: multiplier or users have to be higher, or rounds lower")
    above, below = epsilon(rate, multiplier, rounds, delta, width=min(2 * loose + 2, LARGEST))
    return {
        "noise": noise,
        "noise_norm": noise * parameters**0.5,
        "of_clip": noise * parameters**0.5 / clip,
        "rate": rate,
        "epsilon": above,
        "epsilon_least": below,
        "epsilon_renyi": loose,
    }


@dp_fedavg.invariant
def the_bounds_are_close_and_below_that_of_renyi(result):
    """Rounding losses up or down changes epsilon by no more than a step of the grid a round, and Renyi's bound, which the true epsilon
    keeps, lies above the lower of the two; the upper may pass it by rounding alone."""
    step = 2 * min(2 * result["epsilon_renyi"] + 2, LARGEST) / POINTS
    gap = result["epsilon"] - result["epsilon_least"]
    return -1e-9 <= gap <= 1.01 * step * result.parameters["rounds"] + 1e-9 and result["epsilon_least"] <= result["epsilon_renyi"] + 1e-9


def epsilon(rate: float, multiplier: float, rounds: int, delta: float, width: float, points: int = POINTS) -> tuple[float, float]:
    """Bounds from above and below; losses beyond `width` in magnitude count as infinite above and as none below."""
    found = [bounds(rate, multiplier, rounds, delta, width, points, removed) for removed in (True, False)]
    return max(above for above, _ in found), max(below for _, below in found)


def bounds(rate: float, multiplier: float, rounds: int, delta: float, width: float, points: int, removed: bool) -> tuple[float, float]:
    """Of P against Q where a user is removed, of Q against P where one is added."""
    import torch

    step = 2 * width / points
    edges = (torch.arange(points + 1, dtype=torch.float64) - points // 2) * step
    losses = edges if removed else -edges
    ratio = (losses.exp() - (1 - rate)) / rate  # e^((2x - 1) / (2 z^2)) where the loss is this
    x = torch.where(ratio > 0, multiplier**2 * ratio.clamp(min=1e-300).log() + 0.5, -math.inf)
    mixed = (1 - rate) * tail(x / multiplier) + rate * tail((x - 1) / multiplier)
    above = mixed if removed else tail(-x / multiplier)  # added: the loss falls as x rises
    once = (above[:-1] - above[1:]).clamp(min=0)
    summed = torch.fft.irfft(torch.fft.rfft(torch.fft.ifftshift(once)) ** rounds, points)
    mass = torch.fft.fftshift(summed).clamp(min=0).flip(0)  # from the largest loss down
    at = edges[:-1].flip(0)
    spent = mass.cumsum(0) - at.exp() * (mass * (-at).exp()).cumsum(0)  # delta at these epsilons

    def solved(lost: float) -> float:
        """The least of the grid's epsilons at which no more than delta is spent."""
        return at[max(int((spent + lost <= delta).sum()) - 1, 0)].item()

    return max(solved(rounds * above[-1].item()) + rounds * step, 0.0), max(solved(0.0), 0.0)


def tail(x):
    """The probability that a standard normal number is larger."""
    import torch

    return torch.special.erfc(x / math.sqrt(2)) / 2


def epsilon_renyi(rate: float, multiplier: float, rounds: int, delta: float) -> float:
    found = []
    for a in ORDERS:
        spent = rounds * renyi(rate, multiplier, a) + math.log((a - 1) / a) - (math.log(delta) + math.log(a)) / (a - 1)
        found.append(max(spent, 0.0))
    return min(found)


def renyi(rate: float, multiplier: float, a: int) -> float:
    terms = [
        math.lgamma(a + 1) - math.lgamma(k + 1) - math.lgamma(a - k + 1)
        + (a - k) * math.log1p(-rate) + k * math.log(rate) + (k * k - k) / (2 * multiplier**2)
        for k in range(a + 1)
    ]  # fmt: skip
    top = max(terms)
    return (top + math.log(math.fsum(math.exp(term - top) for term in terms))) / (a - 1)
