"""How much of a gradient all-reduce hides behind the backward pass when it goes bucket by bucket.

Gradients become ready evenly over the backward pass. A bucket's all-reduce starts when it is full and the one before it is through:

    end_k = max(ready_k, end_(k-1)) + latency + bytes_k 2 (N-1) / (N bus)       exposed = end_last - backward

(Li et al. 2020, PyTorch Distributed, arXiv 2006.15704, sections 3.2.2 and 3.2.3.) Bus bandwidth and latency are those of nodes of several GPUs (see
_collectives), the latency that of a ring or of a tree, whichever is less. The forward pass takes half of the backward's time. Communication is taken
not to slow down the arithmetic. Whatever the buckets, a step takes no less than forward + max(backward, bytes alone), and without overlap no more
than (1.5 + 1) / 1.5 times as long as with it.
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.machines._clusters import CLUSTERS
from kernels.library.training._collectives import ACROSS_HOP, INSIDE_HOP, bus_bandwidth, ring_latency, tree_latency

BUCKET = 25 * 2**20  # DDP's default, bytes
FORWARD = 0.5  # of the backward pass


def finished(size: float, gpus: int, bus: float, backward: float, bucket: float, latency: float) -> float:
    """Seconds from the start of the backward pass to the end of the last all-reduce; latency: of one all-reduce."""
    whole = math.ceil(size / bucket) - 1  # buckets before the last
    full, last = (latency + 2 * part * (gpus - 1) / gpus / bus for part in (bucket, size - whole * bucket))
    ready = backward * bucket / size  # the first; of those behind it that wait for each other, either none does or all do
    return max(ready + whole * full, whole * ready + full, backward) + last if whole else backward + last


@kernel(
    kind="formula",
    outputs={
        "buckets": "",
        "bus": "B/s",
        "latency": "s",
        "communication": "s",
        "exposed": "s",
        "at_once": "s",
        "hidden": "",
        "speedup": "",
        "speedup_at_once": "",
        "ceiling": "",
        "most_gain": "",
        "sweep": Series("bandwidth", "", x_unit="B/s"),
    },
)
def ddp_overlap(
    size: Annotated[float, Bound("B", low=1)],
    backward: Annotated[float, Bound("s", low=1e-9)],
    nodes: Annotated[int, Bound(low=1)] = 1,
    per_node: Annotated[int, Bound(low=1)] = 8,
    inside_bandwidth: Annotated[float, Bound("B/s", low=1)] = CLUSTERS["dgx-h100"].inside,
    across_bandwidth: Annotated[float, Bound("B/s", low=1)] = CLUSTERS["dgx-h100"].across,
    bucket: Annotated[float, Bound("B", low=1024)] = float(BUCKET),
    inside_latency: Annotated[float, Bound("s", low=0)] = INSIDE_HOP,
    across_latency: Annotated[float, Bound("s", low=0)] = ACROSS_HOP,
):
    """Time of a step's all-reduce of `size` bytes of gradients that the backward pass does not hide, and the speed-up over one GPU.

    across_bandwidth: a GPU's share of its node's network cards. communication: all buckets' all-reduces; exposed: what is left after the backward
    pass; at_once: with one all-reduce after it. hidden: the share of communication that is hidden. ceiling: the speed-up that no bucket size passes.
    most_gain: the most that overlap makes a step faster, reached where communication takes as long as the backward pass. sweep: speed-up over the
    bus bandwidth.
    """
    gpus = nodes * per_node
    bus = bus_bandwidth(nodes, per_node, inside_bandwidth, across_bandwidth)
    hops = inside_latency, across_latency
    latency = min(ring_latency(nodes, per_node, *hops), tree_latency(nodes, per_node, *hops))
    buckets, alone = math.ceil(size / bucket), (1 + FORWARD) * backward

    def exposed(rate: float, cut: float = bucket) -> float:
        return finished(size, gpus, rate, backward, cut, latency) - backward

    def speedup(wait: float) -> float:
        return gpus * alone / (alone + wait)

    moved = 2 * size * (gpus - 1) / gpus / bus
    communication = buckets * latency + moved
    rates = [bus * 2 ** (k / 2) for k in range(-8, 9)]
    return {
        "buckets": buckets,
        "bus": bus,
        "latency": latency,
        "communication": communication,
        "exposed": exposed(bus),
        "at_once": exposed(bus, size),
        "hidden": 1 - exposed(bus) / communication if communication else 1.0,  # one GPU has nothing to send
        "speedup": speedup(exposed(bus)),
        "speedup_at_once": speedup(exposed(bus, size)),
        "ceiling": gpus * alone / (FORWARD * backward + max(backward, moved)),
        "most_gain": (1 + FORWARD + 1) / (1 + FORWARD),
        "sweep": {
            "bandwidth": rates,
            "in buckets": [speedup(exposed(rate)) for rate in rates],
            "all at the end": [speedup(exposed(rate, size)) for rate in rates],
        },
    }


@ddp_overlap.figure
def draw(result, ax):
    from kernels import plot

    labels = {"all at the end": "at the end"}
    plot.lines(ax, result["sweep"], xlog=True, labels=labels, x_label="bus bandwidth", y_label="speed-up", highlight="in buckets")
    plot.mark(ax, result["bus"], result["speedup"], f"{result['speedup']:.1f}", plot.ACCENT, "left above")
