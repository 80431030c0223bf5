"""The table of clusters against what NVIDIA's system guides print: GB/s of a GPU inside its node, Gbit/s of a node's network cards."""

import pytest

from kernels.library.machines._clusters import CLUSTERS, GBIT
from kernels.library.training.allreduce_cost import allreduce_cost
from kernels.library.training.hierarchical_allreduce import hierarchical_allreduce

# total NVLink bandwidth of a GPU, both directions, as printed; GPUs, cards for traffic between GPUs, Gbit/s each
PRINTED = {"dgx-a100": (600, 8, 8, 200), "dgx-h100": (900, 8, 8, 400), "dgx-h200": (900, 8, 8, 400), "dgx-b200": (1800, 8, 8, 400)}


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_printed_numbers(name):
    cluster, (both_ways, gpus, cards, gigabits) = CLUSTERS[name], PRINTED[name]
    assert cluster.inside == both_ways / 2 * 1e9
    assert (cluster.gpus, cluster.cards, cluster.card) == (gpus, cards, gigabits * GBIT)


def test_a_dgx_h100_sends_400_gigabytes_a_second_through_all_its_cards():
    node = CLUSTERS["dgx-h100"]
    assert (node.node, node.across, node.card) == (400e9, 50e9, 50e9)


def test_as_many_rings_as_cards_use_them_all():
    """Eight rings of an eighth each take as long as one ring at the whole node's rate would; one ring through one card takes eight times as long."""
    node, size = CLUSTERS["dgx-h100"], 8e9
    rings = hierarchical_allreduce(nodes=64, per_node=node.gpus, size=size, inside_bandwidth=node.inside, across_bandwidth=node.across)
    one = allreduce_cost(gpus=64 * node.gpus, size=size, bandwidth=node.card)
    assert one["time"] == pytest.approx(node.cards * rings["bytes_time"])
