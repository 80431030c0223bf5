"""Oracle: scipy's own Wilson interval and binomial distribution."""

from __future__ import annotations

import pytest

from kernels import KernelError, plot
from kernels.library.finetuning.binomial_interval import binomial_interval


@pytest.mark.parametrize("successes, n, confidence", [(40, 50, 0.95), (50, 50, 0.95), (0, 7, 0.9), (900, 1000, 0.99)])
def test_as_scipy_has_it(successes, n, confidence):
    stats = pytest.importorskip("scipy.stats")
    theirs = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    got = binomial_interval(successes=successes, n=n, confidence=confidence, frequency=0.03)
    assert got["lower"] == pytest.approx(theirs.low, abs=1e-9)
    assert got["upper"] == pytest.approx(theirs.high, abs=1e-9)
    assert got["seen"] == pytest.approx(1 - stats.binom.pmf(0, n, 0.03))


def test_the_normal_interval_collapses_at_a_full_score():
    got = binomial_interval(successes=50, n=50)
    assert got["normal_lower"] == got["normal_upper"] == 1 and got["lower"] < 0.93


def test_more_successes_than_cases_are_refused():
    with pytest.raises(KernelError, match="must be at most n"):
        binomial_interval(successes=51, n=50)


def test_the_figure_is_drawn():
    assert "from 67% to 89%" in plot.draw(binomial_interval, binomial_interval()).alt
