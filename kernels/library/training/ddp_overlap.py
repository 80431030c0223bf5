"""How much of a gradient all-reduce hides behind the backward pass when it goes bucket by bucket.

Gradients become ready evenly over the backward pass. A bucket's all-reduce starts when it is full and the one before it is through:

    end_k = max(ready_k, end_(k-1)) + latency 2 (n-1) + bytes_k 2 (n-1) / (n bandwidth)       exposed = end_last - backward

(Li et al. 2020, PyTorch Distributed, arXiv 2006.15704, sections 3.2.2 and 3.2.3; the all-reduce is a ring, as in allreduce_cost.) The
forward pass takes half of the backward's time. Communication is taken not to slow down the arithmetic.
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

BUCKET = 25 * 2**20  # DDP's default, bytes


def finished(size: float, gpus: int, bandwidth: float, backward: float, bucket: float, latency: float) -> float:
    """Seconds from the start of the backward pass to the end of the last all-reduce."""
    count = math.ceil(size / bucket)
    end = filled = 0.0
    for _ in range(count):
        part = min(bucket, size - filled)
        filled += part
        end = max(end, backward * filled / size) + 2 * (gpus - 1) * (latency + part / (gpus * bandwidth))
    return end


@kernel(
    kind="formula",
    outputs={
        "buckets": "",
        "communication": "s",
        "exposed": "s",
        "at_once": "s",
        "hidden": "",
        "efficiency": "",
        "efficiency_at_once": "",
        "speedup": "",
        "speedup_at_once": "",
        "sweep": Series("bandwidth", "", x_unit="B/s"),
    },
)
def ddp_overlap(
    size: Annotated[float, Bound("B", low=1)],
    gpus: Annotated[int, Bound(low=2)],
    bandwidth: Annotated[float, Bound("B/s", low=1)],
    backward: Annotated[float, Bound("s", low=1e-9)],
    bucket: Annotated[float, Bound("B", low=1024)] = float(BUCKET),
    latency: Annotated[float, Bound("s", low=0)] = 10e-6,
):
    """Time of a step's all-reduce of `size` bytes of gradients that the backward pass does not hide; scaling efficiency and speed-up.

    communication: all buckets' all-reduces; exposed: what is left after the backward pass; at_once: with one all-reduce after it.
    hidden: the share of communication that is hidden. efficiency: the compute time over the step's. sweep: speed-up over bandwidth.
    """

    def exposed(rate: float, cut: float = bucket) -> float:
        return finished(size, gpus, rate, backward, cut, latency) - backward

    def efficiency(wait: float) -> float:
        return 1.5 * backward / (1.5 * backward + wait)

    buckets = math.ceil(size / bucket)
    communication = 2 * (gpus - 1) * (buckets * latency + size / (gpus * bandwidth))
    rates = [bandwidth * 2 ** (k / 2) for k in range(-8, 9)]
    return {
        "buckets": buckets,
        "communication": communication,
        "exposed": exposed(bandwidth),
        "at_once": exposed(bandwidth, size),
        "hidden": 1 - exposed(bandwidth) / communication,
        "efficiency": efficiency(exposed(bandwidth)),
        "efficiency_at_once": efficiency(exposed(bandwidth, size)),
        "speedup": gpus * efficiency(exposed(bandwidth)),
        "speedup_at_once": gpus * efficiency(exposed(bandwidth, size)),
        "sweep": {
            "bandwidth": rates,
            "in buckets": [gpus * efficiency(exposed(rate)) for rate in rates],
            "all at the end": [gpus * efficiency(exposed(rate, size)) for rate in rates],
        },
    }


@ddp_overlap.figure
def draw(result, ax):
    from kernels import plot

    labels = {"all at the end": "at the end"}
    plot.lines(ax, result["sweep"], xlog=True, labels=labels, x_label="bandwidth of a GPU", y_label="speed-up", highlight="in buckets")
    plot.mark(ax, result.parameters["bandwidth"], result["speedup"], f"{result['speedup']:.1f}", plot.ACCENT, "left above")
