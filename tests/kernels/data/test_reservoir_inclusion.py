"""Oracles: a plain loop over single streams, the products in fractions, (1 - 1/k)^age."""

import random
from fractions import Fraction

import pytest

from kernels import KernelError, plot
from kernels.library.data.reservoir_inclusion import chances, reservoir_inclusion

POLICIES = ("reservoir", "replace-always", "first-k", "latest-k")


def sampled(policy: str, k: int, n: int, draw: random.Random) -> list[int]:
    """The positions that one stream leaves in the sample."""
    kept = list(range(k))
    for item in range(k, n if policy != "first-k" else k):
        slot = item % k if policy == "latest-k" else draw.randrange(item + 1 if policy == "reservoir" else k)
        if slot < k:
            kept[slot] = item
    return kept


@pytest.mark.parametrize("policy", POLICIES)
def test_a_plain_loop_over_single_streams_agrees(policy):
    draw, counts, k, n, streams = random.Random(0), [0] * 30, 4, 30, 8000
    for _ in range(streams):
        for item in sampled(policy, k, n, draw):
            counts[item] += 1
    assert sum(chances(policy, k, n)) == pytest.approx(k)  # each run keeps exactly k
    for count, chance in zip(counts, chances(policy, k, n)):
        assert count / streams == pytest.approx(chance, abs=5 * 0.5 / streams**0.5)


def test_the_product_is_k_over_n_for_every_position():
    k, n = 7, 40
    for item in range(1, n + 1):
        exact = min(Fraction(1), Fraction(k, item))
        for later in range(max(item, k) + 1, n + 1):
            exact *= 1 - Fraction(k, later) * Fraction(1, k)
        assert exact == Fraction(k, n)
    assert chances("reservoir", k, n) == pytest.approx([k / n] * n)


def test_always_replacing_forgets_exponentially():
    assert chances("replace-always", 5, 60)[-12:] == pytest.approx([(4 / 5) ** age for age in range(11, -1, -1)])
    found = reservoir_inclusion(policy="replace-always")
    assert found["last_k"] == pytest.approx((1 - 0.9**10) / 10 * 10)
    assert found["first_half"] < 1e-20


def test_first_and_latest_keep_one_end():
    first, latest = reservoir_inclusion(policy="first-k"), reservoir_inclusion(policy="latest-k")
    assert (first["first_k"], first["first"], first["second_half"]) == (1.0, 1.0, 0.0)
    assert (latest["last_k"], latest["first_half"]) == (1.0, 0.0)


def test_a_reservoir_as_large_as_the_stream_is_refused():
    with pytest.raises(KernelError, match="less than n"):
        reservoir_inclusion(k=10, n=10)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_figure(policy):
    assert "Uniform is 2" in plot.draw(reservoir_inclusion, reservoir_inclusion(policy=policy, n=500)).alt
