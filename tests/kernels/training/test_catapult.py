"""Oracles: the recurrence of output and curvature in the paper, and torch's own Hessian."""

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.training.catapult import catapult, curvature


@pytest.mark.parametrize("of_limit", [0.6, 1.2, 1.9])
def test_the_recurrence_of_the_paper(of_limit):
    """Lewkowycz et al. 2020, equations 3 and 4, in terms of output and curvature alone."""
    random = torch.Generator().manual_seed(3)
    u, v = (torch.randn(512, generator=random, dtype=torch.float64) for _ in range(2))
    f, s = (u @ v).item() / 512**0.5, curvature(u, v)
    rate, limits = 2 * of_limit / s, []
    for _ in range(61):
        limits.append(rate * s / 2)
        f, s = f * (1 - rate * s + rate**2 * f * f / 512), s + rate * f * f / 512 * (rate * s - 4)
    assert list(catapult(of_limit=of_limit, seed=3)["sweep"].values("of the limit")) == pytest.approx(limits, rel=1e-6)


def test_the_curvature_is_the_hessians_largest_eigenvalue_where_the_output_is_fitted():
    u = torch.tensor([1.0, 2.0, 0.0], dtype=torch.float64)
    v = torch.tensor([2.0, -1.0, 3.0], dtype=torch.float64)
    assert u @ v == 0

    def loss(both):
        return (both[:3] @ both[3:]).square() / 3 / 2

    hessian = torch.autograd.functional.hessian(loss, torch.cat((u, v)))
    assert torch.linalg.eigvalsh(hessian)[-1].item() == pytest.approx(curvature(u, v))


@pytest.mark.parametrize("seed", range(5))
def test_three_phases(seed):
    low, middle, high = (catapult(of_limit=of_limit, seed=seed) for of_limit in (0.6, 1.2, 2.2))
    assert low["converged"] == 1 and low["peak"] == 1 and low["flatter"] > 0.95
    assert middle["converged"] == 1 and middle["peak"] > 1 and middle["settled_of_limit"] < 1
    assert high["converged"] == 0


def test_the_figure():
    assert "limit" in plot.draw(catapult, catapult()).alt
