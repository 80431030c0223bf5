import math

import pytest

from kernels.library.training.dp_fedavg import ORDERS, dp_fedavg, epsilon, renyi


@pytest.mark.parametrize("rate, multiplier, order", [(0.01, 1.0, 4), (0.1, 2.0, 8), (0.5, 1.5, 3)])
def test_the_divergence_by_integration(rate, multiplier, order):
    def density(x, mean):
        return math.exp(-((x - mean) ** 2) / (2 * multiplier**2)) / (multiplier * math.sqrt(2 * math.pi))

    width = 0.005
    points = [-15 + width * i for i in range(round(45 / width))]
    total = sum(density(x, 0) * (1 - rate + rate * density(x, 1) / density(x, 0)) ** order for x in points) * width
    assert renyi(rate, multiplier, order) == pytest.approx(math.log(total) / (order - 1), rel=1e-3)


def test_the_published_epsilon_of_private_language_models():
    """763,430 users, 5,000 a round, z = 1, 5,000 rounds, delta = 1e-9: 4.634 (arXiv 1710.06963), with the looser conversion of its time."""
    loose = min(5000 * renyi(5000 / 763430, 1.0, a) - math.log(1e-9) / (a - 1) for a in ORDERS)
    assert loose == pytest.approx(4.634, rel=0.01)
    assert epsilon(5000 / 763430, 1.0, 5000, 1e-9) < loose


@pytest.mark.oracle("dp_fedavg", "Renyi divergences by numerical integration")
def test_epsilon_by_integration():
    np = pytest.importorskip("numpy")
    x, rate, sigma, rounds, delta = np.linspace(-25, 60, 400_001), 0.02, 1.5, 200, 1e-6
    log_density = -(x**2) / (2 * sigma**2) - math.log(sigma * math.sqrt(2 * math.pi))
    log_ratio = np.logaddexp(math.log(1 - rate), math.log(rate) + (2 * x - 1) / (2 * sigma**2))
    spent = []
    for a in range(2, 40):
        divergence = math.log(np.trapezoid(np.exp(log_density + a * log_ratio), x)) / (a - 1)
        spent.append(rounds * divergence + math.log1p(-1 / a) - math.log(delta * a) / (a - 1))  # Canonne et al. 2020, proposition 12
    found = dp_fedavg(users=50_000, cohort=1000, multiplier=sigma, rounds=rounds, delta=delta)
    assert found["rate"] == rate and found["epsilon"] == pytest.approx(min(spent), rel=1e-4)
    often = dp_fedavg(users=4, cohort=2, multiplier=0.5, rounds=2000, delta=delta)["epsilon"]  # the lowest order costs least
    assert often == pytest.approx(2000 * math.log(1 + 0.25 * (math.exp(1 / 0.25) - 1)) + math.log(0.5) - math.log(2 * delta), rel=1e-9)
    whole = min(rounds * a / (2 * sigma**2) + math.log1p(-1 / a) - math.log(delta * a) / (a - 1) for a in ORDERS)  # of the Gaussian itself
    assert found["epsilon_unsampled"] == pytest.approx(whole)


def test_noise():
    found = dp_fedavg(cohort=100, clip=2.0, multiplier=0.5)
    assert found["noise"] == 0.01 and found["of_clip"] == pytest.approx(5)
    assert dp_fedavg()["epsilon"] < dp_fedavg()["epsilon_unsampled"]
    assert dp_fedavg(users=10, cohort=10)["epsilon"] == dp_fedavg()["epsilon_unsampled"]
