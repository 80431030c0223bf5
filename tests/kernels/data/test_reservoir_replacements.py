"""Oracles: the sum in fractions, published harmonic numbers, Algorithm L and a reservoir of keys run over streams."""

import heapq
import math
import random
from fractions import Fraction

import pytest

from kernels import KernelError
from kernels.library.data.reservoir_replacements import harmonic, reservoir_replacements


@pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 2), (10, 1000), (999, 1000), (10, 5000), (1000, 3000)])
def test_the_sum_of_k_over_i(k, n):
    exact = sum(Fraction(k, i) for i in range(k + 1, n + 1))
    assert reservoir_replacements(k=k, n=n)["replacements"] == pytest.approx(float(exact), rel=1e-12, abs=1e-12)


def test_harmonic_numbers():
    assert harmonic(4) == pytest.approx(25 / 12, rel=1e-15)
    assert harmonic(10**6) == pytest.approx(14.392726722865723631, rel=1e-15)  # OEIS A001008 / A002805, published to 20 digits
    exact = math.fsum(1 / i for i in range(1, 1002))
    assert harmonic(1001) == pytest.approx(exact, rel=1e-15)  # where the series takes over


def test_a_thousand_of_a_billion():
    result = reservoir_replacements(k=1000, n=1e9)
    assert result["replacements"] == pytest.approx(13815.0106, abs=1e-3)
    assert result["approximation"] == pytest.approx(1000 * math.log(1e6))
    assert result["inclusion"] == 1e-6


def skipping(k: int, n: int, draw: random.Random) -> tuple[list[int], int]:
    """Algorithm L over one stream: the events that enter, and the random numbers drawn."""
    drawn = 0

    def uniform():
        nonlocal drawn
        drawn += 1
        return 1 - draw.random()

    w, event, entered = uniform() ** (1 / k), k, []
    while True:
        event += 1 + math.floor(math.log(uniform()) / math.log1p(-w))
        if event > n:
            return entered, drawn
        entered.append(event)
        uniform()  # the slot
        w *= uniform() ** (1 / k)


def by_keys(k: int, n: int, draw: random.Random) -> list[int]:
    """The events that enter a reservoir of the k smallest keys, one key an event."""
    kept, entered = [], []
    for event in range(1, n + 1):
        key = -draw.random()
        if len(kept) < k:
            heapq.heappush(kept, key)
        elif key > kept[0]:
            heapq.heapreplace(kept, key)
            entered.append(event)
    return entered


def test_keys_and_skips_enter_as_often_as_the_sum_says():
    k, n, streams = 4, 40, 8000
    draw, skipped, keyed = random.Random(0), [0] * (n + 1), [0] * (n + 1)
    for _ in range(streams):
        for event in skipping(k, n, draw)[0]:
            skipped[event] += 1
        for event in by_keys(k, n, draw):
            keyed[event] += 1
    for counts in (skipped, keyed):
        assert sum(counts) / streams == pytest.approx(reservoir_replacements(k=k, n=n)["replacements"], rel=0.02)
        for event in range(k + 1, n + 1):
            assert counts[event] / streams == pytest.approx(k / event, abs=4 * 0.5 / streams**0.5)


def test_a_billion_events_take_a_few_thousand_random_numbers():
    result = reservoir_replacements(k=1000, n=1e9)
    entered, drawn = skipping(1000, 10**9, random.Random(1))
    assert drawn == 2 + 3 * len(entered)
    assert drawn == pytest.approx(result["draws_skipping"], rel=0.04)  # its standard deviation is 0.85 %
    assert result["draws_by_item"] == 999_999_000


def test_a_reservoir_larger_than_its_stream_is_refused():
    with pytest.raises(KernelError, match="at most n"):
        reservoir_replacements(k=11, n=10)
