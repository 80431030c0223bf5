"""Which pairs of a query and a key attention scores: under a causal mask, inside a window, or all of them.

    all      n^2          causal   n (n + 1) / 2          a window of w, causal   sum over queries of min(i, w),  i = 1 .. n

A window counts the query's own token: w tokens in all, the last w - 1 before it (as FlashAttention's and Mistral's code have it). After L layers
what a position holds may come from as far as L (w - 1) tokens back (Jiang et al. 2023, arXiv 2310.06825, section 2, which rounds it to L w).
"""

from typing import Annotated

from kernels import Bound, Series, kernel

WORDS = ("the", "cat", "sat", "on", "the", "mat")


@kernel(
    kind="formula",
    outputs={
        "all": "",
        "causal": "",
        "windowed": "",
        "strict": "",
        "causal_share": "",
        "mean_keys": "",
        "of_all": "",
        "of_causal": "",
        "reach": "token",
        "layers_needed": "",
        "sweep": Series("tokens", "", "token"),
    },
)
def attention_pattern(
    tokens: Annotated[int, Bound("token", low=1, high=10**9)] = 6,
    window: Annotated[int, Bound("token", low=1, high=10**9)] = 4096,
    layers: Annotated[int, Bound(low=1, high=10_000)] = 1,
):
    """Pairs scored; strict: causal without each token's own; of_all, of_causal: how many times the window's these are.

    mean_keys: of a query under the causal mask. reach: how many tokens before a position may have entered what the last layer holds there, each layer
    windowed, the prompt's start not counted. layers_needed: so that the last token's reach covers all others. sweep: pairs by length.
    """
    lengths = [2**p for p in range(10, 18)]
    windowed = inside(tokens, window)
    causal = tokens * (tokens + 1) // 2
    return {
        "all": tokens**2,
        "causal": causal,
        "windowed": windowed,
        "strict": causal - tokens,
        "causal_share": causal / tokens**2,
        "mean_keys": (tokens + 1) / 2,
        "of_all": tokens**2 / windowed,
        "of_causal": causal / windowed,
        "reach": layers * (window - 1),
        "layers_needed": -(-(tokens - 1) // (window - 1)) if window > 1 else 0,
        "sweep": {
            "tokens": lengths,
            "causal": [n * (n + 1) // 2 for n in lengths],
            "window": [inside(n, window) for n in lengths],
        },
    }


def inside(tokens: int, window: int) -> int:
    """Pairs within a causal window: a triangle up to the window, then a band."""
    full = min(tokens, window)
    return full * (full + 1) // 2 + (tokens - full) * window


@attention_pattern.figure
def draw(result, ax):
    from kernels import plot

    if result.parameters["tokens"] == len(WORDS):
        return sentence(ax)
    labels = {"causal": "causal", "window": f"window of {result.parameters['window']:,}"}
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels=labels, x_label="tokens", y_label="pairs scored", highlight="window")


def sentence(ax):
    """Six words, a cell for each query and key: what the mask leaves is filled, a token's own pair darker."""
    from matplotlib.patches import Rectangle

    from kernels import plot

    cell, left, top = 26, 50, 22
    for i, word in enumerate(WORDS):
        ax.text(left - 8, top + cell * (i + 0.5), word, color=plot.INK, size=plot.TEXT, ha="right", va="center")
        ax.text(left + cell * (i + 0.5), top - 8, word, color=plot.INK, size=plot.TEXT, ha="center", va="bottom")
        for j in range(len(WORDS)):
            fill = plot.ACCENT if i == j else plot.SKY if j < i else "none"
            x, y = left + cell * j, top + cell * i
            ax.add_patch(Rectangle((x + 1, y + 1), cell - 2, cell - 2, facecolor=fill, edgecolor=plot.HAIRLINE, linewidth=0.8))
    right = left + cell * len(WORDS) + 8
    for row, text, color in ((0.5, "zero: later\ntokens", plot.MUTED), (2.5, "its own", plot.ACCENT), (4.5, "earlier\ntokens", plot.INK)):
        ax.text(right, top + cell * row, text, color=color, size=plot.SMALL, ha="left", va="center", linespacing=1.2)
    ax.set_xlim(0, plot.WIDTH - 4)
    ax.set_ylim(top + cell * len(WORDS) + 4, 0)
    ax.axis("off")
    plot.height(ax, top + cell * len(WORDS) + 4)
    return (
        "Six words, a row for each query and a column for each key: a row's own word and the words before it have weights, those after it are zero."
    )
