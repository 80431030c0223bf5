"""Oracles: the closed form of one round, that of many rounds without sampling (Balle and Wang 2018, arXiv 1805.06530), numerical integration,
and the epsilon that McMahan et al. published."""

import math

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError
from kernels.library.training.dp_fedavg import ORDERS, dp_fedavg, epsilon, epsilon_renyi, renyi


def above(x: float) -> float:
    return math.erfc(x / math.sqrt(2)) / 2


def least(spent, delta: float) -> float:
    """The epsilon at which a falling function of it reaches delta."""
    low, high = 0.0, 50.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if spent(middle) > delta else (low, middle)
    return high


@pytest.mark.parametrize("rate, multiplier, delta", [(0.01, 1.0, 1e-4), (0.001, 1.0, 1e-7), (0.3, 2.0, 1e-5)])
def test_one_round_has_a_closed_form(rate, multiplier, delta):
    """P(l > epsilon) - e^epsilon Q(l > epsilon), the loss being monotone in x; removal spends more than addition."""

    def spent(e: float) -> float:
        x = multiplier**2 * math.log((math.exp(e) - 1 + rate) / rate) + 0.5
        mixed = (1 - rate) * above(x / multiplier) + rate * above((x - 1) / multiplier)
        return mixed - math.exp(e) * above(x / multiplier)

    high, low = epsilon(rate, multiplier, 1, delta, width=20.0, points=2**18)
    assert low - 2e-4 <= least(spent, delta) <= high + 2e-4 and high - low < 1e-3


@pytest.mark.parametrize("multiplier, rounds", [(10.0, 10), (20.0, 100), (5.0, 1)])
def test_many_rounds_without_sampling_are_one_gaussian(multiplier, rounds):
    z = multiplier / rounds**0.5
    expected = least(lambda e: above(e * z - 0.5 / z) - math.exp(e) * above(e * z + 0.5 / z), 1e-7)
    high, low = epsilon(1 - 1e-12, multiplier, rounds, 1e-7, width=10.0, points=2**18)
    assert low - 2e-4 <= expected <= high + 2e-4 and high - low < 0.01


@pytest.mark.parametrize("rate, multiplier, order", [(0.01, 1.0, 4), (0.1, 2.0, 8), (0.5, 1.5, 3)])
def test_the_divergence_by_integration(rate, multiplier, order):
    def density(x, mean):
        return math.exp(-((x - mean) ** 2) / (2 * multiplier**2)) / (multiplier * math.sqrt(2 * math.pi))

    width = 0.005
    points = [-15 + width * i for i in range(round(45 / width))]
    total = sum(density(x, 0) * (1 - rate + rate * density(x, 1) / density(x, 0)) ** order for x in points) * width
    assert renyi(rate, multiplier, order) == pytest.approx(math.log(total) / (order - 1), rel=1e-3)


def test_the_published_epsilon_of_private_language_models_is_a_bound():
    """763,430 users, 5,000 a round, z = 1, 5,000 rounds, delta = 1e-9: 4.634 (arXiv 1710.06963), with the looser conversion of its time."""
    loose = min(5000 * renyi(5000 / 763430, 1.0, a) - math.log(1e-9) / (a - 1) for a in ORDERS)
    assert loose == pytest.approx(4.634, rel=0.01)
    got = dp_fedavg(users=763430, cohort=5000, rounds=5000, delta=1e-9)
    assert got["epsilon_least"] < got["epsilon"] < got["epsilon_renyi"] < loose


def test_more_noise_gains_privacy_and_a_larger_cohort_costs_it():
    small, large, noisy = (dp_fedavg(cohort=n, multiplier=z, rounds=100) for n, z in ((1000, 1.0), (10_000, 1.0), (10_000, 2.0)))
    assert small["epsilon"] < noisy["epsilon"] < large["epsilon"]


def test_the_bound_by_renyi_divergence_by_integration():
    np = pytest.importorskip("numpy")
    x, rate, sigma, rounds, delta = np.linspace(-25, 60, 400_001), 0.02, 1.5, 200, 1e-6
    log_density = -(x**2) / (2 * sigma**2) - math.log(sigma * math.sqrt(2 * math.pi))
    log_ratio = np.logaddexp(math.log(1 - rate), math.log(rate) + (2 * x - 1) / (2 * sigma**2))
    spent = []
    for a in range(2, 40):
        divergence = math.log(np.trapezoid(np.exp(log_density + a * log_ratio), x)) / (a - 1)
        spent.append(rounds * divergence + math.log1p(-1 / a) - math.log(delta * a) / (a - 1))  # Canonne et al. 2020, proposition 12
    assert epsilon_renyi(rate, sigma, rounds, delta) == pytest.approx(min(spent), rel=1e-4)
    often = 2000 * math.log(1 + 0.25 * (math.exp(1 / 0.25) - 1)) + math.log(0.5) - math.log(2 * delta)  # the lowest order costs least
    assert epsilon_renyi(0.5, 0.5, 2000, delta) == pytest.approx(often, rel=1e-9)


def test_noise():
    found = dp_fedavg(cohort=100, clip=2.0, multiplier=0.5, rounds=1)
    assert found["noise"] == 0.01 and found["of_clip"] == pytest.approx(5)


def test_everybody_in_every_round_is_no_sample():
    with pytest.raises(KernelError, match="less than"):
        dp_fedavg(users=10, cohort=10)
