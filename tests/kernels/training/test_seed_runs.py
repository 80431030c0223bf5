"""Oracles: scipy's t and noncentral t, order statistics and sample sizes from tables."""

import math

import pytest

from kernels import plot
from kernels.library.training import seed_runs as file
from kernels.library.training.seed_runs import seed_runs


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 18, 99])
def test_scipy_agrees_on_student(freedom):
    stats = pytest.importorskip("scipy.stats")
    assert file.student(1.3, freedom) == pytest.approx(stats.t.cdf(1.3, freedom), abs=1e-12)
    assert file.quantile(0.975, freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-9)


@pytest.mark.parametrize(("seeds", "table"), [(3, 4.303), (5, 2.776), (10, 2.262)])
def test_the_table_of_t(seeds, table):
    found = seed_runs(seeds=seeds)
    assert found["t"] == pytest.approx(table, abs=5e-4)
    assert found["half_width"] == pytest.approx(table * 0.5 / math.sqrt(seeds), rel=1e-3)


@pytest.mark.parametrize("seeds", [2, 3, 5, 10, 51])
def test_scipy_agrees_on_the_interval_of_the_sd(seeds):
    stats = pytest.importorskip("scipy.stats")
    found = seed_runs(seeds=seeds)
    assert found["sd_low"] == pytest.approx(((seeds - 1) / stats.chi2.ppf(0.975, seeds - 1)) ** 0.5, rel=1e-6)
    assert found["sd_high"] == pytest.approx(((seeds - 1) / stats.chi2.ppf(0.025, seeds - 1)) ** 0.5, rel=1e-5)


@pytest.mark.parametrize(("n", "table"), [(2, 0.56419), (3, 0.84628), (5, 1.16296), (10, 1.53875), (20, 1.86748)])
def test_the_table_of_largest_normal_numbers(n, table):
    """Teichroew 1956, Annals of Mathematical Statistics 27, table I."""
    assert file.best_of(n) == pytest.approx(table, abs=2e-5)


@pytest.mark.parametrize(("seeds", "effect"), [(2, 1.0), (5, 1.0), (17, 1.0), (64, 0.5)])
def test_scipy_agrees_on_the_power(seeds, effect):
    stats = pytest.importorskip("scipy.stats")
    freedom, shift = 2 * seeds - 2, effect * math.sqrt(seeds / 2)
    limit = stats.t.ppf(0.975, freedom)
    exact = stats.nct.sf(limit, freedom, shift) + stats.nct.cdf(-limit, freedom, shift)
    assert file.chance(seeds, effect, 0.05) == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize(("difference", "needed"), [(0.5, 17), (0.25, 64), (0.4, 26)])
def test_cohens_sample_sizes(difference, needed):
    """Cohen 1992, table 2: 26 and 64 for effects of 0.8 and 0.5 at 80 %; 17 for 1."""
    assert seed_runs(difference=difference)["needed"] == needed


def test_scipy_agrees_on_the_seeds_for_another_power():
    stats = pytest.importorskip("scipy.stats")

    def seen(seeds):
        freedom, shift = 2 * seeds - 2, 0.6 * math.sqrt(seeds / 2)
        return stats.nct.sf(stats.t.ppf(0.975, freedom), freedom, shift)  # the other tail is below 1e-6

    needed = seed_runs(difference=0.3, power=0.9)["needed"]
    assert seen(needed - 1) < 0.9 <= seen(needed)


def test_the_detectable_difference_is_seen():
    found = seed_runs(seeds=8)
    assert seed_runs(seeds=8, difference=found["detectable"])["power"] == pytest.approx(0.8, abs=1e-6)


def test_the_figure():
    assert plot.draw(seed_runs, seed_runs()).alt
