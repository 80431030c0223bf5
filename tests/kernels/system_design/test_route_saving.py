"""Routing against bills of single queries."""

from __future__ import annotations

import random

import pytest

from kernels.library.system_design.route_saving import route_saving


@pytest.mark.oracle("route_saving", "queries drawn one by one, and their bills added up")
@pytest.mark.parametrize("routed, ratio, length, escalated", [(0.7, 0.06, 1.0, 0.0), (0.7, 0.3, 0.5, 0.1), (0.4, 0.1, 2.0, 0.3)])
def test_bills(routed, ratio, length, escalated):
    dice, before, after = random.Random(2), 0.0, 0.0
    for _ in range(40_000):
        easy = dice.random() < routed
        cost = 1000 * (length if easy else 1)
        before += cost
        after += cost * ratio + cost * (dice.random() < escalated) if easy else cost
    got = route_saving(routed=routed, ratio=ratio, length=length, escalated=escalated)
    assert got["saving"] == pytest.approx(1 - after / before, abs=0.01)


def test_ends():
    assert route_saving(ratio=0.0)["saving"] == pytest.approx(route_saving()["ceiling"]) == pytest.approx(0.7)
    assert route_saving(ratio=1.0)["saving"] == pytest.approx(0.0)
    assert route_saving(length=0.5)["cost_share"] == pytest.approx(0.35 / 0.65)
