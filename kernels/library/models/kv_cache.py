"""The key-value cache of decoding: for every token, layer and key-value head one key and one value vector.

    per token = 2 * layers * kv_heads * head_dim * bytes

(Pope et al. 2022, arXiv 2211.05102, section 2; Kwon et al. 2023, PagedAttention, arXiv 2309.06180, section 3: 800 KB for OPT-13B).
Grouped-query attention (Ainslie et al. 2023, arXiv 2305.13245) shrinks it by heads / kv_heads; latent attention caches one latent and one
rotary key instead (mla_cache).
"""

from typing import Annotated, Literal

from kernels import Bound, Series, kernel
from kernels.library.models._models import SHAPES, AnyModel
from kernels.library.models.model_shape import model_shape

BYTES = {"fp32": 4, "fp16": 2, "bf16": 2, "fp8": 1, "int8": 1}


@kernel(
    kind="formula",
    outputs={
        "per_token": "B",
        "total": "B",
        "per_sequence": "B",
        "per_token_mha": "B",
        "weights": "B",
        "tokens_of_weights": "token",
        "sweep": Series("tokens", "B", "token"),
    },
)
def kv_cache(
    model: AnyModel,
    tokens: Annotated[int, Bound("token", low=1)],
    batch: Annotated[int, Bound(low=1)] = 1,
    dtype: Literal["fp32", "fp16", "bf16", "fp8", "int8"] = "bf16",
):
    """The bytes of the key-value cache of `batch` sequences of `tokens` tokens each, against the model's weights.

    per_token_mha: what a token would take if every query head had keys and values of its own. weights: in bf16.
    tokens_of_weights: the sequence length at which the batch's cache is as large as the weights. sweep: total against length.
    """
    shape = SHAPES[model]
    per_token = shape.layers * shape.cached * BYTES[dtype]
    weights = 2 * model_shape(model=model)["parameters"]
    lengths = sorted({tokens * k // 16 for k in range(17)})
    return {
        "per_token": per_token,
        "total": per_token * tokens * batch,
        "per_sequence": per_token * tokens,
        "per_token_mha": 2 * shape.layers * shape.heads * shape.head_dim * BYTES[dtype],
        "weights": weights,
        "tokens_of_weights": weights / (per_token * batch),
        "sweep": {"tokens": lengths, "cache": [per_token * batch * t for t in lengths]},
    }


@kv_cache.figure
def draw(result, ax):
    from kernels import plot

    tokens, total, weights = result.parameters["tokens"], result["total"], result["weights"]
    x_label = "tokens" if result.parameters["batch"] == 1 else f"tokens in each of {result.parameters['batch']} sequences"
    plot.lines(ax, result["sweep"], labels={"cache": ""}, x_label=x_label, y_label="KV cache")
    if weights < 4 * total:
        plot.hline(ax, weights, f"weights, {plot.show(weights, 'B')}")
    plot.mark(ax, tokens, total, f"cache, {plot.show(total, 'B')}", plot.ACCENT, "left above")
