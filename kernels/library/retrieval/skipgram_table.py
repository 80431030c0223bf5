"""Skip-gram with negative sampling trained on a corpus of sixteen pairs: its dot products become shifted PMI, as far as the dimension lets them.

The objective over all pairs, negatives in expectation (Levy and Goldberg 2014), climbed with Adam from random vectors:

    sum over w, c of  n(w, c) ln s(u_w . v_c) + k n(w) n(c) / D ln s(-u_w . v_c)
"""

from typing import Annotated

from kernels import Bound, Series, kernel

WORDS, CONTEXTS = ("king", "queen", "man", "woman"), ("he", "she", "crown", "walks")
COUNTS = ((16, 3, 20, 2), (2, 18, 24, 3), (20, 2, 1, 14), (3, 22, 1, 12))  # of king with he, she, crown, walks, and so on
STEPS, RATE = 600, 0.1


@kernel(
    kind="simulation",
    outputs={"gap": "", "largest": "", "correlation": "", "with_king": "", "with_queen": "", "pairs": Series("PMI − ln k", "")},
    tolerance=1e-3,
    draws=12,
)
def skipgram_table(
    dimension: Annotated[int, Bound(low=1, high=16)] = 4,
    negatives: Annotated[int, Bound(low=1, high=20)] = 1,
    seed: int = 0,
):
    """A skip-gram trained on a table of four words and four contexts: how far its dot products are from PMI - ln k.

    gap: the mean distance over the sixteen pairs; largest: of the shifted PMIs' sizes. with_king, with_queen: cosine of king - man + woman, made
    of the trained word vectors, with those two words. pairs: the dot product over the shifted PMI.
    """
    import torch

    counts = torch.tensor(COUNTS, dtype=torch.float64)
    expected = counts.sum(1, keepdim=True) * counts.sum(0, keepdim=True) / counts.sum()
    wanted = (counts / expected).log() - torch.tensor(float(negatives), dtype=torch.float64).log()
    words, dots = trained(counts, negatives * expected, dimension, torch.Generator().manual_seed(seed))
    order = wanted.flatten().argsort()
    x, y = wanted.flatten()[order], dots.flatten()[order]
    analogy = words[0] - words[2] + words[3]
    return {
        "gap": (dots - wanted).abs().mean(),
        "largest": wanted.abs().max(),
        "correlation": torch.corrcoef(torch.stack([x, y]))[0, 1],
        "with_king": torch.cosine_similarity(analogy, words[0], 0),
        "with_queen": torch.cosine_similarity(analogy, words[1], 0),
        "pairs": {"PMI − ln k": [round(v, 9) for v in x.tolist()], "dot product": y.tolist()},
    }


def trained(positive, negative, dimension: int, random):
    """The word vectors and all dot products after climbing the objective."""
    import torch

    words = (0.1 * torch.randn(len(positive), dimension, generator=random, dtype=torch.float64)).requires_grad_()
    contexts = (0.1 * torch.randn(positive.shape[1], dimension, generator=random, dtype=torch.float64)).requires_grad_()
    climb, scale = torch.optim.Adam([words, contexts], lr=RATE), positive.sum()
    for _ in range(STEPS):
        climb.zero_grad()
        dots = words @ contexts.T
        loss = -(positive * torch.nn.functional.logsigmoid(dots) + negative * torch.nn.functional.logsigmoid(-dots)).sum() / scale
        loss.backward()
        climb.step()
    return words.detach(), (words @ contexts.T).detach()


@skipgram_table.invariant
def as_many_dimensions_as_contexts_reach_the_optimum(result) -> bool:
    """With four dimensions or more the sixteen dot products are free, and each goes where its own objective is largest."""
    return result.parameters["dimension"] < 4 or result["gap"] < 0.02


@skipgram_table.figure
def draw(result, ax):
    from kernels import plot

    curve, dimension = result["pairs"], result.parameters["dimension"]
    x, y = list(curve.x), curve.values("dot product")
    ends = [min(x), max(x)]
    (line,) = ax.plot(ends, ends, color=plot.MUTED, linestyle=(0, (3, 2)), linewidth=1.2)
    ax.plot(x, y, "o", color=plot.ACCENT, markersize=7, markeredgecolor=plot.GROUND, zorder=5)
    ax.set_xlim(ends[0] - 0.2, ends[1] + 0.2)
    plot.axes(ax, "PMI − ln k, counted", y_label="dot product, learned", xs=x)
    ax.text(ends[0] + 0.05 * (ends[1] - ends[0]), ends[0] + 0.3 * (ends[1] - ends[0]), "equal", color=plot.MUTED, size=plot.SMALL)
    return (
        f"Learned dot products of sixteen pairs over their PMI minus ln k, {dimension} dimensions: between {plot.show(min(y), '')} and "
        f"{plot.show(max(y), '')}, where counts give {plot.show(ends[0], '')} to {plot.show(ends[1], '')}."
    )
