"""The same text in k times as many tokens: FLOP, KV cache and decode steps of a model of Llama's kind.

    FLOP of n tokens   2 P n + 2 L n^2 d_a    (causal; without the mask 4 L n^2 d_a)

P: the weights of the blocks' matrices and of the output head; looking up an embedding multiplies nothing. d_a: heads times head size.
Kaplan et al. 2020, arXiv 2001.08361, section 2.1, with the attention term of its table 1 kept.
"""

from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.models._models import SHAPES, Model, Shape
from kernels.library.models._passes import multiplied

SWEEP = ("llama-3.2-1b", "llama-3-8b", "llama-3-70b")


@kernel(
    kind="formula",
    outputs={
        "after": "token",
        "flops": "FLOP",
        "flops_after": "FLOP",
        "ratio": "",
        "linear_ratio": "",
        "attention_ratio": "",
        "attention_share": "",
        "attention_share_after": "",
        "kv_cache": "B",
        "kv_cache_after": "B",
        "kv_ratio": "",
        "steps_ratio": "",
        "halfway_at": "token",
        "sweep": Series("tokens", "", "token"),
    },
)
def token_inflation(
    model: Model = "llama-3-8b",
    tokens: Annotated[int, Bound("token", low=1)] = 1000,
    inflation: Annotated[float, Bound(low=0.01, high=100.0)] = 4.0,
    causal: bool = True,
):
    """What a text of `tokens` tokens costs in `inflation` times as many: FLOP of one pass over it, KV cache in 16 bits, decode steps.

    ratio: FLOP after over FLOP before; linear_ratio, attention_ratio: of the weights' products, of scores and values alone.
    halfway_at: the length before at which the ratio is the mean of inflation and its square. sweep: the ratio against that length.
    """
    shape = SHAPES[model]
    after = inflation * tokens
    (linear, scores), (linear_after, scores_after) = (parts(shape, n, causal) for n in (tokens, after))
    cache = 2 * shape.layers * shape.kv_heads * shape.head_dim * 2
    per_square = (2 if causal else 4) * shape.layers * shape.heads * shape.head_dim
    lengths = [2**p for p in range(8, 18)]
    return {
        "after": after,
        "flops": linear + scores,
        "flops_after": linear_after + scores_after,
        "ratio": (linear_after + scores_after) / (linear + scores),
        "linear_ratio": linear_after / linear,
        "attention_ratio": scores_after / scores,
        "attention_share": scores / (linear + scores),
        "attention_share_after": scores_after / (linear_after + scores_after),
        "kv_cache": cache * tokens,
        "kv_cache_after": cache * after,
        "kv_ratio": cache * after / (cache * tokens),
        "steps_ratio": after / tokens,
        "halfway_at": 2 * multiplied(shape) / per_square,
        "sweep": {"tokens": lengths, **{name: [ratio(SHAPES[name], n, inflation, causal) for n in lengths] for name in SWEEP}},
    }


def parts(shape: Shape, tokens: float, causal: bool) -> tuple[float, float]:
    """FLOP of one forward pass: through the weights, and in scores and values."""
    return 2 * multiplied(shape) * tokens, (2 if causal else 4) * shape.layers * tokens**2 * shape.heads * shape.head_dim


def ratio(shape: Shape, tokens: float, inflation: float, causal: bool) -> float:
    return sum(parts(shape, inflation * tokens, causal)) / sum(parts(shape, tokens, causal))


@token_inflation.figure
def draw(result, ax):
    from kernels import plot

    k, name = result.parameters["inflation"], result.parameters["model"]
    labels = {"llama-3.2-1b": "1B", "llama-3-8b": "8B", "llama-3-70b": "70B"}
    plot.lines(
        ax,
        result["sweep"],
        xlog=True,
        labels=labels,
        x_label="tokens before",
        y_label=f"FLOP at {k:g} times the tokens, over before",
        highlight=name if name in labels else None,
    )
    ax.set_ylim(0, max(k, k**2) * 1.05)
    plot.hline(ax, k**2, f"{k**2:g}: attention alone")
    if name in labels:
        plot.mark(ax, result.parameters["tokens"], result["ratio"], plot.show(result["ratio"], ""), plot.ACCENT, "right below")
