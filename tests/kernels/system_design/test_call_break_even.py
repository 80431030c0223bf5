"""Where GPUs of one's own cost less than an API, against a search over numbers of calls."""

from __future__ import annotations

import math

import pytest

from kernels.library.system_design.call_break_even import call_break_even


def searched(call, each, least, day, staff):
    """The first number of calls, from below in steps of one per mille, at which own GPUs cost no more."""
    n = 100.0
    while n < 1e9:
        if (max(least, math.ceil(n / each)) * day + staff) <= n * call:
            return n
        n *= 1.001
    return 0.0


@pytest.mark.oracle("call_break_even", "a search over calls a day, both bills added up at each")
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"price_in": 0.15, "price_out": 0.6},
        {"least": 1, "host_hour": 3.0},
        {"price_in": 0.3, "price_out": 1.2, "staff": 2000.0},
        {"price_out": 0.01, "price_in": 0.01},
    ],
)
def test_searched(given):
    p = {"price_in": 2.5, "price_out": 10.0, "host_hour": 20.0, "least": 2, "staff": 0.0} | given
    each = 8.0 * 86400 * 0.7 / 3.0
    found = searched((1000 * p["price_in"] + 300 * p["price_out"]) / 1e6, each, p["least"], 24 * p["host_hour"], p["staff"])
    assert call_break_even(**given)["even"] == pytest.approx(found, rel=2e-3)


def test_a_day_by_hand():
    got = call_break_even()
    assert got["api"] == pytest.approx(1e6 * (1000 * 2.5 + 300 * 10) / 1e6) == pytest.approx(5500)
    assert got["hosts"] == math.ceil(1e6 / got["host_calls"]) == 7
    assert got["own"] == 7 * 24 * 20
    assert got["per_million"] == pytest.approx(got["own"] / 300)
    assert got["used"] == pytest.approx(1e6 / (7 * 8 * 86400))


def test_one_host_that_pays_for_itself_and_the_curve():
    got = call_break_even(least=1, host_hour=3.0, calls=1e6)
    assert got["even_hosts"] == 1
    at = got["sweep"].x.index(1e6)
    assert (got["sweep"].values("API")[at], got["sweep"].values("own GPUs")[at]) == pytest.approx((got["api"], got["own"]))
    full = call_break_even(calls=2 * got["host_calls"], least=1)
    assert full["hosts"] == 2  # full to the brim, and not one host more


def test_a_fixed_cost_that_only_the_third_host_can_carry():
    got = call_break_even(least=1, staff=1000.0)
    assert got["even_hosts"] == 3
    assert got["even"] == pytest.approx((3 * 480 + 1000) / 0.0055)
