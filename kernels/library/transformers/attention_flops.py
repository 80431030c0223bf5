"""The FLOP of one transformer block, by part: when the quadratic term of attention matters.

    per token:  projections 8 d^2,  FFN 4 r d^2,  scores and values 4 n d (half of it when causal)

Kaplan et al. 2020, arXiv 2001.08361, table 1 (forward pass, two FLOP for each multiply-add; r = 4 there); norms, softmax, biases
and embeddings are left out. With r = 4 the two sides are equal at n = 6 d, causal attention at n = 12 d.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

WIDTHS = (2048, 4096, 12288)


@kernel(
    kind="formula",
    outputs={
        "projections": "FLOP",
        "ffn": "FLOP",
        "attention": "FLOP",
        "total": "FLOP",
        "per_token": "FLOP/token",
        "attention_share": "",
        "ffn_share": "",
        "crossover": "token",
        "doubling": "",
        "block_speedup": "",
        "sweep": Series("tokens", "", "token"),
    },
)
def attention_flops(
    d_model: Annotated[int, Bound(low=1)],
    tokens: Annotated[int, Bound("token", low=1)],
    causal: bool = True,
    ffn_ratio: Annotated[float, Bound(low=0.0)] = 4.0,
    layers: Annotated[int, Bound(low=1)] = 1,
    faster: Annotated[float, Bound(low=1.0)] = 2.0,
):
    """FLOP of a forward pass over one sequence: projections, FFN, and attention's scores and values.

    crossover: the length at which attention takes as much as the rest. doubling: FLOP of twice the tokens over FLOP of these.
    block_speedup: of the block when attention alone gets `faster` times as fast and time follows FLOP. sweep: attention's share
    against the length, by width.
    """
    projections, ffn = 8 * d_model**2 * tokens * layers, 4 * ffn_ratio * d_model**2 * tokens * layers
    attention = pairs(tokens, causal) * d_model * layers
    total = projections + ffn + attention
    share = attention / total
    crossover = (8 + 4 * ffn_ratio) * d_model / (2 if causal else 4)
    lengths = [2**p for p in range(9, 18)]
    return {
        "projections": projections,
        "ffn": ffn,
        "attention": attention,
        "total": total,
        "per_token": total / tokens,
        "attention_share": share,
        "ffn_share": ffn / total,
        "crossover": crossover,
        "doubling": (2 * (projections + ffn) + 4 * attention) / total,
        "block_speedup": 1 / (1 - share + share / faster),
        "sweep": {"tokens": lengths, **{f"d{width}": [share_at(n, width, ffn_ratio, causal) for n in lengths] for width in (*WIDTHS,)}},
    }


def pairs(tokens: int, causal: bool) -> int:
    """FLOP for each unit of width: two products of 2 n^2; a causal mask leaves half of them."""
    return (2 if causal else 4) * tokens**2


def share_at(tokens: int, d_model: int, ffn_ratio: float, causal: bool) -> float:
    """Attention's share of a block's FLOP, n / ((2 + r) d + n) without the mask."""
    attention = pairs(tokens, causal) / tokens
    return attention / ((8 + 4 * ffn_ratio) * d_model + attention)


@attention_flops.figure
def draw(result, ax):
    from kernels import plot

    d_model, crossover = result.parameters["d_model"], result["crossover"]
    named = {f"d{width}": f"d = {width:,}" for width in WIDTHS}
    chosen = f"d{d_model}" if d_model in WIDTHS else None
    plot.lines(ax, result["sweep"], xlog=True, unit="percent", labels=named, x_label="tokens", y_label="attention's share of FLOP", highlight=chosen)
    if chosen and crossover <= 2**17:
        plot.mark(ax, crossover, 0.5, f"half at {plot.show(crossover, '')}", plot.ACCENT, "left above")
    ax.set_ylim(0, 1)
