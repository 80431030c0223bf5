"""Events of one conversation in partitions against events that are drawn."""

from __future__ import annotations

import random

import pytest

from kernels.library.system_design.partition_order import partition_order


@pytest.mark.oracle("partition_order", "conversations whose events go to partitions at random, and as their key says")
@pytest.mark.parametrize("partitions, events", [(12, 2), (3, 4), (1, 5)])
def test_drawn(partitions, events):
    dice, trials = random.Random(9), 40_000
    together = sum(len({dice.randrange(partitions) for _ in range(events)}) == 1 for _ in range(trials)) / trials
    keyed = [len({hash(k) % partitions for _ in range(events)}) for k in range(100)]
    got = partition_order(partitions=partitions, events=events)
    assert got["all"] == pytest.approx(together, abs=0.01)
    assert got["keyed"] == sum(n == 1 for n in keyed) / 100


def test_by_hand():
    got = partition_order()
    assert (got["pair"], got["rate"], got["bandwidth"]) == pytest.approx((1 / 12, 10_000 / 12, 1e7))
    assert got["of_measured"] == pytest.approx(10_000 / 786_980)
