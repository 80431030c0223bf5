"""Normalised scores, against exponents found by bisection on the formulas as published."""

from __future__ import annotations

import math

import pytest

from kernels import KernelError, plot
from kernels.library.inference.length_penalty import length_penalty


def gnmt(score, length, alpha):
    """Wu et al. 2016, equation 14: lp(Y) = (5 + |Y|)^alpha / (5 + 1)^alpha."""
    return score / ((5 + length) ** alpha / (5 + 1) ** alpha)


@pytest.mark.oracle("length_penalty", "bisection for the exponent at which the two scores are equal")
@pytest.mark.parametrize(("short", "long"), [((-4, 5), (-5, 10)), ((-3, 7), (-9, 30)), ((-10, 1), (-11, 2))])
def test_the_flip_found_by_bisection(short, long):
    got = length_penalty(short_score=short[0], short_length=short[1], long_score=long[0], long_length=long[1])
    for name, score in {"flip": lambda s, n, a: s / n**a, "flip_gnmt": gnmt}.items():
        low, high = 0.0, 20.0
        for _ in range(100):
            middle = (low + high) / 2
            low, high = (middle, high) if score(*short, middle) > score(*long, middle) else (low, middle)
        assert got[name] == pytest.approx(low)
    assert (got["short_gnmt"], got["long_gnmt"]) == pytest.approx((gnmt(*short, 0.6), gnmt(*long, 0.6)))
    assert got["long"] == pytest.approx(long[0] / long[1] ** 0.6)


def test_the_inventorys_numbers():
    got = length_penalty()
    assert (round(got["short_gnmt"], 2), round(got["long_gnmt"], 2), round(got["flip"], 3)) == (-2.94, -2.89, 0.322)
    assert got["times"] == pytest.approx(math.e)


def test_alpha_one_is_the_mean():
    assert length_penalty(alpha=1.0)["short"] == -4 / 5 and length_penalty(alpha=0.0)["long"] == -5


def test_the_long_one_must_be_longer():
    with pytest.raises(KernelError, match="larger"):
        length_penalty(short_length=10, long_length=10)


def test_the_figure():
    assert "cross at 0.322" in plot.draw(length_penalty, length_penalty()).alt
