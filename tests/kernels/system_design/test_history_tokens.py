"""A conversation's history against messages that are kept in a list, and the square-root law against a search."""

from __future__ import annotations

import pytest

from kernels.library.system_design.history_tokens import history_tokens


def played(turns, tokens, every, summary, output, cached):
    """Cost by messages: each is full price when it is sent first, and its cached price after."""
    context, seen, cost, most = [], set(), 0.0, 0
    number = 0
    for turn in range(1, turns + 1):
        context.append((number, tokens))
        number += 1
        most = max(most, sum(size for _, size in context))
        cost += sum(size * (cached if name in seen else 1) for name, size in context)
        seen |= {name for name, _ in context}
        if turn % every == 0 and turn < turns:
            cost += sum(size * cached for _, size in context) + summary * output
            context = [(number, summary)]
            number += 1
    return cost, most


@pytest.mark.oracle("history_tokens", "messages kept in a list, each paid in full once and at the cached price after")
@pytest.mark.parametrize("turns, every, cached", [(50, 10, 1.0), (50, 10, 0.1), (37, 4, 0.5), (5, 50, 1.0)])
def test_played(turns, every, cached):
    got = history_tokens(turns=turns, every=every, cached_price=cached, tokens=150, summary=220, output_price=3.0)
    cost, most = played(turns, 150, every, 220, 3.0, cached)
    assert (got["summarised"], got["turn_most"]) == pytest.approx((cost, most))
    assert got["full"] == pytest.approx(played(turns, 150, 10_000, 220, 3.0, cached)[0])
    assert got["growth"].values("summarised")[-1] == pytest.approx(cost)
    assert got["over"] == pytest.approx(got["full"] / cost)


def test_the_inventorys_sum():
    assert history_tokens()["full"] == 200 * 50 * 51 / 2 == 255_000
    assert history_tokens()["turn_full"] == 10_000
    assert history_tokens()["summaries"] == 4


@pytest.mark.parametrize("summary, cached", [(200, 1.0), (2000, 1.0), (200, 0.1)])
def test_the_best_interval_is_the_one_that_a_search_finds(summary, cached):
    best = history_tokens(summary=summary, cached_price=cached)["best"]
    costs = {k: played(840, 200, k, summary, 4.0, cached)[0] for k in range(1, 31)}
    found = min(costs, key=lambda k: costs[k])
    assert abs(found - best) <= 1
    assert costs[round(best)] <= 1.01 * costs[found]


def test_the_curves_begin_with_one_turn_and_the_interval_of_the_card_is_among_those_drawn():
    got = history_tokens(turns=60, every=45)
    assert (got["growth"].values("all of it")[0], got["growth"].values("summarised")[0]) == (200, 200)
    assert got["sweep"].values("cost")[got["sweep"].x.index(45)] == pytest.approx(got["summarised"])
