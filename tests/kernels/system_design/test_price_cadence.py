"""Stale prices against a wandering level that is drawn step by step, and baskets against visits that are drawn."""

import math
import random

import pytest

from kernels import plot
from kernels.library.system_design.price_cadence import price_cadence


def gain(memory, interval, lag, steps=200_000):
    """1 minus the mean squared error of the last forecast, over the variance: what a parabola's profit keeps."""
    dice, level, history, forecast, error, square = random.Random(4), 0.0, [], 0.0, 0.0, 0.0
    decay, noise = math.exp(-1 / memory), math.sqrt(1 - math.exp(-2 / memory))
    seen = age = 0.0
    for k in range(steps):
        level = decay * level + noise * dice.gauss(0, 1)
        history.append(level)
        if k % interval == 0 and k >= lag:
            seen, age = history[k - lag], lag
        forecast = seen * math.exp(-age / memory)
        error, square, age = error + (level - forecast) ** 2, square + level**2, age + 1
    return 1 - error / square


@pytest.mark.oracle("price_cadence", "a level drawn step by step, the price set anew from its last value; and drawn visits")
@pytest.mark.parametrize(("memory", "interval", "lag"), [(100, 100, 0), (100, 20, 0), (100, 50, 50)])
def test_a_level_drawn_step_by_step(memory, interval, lag):
    got = price_cadence(memory=memory, interval=interval, lag=lag)
    assert got["kept"] == pytest.approx(gain(memory, interval, lag), abs=0.03) and got["kept"] + got["lost"] == pytest.approx(1)


@pytest.mark.parametrize(("interval", "visit", "items"), [(3600.0, 1800.0, 10), (1000.0, 1800.0, 1), (500.0, 1800.0, 2)])
def test_drawn_visits(interval, visit, items):
    dice, moved, rounds = random.Random(6), 0, 30_000
    for _ in range(rounds):
        next_update = dice.random() * interval
        changed = False
        while next_update < visit:
            changed |= any(dice.random() < 0.2 for _ in range(items))
            next_update += interval
        moved += changed
    got = price_cadence(interval=interval, visit=visit, items=items)
    assert got["exposed"] == pytest.approx(moved / rounds, rel=0.03)


def test_the_ends():
    assert price_cadence(interval=1e-3)["kept"] == pytest.approx(1) and price_cadence(interval=1e9, memory=1.0)["kept"] < 1e-8
    assert price_cadence(interval=1e-3)["exposed"] == pytest.approx(1) and price_cadence(changes=0)["exposed"] == 0
    assert price_cadence()["cadence"] == pytest.approx(8.64e6)


def test_the_figure():
    assert "gain" in plot.draw(price_cadence, price_cadence()).alt
