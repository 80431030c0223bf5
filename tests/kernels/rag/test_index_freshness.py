import numpy as np
import pytest

from kernels import plot
from kernels.library.rag.index_freshness import index_freshness

DAY = 86_400.0


@pytest.mark.oracle("index_freshness", "changes drawn, and looked at at random moments")
@pytest.mark.parametrize("interval, between", [(7, 30), (1, 365), (30, 10)])
def test_changes_drawn(interval, between):
    """At a random moment of an interval a document is stale if its first change since the pass has come."""
    draws, n = np.random.default_rng(8), 400_000
    stale = draws.exponential(between, n) < draws.uniform(0, interval, n)
    got = index_freshness(interval=interval * DAY, between=between * DAY)
    assert got["stale"] == pytest.approx(stale.mean(), abs=0.003) and got["fresh"] == pytest.approx(1 - got["stale"])
    assert got["stale_at_end"] == pytest.approx((draws.exponential(between, n) < interval).mean(), abs=0.003)


def test_the_interval_for_a_share():
    got = index_freshness(wanted=0.05)
    assert index_freshness(interval=got["interval_for"])["stale"] == pytest.approx(0.05)
    assert index_freshness(interval=1.0, between=1e10)["stale"] == pytest.approx(0.5e-10)
    assert "stale" in plot.draw(index_freshness, index_freshness()).alt
