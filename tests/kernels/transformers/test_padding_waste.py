"""Oracles: the exact expected maximum of a batch from the distribution's own CDF, the log-uniform's closed mean, best fit by a plain loop."""

import math
import random
from statistics import NormalDist

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot
from kernels.library.transformers import padding_waste as file
from kernels.library.transformers.padding_waste import padding_waste


def expected(median, spread, longest, batch):
    """Mean length and mean longest of a batch: the sum over l of P(more than l)."""

    def cdf(length):
        if length >= longest:
            return 1.0
        return NormalDist(math.log(median), spread).cdf(math.log(length + 0.5)) if length >= 1 else 0.0

    return [sum(1 - cdf(length) ** n for length in range(longest)) for n in (1, batch)]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("median", "spread"), [(120, 0.4), (80, 0.8)])
def test_dynamic_padding_meets_the_expected_maximum(median, spread, seed):
    found = padding_waste(median=median, spread=spread, batches=1000, seed=seed)
    mean, longest = expected(median, spread, 512, 32)
    assert found["mean"] == pytest.approx(mean, rel=0.02)
    assert found["batch_longest"] == pytest.approx(longest, rel=0.02)
    assert found["dynamic"] == pytest.approx(1 - mean / longest, abs=0.01)
    assert found["fixed"] == pytest.approx(1 - mean / 512, abs=0.01)
    assert found["saved_dynamic"] == pytest.approx(1 - longest / 512, abs=0.01)


def test_log_uniform_lengths_have_their_closed_moments():
    found = padding_waste(lengths="log-uniform", shortest=10, longest=10_000, batches=1000)
    assert found["mean"] == pytest.approx(9990 / math.log(1000), rel=0.02)
    assert 1 - found["fixed_scores"] == pytest.approx((1 - 1e-6) / (2 * math.log(1000)), rel=0.03)


def test_the_share_that_is_cut_by_counting():
    draw = random.Random(3)
    longer = sum(round(draw.lognormvariate(math.log(120), 0.8)) > 512 for _ in range(200_000)) / 200_000
    assert padding_waste(batches=20)["cut"] == pytest.approx(longer, rel=0.05)
    assert padding_waste(lengths="log-uniform", shortest=10, longest=1000, batches=20)["cut"] == 0


def test_the_order_of_the_ways():
    found = padding_waste(batches=200)
    assert found["fixed"] > found["dynamic"] > found["bucketed"] > found["sorted"] >= 0
    assert 0 <= found["packed"] < 0.01


def test_buckets_by_a_plain_loop():
    draw = random.Random(7)
    rows = [draw.randint(1, 90) for _ in range(4 * 6 * 5)]
    places = 0
    for start in range(0, len(rows), 4 * 6):
        pool = sorted(rows[start : start + 4 * 6])
        places += sum(4 * pool[last] for last in range(3, len(pool), 4))
    assert file.wastes(torch.tensor(rows), 90, 4, 6)["bucketed"] == pytest.approx(1 - sum(rows) / places)


def test_equal_lengths_waste_nothing():
    rows = torch.full((64,), 8)
    assert set(file.wastes(rows, 8, 4, 2).values()) == {0.0}


@pytest.mark.parametrize("seed", range(5))
def test_best_fit_by_a_plain_loop(seed):
    draw = random.Random(seed)
    room = draw.randint(5, 60)
    texts = [draw.randint(1, room) for _ in range(200)]
    left: list[int] = []
    for text in sorted(texts, reverse=True):
        fitting = [(space, i) for i, space in enumerate(left) if space >= text]
        if fitting:
            left[min(fitting)[1]] -= text
        else:
            left.append(room - text)
    assert file.packed_rows(texts, room) == len(left) >= math.ceil(sum(texts) / room)


def test_refused():
    with pytest.raises(KernelError):
        padding_waste(shortest=600)


@pytest.mark.parametrize("kind", ["lognormal", "log-uniform"])
def test_the_figure(kind):
    assert "packed" in plot.draw(padding_waste, padding_waste(lengths=kind, batches=20)).alt
