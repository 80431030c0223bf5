"""Expert parallelism: what the two all-to-alls of a layer send, against the arithmetic of the experts between them.

Each of n GPUs holds E / n experts and T tokens. A token's d numbers go to each of its k experts (dispatch) and come back (combine):

    sent by one GPU = 2 T k d b (n - 1) / n        FLOP on one GPU = 6 T k d w        FLOP / byte = 3 w n / (b (n - 1))

for balanced routing, experts with SwiGLU of inner width w, and b bytes a number, every choice sent for itself. T, k and d cancel: only the
width of the experts and the format decide (Lepikhin et al. 2020, GShard, arXiv 2006.16668, section 3; 6 d w from gate, up and down).
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
    bits: Annotated[float, Bound(low=4, high=32)] = 16.0,
    bandwidth: Annotated[float, Bound("B/s", low=1)] = NODE.inside,
    rate: Annotated[float, Bound("FLOP/s", low=1)] = NODE.device.peak["bf16"],
):
    """Bytes and time of a layer's dispatch and combine for one GPU's `tokens`, beside its experts' arithmetic; forward pass only.

    bandwidth: of one GPU's links, in one direction; rate: its arithmetic. Both are taken as reached, latency is left out, and nothing
    overlaps. dispatch, sent: bytes that leave a GPU one way, and both. balanced_link: the bandwidth at which both take equally long.
    The defaults are Mixtral 8x7B on one DGX H100.
    """
    dispatch = tokens * top_k * d_model * bits / 8 * (gpus - 1) / gpus
    flops = 6 * tokens * top_k * d_model * ffn
    exchange, compute = 2 * dispatch / bandwidth, flops / rate
    return {
        "dispatch": dispatch,
        "sent": 2 * dispatch,
        "flops": flops,
        "intensity": flops / (2 * dispatch),
        "exchange_time": exchange,
        "compute_time": compute,
        "exchange_over_compute": exchange / compute,
        "exchange_share": exchange / (exchange + compute),
        "balanced_link": rate * 2 * dispatch / flops,
    }
