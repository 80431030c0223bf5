"""Percentiles of sums against scipy's gamma distribution."""

import pytest

from kernels.library.system_design.percentile_sum import percentile_sum

stats = pytest.importorskip("scipy.stats")


@pytest.mark.oracle("percentile_sum", "scipy.stats.gamma")
@pytest.mark.parametrize(("stages", "percentile"), [(1, 0.99), (1, 0.5), (4, 0.99), (4, 0.5), (30, 0.999), (100, 0.9999)])
def test_scipys_gamma(stages, percentile):
    got = percentile_sum(stages=stages, percentile=percentile)
    whole, one = stats.gamma(stages, scale=0.025), stats.expon(scale=0.025)
    assert got["independent"] == pytest.approx(whole.ppf(percentile)) and got["each"] == pytest.approx(one.ppf(percentile))
    assert got["beyond"] == pytest.approx(whole.sf(stages * one.ppf(percentile)), rel=1e-6, abs=1e-300)
    assert got["mean"] == pytest.approx(whole.mean()) and got["over"] == pytest.approx(stages * one.ppf(percentile) / whole.ppf(percentile))
