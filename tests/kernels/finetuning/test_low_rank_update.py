"""Oracles: Eckart and Young's bound, and the quarter-circle law for the singular values of a Gaussian matrix."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.finetuning.low_rank_update import low_rank_update


@pytest.fixture(scope="module")
def result():
    return low_rank_update(d=64, steps=400)


def test_training_reaches_the_bound_and_never_passes_it(result):
    for name in ("low", "full"):
        assert result[f"{name}_bound"] - 1e-9 <= result[f"{name}_left"] <= 1.03 * result[f"{name}_bound"]


def test_without_noise_the_right_rank_is_exact():
    got = low_rank_update(d=64, noise=0.0, steps=800)
    assert got["low_bound"] == pytest.approx(0, abs=1e-12) and got["low_left"] < 1e-3
    assert low_rank_update(d=64, rank=4, directions=8, noise=0.0, steps=1)["low_bound"] == pytest.approx(
        sum(1 / i**2 for i in range(5, 9)) / sum(1 / i**2 for i in range(1, 9))
    )


def test_a_gaussian_update_follows_the_quarter_circle():
    """Singular values over sqrt(d) have density sqrt(4 - s^2)/pi on [0, 2] for large d."""
    grid = [(i + 0.5) / 5000 * 2 for i in range(5000)]
    weight = [math.sqrt(4 - s * s) / math.pi * 2 / 5000 for s in grid]
    got = low_rank_update(d=256, steps=1)
    for rank, left in zip(got["sweep"].x, got["sweep"].values("many directions")):
        mass = energy = 0.0
        for s, w in zip(reversed(grid), reversed(weight)):
            if mass < rank / 256:
                mass, energy = mass + w, energy + w * s * s
        assert left == pytest.approx(1 - energy, abs=0.01)


def test_the_figure_is_drawn(result):
    assert "rank 8" in plot.draw(low_rank_update, result).alt
