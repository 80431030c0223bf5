"""Spare hosts against scipy-free sums of all states, and drawn fleets."""

from __future__ import annotations

from itertools import product

import pytest

from kernels.library.system_design.fleet_spares import fleet_spares


@pytest.mark.oracle("fleet_spares", "all states of a small fleet, each with its chance")
@pytest.mark.parametrize("needed, held, host", [(3, 2, 0.9), (1, 4, 0.6), (6, 0, 0.95)])
def test_all_states(needed, held, host):
    chance = 0.0
    for state in product((0, 1), repeat=needed + held):
        if sum(state) >= needed:
            chance += host ** sum(state) * (1 - host) ** (needed + held - sum(state))
    assert fleet_spares(needed=needed, held=held, host=host)["up"] == pytest.approx(chance)


def test_the_fewest_is_the_fewest():
    got = fleet_spares(needed=20, host=0.99, target=0.999)
    assert fleet_spares(needed=20, host=0.99, held=got["spares"])["up"] >= 0.999 > fleet_spares(needed=20, host=0.99, held=got["spares"] - 1)["up"]
    assert got["none"] == pytest.approx(0.99**20)
    assert got["overhead"] == got["spares"] / 20
    assert got["mean_up"] == pytest.approx(21 * 0.99)
    assert fleet_spares(host=1.0)["spares"] == 0
