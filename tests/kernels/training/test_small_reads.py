import heapq

import pytest

from kernels import plot
from kernels.library.training.small_reads import small_reads


@pytest.mark.oracle("small_reads", "readers played out request by request")
def test_readers_played_out_are_as_fast():
    one, count = 10e-3 + 110e3 / 200e6, 16
    ends = [0.0] * count
    for _ in range(16_000):
        heapq.heappush(ends, heapq.heappop(ends) + one)
    assert 16_000 / max(ends) == pytest.approx(small_reads()["files"], rel=1e-3)


def test_limits():
    assert small_reads(in_flight=4096)["files"] == pytest.approx(3e9 / 110e3)
    assert small_reads(in_flight=4096, operations=1000)["files"] == pytest.approx(1000)
    needed = small_reads()["in_flight_needed"]
    assert small_reads(in_flight=int(needed) + 1)["files_used"] == pytest.approx(1)
    assert small_reads(in_flight=int(needed) - 10)["files_used"] < 1
    assert small_reads(latency=1e-7)["speedup"] == pytest.approx(1, rel=1e-3)


def test_the_figure():
    assert "shards" in plot.draw(small_reads, small_reads()).alt
