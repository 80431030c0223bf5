"""Sessions in a store against arrivals that are counted one by one."""

from __future__ import annotations

import random

import pytest

from kernels.library.system_design.session_store import session_store


@pytest.mark.oracle("session_store", "sessions that come at random, counted at a moment of the steady state")
def test_sessions_counted():
    dice, talking, held, looks = random.Random(3), 0, 0, 200
    rate, length, ttl = 0.5, 60.0, 240.0
    came, t = [], 0.0
    while t < 40_000:
        t += dice.expovariate(rate)
        came.append((t, t + dice.expovariate(1 / length)))
    for k in range(looks):
        now = 2000 + k * 180
        talking += sum(a <= now < b for a, b in came)
        held += sum(a <= now < b + ttl for a, b in came)
    got = session_store(concurrent=rate * length, length=length, ttl=ttl)
    assert talking / looks == pytest.approx(30, rel=0.05)
    assert held / looks == pytest.approx(got["sessions"], rel=0.05)


def test_by_hand():
    got = session_store()
    assert (got["sessions"], got["keys"], got["keys_at_once"], got["bytes"]) == pytest.approx((70_000, 700_000, 100_000, 7e8))
    assert got["arrivals"] * 600 == pytest.approx(10_000)
    assert got["tokens_cache"] == pytest.approx(700_000 * 200 * 131072)
    assert session_store(ttl=0)["over_concurrent"] == 1
