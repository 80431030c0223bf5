"""The time until a change of sales shows against counted sales that are drawn."""

import random

import pytest

from kernels.library.system_design.sales_evidence import DAY, sales_evidence


def poisson(dice, mean):
    count, clock = 0, dice.expovariate(1)
    while clock < mean:
        count, clock = count + 1, clock + dice.expovariate(1)
    return count


@pytest.mark.oracle("sales_evidence", "sales drawn in two periods of that length, and how often their difference stands out")
@pytest.mark.parametrize(("daily", "change"), [(40.0, 0.3), (5.0, 0.5), (400.0, 1.0)])
def test_found_every_second_time(daily, change):
    got = sales_evidence(daily=daily, change=change)
    days, dice, found, rounds = got["time"] / DAY, random.Random(9), 0, 800
    for _ in range(rounds):
        before, after = poisson(dice, daily * days), poisson(dice, daily * days * (1 + change))
        found += after - before >= 2 * (before + after) ** 0.5
    assert found / rounds == pytest.approx(0.5, abs=0.07)
    assert got["sales"] == pytest.approx(daily * days) and got["in_interval"] == pytest.approx(daily / DAY / 100)
