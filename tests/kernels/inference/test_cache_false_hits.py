"""A semantic cache's hits, against lookups counted one by one."""

from __future__ import annotations

import pytest

from kernels.library.inference.cache_false_hits import cache_false_hits


@pytest.mark.oracle("cache_false_hits", "ten thousand lookups, counted")
@pytest.mark.parametrize(("twins", "recognised", "mistaken"), [(0.1, 0.9, 0.02), (0.5, 1.0, 0.1), (0.01, 0.5, 0.03)])
def test_lookups_counted(twins, recognised, mistaken):
    with_twin = round(10_000 * twins)
    right, wrong = round(with_twin * recognised), round((10_000 - with_twin) * mistaken)
    got = cache_false_hits(twins=twins, recognised=recognised, mistaken=mistaken)
    assert got["hits"] == pytest.approx((right + wrong) / 10_000)
    assert got["wrong"] == pytest.approx(wrong / (right + wrong))
    assert got["right"] == pytest.approx(right / (right + wrong))


def test_the_ends():
    assert cache_false_hits(mistaken=0)["wrong"] == 0 and cache_false_hits(twins=1.0)["wrong"] == 0
    swept = cache_false_hits()["sweep"]
    assert swept.values("wrong")[swept.x.index(0.1)] == pytest.approx(cache_false_hits()["wrong"])
