"""Does a model fit a GPU to be served there? Its weights in a format, scales counted, and the KV cache that is left room for.

    total = weights + batch * tokens * per token        tokens that fit = (memory - reserve - weights) / per token

Weights as in quantized_size: int8 and int4 have an fp16 scale for every `group_size` weights of the blocks' matrices, the rest
stays in 16 bits. The cache (kv_cache, 16 bits) is 2 * layers * kv_heads * head_dim * 2 bytes a token.
"""

from typing import Annotated, Literal

from kernels import Bound, kernel
from kernels.library.inference.quantized_size import quantized_size
from kernels.library.machines._devices import DEVICES
from kernels.library.models._models import Model
from kernels.library.models.kv_cache import kv_cache
from kernels.library.models.model_shape import model_shape

BITS = {"int8": 8, "int4": 4}


@kernel(
    kind="formula",
    outputs={
        "weights": "B",
        "nominal": "B",
        "per_token": "B",
        "cache": "B",
        "total": "B",
        "left": "B",
        "tokens_fit": "",
        "sequences_fit": "",
        "tokens_fit_nominal": "",
        "tokens_fit_mha": "",
        **{f"weights_{name}": "B" for name in ("fp32", "fp16", "int8", "int4")},
    },
)
def serving_memory(
    model: Model,
    format: Literal["fp32", "fp16", "int8", "int4"] = "int4",
    tokens: Annotated[int, Bound("token", low=1)] = 4096,
    batch: Annotated[int, Bound(low=1)] = 1,
    memory: Annotated[float, Bound("B", low=1e9)] = DEVICES["a100"].memory,
    reserve: Annotated[float, Bound("B", low=0)] = 0,
    group_size: Annotated[int, Bound(low=0)] = 128,
):
    """Weights and 16-bit KV cache of `batch` sequences of `tokens` tokens, and how many tokens of cache a GPU's memory leaves room for.

    nominal: parameters * bits / 8. left: memory - reserve - weights, negative where they do not fit. tokens_fit: of cache, 0 there too;
    sequences_fit: of `tokens` tokens each; tokens_fit_nominal: with nominal weights and no reserve; tokens_fit_mha: if every query head cached keys
    and values of its own.
    """
    parameters = model_shape(model=model)["parameters"]
    sizes = {"fp32": 4 * parameters, "fp16": 2 * parameters}
    sizes |= {name: quantized_size(model=model, bits=bits, group_size=group_size)["total"] for name, bits in BITS.items()}
    cache = kv_cache(model=model, tokens=tokens, batch=batch)
    nominal = parameters * {"fp32": 4, "fp16": 2, "int8": 1, "int4": 0.5}[format]
    left = memory - reserve - sizes[format]
    return {
        "weights": sizes[format],
        "nominal": nominal,
        "per_token": cache["per_token"],
        "cache": cache["total"],
        "total": sizes[format] + cache["total"],
        "left": left,
        "tokens_fit": max(left, 0) // cache["per_token"],
        "sequences_fit": max(left, 0) // cache["per_sequence"],
        "tokens_fit_nominal": max(memory - nominal, 0) // cache["per_token"],
        "tokens_fit_mha": max(left, 0) // cache["per_token_mha"],
        **{f"weights_{name}": size for name, size in sizes.items()},
    }
