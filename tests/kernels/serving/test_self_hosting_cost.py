"""The cost of a token against a bill that is kept second by second, and the rate that interviews quote."""

import pytest

from kernels import plot
from kernels.library.serving.self_hosting_cost import self_hosting_cost


@pytest.mark.oracle("self_hosting_cost", "a bill kept minute by minute over a day with idle hours")
@pytest.mark.parametrize(("hourly", "throughput", "busy"), [(2.5, 2500.0, 9), (4.0, 800.0, 24), (1.2, 60.0, 1), (3.2, 150_000.0, 6)])
def test_a_day_on_the_bill(hourly, throughput, busy):
    paid = served = 0.0
    for minute in range(24 * 60):
        paid += hourly / 60
        served += throughput * 60 if minute < busy * 60 else 0.0
    got = self_hosting_cost(hourly=hourly, throughput=throughput, utilisation=busy / 24, api=3.0)
    assert got["cost"] == pytest.approx(paid / served * 1e6)
    assert got["of_api"] == pytest.approx(paid / (served * 3e-6))


def test_694_tokens_a_second_for_a_dollar_at_two_fifty():
    got = self_hosting_cost()
    assert round(got["break_even_rate"]) == 694 and got["tokens_a_day"] == pytest.approx(6e7)
    assert self_hosting_cost(throughput=500)["full_cost"] == pytest.approx(1.39, abs=0.005)
    assert self_hosting_cost()["full_cost"] == pytest.approx(0.28, abs=0.005)


@pytest.mark.parametrize(("hourly", "throughput", "api"), [(0.01, 1.0, 1e4), (1e4, 1e7, 1e-3), (2.5, 2500.0, 1.0)])
def test_at_break_even_both_cost_the_same(hourly, throughput, api):
    even = self_hosting_cost(hourly=hourly, throughput=throughput, api=api)["break_even_utilisation"]
    if 0.001 <= even <= 1:
        assert self_hosting_cost(hourly=hourly, throughput=throughput, api=api, utilisation=even)["of_api"] == pytest.approx(1)
    low, high = (self_hosting_cost(hourly=hourly, throughput=throughput, api=api, utilisation=u)["cost"] for u in (0.001, 1.0))
    assert low == pytest.approx(1000 * high)


def test_the_figure():
    assert "equal at 28" in plot.draw(self_hosting_cost, self_hosting_cost()).alt
