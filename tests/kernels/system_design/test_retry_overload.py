"""Retries against requests that are played out one by one."""

from __future__ import annotations

import random

import pytest

from kernels.library.system_design.retry_overload import retry_overload


@pytest.mark.oracle("retry_overload", "requests played out in rounds, of whose attempts a server takes as many as it can")
@pytest.mark.parametrize("wanted, retries", [(1.2, 3), (2.0, 1), (1.5, 0)])
def test_played(wanted, retries):
    dice, capacity, rounds = random.Random(3), 1000, 120
    waiting: list[int] = []
    attempts = done = gone = 0
    for k in range(rounds):
        tries = [retries] * round(wanted * capacity) + waiting
        dice.shuffle(tries)
        waiting = [left - 1 for left in tries[capacity:] if left > 0]
        if k >= 40:
            attempts, done, gone = attempts + len(tries), done + min(capacity, len(tries)), gone + sum(left == 0 for left in tries[capacity:])
    got = retry_overload(wanted=wanted, retries=retries)
    assert got["offered"] == pytest.approx(attempts / 80 / capacity, rel=0.02)
    assert got["gives_up"] == pytest.approx(gone / 80 / capacity / wanted, abs=0.01)
    assert got["succeeds"] == done / 80 / capacity


def test_ends():
    calm = retry_overload(wanted=0.8)
    assert (calm["offered"], calm["fails"], calm["gives_up"], calm["succeeds"]) == (0.8, 0.0, 0.0, 0.8)
    got = retry_overload()
    assert got["gives_up"] == pytest.approx(1 - 1 / 1.2)
    assert got["offered"] == pytest.approx(1.2 * sum(got["fails"] ** k for k in range(4)))
    assert got["amplified"] == pytest.approx(got["offered"] / 1.2)
    assert set(got["sweep"].lines) == {"none", "1 retry", "3 retries"}
