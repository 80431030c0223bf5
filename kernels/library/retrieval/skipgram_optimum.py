"""Where skip-gram with negative sampling wants the dot product of one word and one context: at their PMI, shifted by ln k.

Over a corpus of D pairs, n of them (w, c), w in n_w and c in n_c of them, and k negatives for each pair, drawn as often as contexts occur, the
objective of the dot product x of this pair is

    l(x) = n ln s(x) + k n_w n_c / D ln s(-x),      s(x) = 1 / (1 + exp(-x)),

largest at x = ln(n D / (n_w n_c)) - ln k (Levy and Goldberg 2014, Neural Word Embedding as Implicit Matrix Factorization). word2vec draws
negatives by frequency to the power 3/4, which changes n_c / D.
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

SHOWN = [x / 4 for x in range(-24, 33)]


@kernel(
    kind="formula", outputs={"pmi": "", "shift": "", "optimum": "", "real_share": "", "expected_pairs": "", "objective": Series("dot product", "")}
)
def skipgram_optimum(
    pairs: Annotated[int, Bound(low=1)] = 80,
    word: Annotated[int, Bound(low=1)] = 1000,
    context: Annotated[int, Bound(low=1)] = 2000,
    corpus: Annotated[int, Bound(low=1)] = 1_000_000,
    negatives: Annotated[int, Bound(low=1, high=1000)] = 5,
):
    """The dot product that skip-gram with negative sampling strives for, of one word and one context, by their counts.

    pairs: how often both occur together, word and context: how often each is in any pair, corpus: all pairs. pmi: in nats. real_share: what the
    sigmoid of the optimum says, the share of the real among real and drawn pairs. objective: over the dot product, for each real pair.
    """
    if pairs > min(word, context) or max(word, context) > corpus:
        raise KernelError(
            "skipgram_optimum: a pair is counted in its word and its context, and both in the corpus, so it must be: pairs <= word, context <= corpus"
        )
    expected = word * context / corpus
    pmi, shift = math.log(pairs / expected), math.log(negatives)
    drawn = negatives * expected / pairs  # negatives of this pair, for each real one
    return {
        "pmi": pmi,
        "shift": shift,
        "optimum": pmi - shift,
        "real_share": 1 / (1 + drawn),
        "expected_pairs": expected,
        "objective": {"dot product": SHOWN, "objective": [-softplus(-x) - drawn * softplus(x) for x in SHOWN]},
    }


def softplus(x: float) -> float:
    """ln(1 + exp(x)), without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@skipgram_optimum.figure
def draw(result, ax):
    from kernels import plot

    top, drawn = result["optimum"], 1 / result["real_share"] - 1
    plot.lines(
        ax,
        result["objective"],
        labels={"objective": ""},
        x_label="dot product of the word and the context",
        y_label="objective for each real pair",
        zero=False,
    )
    if SHOWN[0] <= top <= SHOWN[-1]:
        plot.mark(ax, top, -softplus(-top) - drawn * softplus(top), "PMI − ln k", plot.AMBER, "below")
    if SHOWN[0] <= result["pmi"] <= SHOWN[-1]:
        plot.vline(ax, result["pmi"], "PMI")
