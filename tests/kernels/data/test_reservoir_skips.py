"""Oracles: a reservoir that draws a key for every item, k (H_n - H_k) summed term by term, uniformity of what Algorithm L keeps."""

import heapq
import random

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot
from kernels.library.data import reservoir_skips as file
from kernels.library.data.reservoir_skips import reservoir_skips


@pytest.fixture(scope="module")
def result():
    return reservoir_skips()


def entered_by_keys(k: int, n: int, draw: random.Random) -> list[int]:
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


def test_each_event_enters_with_k_over_its_number():
    k, n, runs = 4, 40, 20_000
    ours = torch.zeros(n + 1)
    for at in file.entries(k, n, runs, torch.Generator().manual_seed(0)):
        ours += torch.bincount(at[at <= n].long(), minlength=n + 1)
    draw, theirs = random.Random(0), [0] * (n + 1)
    for _ in range(5000):
        for event in entered_by_keys(k, n, draw):
            theirs[event] += 1
    for event in range(k + 1, n + 1):
        assert ours[event].item() / runs == pytest.approx(k / event, abs=4 * 0.5 / runs**0.5)
        assert theirs[event] / 5000 == pytest.approx(k / event, abs=4 * 0.5 / 5000**0.5)
    assert ours[: k + 1].sum() == 0


def test_replacements_are_as_many_as_the_sum_says():
    found = reservoir_skips(k=50, n=100_000, runs=400)
    expected = sum(50 / i for i in range(51, 100_001))
    assert found["replacements_expected"] == pytest.approx(expected, rel=1e-9)
    assert found["replacements"] == pytest.approx(expected, abs=4 * (expected / 400) ** 0.5)


def test_a_billion_events_take_a_few_thousand_steps(result):
    assert result["replacements"] == pytest.approx(13_815, rel=0.01)
    assert result["draws"] == pytest.approx(2 + 3 * result["replacements"])
    assert result["saving"] == pytest.approx((1e9 - 1000) / result["draws"])
    assert result["sweep"].values("simulated")[0] == 0


def test_a_reservoir_as_large_as_the_stream_is_refused():
    with pytest.raises(KernelError, match="less than n"):
        reservoir_skips(k=10, n=10)


def test_the_figure(result):
    assert "13,815" in plot.draw(reservoir_skips, result).alt
