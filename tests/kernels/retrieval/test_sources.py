"""Fan-out, syncing and recency, held against draws and published shares."""

import random

import pytest

from kernels import KernelError, plot
from kernels.library.retrieval.fanout_latency import fanout_latency
from kernels.library.retrieval.recency_weight import recency_weight
from kernels.library.retrieval.sync_staleness import sync_staleness


@pytest.mark.oracle(
    "fanout_latency", "Dean and Barroso 2013: with a hundred servers, 63 % of requests meet one's slowest hundredth; 60,000 fan-outs drawn"
)
def test_the_slowest_of_several_drawn():
    assert fanout_latency(sources=100)["slow"] == pytest.approx(0.63, abs=0.005)
    numbers, result = random.Random(2), fanout_latency(sources=3, deadline=0.8)
    spread = 0.8661  # ln(1.5 / 0.2) / 2.3263
    once, twice = [], []
    for _ in range(60_000):
        times = [0.2 * 2.718281828 ** (spread * numbers.gauss(0, 1)) for _ in range(6)]
        once.append(max(times[:3]))
        twice.append(max(min(a, result["hedge_after"] + b) for a, b in zip(times[:3], times[3:])))
    once.sort()
    twice.sort()
    assert result["p50"] == pytest.approx(once[30_000], rel=0.02) and result["p99"] == pytest.approx(once[59_400], rel=0.05)
    assert result["hedged_p99"] == pytest.approx(twice[59_400], rel=0.03)
    assert result["partial"] == pytest.approx(sum(time > 0.8 for time in once) / 60_000, abs=0.006)


def test_one_source_is_itself():
    one = fanout_latency(sources=1, deadline=1.5)
    assert one["p50"] == pytest.approx(0.2) and one["p99"] == pytest.approx(1.5) and one["partial"] == pytest.approx(0.01)
    steady = fanout_latency(median=0.3, tail=0.3, sources=5)
    assert steady["p99"] == steady["p50"] == pytest.approx(0.3)
    with pytest.raises(KernelError, match="at least median"):
        fanout_latency(median=2.0)


def test_the_curve_of_the_fan_out():
    curve = fanout_latency()["sweep"]
    for count, slow, fast, hedged in zip(curve.x, curve.values("p99"), curve.values("p50"), curve.values("p99, hedged")):
        here = fanout_latency(sources=count)
        assert (slow, fast, hedged) == pytest.approx((here["p99"], here["p50"], here["hedged_p99"]))


@pytest.mark.oracle("sync_staleness", "100,000 questions drawn: a moment between two syncs, and whether an edit falls between copy and question")
def test_questions_drawn():
    numbers, result = random.Random(3), sync_staleness(interval=900.0, processing=60.0, between_edits=1800.0)
    ages = [60 + 900 * numbers.random() for _ in range(100_000)]
    assert result["stale"] == pytest.approx(sum(numbers.expovariate(1 / 1800) < age for age in ages) / 1e5, abs=0.005)
    assert result["mean_age"] == pytest.approx(sum(ages) / 1e5, rel=0.01) and result["oldest"] == 960
    assert result["calls_a_day"] == 10_000 * 4 * 96 and sync_staleness(interval=result["shortest"])["calls_rate"] == pytest.approx(100)


def test_short_intervals_join_the_closed_form():
    """Where the exponential is too near to 1 the series takes over, without a step."""
    below, above = (sync_staleness(interval=x * 1e7, processing=0.0, between_edits=1e7)["stale"] for x in (0.99e-4, 1.01e-4))
    assert below / 0.99e-4 == pytest.approx(0.5 - 0.99e-4 / 6, rel=1e-6) and above / 1.01e-4 == pytest.approx(0.5 - 1.01e-4 / 6, rel=1e-6)


def test_the_curve_of_staleness():
    curve = sync_staleness()["sweep"]
    assert list(curve.values("stale")) == pytest.approx([sync_staleness(interval=float(x))["stale"] for x in curve.x])


@pytest.mark.oracle("recency_weight", "halved step by step until the old match falls behind")
def test_halved_step_by_step():
    result, score, age = recency_weight(), 0.84, 0.0
    while score > 0.6:
        score *= 0.5 ** (1 / 3000)
        age += result.parameters["half_life"] / 3000
    assert result["break_even"] == pytest.approx(age, rel=1e-3) and result["weight"] == 0.5
    assert recency_weight(age=0.0)["weight"] == 1 and recency_weight(old_score=0.6)["break_even"] == 0
    with pytest.raises(KernelError, match="at least new_score"):
        recency_weight(old_score=0.5)


@pytest.mark.parametrize("kernel", [fanout_latency, sync_staleness, recency_weight])
def test_figures(kernel):
    assert plot.draw(kernel, kernel()).alt


def test_the_curve_of_recency():
    result = recency_weight()
    curve = result["sweep"]
    assert curve.values("better match")[8] == pytest.approx(0.84 * result["weight"]) and set(curve.values("fresh")) == {0.6}
