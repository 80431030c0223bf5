"""Oracles: the multivariate normal distribution of scipy, and attacks drawn and counted."""

import pytest

from kernels import plot
from kernels.library.prompting.stacked_filters import stacked_filters


@pytest.mark.oracle("stacked_filters", "scipy's bivariate normal distribution")
@pytest.mark.parametrize("miss", [0.0001, 0.05, 0.5])
@pytest.mark.parametrize("shared", [0.01, 0.5, 0.9, 0.999])
def test_two_filters(miss, shared):
    stats = pytest.importorskip("scipy.stats")
    threshold = stats.norm.ppf(miss)
    both = stats.multivariate_normal(cov=[[1, shared], [shared, 1]]).cdf([threshold, threshold])
    assert stacked_filters(filters=2, miss=miss, shared=shared)["passes"] == pytest.approx(both, rel=1e-6)


def test_counted():
    numpy = pytest.importorskip("numpy")
    random = numpy.random.default_rng(1)
    n = 1_000_000
    common = 0.5**0.5 * random.standard_normal(n)
    passed = numpy.ones(n, dtype=bool)
    result = stacked_filters()
    for _ in range(3):
        passed &= common + 0.5**0.5 * random.standard_normal(n) < -1.6448536  # the normal distribution's 5 %
    assert result["passes"] == pytest.approx(passed.mean(), rel=0.05)


def test_two_halves_have_a_closed_form():
    """Sheppard 1899: both signs negative with probability 1/4 + asin(r) / 2 pi."""
    import math

    assert stacked_filters(filters=2, miss=0.5, shared=0.3)["passes"] == pytest.approx(0.25 + math.asin(0.3) / (2 * math.pi))


def test_ends():
    none, all_of_it = stacked_filters(shared=0.0), stacked_filters(shared=1.0)
    assert none["passes"] == pytest.approx(0.05**3) and none["worth"] == pytest.approx(3) and none["next_misses"] == pytest.approx(0.05)
    assert all_of_it["passes"] == pytest.approx(0.05) and all_of_it["worth"] == pytest.approx(1) and all_of_it["next_misses"] == pytest.approx(1)
    nearly = stacked_filters(shared=1 - 1e-6)["passes"]
    assert 0.0498 < nearly < 0.05
    curve = none["sweep"].values("passes")
    assert list(curve) == sorted(curve) and "%" in plot.draw(stacked_filters, none).alt
