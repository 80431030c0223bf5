"""What ZeRO's stages send in one optimizer step of several micro-batches, and how many tokens hide it.

In units of the bf16 model, (N-1)/N of which every GPU sends in one reduce-scatter or all-gather, for m micro-batches:

    data parallel   2         gradients are added up locally and all-reduced once
    stage 1         2         one reduce-scatter of gradients, one all-gather of weights
    stage 2         m + 1     gradients are sharded, so each micro-batch's are scattered at once
    stage 3         3 m       each micro-batch gathers the weights twice and scatters its gradients

(Rajbhandari et al. 2020, ZeRO, arXiv 1910.02054, section 7, for m = 1.) Training computes 6 FLOP per parameter and token, so the
time of both grows with the model and it cancels: traffic hides from tokens = units 2 (N-1)/N rate / (6 bus) on, with the bus bandwidth of rings over
nodes of several GPUs (see _collectives). Latency, two dozen collectives' worth of hops or more, comes on top, so that sending takes at least so long.

Plain data parallelism has only the backward pass, 4 FLOP per parameter and token, to hide its all-reduce behind: the forward pass needs the new
weights, and has no gradients yet.
"""

from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.machines._clusters import CLUSTERS
from kernels.library.training._collectives import bus_bandwidth

BYTES, FLOP, BACKWARD = 2, 6, 4  # of a bf16 number; of forward and backward per parameter and token, of backward alone


def units(stage: int, micro_steps: int) -> int:
    return {0: 2, 1: 2, 2: micro_steps + 1, 3: 3 * micro_steps}[stage]


@kernel(
    kind="formula",
    outputs={
        **{f"sent_{stage}": "B" for stage in range(4)},
        **{f"units_{stage}": "" for stage in range(4)},
        "gpus": "",
        "bus": "B/s",
        "time_1": "s",
        "time_3": "s",
        "tokens_0": "token",
        "tokens_1": "token",
        "tokens_3": "token",
        "sweep": Series("tokens", "", x_unit="token"),
    },
)
def zero_traffic(
    parameters: Annotated[int, Bound(low=1)],
    nodes: Annotated[int, Bound(low=1)],
    rate: Annotated[float, Bound("FLOP/s", low=1)],
    per_node: Annotated[int, Bound(low=1)] = CLUSTERS["dgx-h100"].gpus,
    inside_bandwidth: Annotated[float, Bound("B/s", low=1)] = CLUSTERS["dgx-h100"].inside,
    across_bandwidth: Annotated[float, Bound("B/s", low=1)] = CLUSTERS["dgx-h100"].across,
    micro_steps: Annotated[int, Bound(low=1)] = 1,
):
    """Bytes that each GPU sends in one optimizer step under plain data parallelism (0) and ZeRO 1 to 3; their time; tokens that hide it.

    across_bandwidth: a GPU's share of its node's network cards; bus: what rings reach; rate: what one GPU achieves. tokens: per GPU and optimizer
    step, from where on computing takes longer than sending; tokens_0: from where on the backward pass alone takes longer than data parallelism's
    all-reduce. sweep: sending time over computing time, against those tokens.
    """
    gpus, bus = nodes * per_node, bus_bandwidth(nodes, per_node, inside_bandwidth, across_bandwidth)
    share = (gpus - 1) / gpus
    sent = {stage: units(stage, micro_steps) * BYTES * parameters * share for stage in range(4)}
    per_token = FLOP * parameters / rate
    tokens = {stage: amount / bus / per_token for stage, amount in sent.items()}
    counts = [2.0**k for k in range(8, 18)]
    return {
        **{f"sent_{stage}": amount for stage, amount in sent.items()},
        **{f"units_{stage}": units(stage, micro_steps) for stage in range(4)},
        "gpus": gpus,
        "bus": bus,
        "time_1": sent[1] / bus,
        "time_3": sent[3] / bus,
        "tokens_0": tokens[0] * FLOP / BACKWARD,
        "tokens_1": tokens[1],
        "tokens_3": tokens[3],
        "sweep": {"tokens": counts, "ZeRO-1": [tokens[1] / n for n in counts], "ZeRO-3": [tokens[3] / n for n in counts]},
    }


@zero_traffic.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, ylog=True, x_label="tokens per GPU and step", y_label="sending over computing", highlight="ZeRO-3")
    plot.hline(ax, 1, "hidden below")
