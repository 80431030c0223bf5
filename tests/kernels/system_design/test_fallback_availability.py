"""A fallback's availability against outages that are drawn."""

from __future__ import annotations

import random

import pytest

from kernels.library.system_design.fallback_availability import fallback_availability


@pytest.mark.oracle("fallback_availability", "outages drawn one by one, some of them common to both")
@pytest.mark.parametrize("primary, fallback, common", [(0.9, 0.8, 0.0), (0.7, 0.9, 0.3), (0.9, 0.9, 1.0)])
def test_drawn(primary, fallback, common):
    dice, down, trials = random.Random(8), 0, 60_000
    for _ in range(trials):
        if dice.random() >= primary:
            down += dice.random() < common or dice.random() >= fallback
    got = fallback_availability(primary=primary, fallback=fallback, common=common)
    assert 1 - got["availability"] == pytest.approx(down / trials, abs=0.006)


def test_by_hand():
    got = fallback_availability()
    assert got["alone"] == pytest.approx(0.005 * 30 * 86400)
    assert got["independent"] == pytest.approx(0.005**2 * 30 * 86400)
    assert got["together"] == pytest.approx(0.005 * (0.1 + 0.9 * 0.005) * 30 * 86400)
    assert got["times"] == pytest.approx(got["alone"] / got["together"])
    assert got["chain"] == pytest.approx(0.995**6)
    assert fallback_availability(primary=1.0, fallback=1.0, common=0.0)["together"] == 0


def test_the_curve_is_in_minutes():
    got = fallback_availability(common=0.25)
    down = dict(zip(got["sweep"].x, got["sweep"].values("down")))
    assert (down[0.25], down[1.0]) == pytest.approx((got["together"] / 60, 0.005 * 43_200))
