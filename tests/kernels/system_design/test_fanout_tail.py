"""A fan-out's tail against the paper's example and calls that are drawn one by one."""

import random

import pytest

from kernels import plot
from kernels.library.system_design.fanout_tail import fanout_tail


@pytest.mark.oracle("fanout_tail", "The Tail at Scale: 1 % slow, 100 servers, 63 % of requests; and drawn calls")
def test_the_example_of_the_tail_at_scale():
    assert round(fanout_tail(calls=100)["slow_requests"], 2) == 0.63


@pytest.mark.parametrize(("calls", "slow"), [(20, 0.01), (5, 0.2), (1, 0.5)])
def test_drawn_calls(calls, slow):
    dice, rounds, some, both, copies = random.Random(2), 40_000, 0, 0, 0
    for _ in range(rounds):
        late = [dice.random() < slow for _ in range(calls)]
        again = [x and dice.random() < slow for x in late]
        some, both, copies = some + any(late), both + any(again), copies + sum(late)
    got = fanout_tail(calls=calls, slow=slow)
    assert got["slow_requests"] == pytest.approx(some / rounds, rel=0.04) and got["hedged"] == pytest.approx(both / rounds, rel=0.3)
    assert got["extra"] == pytest.approx(copies / rounds / calls, rel=0.04)


@pytest.mark.parametrize("calls", [1, 20, 1_000_000])
def test_what_a_call_must_reach(calls):
    got = fanout_tail(calls=calls)
    assert got["needed"] ** calls == pytest.approx(0.99) and got["needed"] + got["needed_slow"] == pytest.approx(1)


def test_the_figure():
    assert "18 % at 20" in plot.draw(fanout_tail, fanout_tail()).alt
