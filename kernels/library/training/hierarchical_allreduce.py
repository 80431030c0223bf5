"""One ring over all GPUs against two levels: rings inside a node, then rings between the nodes.

n nodes of g GPUs, all with the same S bytes; each GPU has a fast link to its node and its own network card.

    flat rings    g rings with S/g each, so that each network card carries one     2 (n g - 1) steps
    two levels    reduce-scatter in the node, all-reduce of S/g with the same GPU
                  of every other node, all-gather in the node                        2 (g - 1) + 2 (n - 1) steps

A step takes latency + bytes / bandwidth, as in allreduce_cost. (Cho et al. 2019, BlueConnect, MLSys: the decomposition; Patarasuk
and Yuan 2009 for one ring.) Levels do not overlap here; NCCL also has trees, whose steps grow with log2 n.
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel


@kernel(
    kind="formula",
    outputs={
        "gpus": "",
        "flat_steps": "",
        "steps": "",
        "tree_steps": "",
        "flat_time": "s",
        "flat_latency": "s",
        "time": "s",
        "latency_time": "s",
        "speedup": "",
        "across": "B",
        "inside": "B",
        "sweep": Series("bytes", "s", x_unit="B"),
    },
)
def hierarchical_allreduce(
    nodes: Annotated[int, Bound(low=2)],
    per_node: Annotated[int, Bound(low=2)],
    size: Annotated[float, Bound("B", low=1)],
    inside_bandwidth: Annotated[float, Bound("B/s", low=1)],
    across_bandwidth: Annotated[float, Bound("B/s", low=1)],
    step_latency: Annotated[float, Bound("s", low=0)] = 10e-6,
):
    """Steps and time of an all-reduce over nodes x per_node GPUs, by flat rings and in two levels; bandwidths of one GPU, one direction.

    across: bytes that each GPU sends over the network in the two-level scheme; inside: within the node. speedup: flat_time / time.
    tree_steps: 2 ceil(log2 gpus), a binomial tree up and down. sweep: both times against the bytes reduced.
    """
    gpus = nodes * per_node
    slowest = min(across_bandwidth, inside_bandwidth / per_node)  # of the g rings through a GPU

    def flat(amount: float) -> float:
        return 2 * (gpus - 1) * (step_latency + amount / per_node / gpus / slowest)

    def levels(amount: float) -> float:
        inside = 2 * (per_node - 1) * (step_latency + amount / per_node / inside_bandwidth)
        return inside + 2 * (nodes - 1) * (step_latency + amount / per_node / nodes / across_bandwidth)

    flat_steps, steps = 2 * (gpus - 1), 2 * (per_node - 1) + 2 * (nodes - 1)
    amounts = [10.0 ** (k / 2) for k in range(8, 21)]
    return {
        "gpus": gpus,
        "flat_steps": flat_steps,
        "steps": steps,
        "tree_steps": 2 * math.ceil(math.log2(gpus)),
        "flat_time": flat(size),
        "flat_latency": flat_steps * step_latency,
        "time": levels(size),
        "latency_time": steps * step_latency,
        "speedup": flat(size) / levels(size),
        "across": 2 * size / per_node * (nodes - 1) / nodes,
        "inside": 2 * size * (per_node - 1) / per_node,
        "sweep": {"bytes": amounts, "one ring": [flat(a) for a in amounts], "two levels": [levels(a) for a in amounts]},
    }


@hierarchical_allreduce.figure
def draw(result, ax):
    from kernels import plot

    labels = {"one ring": "flat rings"}
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels=labels, x_label="gradients", y_label="time", highlight="two levels")
