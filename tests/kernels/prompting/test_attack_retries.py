"""Oracle: the geometric distribution of scipy."""

import pytest

from kernels import plot
from kernels.library.prompting.attack_retries import attack_retries


@pytest.mark.oracle("attack_retries", "scipy's geometric distribution")
@pytest.mark.parametrize("detection", [0.001, 0.5, 0.95, 0.999, 0.999999])
@pytest.mark.parametrize("tries", [1, 14, 1000])
def test_scipy(detection, tries):
    stats = pytest.importorskip("scipy.stats")
    first = stats.geom(1 - detection)
    result = attack_retries(detection=detection, tries=tries)
    assert result["through"] == pytest.approx(first.cdf(tries), rel=1e-9)
    assert result["mean_tries"] == pytest.approx(first.mean())
    assert (result["half"], result["ninety"]) == (first.ppf(0.5), first.ppf(0.9))


def test_what_a_filter_must_stop():
    needed = attack_retries(tries=100)["stops_needed"]
    assert attack_retries(detection=needed, tries=100)["through"] == pytest.approx(0.01)


def test_an_exact_half_is_reached():
    assert attack_retries(detection=0.5)["half"] == 1 and attack_retries(detection=0.5**0.5)["half"] == 2
    assert "%" in plot.draw(attack_retries, attack_retries()).alt
