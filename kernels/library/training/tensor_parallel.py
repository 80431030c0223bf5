"""Tensor parallelism in one transformer layer: what each GPU holds, sends and computes, in one node and spread over several.

The first matrix of a pair is cut into columns, the second into rows: each GPU computes its own part of X A_i B_i, and the parts are added by one
all-reduce of a tensor of tokens x width. A layer has two such pairs, attention and MLP, and the backward pass adds up the
gradient of their inputs: two all-reduces forward, two backward (Shoeybi et al. 2019, Megatron-LM, arXiv 1909.08053, section 3).

    sent       4 * 2 (n-1)/n * 2 tokens width                 bytes of each GPU, ring all-reduces in 16 bits
    computed   6 * (12 width^2 + width tokens) tokens / n     FLOP of each GPU for one sequence; second term: causal queries times keys, and values

Bytes and matrix products both grow with the tokens, so their ratio does not; it grows with n-1 and with rate / bandwidth, and falls with the width.
Over k nodes with n/k of the GPUs each, their network cards share the traffic (see _collectives, which has the latency of hops too).
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel
from kernels.library.machines._clusters import CLUSTERS
from kernels.library.training._collectives import ACROSS_HOP, INSIDE_HOP, bus_bandwidth, ring_latency, tree_latency

ALL_REDUCES, BYTES = 4, 2
MATRICES, FLOP = 12, 6  # a layer's weights in units of width^2: attention 4, MLP 8; FLOP per weight and token, forward and backward


@kernel(
    kind="formula",
    outputs={
        "columns": "",
        "layer_weights": "B",
        "all_reduces": "",
        "message": "B",
        "sent": "B",
        "sent_model": "B",
        "compute": "s",
        "inside_time": "s",
        "halves_time": "s",
        "across_time": "s",
        "inside_share": "",
        "halves_share": "",
        "across_share": "",
        "halves_bus": "B/s",
        "sweep": Series("nodes", ""),
    },
)
def tensor_parallel(
    width: Annotated[int, Bound(low=1)],
    tokens: Annotated[int, Bound("token", low=1)],
    gpus: Annotated[int, Bound(low=2, high=100_000)],
    layers: Annotated[int, Bound(low=1)] = 1,
    inside_bandwidth: Annotated[float, Bound("B/s", low=1)] = CLUSTERS["dgx-h100"].inside,
    across_bandwidth: Annotated[float, Bound("B/s", low=1)] = CLUSTERS["dgx-h100"].across,
    rate: Annotated[float, Bound("FLOP/s", low=1)] = 400e12,
    inside_latency: Annotated[float, Bound("s", low=0)] = INSIDE_HOP,
    across_latency: Annotated[float, Bound("s", low=0)] = ACROSS_HOP,
):
    """One layer split over `gpus` GPUs: columns of a square matrix on each, bytes sent a step, and their time over the computation's.

    layer_weights: of one GPU, 16 bits. message: the tensor of one all-reduce. sent: by each GPU in a layer's four; sent_model: in all layers.
    compute: a GPU's forward and backward of a layer at `rate`. inside: all GPUs in one node; halves: in two nodes, at halves_bus; across: each in a
    node of its own, where other groups use its other network cards. *_time: of the layer's all-reduces; *_share: over computing. sweep: over nodes.
    """
    if width % gpus:
        raise KernelError(f"tensor_parallel: width is {width}, but must be a multiple of gpus, {gpus}: every GPU gets as many columns")
    if gpus % 2:
        raise KernelError(f"tensor_parallel: gpus is {gpus}, but must be even, as the group is spread over two nodes too")
    message = BYTES * tokens * width
    sent = ALL_REDUCES * 2 * (gpus - 1) / gpus * message
    compute = FLOP * (MATRICES * width**2 + width * tokens) * tokens / gpus / rate
    hops = inside_latency, across_latency

    def time(nodes: int) -> float:
        each = gpus // nodes
        latency = min(ring_latency(nodes, each, *hops), tree_latency(nodes, each, *hops))
        return ALL_REDUCES * latency + sent / bus_bandwidth(nodes, each, inside_bandwidth, across_bandwidth)

    spread = [nodes for nodes in range(1, gpus + 1) if gpus % nodes == 0]
    times = {"inside": time(1), "halves": time(2), "across": time(gpus)}
    return {
        "columns": width // gpus,
        "layer_weights": BYTES * MATRICES * width**2 / gpus,
        "all_reduces": ALL_REDUCES,
        "message": message,
        "sent": sent,
        "sent_model": sent * layers,
        "compute": compute,
        **{f"{name}_time": seconds for name, seconds in times.items()},
        **{f"{name}_share": seconds / compute for name, seconds in times.items()},
        "halves_bus": bus_bandwidth(2, gpus // 2, inside_bandwidth, across_bandwidth),
        "sweep": {"nodes": spread, "share": [time(nodes) / compute for nodes in spread]},
    }


@tensor_parallel.figure
def draw(result, ax):
    from kernels import plot

    shares = dict(zip(result["sweep"].x, result["sweep"].values("share")))
    names = {nodes: "one node" if nodes == 1 else f"{nodes:g} nodes" for nodes in shares}
    plot.bars(ax, {names[nodes]: share for nodes, share in shares.items()}, "percent", highlight="one node", limit=(1.0, "as long as computing"))
