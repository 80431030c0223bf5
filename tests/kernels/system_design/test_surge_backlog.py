"""A surge's backlog against one that is played out second by second."""

from __future__ import annotations

import pytest

from kernels import KernelError
from kernels.library.system_design.surge_backlog import surge_backlog


@pytest.mark.oracle("surge_backlog", "a queue played out in tenths of a second")
@pytest.mark.parametrize("factor, load, delay, margin", [(10.0, 0.5, 300.0, 0.25), (3.0, 0.8, 100.0, 0.5)])
def test_played(factor, load, delay, margin):
    usual, queue, time, step, most = 20.0, 0.0, 0.0, 0.1, 0.0
    while time < delay or queue > 0:
        served = usual / load if time < delay - 1e-9 else usual * factor * (1 + margin)
        queue = max(0.0, queue + (usual * factor - served) * step)
        time, most = time + step, max(most, queue)
    got = surge_backlog(usual=usual, factor=factor, load=load, delay=delay, margin=margin)
    assert (got["backlog"], got["over"]) == pytest.approx((most, time), rel=0.01)
    assert got["drain"] == pytest.approx(time - delay, rel=0.01)


def test_by_hand():
    got = surge_backlog()
    assert (got["arrivals"], got["served"], got["turned_away"]) == pytest.approx((200, 40, 0.8))
    assert got["wait"] == pytest.approx(48_000 / 250)
    assert got["hosts"] == pytest.approx(10 * 250 / 40)
    assert got["doubled_delay"] == pytest.approx(surge_backlog(delay=600.0)["drain"])
    with pytest.raises(KernelError, match="no more than is served"):
        surge_backlog(factor=1.5)
