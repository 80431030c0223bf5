"""What an all-reduce of n GPUs sends and how long it takes, by algorithm.

The machine: any GPU reaches any other; in one step a GPU sends at most one message and receives at most one, both at once;
a step that moves m bytes takes latency + m / bandwidth. Adding up costs nothing. Of S bytes on each of n GPUs,

    naive              everyone sends all to everyone        n-1 steps of S
    parameter-server   GPU 0 collects, then hands out        2 (n-1) steps of S, through its one link
    tree               binomial reduce, then broadcast       2 ceil(log2 n) steps of S
    ring               reduce-scatter, then all-gather       2 (n-1) steps of S/n

(Thakur, Rabenseifner and Gropp 2005, Optimization of Collective Communication Operations in MPICH; Patarasuk and Yuan 2009,
Bandwidth Optimal All-reduce Algorithms, theorem 1: no algorithm sends less than 2 S (n-1)/n from every GPU). Real trees cut S
into chunks and pipeline them; this one does not, so it wins where latency rules and loses where bandwidth does.

Every GPU is alone on its link here, as in nodes of one GPU; hierarchical_allreduce has nodes of several. Steps and bytes are the same for both.
"""

import math
from typing import Annotated, Literal

from kernels import Bound, Series, kernel

ALGORITHMS = ("naive", "parameter-server", "tree", "ring")


def schedule(algorithm: str, gpus: int, size: float) -> tuple[int, float, float, float]:
    """(steps, bytes a step, bytes sent by the busiest GPU, bytes sent by all)."""
    others, depth = gpus - 1, math.ceil(math.log2(gpus))
    if algorithm == "naive":
        return others, size, others * size, gpus * others * size
    if algorithm == "parameter-server":
        return 2 * others, size, others * size, 2 * others * size
    if algorithm == "tree":
        return 2 * depth, size, depth * size, 2 * others * size
    return 2 * others, size / gpus, 2 * others * size / gpus, 2 * others * size


@kernel(
    kind="formula",
    outputs={
        "sent_per_gpu": "B",
        "sent_total": "B",
        "steps": "",
        "time": "s",
        "least_per_gpu": "B",
        "bus_bandwidth": "B/s",
        "sweep": Series("gpus", "B"),
    },
)
def allreduce_cost(
    gpus: Annotated[int, Bound(low=2)],
    size: Annotated[float, Bound("B", low=1)],
    bandwidth: Annotated[float, Bound("B/s", low=1)],
    latency: Annotated[float, Bound("s", low=0)] = 0.0,
    algorithm: Literal["naive", "parameter-server", "ring", "tree"] = "ring",
):
    """Bytes sent, steps and time of an all-reduce of `size` bytes over `gpus` GPUs; `bandwidth` is one GPU's, in one direction.

    sent_per_gpu: by the busiest GPU. least_per_gpu: the lower bound 2 S (n-1)/n. bus_bandwidth: least_per_gpu / time, as
    nccl-tests reports it. sweep: bytes sent by the busiest GPU of every algorithm against the number of GPUs.
    """

    def time(name: str, n: int) -> float:
        steps, message, *_ = schedule(name, n, size)
        return steps * (latency + message / bandwidth)

    steps, _, busiest, total = schedule(algorithm, gpus, size)
    least = 2 * size * (gpus - 1) / gpus
    counts = [2**k for k in range(1, max(6, math.ceil(math.log2(gpus))) + 1)]
    return {
        "sent_per_gpu": busiest,
        "sent_total": total,
        "steps": steps,
        "time": time(algorithm, gpus),
        "least_per_gpu": least,
        "bus_bandwidth": least / time(algorithm, gpus),
        "sweep": {"gpus": counts, **{name: [schedule(name, n, size)[2] for n in counts] for name in ALGORITHMS}},
    }


@allreduce_cost.figure
def draw(result, ax):
    from kernels import plot

    labels = {"parameter-server": "server, or all to all", "naive": ""}  # the same for the busiest GPU
    texts = {"x_label": "GPUs", "y_label": "sent by the busiest GPU"}
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels=labels, highlight=result.parameters["algorithm"], **texts)
