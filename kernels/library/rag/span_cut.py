"""How often a chunk boundary cuts an answer in two, and what overlap costs.

Chunks of c tokens begin every c - o tokens. A span of s tokens that begins anywhere with equal chance lies whole in some chunk unless it
begins in the last s - 1 - o places before the next chunk's start:

    cut = min(1, max(0, s - 1 - o) / (c - o)) for s <= c, else 1          index = c / (c - o) times as many tokens

(counted place by place in the tests). An overlap of s - 1 tokens saves every span of s tokens.
"""

from typing import Annotated

from kernels import Bound, Free, KernelError, Series, kernel


@kernel(
    kind="formula",
    outputs={
        "cut": "",
        "cut_plain": "",
        "inflation": "",
        "overlap_share": "",
        "saving_overlap": "token",
        "sweep": Series("overlap", "", x_unit="token"),
    },
)
def span_cut(
    chunk: Annotated[int, Bound("token", low=2, high=100_000)] = 512,
    overlap: Annotated[int, Bound("token", low=0, high=99_999)] = 50,
    span: Annotated[int, Bound("token", low=1, high=100_000), Free(20, 250)] = 100,
):
    """The share of answer spans that no chunk holds whole, with this overlap and with none, and how much longer the index gets.

    span: an answer's tokens, a sentence or a paragraph, which is free between them. saving_overlap: the least overlap that cuts none of these.
    sweep: cut and index against the overlap.
    """
    if overlap >= chunk:
        raise KernelError(f"span_cut: overlap is {overlap}, but must be less than chunk, {chunk}")
    grid = sorted({chunk * k // 40 for k in range(21)})
    return {
        "cut": cut(chunk, overlap, span),
        "cut_plain": cut(chunk, 0, span),
        "inflation": chunk / (chunk - overlap),
        "overlap_share": overlap / chunk,
        "saving_overlap": span - 1,
        "sweep": {"overlap": grid, "cut": [cut(chunk, o, span) for o in grid], "extra": [chunk / (chunk - o) - 1 for o in grid]},
    }


def cut(chunk: int, overlap: int, span: int) -> float:
    return 1.0 if span > chunk else min(1.0, max(0, span - 1 - overlap) / (chunk - overlap))


@span_cut.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 220)
    labels = {"cut": "", "extra": "more index"}
    span = result.parameters["span"]
    plot.lines(
        ax, result["sweep"], unit="percent", labels=labels, x_label=f"overlap in tokens, of chunks of {result.parameters['chunk']}", y_label="share"
    )
    ax.set_ylim(0, 1.02)
    plot.mark(ax, 0, result["cut_plain"], "", plot.ACCENT)
    said, chunk = f"{span}-token answers cut", result.parameters["chunk"]
    ax.text(0.012 * chunk, min(0.9, result["cut_plain"] + 0.2), said, color=plot.ACCENT, fontsize=plot.SMALL, ha="left", va="bottom")
    return (
        f"Against the overlap: the share of answers of {span} tokens that are cut falls from {result['cut_plain']:.0%} to 0 at {span - 1}; the index "
        "grows slowly at first, then steeply."
    )
