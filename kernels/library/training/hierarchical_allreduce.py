"""An all-reduce over n nodes of g GPUs: flat rings, rings in two levels, and a tree; bytes and latency.

Every GPU holds the same S bytes, has a fast link to its node and its share of the node's network cards.

    flat rings    g rings over all GPUs with S/g each, so that all cards are used     2 (n g - 1) steps
    two levels    reduce-scatter in the node, all-reduce of S/g with the same GPU
                  of every other node, all-gather in the node                           2 (g - 1) + 2 (n - 1) steps
    tree          a chain in the node, a pair of binary trees over the nodes            2 (g - 1) + 2 log2 n steps

Steps that follow one another cost latency, inside or between nodes; bytes cost the time of the slowest link (see _collectives). (Cho et al. 2019,
BlueConnect, MLSys: two levels; Patarasuk and Yuan 2009 for one ring.) The two levels do not overlap here.
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.machines._clusters import CLUSTERS
from kernels.library.training._collectives import ACROSS_HOP, INSIDE_HOP, bus_bandwidth, ring_latency, tree_latency


@kernel(
    kind="formula",
    outputs={
        "gpus": "",
        "flat_steps": "",
        "steps": "",
        "tree_steps": "",
        "bus": "B/s",
        "sent": "B",
        "bytes_time": "s",
        "flat_time": "s",
        "flat_latency": "s",
        "time": "s",
        "latency_time": "s",
        "tree_time": "s",
        "tree_latency": "s",
        "across": "B",
        "inside": "B",
        "sweep": Series("bytes", "s", x_unit="B"),
    },
)
def hierarchical_allreduce(
    nodes: Annotated[int, Bound(low=1)],
    per_node: Annotated[int, Bound(low=1)],
    size: Annotated[float, Bound("B", low=1)],
    inside_bandwidth: Annotated[float, Bound("B/s", low=1)] = CLUSTERS["dgx-h100"].inside,
    across_bandwidth: Annotated[float, Bound("B/s", low=1)] = CLUSTERS["dgx-h100"].across,
    inside_latency: Annotated[float, Bound("s", low=0)] = INSIDE_HOP,
    across_latency: Annotated[float, Bound("s", low=0)] = ACROSS_HOP,
):
    """Steps and time of an all-reduce over nodes x per_node GPUs, by flat rings, in two levels and by a tree; bandwidths of one GPU, one direction.

    across_bandwidth: a GPU's share of its node's network cards. bus: what all rings reach together; sent: by each GPU, in a ring;
    bytes_time: sent / bus, without latency. flat_*: rings over all GPUs; time, latency_time: two levels. across: bytes that each GPU sends over
    the network in two levels; inside: within the node. sweep: the three times against the bytes reduced.
    """
    gpus = nodes * per_node
    hops = inside_latency, across_latency
    bus = bus_bandwidth(nodes, per_node, inside_bandwidth, across_bandwidth)
    flat_latency, tree = ring_latency(nodes, per_node, *hops), tree_latency(nodes, per_node, *hops)
    latency = 2 * (per_node - 1) * inside_latency + 2 * (nodes - 1) * across_latency

    def moved(amount: float) -> float:
        return 2 * amount * (gpus - 1) / gpus / bus

    def levels(amount: float) -> float:
        inside = 2 * amount * (per_node - 1) / per_node / inside_bandwidth
        return latency + inside + 2 * amount / per_node * (nodes - 1) / nodes / across_bandwidth

    amounts = [10.0 ** (k / 2) for k in range(8, 19)]
    return {
        "gpus": gpus,
        "flat_steps": 2 * (gpus - 1),
        "steps": 2 * (per_node - 1) + 2 * (nodes - 1),
        "tree_steps": 2 * (per_node - 1) + 2 * math.ceil(math.log2(nodes)),
        "bus": bus,
        "sent": 2 * size * (gpus - 1) / gpus,
        "bytes_time": moved(size),
        "flat_time": flat_latency + moved(size),
        "flat_latency": flat_latency,
        "time": levels(size),
        "latency_time": latency,
        "tree_time": tree + moved(size),
        "tree_latency": tree,
        "across": 2 * size / per_node * (nodes - 1) / nodes,
        "inside": 2 * size * (per_node - 1) / per_node,
        "sweep": {
            "bytes": amounts,
            "flat rings": [flat_latency + moved(a) for a in amounts],
            "two levels": [levels(a) for a in amounts],
            "tree": [tree + moved(a) for a in amounts],
        },
    }


@hierarchical_allreduce.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, ylog=True, x_label="gradients", y_label="time", highlight="tree")
