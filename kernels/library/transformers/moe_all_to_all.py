"""Expert parallelism: what the two all-to-alls of a layer send, against the arithmetic of the experts between them.

Each of n GPUs holds E / n experts and T tokens. A token's d numbers go to each of its k experts (dispatch) and come back (combine):

    sent by one GPU = 2 T k d b (n - 1) / n        FLOP on one GPU = 6 T k d w        FLOP / byte = 3 w n / (b (n - 1))

for balanced routing, experts with SwiGLU of inner width w, and b bytes a number, every choice sent for itself. T, k and d cancel: only the
width of the experts and the format decide (Lepikhin et al. 2020, GShard, arXiv 2006.16668, section 3; 6 d w from gate, up and down).

On more GPUs than a node has there are two levels: m - 1 of the n - 1 others are reached through the node's own links, the n - m beyond it through the
GPU's share of the node's network cards. Both send at once, so an exchange takes the longer of the two.
"""

from typing import Annotated

from kernels import Bound, kernel
from kernels.library.machines._clusters import CLUSTERS
from kernels.library.models._models import SHAPES

MIXTRAL, NODE = SHAPES["mixtral-8x7b"], CLUSTERS["dgx-h100"]


@kernel(
    kind="formula",
    outputs={
        "dispatch": "B",
        "sent": "B",
        "outside": "",
        "flops": "FLOP",
        "intensity": "FLOP/B",
        "exchange_time": "s",
        "compute_time": "s",
        "exchange_over_compute": "",
        "exchange_share": "",
        "balanced_link": "B/s",
    },
)
def moe_all_to_all(
    tokens: Annotated[int, Bound("token", low=1)] = 4096,
    top_k: Annotated[int, Bound(low=1)] = MIXTRAL.active_experts,
    d_model: Annotated[int, Bound(low=1)] = MIXTRAL.d_model,
    ffn: Annotated[int, Bound(low=1)] = MIXTRAL.ffn,
    gpus: Annotated[int, Bound(low=2)] = NODE.gpus,
    node: Annotated[int, Bound(low=1)] = NODE.gpus,
    bits: Annotated[float, Bound(low=4, high=32)] = 16.0,
    bandwidth: Annotated[float, Bound("B/s", low=1)] = NODE.inside,
    across: Annotated[float, Bound("B/s", low=1)] = NODE.across,
    rate: Annotated[float, Bound("FLOP/s", low=1)] = NODE.device.peak["bf16"],
):
    """Bytes and time of a layer's dispatch and combine for one GPU's `tokens`, beside its experts' arithmetic; forward pass only.

    bandwidth: of one GPU's links inside its node of `node` GPUs, in one direction; across: to other nodes; rate: its arithmetic. All are taken as
    reached, latency is left out, and exchange and arithmetic do not overlap. dispatch, sent: bytes that leave a GPU one way, and both; outside: the
    share of them that leaves the node. balanced_link: the bandwidth at which both would take equally long if all bytes went through one link.
    The defaults are Mixtral 8x7B on one DGX H100.
    """
    choices = tokens * top_k * d_model * bits / 8
    dispatch = choices * (gpus - 1) / gpus
    beyond = choices * max(0, gpus - node) / gpus
    flops = 6 * tokens * top_k * d_model * ffn
    exchange, compute = 2 * max((dispatch - beyond) / bandwidth, beyond / across), flops / rate
    return {
        "dispatch": dispatch,
        "sent": 2 * dispatch,
        "outside": beyond / dispatch,
        "flops": flops,
        "intensity": flops / (2 * dispatch),
        "exchange_time": exchange,
        "compute_time": compute,
        "exchange_over_compute": exchange / compute,
        "exchange_share": exchange / (exchange + compute),
        "balanced_link": rate * 2 * dispatch / flops,
    }
