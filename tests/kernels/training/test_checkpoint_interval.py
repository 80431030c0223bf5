import random

import pytest

from kernels import plot
from kernels.library.training.checkpoint_interval import checkpoint_interval, lost


def test_the_interval_is_the_least():
    found = checkpoint_interval()
    cost = {factor: lost(found["interval"] * factor, 20.0, 49 * 3600.0) for factor in (0.99, 1, 1.01)}
    assert min(cost, key=lambda factor: cost[factor]) == 1 and cost[1] == pytest.approx(found["lost"])


@pytest.mark.oracle("checkpoint_interval", "failures played out")
def test_failures_played_out_lose_as_much():
    write, between, interval = 20.0, 50_000.0, 1500.0
    chance = random.Random(0)
    useful, clock = 0.0, 0.0
    failure = chance.expovariate(1 / between)
    for _ in range(200_000):
        end = clock + interval + write
        if failure < end:
            clock = failure
            failure = clock + chance.expovariate(1 / between)
        else:
            clock, useful = end, useful + interval
    assert 1 - useful / clock == pytest.approx(lost(interval, write, between), rel=0.06)
    found = checkpoint_interval(write=write, between_failures=between)
    assert found["lost"] == lost(found["interval"], write, between) and found["lost_hourly"] == lost(3600, write, between)


def test_the_figure():
    assert "44 min" in plot.draw(checkpoint_interval, checkpoint_interval()).alt
