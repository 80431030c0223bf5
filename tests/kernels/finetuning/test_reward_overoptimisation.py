"""Oracles: the tabled expectation of the largest of n normals, and the case without errors."""

import math

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.finetuning.reward_overoptimisation import reward_overoptimisation

LARGEST_NORMAL = {2: 1 / math.sqrt(math.pi), 4: 1.02938, 8: 1.42360, 16: 1.76599}  # order statistics, Harter 1961


@pytest.fixture(scope="module")
def result():
    return reward_overoptimisation(n=64)


def test_gaussian_errors_give_the_order_statistics(result):
    swept = result["sweep"]
    got = dict(zip(swept.x, (number.value for number in swept.lines["Gaussian errors"])))
    for n, expected in LARGEST_NORMAL.items():
        assert got[n] == pytest.approx(expected / math.sqrt(2), abs=0.06)
    assert got[1024] == max(got.values())


def test_heavy_tails_peak_and_fall_while_the_proxy_climbs(result):
    true = [number.value for number in result["sweep"].lines["heavy-tailed"]]
    assert 4 <= result["best_n_heavy"] <= 64
    assert true[-1] < 0.5 * result["best_heavy"]
    assert result["proxy_heavy"] > result["proxy_gaussian"] > result["true_gaussian"] > result["true_heavy"]
    assert result["kl"] == pytest.approx(math.log(64) - 63 / 64)
    assert "heavy-tailed" in plot.draw(reward_overoptimisation, result).alt


def test_without_errors_the_proxy_is_the_truth():
    result = reward_overoptimisation(n=16, scale=0.0, prompts=1000)
    assert result["proxy_heavy"] == result["true_heavy"] == result["true_gaussian"] == pytest.approx(LARGEST_NORMAL[16], abs=0.08)
