"""Speculative decoding against Leviathan et al. 2023 (arXiv 2211.17192) and a simulation of rounds; its table 1 stands in published.yml."""

from __future__ import annotations

import random

import pytest

from kernels.library.inference.speculative_speedup import speculative_speedup


@pytest.mark.parametrize("acceptance, drafts", [(0.3, 4), (0.8, 5), (0.95, 8)])
def test_rounds_played_with_dice_yield_that_many_tokens(acceptance, drafts):
    dice, rounds = random.Random(7), 40_000
    tokens = 0
    for _ in range(rounds):
        accepted = 0
        while accepted < drafts and dice.random() < acceptance:
            accepted += 1
        tokens += accepted + 1
    got = speculative_speedup(acceptance=acceptance, draft_tokens=drafts, cost_ratio=0.1)
    assert got["expected_tokens"] == pytest.approx(tokens / rounds, rel=0.01)
    assert got["speedup"] == pytest.approx(got["expected_tokens"] / (1 + 0.1 * drafts))


@pytest.mark.parametrize("acceptance, drafts", [(0.2, 3), (0.8, 5), (0.99, 16)])
def test_the_closed_form_of_equation_1(acceptance, drafts):
    closed = (1 - acceptance ** (drafts + 1)) / (1 - acceptance)
    assert speculative_speedup(acceptance=acceptance, draft_tokens=drafts, cost_ratio=0.1)["expected_tokens"] == pytest.approx(closed)


@pytest.mark.parametrize("drafts", [1, 3, 8])
@pytest.mark.parametrize("cost", [0.0, 0.05, 0.3, 1.0])
def test_at_break_even_the_speedup_is_one(drafts, cost):
    even = speculative_speedup(acceptance=0.5, draft_tokens=drafts, cost_ratio=cost)["break_even"]
    assert speculative_speedup(acceptance=even, draft_tokens=drafts, cost_ratio=cost)["speedup"] == pytest.approx(1)
    if drafts == 1:
        assert even == pytest.approx(cost, abs=1e-12)


def test_the_ends():
    assert speculative_speedup(acceptance=1, draft_tokens=5, cost_ratio=0)["speedup"] == 6
    none = speculative_speedup(acceptance=0, draft_tokens=5, cost_ratio=0.1)
    assert none["speedup"] == pytest.approx(1 / 1.5) and none["best_draft_tokens"] == 0 and none["best_speedup"] == 1


@pytest.mark.parametrize("acceptance, cost", [(0.5, 0.2), (0.8, 0.1), (0.9, 0.5)])
def test_drafting_pays_where_acceptance_exceeds_cost(acceptance, cost):
    """Corollary 3.9: then some number of drafts gains at least (1 + a) / (1 + c)."""
    assert speculative_speedup(acceptance=acceptance, draft_tokens=1, cost_ratio=cost)["best_speedup"] >= (1 + acceptance) / (1 + cost) - 1e-12
