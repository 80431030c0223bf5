import random

import numpy
import pytest

from kernels import plot
from kernels.library.agents.agent_chain import agent_chain

CASES = [(0.95, 10, 0.8, 0.05, 1), (0.8, 4, 0.5, 0.2, 3), (0.9, 3, 1.0, 0.0, 0), (0.9, 5, 0.0, 0.0, 2), (0.7, 2, 0.6, 0.3, 5)]


def fundamental(p, steps, recall, false_alarm, retries):
    """Where the chain of (step, attempt, spoilt or not) ends, and its attempts, by (I - Q)^-1, R built state by state."""
    states = [(s, t, bad) for s in range(steps) for t in range(retries + 1) for bad in (False, True)]
    at = {state: i for i, state in enumerate(states)}
    q, r = numpy.zeros((len(states), len(states))), numpy.zeros((len(states), 3))
    for s, t, bad in states:
        moves = [(p * (1 - false_alarm), "on", bad), ((1 - p) * (1 - recall), "on", True), (p * false_alarm + (1 - p) * recall, "again", bad)]
        for chance, where, spoilt in moves:
            i = at[s, t, bad]
            if where == "again":
                if t == retries:
                    r[i, 2] += chance
                else:
                    q[i, at[s, t + 1, spoilt]] += chance
            elif s == steps - 1:
                r[i, int(spoilt)] += chance
            else:
                q[i, at[s + 1, 0, spoilt]] += chance
    visits = numpy.linalg.inv(numpy.eye(len(states)) - q)[at[0, 0, False]]
    return visits @ r, visits.sum()


@pytest.mark.oracle("agent_chain", "numpy's inverse of I - Q over every step, attempt and state of the work")
@pytest.mark.parametrize("case", CASES)
def test_the_fundamental_matrix(case):
    ends, attempts = fundamental(*case)
    got = agent_chain(**dict(zip(("p", "steps", "recall", "false_alarm", "retries"), case)))
    assert [got["success"], got["silent"], got["stopped"]] == pytest.approx(ends)
    assert got["attempts"] == pytest.approx(attempts)
    assert got["right_of_finished"] == pytest.approx(got["success"] / got["finished"])


def test_tasks_played_out():
    draw, right, silent = random.Random(1), 0, 0
    for _ in range(20_000):
        spoilt, stopped = False, False
        for _ in range(10):
            for _ in range(2):
                good = draw.random() < 0.95
                if draw.random() >= (0.05 if good else 0.8):
                    spoilt |= not good
                    break
            else:
                stopped = True
                break
        right += not stopped and not spoilt
        silent += not stopped and spoilt
    got = agent_chain()
    assert right / 20_000 == pytest.approx(got["success"], abs=0.01) and silent / 20_000 == pytest.approx(got["silent"], abs=0.01)


def test_a_perfect_checker():
    """One retry after each of ten steps at 95 %: (1 - 0.05^2)^10, and no checker at all: 0.95^10."""
    assert agent_chain(recall=1.0, false_alarm=0.0)["success"] == pytest.approx((1 - 0.05**2) ** 10)
    blind = agent_chain(recall=0.0, false_alarm=0.0)
    assert blind["success"] == pytest.approx(0.95**10) == pytest.approx(blind["unchecked"]) and blind["attempts"] == pytest.approx(10)
    assert blind["stopped"] == pytest.approx(0) and blind["per_success"] == pytest.approx(blind["unchecked_per_success"])


def test_the_figure():
    assert "silently wrong" in plot.draw(agent_chain, agent_chain()).alt
