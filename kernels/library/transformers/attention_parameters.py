"""The weights of one layer's attention, by how many heads share keys and values.

    q and o   d_model * heads * head_dim  each          k and v   d_model * kv_heads * head_dim  each

Every head with keys and values of its own (multi-head, Vaswani et al. 2017, arXiv 1706.03762), all of them with one pair (multi-query, Shazeer 2019,
arXiv 1911.02150), groups with one each (grouped-query, Ainslie et al. 2023, arXiv 2305.13245). Biases are left out.
"""

from typing import Annotated

from kernels import Bound, KernelError, kernel


@kernel(
    kind="formula",
    outputs={"q": "", "k": "", "v": "", "o": "", "total": "", "multi_head": "", "multi_query": "", "four_squares": "", "kv_share": "", "width": ""},
)
def attention_parameters(
    d_model: Annotated[int, Bound(low=1, high=1_000_000)],
    heads: Annotated[int, Bound(low=1, high=10_000)],
    kv_heads: Annotated[int, Bound(low=1, high=10_000)],
    head_dim: Annotated[int, Bound(low=1, high=10_000)],
):
    """Weights of the four projections; multi_head and multi_query: with as many key-value heads as heads, and with one; four_squares: 4 d_model^2.

    width: of all heads together, which need not be d_model. kv_share: of keys' and values' projections.
    """
    if heads % kv_heads:
        raise KernelError(f"attention_parameters: {heads} heads cannot share {kv_heads} key-value heads evenly (heads must be a multiple)")
    q, kv = d_model * heads * head_dim, d_model * kv_heads * head_dim
    return {
        "q": q,
        "k": kv,
        "v": kv,
        "o": q,
        "total": 2 * q + 2 * kv,
        "multi_head": 4 * q,
        "multi_query": 2 * q + 2 * d_model * head_dim,
        "four_squares": 4 * d_model**2,
        "kv_share": kv / (q + kv),
        "width": heads * head_dim,
    }


@attention_parameters.figure
def draw(result, ax):
    from kernels import plot

    rows = {"": {"query": result["q"], "key": result["k"], "value": result["v"], "output": result["o"]}}
    plot.stacked_bars(ax, rows, unit="", fills={"query": plot.SKY, "key": plot.ACCENT, "value": plot.SAND, "output": plot.STONE})
