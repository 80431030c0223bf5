"""What lies in a GPU's memory when a model is served: weights, the region of the KV cache, the rest; and how many requests reserve it.

    slots = region / per token        requests = slots // longest        wasted of the GPU = (1 - held) * region / memory

A server that keeps a request's cache in one piece reserves the longest sequence for each (Kwon et al. 2023, PagedAttention, arXiv 2309.06180,
section 3.1). Table 1 there: OPT-13B on an A100 with 40 GB has 26 GB of weights (10^9 bytes each) and 12 GB of cache (2^30 each) for 15.7K tokens;
figure 2: servers before it held tokens in 20.4 to 38.2 % of the region.
"""

from typing import Annotated

from kernels import Bound, KernelError, kernel
from kernels.library.machines._devices import DEVICES
from kernels.library.models._models import AnyModel
from kernels.library.models.kv_cache import kv_cache


@kernel(
    kind="formula",
    outputs={
        "weights": "B",
        "rest": "B",
        "weights_share": "",
        "nominal_share": "",
        "region_share": "",
        "rest_share": "",
        "per_token": "B",
        "sequence": "B",
        "slots": "token",
        "requests": "",
        "wasted_share": "",
        "wasted": "B",
    },
)
def kv_split(
    model: AnyModel = "opt-13b",
    memory: Annotated[float, Bound("B", low=1e6, high=1e15)] = DEVICES["a100-40gb"].memory,
    nominal: Annotated[float, Bound("B", low=1e6, high=1e15)] = 40e9,
    region: Annotated[float, Bound("B", low=0, high=1e15)] = 12 * 2**30,
    longest: Annotated[int, Bound("token", low=1, high=10**9)] = 2048,
    held: Annotated[float, Bound(low=0, high=1)] = 0.204,
):
    """Weights in 16 bits, KV region and rest as shares of a GPU's memory, and the requests whose longest sequence the region reserves.

    nominal: the memory by the card's name; nominal_share: the weights' share of that. held: the share of the region that holds tokens;
    wasted_share: the rest of the region as a share of the whole memory. slots: tokens that the region has room for.
    """
    cache = kv_cache(model=model, tokens=longest, dtype="fp16")
    weights, per_token = cache["weights"], cache["per_token"]
    rest = memory - weights - region
    if rest < 0:
        raise KernelError(f"kv_split: weights and region take {weights + region:.4g} bytes (give at least so much memory)")
    slots = int(region // per_token)
    return {
        "weights": weights,
        "rest": rest,
        "weights_share": weights / memory,
        "nominal_share": weights / nominal,
        "region_share": region / memory,
        "rest_share": rest / memory,
        "per_token": per_token,
        "sequence": cache["per_sequence"],
        "slots": slots,
        "requests": slots // longest,
        "wasted_share": (1 - held) * region / memory,
        "wasted": (1 - held) * region,
    }


@kv_split.figure
def draw(result, ax):
    from kernels import plot

    region, wasted = result.parameters["region"], result["wasted"]
    parts = {"weights": result["weights"], "tokens": region - wasted, "wasted": wasted, "other": result["rest"]}
    plot.stacked_bars(ax, {"": parts}, "B", fills={"weights": plot.STONE, "tokens": plot.ACCENT, "wasted": plot.SAND, "other": plot.SKY})
