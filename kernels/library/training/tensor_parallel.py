"""Tensor parallelism in one transformer layer: what each GPU holds, sends and computes, inside a node and across nodes.

The first matrix of a pair is cut into columns, the second into rows: each GPU computes its own part of X A_i B_i, and the parts are added by one
all-reduce of a tensor of tokens x width. A layer has two such pairs, attention and MLP, and the backward pass adds up the
gradient of their inputs: two all-reduces forward, two backward (Shoeybi et al. 2019, Megatron-LM, arXiv 1909.08053, section 3).

    sent       4 * 2 (n-1)/n * 2 tokens width      bytes of each GPU, ring all-reduces in 16 bits
    computed   6 * 12 width^2 tokens / n           FLOP of each GPU; the products of queries and keys are left out

Both grow with the tokens, so their ratio does not; it grows with n-1 and with rate / bandwidth, and falls with the width.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel
from kernels.library.machines._clusters import CLUSTERS

ALL_REDUCES, BYTES = 4, 2
MATRICES, FLOP = 12, 6  # a layer's weights in units of width^2: attention 4, MLP 8; FLOP per weight and token, forward and backward
GPUS = (2, 4, 8, 16, 32, 64)


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
        "across_time": "s",
        "inside_share": "",
        "across_share": "",
        "sweep": Series("gpus", ""),
    },
)
def tensor_parallel(
    width: Annotated[int, Bound(low=1)],
    tokens: Annotated[int, Bound("token", low=1)],
    gpus: Annotated[int, Bound(low=2)],
    layers: Annotated[int, Bound(low=1)] = 1,
    inside_bandwidth: Annotated[float, Bound("B/s", low=1)] = CLUSTERS["dgx-h100"].inside,
    across_bandwidth: Annotated[float, Bound("B/s", low=1)] = CLUSTERS["dgx-h100"].across,
    rate: Annotated[float, Bound("FLOP/s", low=1)] = 400e12,
):
    """One layer split over `gpus` GPUs: columns of a square matrix on each, bytes sent a step, and their time over the computation's.

    layer_weights: of one GPU, 16 bits. message: the tensor of one all-reduce. sent: by each GPU in a layer's four; sent_model: in all layers.
    compute: a GPU's forward and backward of a layer at `rate`. inside, across: one GPU's bandwidth within a node and between nodes, one
    direction, no latency; *_share: sending over computing. sweep: both shares over the number of GPUs.
    """
    if width % gpus:
        raise KernelError(f"tensor_parallel: width is {width}, but must be a multiple of gpus, {gpus}: every GPU gets as many columns")

    def costs(n: int) -> tuple[float, float]:
        message = BYTES * tokens * width
        return ALL_REDUCES * 2 * (n - 1) / n * message, FLOP * MATRICES * width**2 * tokens / n / rate

    sent, compute = costs(gpus)
    shares = {name: [costs(n)[0] / speed / costs(n)[1] for n in GPUS] for name, speed in (("inside", inside_bandwidth), ("across", across_bandwidth))}
    return {
        "columns": width // gpus,
        "layer_weights": BYTES * MATRICES * width**2 / gpus,
        "all_reduces": ALL_REDUCES,
        "message": BYTES * tokens * width,
        "sent": sent,
        "sent_model": sent * layers,
        "compute": compute,
        "inside_time": sent / inside_bandwidth,
        "across_time": sent / across_bandwidth,
        "inside_share": sent / inside_bandwidth / compute,
        "across_share": sent / across_bandwidth / compute,
        "sweep": {"gpus": list(GPUS), **shares},
    }


@tensor_parallel.figure
def draw(result, ax):
    from kernels import plot

    inside, across = (plot.show(result.parameters[f"{name}_bandwidth"], "B/s") for name in ("inside", "across"))
    labels = {"inside": inside, "across": across}
    texts = {"x_label": "GPUs that share a layer", "y_label": "sending over computing"}
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels=labels, highlight="inside", **texts)
    plot.hline(ax, 1, "equally long")
    for name, color, where in (("inside", plot.ACCENT, "right below"), ("across", plot.MUTED, "right below")):
        share = result[f"{name}_share"]
        plot.mark(ax, result.parameters["gpus"], share, plot.show(share, "percent"), color, where)
