"""Oracles: a plain loop over streams, exact fractions, the limit exp(-age / k)."""

import math
import random
from fractions import Fraction

import pytest

from kernels.library.data.reservoir_forgetting import reservoir_forgetting


def test_exact_fractions():
    for k, age in ((2, 3), (10, 0), (10, 25), (1000, 1000)):
        assert reservoir_forgetting(k=k, age=age)["survival"] == pytest.approx(float(Fraction(k - 1, k) ** age), rel=1e-12)
    k, p = 10, Fraction(1, 4)
    share = sum(p * (1 - p / k) ** age for age in range(k)) / k
    assert reservoir_forgetting(k=k, probability=0.25)["last_k"] == pytest.approx(float(share), rel=1e-12)


def test_half_of_the_items_outlive_the_half_life():
    result = reservoir_forgetting(k=1000, probability=0.1)
    assert (1 - 0.1 / 1000) ** result["half_life"] == pytest.approx(0.5, rel=1e-9)
    assert result["half_life"] == pytest.approx(1000 * math.log(2) / 0.1, rel=1e-3)


@pytest.mark.oracle("reservoir_forgetting", "a loop over streams")
def test_a_plain_loop_over_streams_agrees():
    """Every position's inclusion, and the stay of the items, over streams that are long against k / probability."""
    draw, k, probability, n, streams = random.Random(0), 5, 0.5, 200, 4000
    kept, stays = [0] * n, []
    for _ in range(streams):
        slots = [None] * k
        for item in range(n):
            if draw.random() < probability:
                slot = draw.randrange(k)
                if slots[slot] is not None and item > 100:
                    stays.append(item - slots[slot] - 1)
                slots[slot] = item
        for item in slots:
            kept[item] += item is not None
    result = reservoir_forgetting(k=k, age=6, probability=probability)
    assert kept[n - 1 - 6] / streams == pytest.approx(probability * result["survival"], abs=0.03)
    assert sum(kept[-k:]) / k / streams == pytest.approx(result["last_k"], abs=0.02)
    assert sum(stays) / len(stays) == pytest.approx(result["mean_stay"], rel=0.03)
