"""How long collectives take on a cluster of two levels: g GPUs a node on fast links, n nodes behind network cards.

A ring over all N = n g GPUs crosses every link, so it is as fast as the slowest. But g rings with a g-th of the data each, one through each GPU's
share of the cards, use all of them, and together reach

    bus bandwidth = min(inside, g across)         of one GPU inside its node, and of a whole node to the outside

Each GPU sends 2 S (N-1)/N bytes in an all-reduce, half of that in a reduce-scatter or an all-gather. Latency is the number of hops that follow one
another, as NCCL's own cost model counts them:

    ring   2 (N-1) hops, 2 (n-1) of them between nodes          tree   2 (g-1) hops in the node, 2 log2 n between nodes

(NVIDIA, NCCL, src/graph/tuning.cc at b647562, which knows Hopper, opened on 28 November 2026: ring, Simple protocol, 3.4 us over NVLink and 14 us
over the network, to which a system's own latency would be added. The tree's hops are taken to be as quick: Simple's are slower, LL128's quicker.)
A tree is taken to be a pair of binary trees, each for half of the data, in which no GPU sends more than in a ring (Sanders, Speck and Traff 2009,
Two-tree Algorithms for Full Bandwidth Broadcast, Reduction and Scan; NCCL 2.4).
"""

import math

INSIDE_HOP, ACROSS_HOP = 3.4e-6, 14e-6  # s


def bus_bandwidth(nodes: int, per_node: int, inside: float, across: float) -> float:
    """B/s at which ring collectives over all GPUs run; `across` is one GPU's share of its node's network cards."""
    if nodes == 1:
        return inside
    return across if per_node == 1 else min(inside, per_node * across)


def ring_latency(nodes: int, per_node: int, inside_hop: float, across_hop: float) -> float:
    """Of one ring all-reduce."""
    steps, between = 2 * (nodes * per_node - 1), 2 * (nodes - 1)
    return (steps - between) * inside_hop + between * across_hop


def tree_latency(nodes: int, per_node: int, inside_hop: float, across_hop: float) -> float:
    """Of one all-reduce along a chain in each node and a tree over the nodes."""
    return 2 * (per_node - 1) * inside_hop + 2 * math.ceil(math.log2(nodes)) * across_hop
