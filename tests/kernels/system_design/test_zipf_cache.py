"""The cache of answers against one that is played out call by call."""

from __future__ import annotations

import random
from bisect import bisect
from itertools import accumulate

import pytest

from kernels.library.system_design.zipf_cache import zipf_cache


@pytest.mark.oracle("zipf_cache", "a cache played out call by call, with Poisson calls and answers that run out")
@pytest.mark.parametrize("skew, ttl", [(0.0, 3000.0), (0.9, 1000.0), (1.5, 300.0)])
def test_played_out(skew, ttl):
    dice, intents, rate = random.Random(11), 300, 0.5
    edges = list(accumulate(i**-skew for i in range(1, intents + 1)))
    kept: dict[int, float] = {}
    time, hits, asks, calls = 0.0, 0, 0, 0
    for k in range(140_000):
        time += dice.expovariate(rate)
        calls += k >= 20_000
        if dice.random() >= 0.4:  # about the person or the conversation: no cache helps
            continue
        asked = bisect(edges, dice.random() * edges[-1])
        hit = kept.get(asked, -1.0) > time
        if not hit:
            kept[asked] = time + ttl
        if k >= 20_000:
            hits, asks = hits + hit, asks + 1
    got = zipf_cache(intents=intents, skew=skew, rate=rate, ttl=ttl, repeatable=0.4)
    assert got["hit"] == pytest.approx(hits / asks, abs=0.02)
    assert got["saved"] == pytest.approx(hits / calls, abs=0.01)
    assert got["saved"] == pytest.approx(0.4 * got["hit"])


def test_ends():
    one = zipf_cache(intents=1, rate=1.0, ttl=9.0, repeatable=1.0)
    assert (one["hit"], one["kept"], one["top_share"]) == pytest.approx((0.9, 0.9, 1.0))
    assert zipf_cache(repeatable=0.0)["saved"] == 0
    got = zipf_cache(intents=1000, skew=1.0)
    harmonic = sum(1 / i for i in range(1, 1001))
    assert got["top_share"] == pytest.approx(sum(1 / i for i in range(1, 11)) / harmonic)
