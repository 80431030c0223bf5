"""What Multi-Head Latent Attention caches for a token, and what absorbing its up-projections costs and saves in arithmetic.

MLA keeps, for each token and layer, one latent c of all heads' keys and values, and one rotary key shared by the heads:

    MHA  2 heads d_h      GQA  2 kv_heads d_h      MQA  2 d_h      MLA  d_c + d_R        numbers per token and layer

(DeepSeek-AI 2024, DeepSeek-V2, arXiv 2405.04434, table 1). A head's key is k = W_UK c and its value v = W_UV c, so

    q . (W_UK c) = (W_UK^T q) . c          sum_t p_t (W_UV c_t) = W_UV (sum_t p_t c_t)

and either matrix can meet the query's side once instead of every cached token. A multiplication and an addition are 2 FLOP.
"""

from typing import Annotated

from kernels import Bound, kernel
from kernels.library.models._models import SHAPES

V2 = SHAPES["deepseek-v2"]


@kernel(
    kind="formula",
    outputs={
        **{f"{kind}_numbers": "" for kind in ("mha", "gqa", "mqa", "mla")},
        **{f"{kind}_per_token": "B" for kind in ("mha", "gqa", "mqa", "mla")},
        "layer_latents": "B",
        "layer_keys_values": "B",
        "mha_over_mla": "",
        "mla_as_groups": "",
        "expand_flops": "FLOP",
        "naive_flops": "FLOP",
        "absorbed_flops": "FLOP",
        "query_flops": "FLOP",
        "scores_ratio": "",
        "values_ratio": "",
        "attention_ratio": "",
        "saving": "",
        "break_even_queries": "",
        "fused_parameters": "",
        "factored_parameters": "",
        "fused_over_factored": "",
    },
)
def mla_cache(
    layers: Annotated[int, Bound(low=1)] = V2.layers,
    heads: Annotated[int, Bound(low=1)] = V2.heads,
    kv_heads: Annotated[int, Bound(low=1)] = 8,
    head_dim: Annotated[int, Bound(low=1)] = V2.head_dim,
    latent: Annotated[int, Bound(low=1)] = V2.latent,
    rope: Annotated[int, Bound(low=0)] = V2.rope,
    query_latent: Annotated[int, Bound(low=1)] = V2.query_latent,
    bits: Annotated[float, Bound(low=1, high=64)] = 16.0,
    tokens: Annotated[int, Bound("token", low=1)] = 4096,
    batch: Annotated[int, Bound(low=1)] = 8,
):
    """The cache of MLA for a token beside MHA, GQA and MQA, and the FLOP of absorbed and expanded decoding; defaults are DeepSeek-V2.

    *_numbers: per token and layer; *_per_token: bytes over all layers at `bits` a number; mla_as_groups: the key-value heads of a GQA
    with MLA's cache. layer_*: bytes of one layer for `batch` sequences of `tokens` tokens, as latents and as all heads' keys and values.
    FLOP for one layer: expand_flops makes keys and values of one cached token; naive_flops and absorbed_flops are one query's attention
    to one cached token once keys exist, or on latents; query_flops is what absorption adds to each query. saving: (expand + naive) /
    absorbed, for one query and many cached tokens. break_even_queries: how many queries on one long cache make expanding it as cheap
    as absorbing. fused_parameters: W_UQ and W_UK of a layer multiplied out, factored_parameters: kept apart.
    """
    numbers = {"mha": 2 * heads * head_dim, "gqa": 2 * kv_heads * head_dim, "mqa": 2 * head_dim, "mla": latent + rope}
    expand = 2 * 2 * latent * heads * head_dim
    naive = 2 * heads * ((head_dim + rope) + head_dim)
    absorbed = 2 * heads * ((latent + rope) + latent)
    fused, factored = query_latent * heads * latent, query_latent * heads * head_dim + heads * head_dim * latent
    return {
        **{f"{kind}_numbers": n for kind, n in numbers.items()},
        **{f"{kind}_per_token": layers * n * bits / 8 for kind, n in numbers.items()},
        "layer_latents": batch * tokens * numbers["mla"] * bits / 8,
        "layer_keys_values": batch * tokens * numbers["mha"] * bits / 8,
        "mha_over_mla": numbers["mha"] / numbers["mla"],
        "mla_as_groups": numbers["mla"] / (2 * head_dim),
        "expand_flops": expand,
        "naive_flops": naive,
        "absorbed_flops": absorbed,
        "query_flops": expand,  # the same two matrices, met by a query instead of a token
        "scores_ratio": (latent + rope) / (head_dim + rope),
        "values_ratio": latent / head_dim,
        "attention_ratio": absorbed / naive,
        "saving": (expand + naive) / absorbed,
        "break_even_queries": expand / (absorbed - naive) if absorbed > naive else 0.0,
        "fused_parameters": fused,
        "factored_parameters": factored,
        "fused_over_factored": fused / factored,
    }


@mla_cache.figure
def draw(result, ax):
    from kernels import plot

    names = {"mha": "MHA", "gqa": f"GQA-{result.parameters['kv_heads']}", "mqa": "MQA", "mla": "MLA"}
    plot.bars(ax, {name: result[f"{kind}_per_token"] for kind, name in names.items()}, "B", highlight="MLA")
