"""Irrelevant chunks against questions that are drawn, with chunks that are alike or not."""

from __future__ import annotations

import random

import pytest

from kernels.library.system_design.noisy_chunks import noisy_chunks


@pytest.mark.oracle("noisy_chunks", "questions drawn with a beta-distributed share of relevant chunks each")
@pytest.mark.parametrize("relevant, chunks, alike", [(0.8, 5, 0.5), (0.6, 3, 0.1), (0.9, 10, 0.9)])
def test_drawn(relevant, chunks, alike):
    dice, trials = random.Random(4), 20_000
    a, b = relevant * (1 - alike) / alike, (1 - relevant) * (1 - alike) / alike
    some = none = apart = 0
    for _ in range(trials):
        share = dice.betavariate(a, b)
        good = sum(dice.random() < share for _ in range(chunks))
        some, none = some + (good < chunks), none + (good == 0)
        apart += any(dice.random() >= relevant for _ in range(chunks))
    got = noisy_chunks(relevant=relevant, chunks=chunks, alike=alike)
    assert (got["any_alike"], got["none_alike"], got["any"]) == pytest.approx((some / trials, none / trials, apart / trials), abs=0.012)


def test_a_filter_counted_on_a_thousand():
    """800 relevant ones of which 760 stay, 200 others of which 40 do."""
    got = noisy_chunks()
    assert (got["filtered"], got["kept"], got["lost"]) == pytest.approx((760 / 800, 800 / 1000, 40 / 800))
    assert got["any_filtered"] == pytest.approx(1 - 0.95**5)
    assert (got["expected"], got["none_relevant"]) == pytest.approx((1.0, 0.2**5))


def test_the_curves_pass_through_the_numbers():
    got = noisy_chunks(relevant=0.7, chunks=4, alike=0.3)
    at = got["sweep"].x.index(4)
    assert got["sweep"].values("each for itself")[at] == pytest.approx(got["any"])
    assert got["sweep"].values("alike")[at] == pytest.approx(got["any_alike"])
