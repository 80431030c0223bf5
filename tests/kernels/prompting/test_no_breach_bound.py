"""Oracle: the exact binomial interval of scipy."""

import pytest

from kernels import plot
from kernels.library.prompting.no_breach_bound import no_breach_bound


@pytest.mark.oracle("no_breach_bound", "scipy's exact binomial interval")
@pytest.mark.parametrize("tests", [1, 10, 300, 100_000])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.9999])
def test_scipy(tests, confidence):
    stats = pytest.importorskip("scipy.stats")
    interval = stats.binomtest(0, tests, alternative="less").proportion_ci(confidence, method="exact")
    assert no_breach_bound(tests=tests, confidence=confidence)["upper"] == pytest.approx(interval.high, rel=1e-9)


def test_the_tests_that_are_needed_are_the_fewest():
    needed = int(no_breach_bound(target=1e-3)["tests_needed"])
    assert no_breach_bound(tests=needed)["upper"] <= 1e-3 < no_breach_bound(tests=needed - 1)["upper"]


def test_the_rule_of_three_and_what_it_comes_to():
    result = no_breach_bound(tests=10_000, attacks=100)
    assert result["upper"] == pytest.approx(result["rule_of_three"], rel=2e-3)
    assert result["breaches"] == pytest.approx(0.03, rel=2e-3)
    assert result["at_least_one"] == pytest.approx(1 - (1 - result["upper"]) ** 100)
    assert "%" in plot.draw(no_breach_bound, result).alt
