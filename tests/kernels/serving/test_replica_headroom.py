"""Head-room against requests that are dealt out one by one before and after a loss."""

import pytest

from kernels import KernelError, plot
from kernels.library.serving.replica_headroom import replica_headroom


@pytest.mark.oracle("replica_headroom", "requests dealt out in turn, to all replicas and to those that are left")
@pytest.mark.parametrize(("replicas", "lost"), [(2, 1), (4, 1), (20, 3)])
def test_requests_dealt_out(replicas, lost):
    capacity, requests = 1000, int(0.6 * 1000 * replicas)
    left = [0] * (replicas - lost)
    for k in range(requests):
        left[k % len(left)] += 1
    got = replica_headroom(replicas=replicas, lost=lost, load=0.6, limit=0.9)
    assert got["after"] == pytest.approx(max(left) / capacity, rel=0.01)
    most = max(n for n in range(capacity + 1) if n * replicas <= 0.9 * capacity * (replicas - lost) + 1e-6)
    assert got["usual"] == pytest.approx(most / capacity, abs=0.001) and got["dearer"] * got["usual"] == pytest.approx(0.9)
    assert got["spare"] + got["usual"] == 1


def test_nobody_left_is_refused():
    with pytest.raises(KernelError, match="less than replicas"):
        replica_headroom(replicas=2, lost=2)


def test_the_figure():
    assert "64 % at 4" in plot.draw(replica_headroom, replica_headroom()).alt
