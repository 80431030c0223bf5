"""The memory of a transformer's forward pass with a graph and without one: weights, and what autograd keeps or lets go.

With a graph each layer keeps its saved tensors until the backward pass, 32 s b h bytes in 16 bits with fused attention and dropout
off (Korthikanti et al. 2022, arXiv 2205.05198, whose 34 count two dropout masks); without one only the operation at work holds
tensors. The most at once is at the GELU: the block's input, which whoever called it still holds, the residual stream, and 4h before and
after, 2 + 2 + 8 + 8 = 20 s b h.
Weights: 12 h^2 a layer in 16 bits; embeddings, biases and norms are left out.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

SAVED, LIVE = 32, 20  # bytes per token and unit of width
TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384)


@kernel(
    kind="formula",
    outputs={
        "weights": "B",
        "saved": "B",
        "with_graph": "B",
        "without": "B",
        "saving": "",
        "saving_low": "",
        "saving_high": "",
        "sweep": Series("tokens", ""),
    },
)
def no_grad_memory(
    width: Annotated[int, Bound(low=1)] = 1024, layers: Annotated[int, Bound(low=1)] = 12, tokens: Annotated[int, Bound("token", low=1)] = 8192
):
    """The memory of a forward pass over so many tokens (all of the batch) with autograd's graph and without it, and the share saved.

    saved: what the graph keeps. saving_low, saving_high: the share saved for one token and for 16,384. sweep: share saved over tokens.
    """

    def saving(tokens: int) -> float:
        with_graph, without = passes(width, layers, tokens)
        return 1 - without / with_graph

    with_graph, without = passes(width, layers, tokens)
    shown = sorted({*TOKENS, tokens})
    return {
        "weights": weights(width, layers),
        "saved": with_graph - weights(width, layers),
        "with_graph": with_graph,
        "without": without,
        "saving": saving(tokens),
        "saving_low": saving(TOKENS[0]),
        "saving_high": saving(TOKENS[-1]),
        "sweep": {"tokens": shown, "saved": [saving(t) for t in shown]},
    }


def weights(width: int, layers: int) -> int:
    return 2 * 12 * width**2 * layers


def passes(width: int, layers: int, tokens: int) -> tuple[int, int]:
    """The peak with a graph, which ends on the last layer's tensors, and without one."""
    held = weights(width, layers)
    return held + max(SAVED * layers, LIVE) * tokens * width, held + LIVE * tokens * width


@no_grad_memory.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, unit="percent", labels={"saved": ""}, x_label="tokens in the batch", y_label="memory saved")
    plot.mark(ax, result.parameters["tokens"], result["saving"], plot.show(result["saving"], "percent"), where="left above")
