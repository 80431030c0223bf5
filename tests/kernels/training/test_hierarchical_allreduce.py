"""Oracles: both levels played through with real numbers by the rings of ring_allreduce, links counted ring by ring, allreduce_cost for one GPU a
node, and bus bandwidths that others measured."""

from collections import Counter

import pytest

torch = pytest.importorskip("torch")

from kernels.library.training._collectives import bus_bandwidth
from kernels.library.training.allreduce_cost import allreduce_cost
from kernels.library.training.hierarchical_allreduce import hierarchical_allreduce
from kernels.library.training.ring_allreduce import all_gather, reduce_scatter

FREE = {"inside_latency": 0.0, "across_latency": 0.0}


@pytest.mark.parametrize("nodes, per_node", [(2, 2), (3, 4), (5, 2)])
def test_two_levels_give_the_sum_for_the_stated_bytes(nodes, per_node):
    width = nodes * 6  # elements of a node-level chunk, divisible again
    values = torch.randint(-50, 50, (nodes, per_node, per_node, width)).double()
    total = values.sum((0, 1))
    inside, across = torch.zeros(nodes, per_node, dtype=torch.int64), torch.zeros(per_node, nodes, dtype=torch.int64)
    for node in range(nodes):
        reduce_scatter(values[node], inside[node])
    for g in range(per_node):
        chunk = (g + 1) % per_node
        ring = values[:, g, chunk].reshape(nodes, nodes, -1).clone()
        reduce_scatter(ring, across[g])
        all_gather(ring, across[g])
        values[:, g, chunk] = ring.reshape(nodes, width)
    for node in range(nodes):
        all_gather(values[node], inside[node])
    assert all(torch.equal(values[n, g], total) for n in range(nodes) for g in range(per_node))
    got = hierarchical_allreduce(nodes=nodes, per_node=per_node, size=per_node * width, inside_bandwidth=1.0, across_bandwidth=1.0, **FREE)
    assert set(inside.flatten().tolist()) == {round(got["inside"])} and set(across.flatten().tolist()) == {round(got["across"])}
    assert got["time"] == pytest.approx(got["inside"] + got["across"])


@pytest.mark.parametrize("nodes, per_node", [(2, 4), (16, 8), (3, 2)])
def test_the_busiest_link_of_flat_rings_sets_their_time(nodes, per_node):
    """Ring r enters a node at GPU r and leaves it at the one before, so that each card carries one ring and each fast link the others."""
    inside, across, size, gpus = 450e9, 50e9, 8e9, nodes * per_node
    card, link = Counter(), Counter()
    for ring in range(per_node):
        path = [(node, (ring + k) % per_node) for node in range(nodes) for k in range(per_node)]
        for here, there in zip(path, path[1:] + path[:1]):
            (link if here[0] == there[0] else card)[here] += 2 * (gpus - 1) / gpus * size / per_node
    slowest = max(max(card.values()) / across, max(link.values()) / inside)
    assert len(card) == gpus  # every GPU's share of the cards is in use
    got = hierarchical_allreduce(nodes=nodes, per_node=per_node, size=size, inside_bandwidth=inside, across_bandwidth=across)
    assert got["bytes_time"] == pytest.approx(slowest)


def test_one_gpu_a_node_is_the_ring_of_allreduce_cost():
    got = hierarchical_allreduce(nodes=1000, per_node=1, size=1e9, across_bandwidth=50e9, across_latency=1e-5)
    one = allreduce_cost(gpus=1000, size=1e9, bandwidth=50e9, latency=1e-5)
    assert got["flat_time"] == pytest.approx(one["time"]) and got["flat_steps"] == one["steps"] == 1998
    assert got["time"] == pytest.approx(one["time"])


def test_hops_one_by_one():
    got = hierarchical_allreduce(nodes=128, per_node=8, size=1.0, inside_latency=1.0, across_latency=1000.0)
    once = [1.0 if (gpu + 1) % 8 else 1000.0 for gpu in range(1023)]  # a chunk's way over a chain of 1,024 GPUs
    assert got["flat_latency"] == 2 * sum(once) and got["flat_steps"] == 2 * len(once)
    assert got["steps"] == 14 + 254 and got["latency_time"] == 14 + 254_000
    assert got["tree_steps"] == 14 + 14 and got["tree_latency"] == 14 + 14_000


@pytest.mark.parametrize(
    "per_node, inside, across, low, high",
    [
        (8, 300e9, 4 * 25e9 / 8, 84.8e9, 96e9),  # 3 nodes of 8 A100 and 4 HDR cards: NVIDIA/nccl-tests, issue 119
        (8, 450e9, 50e9, 8 * 46e9, 8 * 48e9),  # an NDR card of 400 Gbit/s: NVIDIA's answer in NVIDIA/nccl-tests, issue 290
    ],
)
def test_what_others_measured_is_most_of_it(per_node, inside, across, low, high):
    bus = bus_bandwidth(3, per_node, inside, across)
    assert 0.8 * bus < low < high <= bus
