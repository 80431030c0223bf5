"""Oracles: the closed form for equal buckets, a step-by-step clock, and the all-reduce of hierarchical_allreduce."""

import pytest

from kernels.library.training.ddp_overlap import ddp_overlap, finished
from kernels.library.training.hierarchical_allreduce import hierarchical_allreduce

FREE = {"inside_latency": 0.0, "across_latency": 0.0}
CASE = {"size": 1e9, "backward": 0.1, "nodes": 1, "per_node": 8, "inside_bandwidth": 25e9, **FREE}


@pytest.mark.parametrize("bus", [1e9, 10e9, 25e9, 450e9])
@pytest.mark.parametrize("count", [1, 2, 10, 40])
def test_equal_buckets(bus, count):
    """The start of the first bucket or the end of the last decides: whichever resource is slower never waits."""
    latency = 1e-4
    each = latency + 14 / 8 * 1e9 / count / bus
    got = finished(1e9, 8, bus, 0.1, 1e9 / count, latency)
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
    assert got["communication"] == pytest.approx(0.07)
    assert got["speedup"] == pytest.approx(8 * 0.15 / (0.15 + 0.07))


@pytest.mark.parametrize("nodes, per_node", [(1, 8), (8, 8), (8, 1)])
def test_one_bucket_is_one_all_reduce_by_ring_or_tree(nodes, per_node):
    got = ddp_overlap(size=1e9, backward=0.1, nodes=nodes, per_node=per_node, bucket=1e9)
    one = hierarchical_allreduce(nodes=nodes, per_node=per_node, size=1e9)
    assert got["at_once"] == pytest.approx(min(one["flat_time"], one["tree_time"]))


def test_a_fast_link_leaves_only_the_last_bucket():
    got = ddp_overlap(**CASE, bucket=1e8)
    assert got["exposed"] == pytest.approx(got["communication"] / 10)


@pytest.mark.parametrize("bus", [1.25e9, 12e9, 450e9])
def test_no_bucket_size_passes_the_ceiling_and_small_ones_near_it(bus):
    case = {**CASE, "inside_bandwidth": bus}
    speeds = [ddp_overlap(**case, bucket=1e9 / 2**k)["speedup"] for k in range(12)]
    ceiling = ddp_overlap(**case)["ceiling"]
    assert max(speeds) <= ceiling * (1 + 1e-12) and speeds[-1] == pytest.approx(ceiling, rel=1e-2)


def test_overlap_gains_most_where_sending_takes_as_long_as_the_backward_pass():
    gains = {}
    for share in (0.25, 0.5, 0.9, 1.0, 1.1, 2.0, 4.0):
        got = ddp_overlap(**{**CASE, "inside_bandwidth": 1.75e9 / 0.1 / share}, bucket=1e9 / 10_000)
        gains[share] = got["speedup"] / got["speedup_at_once"]
    assert max(gains, key=gains.get) == 1.0
    assert gains[1.0] == pytest.approx(ddp_overlap(**CASE)["most_gain"], rel=1e-3)
