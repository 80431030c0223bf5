"""Hosts that start against a store that is played out second by second."""

from __future__ import annotations

import pytest

from kernels.library.system_design.host_start import host_start


@pytest.mark.oracle("host_start", "weights moved second by second through links that share a store")
@pytest.mark.parametrize("hosts", [1, 3, 40])
def test_played(hosts):
    left, seconds = 2 * 70_553_706_496.0, 0.0
    while left > 0:
        left -= 0.1 * min(3.125e9, 12.5e9 / hosts)
        seconds += 0.1
    got = host_start(hosts=hosts)
    assert got["start"] == pytest.approx(60 + seconds + 30, abs=0.2)
    assert got["reading"] == pytest.approx(seconds, abs=0.2)


def test_by_hand():
    got = host_start()
    assert got["weights"] == 2 * 70_553_706_496
    assert got["store_bound"] == pytest.approx(4)
    assert got["alone"] == pytest.approx(90 + got["weights"] / 3.125e9)
    assert got["local"] == pytest.approx(90 + got["weights"] / 5e9)
    assert got["rate"] == pytest.approx(12.5e9 / 40)
    assert host_start(hosts=4)["start"] == pytest.approx(got["alone"])
