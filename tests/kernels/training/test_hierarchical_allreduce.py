"""Oracle: both levels played through with real numbers by the rings of ring_allreduce, and allreduce_cost for one level."""

import pytest

torch = pytest.importorskip("torch")

from kernels.library.training.allreduce_cost import allreduce_cost
from kernels.library.training.hierarchical_allreduce import hierarchical_allreduce
from kernels.library.training.ring_allreduce import all_gather, reduce_scatter


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
    got = hierarchical_allreduce(nodes=nodes, per_node=per_node, size=per_node * width, inside_bandwidth=1.0, across_bandwidth=1.0, step_latency=0.0)
    assert set(inside.flatten().tolist()) == {round(got["inside"])} and set(across.flatten().tolist()) == {round(got["across"])}
    assert got["time"] == pytest.approx(got["inside"] + got["across"])


def test_flat_is_the_ring_of_allreduce_cost():
    got = hierarchical_allreduce(nodes=125, per_node=8, size=8e9, inside_bandwidth=400e9, across_bandwidth=50e9, step_latency=1e-5)
    one = allreduce_cost(gpus=1000, size=1e9, bandwidth=50e9, latency=1e-5)  # one of eight rings
    assert got["flat_time"] == pytest.approx(one["time"]) and got["flat_steps"] == one["steps"] == 1998
    assert got["steps"] == 14 + 248 and got["tree_steps"] == 20
