"""A token bucket against one that is played out, and attacked as hard as can be."""

from __future__ import annotations

import pytest

from kernels.library.system_design.token_bucket import token_bucket


@pytest.mark.oracle("token_bucket", "a bucket played out in milliseconds, full at first and asked all the time")
@pytest.mark.parametrize("limit, window, size", [(100, 60, 100), (100, 60, 10), (30, 10, 50)])
def test_played(limit, window, size):
    tokens, through, step = float(size), 0, 0.001
    for _ in range(round(window / step)):
        while tokens >= 1:
            tokens, through = tokens - 1, through + 1
        tokens = min(size, tokens + limit / window * step)
    while tokens >= 1 - 1e-6:
        tokens, through = tokens - 1, through + 1
    got = token_bucket(limit=limit, window=window, size=size)
    assert got["any_window"] == pytest.approx(through, abs=1)
    assert got["over_limit"] == pytest.approx(got["any_window"] / limit)


def test_by_hand():
    got = token_bucket()
    assert (got["users_fill"], got["one_user"], got["refilled"], got["burst"], got["across_border"]) == (100, 0.01, 60, 100, 200)
    assert got["fair"] * 60 == pytest.approx(1.0)
    assert got["tokens"] == pytest.approx(10_000 / 60 * 300)


def test_one_user_may_take_all_and_no_more():
    assert token_bucket(limit=500.0, overall=100.0)["one_user"] == 1
