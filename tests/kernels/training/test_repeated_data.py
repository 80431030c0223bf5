"""Oracles: the values that the authors publish beside their constants (datablations README), scipy's minimiser, the paper's limits."""

import math

import pytest

from kernels import plot
from kernels.library.training import repeated_data as file
from kernels.library.training.repeated_data import repeated_data


@pytest.mark.parametrize(("size", "tokens", "published"), [(6.34e9, 242e9, 2.2256440889984477), (8.67e9, 178e9, 2.2269634075087867)])
def test_the_published_losses(size, tokens, published):
    """The two models of the paper's figure 1 (right), both on 25B unique tokens."""
    assert repeated_data(unique=25e9, epochs=tokens / 25e9, parameters=size)["loss"] == pytest.approx(published, rel=1e-12)


def test_the_published_best_allocation():
    """For the compute of 8.67B parameters on 178B tokens: 227B tokens, 9.1 epochs, 6.8B parameters."""
    found = repeated_data(unique=25e9, epochs=178 / 25, parameters=8.67e9)
    assert found["best_tokens"] == pytest.approx(227e9, rel=0.01)
    assert found["best_epochs"] == pytest.approx(9.1, abs=0.05)
    assert found["best_parameters"] == pytest.approx(6.8e9, rel=0.01)
    assert found["best_loss"] < min(found["loss"], 2.2256440889984477)


def test_scipy_finds_the_same_optimum():
    optimize = pytest.importorskip("scipy.optimize")
    found = repeated_data(unique=1e9, epochs=30, parameters=1e9)
    product = found["compute"] / 6
    answer = optimize.minimize_scalar(
        lambda x: file.loss(math.exp(x), 1e9, product / 1e9 / math.exp(x), file.R_STAR),
        bounds=(math.log(product / 1e12), math.log(product / 1e9)),
        method="bounded",
    )
    assert found["best_loss"] == pytest.approx(answer.fun, abs=1e-9)
    fresh = optimize.minimize_scalar(lambda x: file.loss(math.exp(x), product / math.exp(x), 1, file.R_STAR), bounds=(14, 30), method="bounded")
    assert found["fresh_parameters"] == pytest.approx(math.exp(fresh.x), rel=1e-3)


def test_first_repeats_are_fresh_and_the_last_worth_nothing():
    assert repeated_data(epochs=1)["effective_epochs"] == 1 and repeated_data(epochs=1)["loss_more"] == 0
    assert repeated_data(epochs=1.001)["next"] == pytest.approx(1, abs=0.04)
    assert repeated_data(epochs=1000)["effective_epochs"] == pytest.approx(1 + file.R_STAR)
    assert repeated_data(epochs=4, constant=1e4)["effective_epochs"] == pytest.approx(4, abs=1e-3)


def test_four_epochs_cost_half_a_percent():
    """The paper: 8.7B parameters, four epochs of 44B tokens against 178B fresh ones, measured 0.5 % more loss."""
    assert repeated_data(unique=44.5e9, epochs=4)["loss_more"] == pytest.approx(0.005, abs=0.002)


def test_the_fresh_optimum_has_equal_exponents():
    """With a = b size and tokens both grow as the square root of compute."""
    one, four = repeated_data(parameters=1e9), repeated_data(parameters=4e9)
    assert four["fresh_parameters"] / one["fresh_parameters"] == pytest.approx(2, rel=1e-4)


def test_the_figure():
    assert "3.73" in plot.draw(repeated_data, repeated_data()).alt
