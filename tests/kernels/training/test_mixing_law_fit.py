"""Oracles: recovery of the true law without noise, scipy's least squares, the definition of the regret, other seeds."""

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot
from kernels.library.training import mixing_law_fit as file
from kernels.library.training.mixing_law_fit import mixing_law_fit

FLOOR = torch.tensor([[2.0, 1.8, 2.3]], dtype=torch.float64)
EFFECT = torch.tensor([[[-2.0, 0.1, -0.3], [-0.5, -1.8, 0.0], [0.2, -0.4, -3.0]]], dtype=torch.float64)


def test_without_noise_the_law_is_recovered():
    mixes = file.simplex(3, 5)[None]
    floor, effect = file.fit(mixes, file.law(FLOOR, EFFECT, mixes), rounds=100)
    assert torch.allclose(floor, FLOOR, atol=1e-5) and torch.allclose(effect, EFFECT, atol=1e-4)


def test_scipy_finds_the_same_fit():
    optimize = pytest.importorskip("scipy.optimize")
    random = torch.Generator().manual_seed(1)
    mixes = file.simplex(3, 6)[None]
    losses = file.law(FLOOR, EFFECT, mixes) + 0.02 * torch.randn(1, mixes.shape[1], 3, generator=random, dtype=torch.float64)
    floor, effect = file.fit(mixes, losses, rounds=100)
    ours = (file.law(floor, effect, mixes) - losses)[0, :, 0].square().sum()

    def rest(p):
        return p[0] + (mixes[0] @ torch.tensor(p[1:])).exp().numpy() - losses[0, :, 0].numpy()

    theirs = optimize.least_squares(rest, [2.0, -2.0, 0.1, -0.3])
    assert ours == pytest.approx(2 * theirs.cost, rel=1e-4)


def test_a_quadratic_is_fitted_exactly():
    mixes = file.simplex(3, 4)[None]
    truth = 2 + mixes[..., 0] ** 2 - 3 * mixes[..., 1] + mixes[..., 0] * mixes[..., 2]
    assert torch.allclose(file.quadratic(mixes, truth, mixes[0]), truth, atol=1e-9)


@pytest.mark.parametrize("truth", ["exponential", "power"])
def test_most_fits_of_thirty_two_runs_beat_the_best_of_them_and_a_grid_of_sixty_six(truth):
    found = [mixing_law_fit(truth=truth, seed=seed) for seed in range(20)]
    assert all(one["grid_runs"] == 66 for one in found)
    assert sum(one["law_wins"] for one in found) >= 18
    assert sum(one["law"] < one["grid"] for one in found) >= 16


def test_without_noise_only_the_steps_cost():
    found = mixing_law_fit(noise=0.0)
    assert found["law"] < 1e-5 and found["claimed"] == pytest.approx(0, abs=1e-12)
    assert 0 <= found["grid"] < 0.002


def test_the_power_of_a_domain_alone_is_that_of_its_share():
    share = torch.tensor([[0.5, 0.3, 0.2]], dtype=torch.float64)
    size, exponent = torch.full((1, 3), 0.4, dtype=torch.float64), torch.full((1, 3), 0.5, dtype=torch.float64)
    found = file.power_law(FLOOR, size, exponent, torch.eye(3, dtype=torch.float64)[None], share)
    assert torch.allclose(found[0, 0], FLOOR[0] + 0.4 / share[0].sqrt())


def test_other_counts_are_refused():
    with pytest.raises(KernelError, match="one of 6"):
        mixing_law_fit(runs=7)


def test_the_figure():
    assert "66" in plot.draw(mixing_law_fit, mixing_law_fit()).alt
