"""Oracles: exposure at the ends, and randomised response, for which the bound of differential privacy is nearly reached."""

import math

import pytest

from kernels.library.finetuning.secret_guess import secret_guess


def test_exposure_runs_from_nought_to_the_bits_of_the_secret():
    assert secret_guess(candidates=1e6, rank=1)["exposure"] == pytest.approx(math.log2(1e6))
    assert secret_guess(candidates=1e6, rank=1e6)["exposure"] == 0.0
    assert secret_guess(candidates=1024, rank=32)["exposure"] == 5.0


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 3.0])
def test_randomised_response_stays_under_the_bound_and_comes_near(epsilon):
    candidates = 10_000
    guess = math.exp(epsilon) / (math.exp(epsilon) + candidates - 1)  # the epsilon-private release that keeps the secret most often
    held = secret_guess(candidates=candidates, epsilon=epsilon, delta=0.0)["bound"]
    assert guess <= held == pytest.approx(guess, rel=0.01)


def test_groups_multiply_epsilon():
    result = secret_guess(candidates=1e6, epsilon=2.0, delta=0.0, repeats=3)
    assert result["bound"] == pytest.approx(math.exp(6) / 1e6)
    assert result["bound_once"] == pytest.approx(math.exp(2) / 1e6)
    assert result["repeats_without_bound"] == 7  # e^14 is the first above a million
    assert secret_guess(epsilon=50.0, repeats=1000)["bound"] == 1.0


def test_the_deltas_of_a_group_add_up_with_growing_weights():
    with_delta = secret_guess(candidates=1e6, epsilon=1.0, delta=1e-8, repeats=3)["bound"]
    assert with_delta - math.exp(3) / 1e6 == pytest.approx(1e-8 * (1 + math.e + math.e**2))
