"""Oracles: ridge regressions fitted and judged, and the risk of ridge from the eigenvalues of drawn inputs."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.finetuning.warm_start import risk, warm_start


@pytest.fixture(scope="module")
def result():
    return warm_start()


def exact(n: int, d: int, noise: float, distance: float, random) -> float:
    """Bias and variance of ridge at its best strength, for one draw of inputs."""
    x = torch.randn(n, d, generator=random, dtype=torch.float64)
    eigenvalues = torch.linalg.eigvalsh(x.T @ x).clamp(min=0)
    strength = noise**2 * d / distance
    bias = (strength / (eigenvalues + strength)).square().mean() * distance
    return float(bias + noise**2 * (eigenvalues / (eigenvalues + strength).square()).sum())


@pytest.mark.parametrize(("d", "noise"), [(200, 0.5), (100, 0.2), (400, 1.0)])
@pytest.mark.parametrize("distance", [1.0, 0.2, 1.8])
def test_the_limit_is_near_what_drawn_inputs_give(d, noise, distance):
    random = torch.Generator().manual_seed(0)
    for n in (20, 100, 500):
        drawn = sum(exact(n, d, noise, distance, random) for _ in range(5)) / 5
        assert risk(n, d, noise, distance) == pytest.approx(drawn, rel=0.05)


def test_a_fitted_ridge_has_that_risk():
    random = torch.Generator().manual_seed(3)
    d, n, noise, total, tries = 100, 150, 0.5, 0.0, 300
    for _ in range(tries):
        x = torch.randn(n, d, generator=random, dtype=torch.float64)
        delta = torch.randn(d, generator=random, dtype=torch.float64) / d**0.5
        y = x @ delta + noise * torch.randn(n, generator=random, dtype=torch.float64)
        fitted = torch.linalg.solve(x.T @ x + noise**2 * d * torch.eye(d, dtype=torch.float64), x.T @ y)
        total += float((fitted - delta).square().sum()) / tries
    assert total == pytest.approx(risk(n, d, noise, 1.0), rel=0.05)


def test_a_cosine_of_a_half_is_the_watershed():
    for n in (10, 100, 2000):
        assert warm_start(similarity=0.5, n=n)["ratio"] == pytest.approx(1)
        assert warm_start(similarity=0.51, n=n)["ratio"] > 1 > warm_start(similarity=0.49, n=n)["ratio"]


def test_tuned_best_it_never_loses_to_the_source_as_it_is(result):
    for n in (10, 100, 2000):
        assert warm_start(n=n)["finetuned"] < result["frozen"]
    assert result["head"] == pytest.approx(0.19) and result["frozen"] == pytest.approx(0.2)


def test_scratch_catches_up_where_it_says(result):
    assert risk(result["scratch_matches"], 200, 0.5, 1.0) == pytest.approx(result["finetuned"], rel=1e-6)


def test_without_noise_few_examples_leave_the_share_that_they_do_not_span():
    assert risk(50, 200, 1e-4, 1.0) == pytest.approx(0.75, rel=1e-3)
    assert risk(10**9, 200, 0.5, 1.0) == pytest.approx(0.25 * 200 / 1e9, rel=1e-3)


def test_the_figure_is_drawn(result):
    assert "100 examples" in plot.draw(warm_start, result).alt
