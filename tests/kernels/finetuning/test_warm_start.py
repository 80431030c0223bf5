"""Oracles: ridge regressions fitted and judged, and the large-d limit of Dobriban and Wager."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.finetuning.warm_start import risk, warm_start


@pytest.fixture(scope="module")
def result():
    return warm_start(runs=5)


def limit(n: int, d: int, noise: float, distance: float) -> float:
    """noise^2 gamma m(-lambda) with m the Stieltjes transform of Marchenko and Pastur's law."""
    gamma = d / n
    strength = noise**2 * gamma / distance
    b = 1 - gamma + strength
    return noise**2 * gamma * (-b + math.sqrt(b * b + 4 * gamma * strength)) / (2 * gamma * strength)


def test_every_point_lies_at_the_large_limit(result):
    for line, distance in (("from scratch", 1.0), ("similar source", 0.2), ("unrelated source", 1.8)):
        for n, value in zip(result["sweep"].x, result["sweep"].values(line)):
            assert value == pytest.approx(limit(n, 200, 0.5, distance), rel=0.03)


def test_the_formula_for_the_risk_is_what_a_fitted_ridge_has():
    random = torch.Generator().manual_seed(3)
    d, n, noise, total = 40, 60, 0.5, 0.0
    x = torch.randn(n, d, generator=random, dtype=torch.float64)
    for _ in range(2000):
        delta = torch.randn(d, generator=random, dtype=torch.float64) / d**0.5
        y = x @ delta + noise * torch.randn(n, generator=random, dtype=torch.float64)
        fitted = torch.linalg.solve(x.T @ x + noise**2 * d * torch.eye(d, dtype=torch.float64), x.T @ y)
        total += float((fitted - delta).square().sum()) / 2000
    assert total == pytest.approx(float(risk(torch.linalg.eigvalsh(x.T @ x), 1.0, noise)), rel=0.03)


def test_a_cosine_of_a_half_is_the_watershed():
    assert warm_start(similarity=0.5, runs=1)["ratio"] == pytest.approx(1)
    assert warm_start(similarity=0.51, runs=1)["ratio"] > 1 > warm_start(similarity=0.49, runs=1)["ratio"]


def test_the_figure_is_drawn(result):
    assert "100 examples" in plot.draw(warm_start, result).alt
