"""Oracles: the closed form for equal buckets, and a step-by-step clock."""

import pytest

from kernels.library.training.allreduce_cost import allreduce_cost
from kernels.library.training.ddp_overlap import ddp_overlap, finished

CASE = {"size": 1e9, "gpus": 8, "bandwidth": 25e9, "backward": 0.1, "latency": 0.0}


@pytest.mark.parametrize("bandwidth", [1e9, 10e9, 25e9, 450e9])
@pytest.mark.parametrize("count", [1, 2, 10, 40])
def test_equal_buckets(bandwidth, count):
    """The start of the first bucket or the end of the last decides: whichever resource is slower never waits."""
    latency = 1e-5
    each = 14 * (latency + 1e9 / count / 8 / bandwidth)
    got = finished(1e9, 8, bandwidth, 0.1, 1e9 / count, latency)
    assert got == pytest.approx(max(0.1 / count + count * each, 0.1 + each))


def test_a_clock_that_ticks():
    tick, ready, sent, time, cut = 1e-5, 0.0, 0.0, 0.0, 7e7
    while sent < 1e9 - 1:
        ready = min(1e9, 1e9 * time / 0.1)
        whole = 1e9 if ready >= 1e9 else ready // cut * cut
        sent = min(whole, sent + tick * 25e9 * 8 / 14)
        time += tick
    assert finished(1e9, 8, 25e9, 0.1, cut, 0.0) == pytest.approx(time, rel=2e-3)


def test_one_bucket_hides_nothing():
    got = ddp_overlap(**CASE, bucket=1e9)
    assert got["hidden"] == pytest.approx(0) and got["exposed"] == pytest.approx(got["communication"]) == pytest.approx(got["at_once"])
    assert got["communication"] == pytest.approx(allreduce_cost(gpus=8, size=1e9, bandwidth=25e9)["time"])
    assert got["speedup"] == pytest.approx(8 * 0.15 / (0.15 + 0.07))


def test_a_fast_link_leaves_only_the_last_bucket():
    got = ddp_overlap(**CASE, bucket=1e8)
    assert got["exposed"] == pytest.approx(got["communication"] / 10)
