"""At least one wrong token, against scipy's binomial distribution and exact fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest

from kernels import plot
from kernels.library.inference.wrong_token import wrong_token


@pytest.mark.oracle("wrong_token", "scipy's binomial distribution")
@pytest.mark.parametrize(("error", "tokens"), [(0.001, 200), (0.5, 3), (1e-6, 1000), (0.01, 5000)])
def test_scipy_gives_the_same(error, tokens):
    stats = pytest.importorskip("scipy.stats")
    got = wrong_token(error=error, tokens=tokens)
    assert got["any"] == pytest.approx(stats.binom.sf(0, tokens, error))
    assert got["expected"] == pytest.approx(stats.binom.mean(tokens, error))


def test_half_is_the_first_length_past_it():
    half = wrong_token()["half"]
    assert 1 - Fraction(999, 1000) ** half >= Fraction(1, 2) > 1 - Fraction(999, 1000) ** (half - 1)


def test_the_figure():
    assert "at least one wrong" in plot.draw(wrong_token, wrong_token()).alt
