"""How many dimensions one vector a document needs so that every set of k documents is some query's top k.

Without a margin    2 k are enough for any number of documents, and fewer are not (for n >= 3 k)
With a gap g        d >= ln C(n, k) / ln(1 + 2 / g)          unit vectors; g between the scores of the set's last and of the first outside

Enough: on the moment curve every k points are a face of their hull (cyclic polytopes; by Gale's evenness condition, Ziegler, Lectures on Polytopes,
theorem 0.7). Not fewer: by Radon's theorem d + 2 points split into two sets whose hulls meet, one of them of at most d / 2 + 1 points, and no query
ranks all of that one before all of the other. The gap: queries of different sets lie at least g apart, as (q - q').(v - w) >= 2 g and |v - w| <= 2
for some documents v and w, so that balls of radius g / 2 around them are disjoint within one of 1 + g / 2 (Weller et al. 2025, arXiv 2508.21038, has
the bound with g / 2 for g).

The worst pair of n documents on the trigonometric curve (cos t, sin t, cos 2t, sin 2t) / sqrt 2 are two with one between them. With the best query
for that pair their gap is the distance of the pair's hull from the others', that of a point of the parabola y = 2 x^2 - 1 from a chord over it:

    sqrt 2 (1 - cos s)^2 (1 + 2 cos s) / sqrt(1 + 16 cos^4 s),   s = 2 pi / n,   nearly 0.26 s^4:   four dimensions do for pairs, but not in few bits.
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

SIZES = (1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000)
ROUNDING = 2.0**-24  # of fp32, relative


@kernel(
    kind="formula",
    outputs={
        "exact": "",
        "needed": "",
        "bound": "",
        "pair_gap": "",
        "pair_documents": "",
        "sets": "",
        "sweep": Series("documents", ""),
    },
)
def top_k_dimension(
    documents: Annotated[int, Bound(low=4, high=1_000_000_000_000)] = 10_000_000,
    k: Annotated[int, Bound(low=1, high=10_000)] = 10,
    gap: Annotated[float, Bound(low=1e-12, high=1.0)] = 0.2,
):
    """Dimensions that let every k of the documents be some query's top k: without a margin, and the least with a gap between the scores.

    exact: 2 k, without a margin. bound: ln C(n, k) / ln(1 + 2 / g), needed: the next whole number. pair_gap: of the worst pair among so many
    documents on that curve in four dimensions; pair_documents: the number at which that gap is fp32's rounding. sets: the logarithm to
    base 10 of C(n, k). sweep: the bound for k = 2, 10 and 100.
    """
    if documents < 3 * k:
        raise KernelError(f"top_k_dimension: documents must be at least 3 k, {3 * k}, not {documents}")
    found = logarithm(documents, k) / math.log1p(2 / gap)
    return {
        "exact": 2 * k,
        "needed": math.ceil(found - 1e-9),
        "bound": found,
        "pair_gap": pair_gap(documents),
        "pair_documents": fitting(),
        "sets": logarithm(documents, k) / math.log(10),
        "sweep": {"documents": list(SIZES), **{f"top {k}": [logarithm(n, k) / math.log1p(2 / gap) for n in SIZES] for k in (2, 10, 100)}},
    }


def logarithm(n: int, k: int) -> float:
    """ln C(n, k)."""
    return sum(math.log((n - i) / (i + 1)) for i in range(k))


def pair_gap(n: int) -> float:
    s = 2 * math.pi / n
    cosine = math.cos(s)
    return 4 * math.sqrt(2) * math.sin(s / 2) ** 4 * (1 + 2 * cosine) / math.sqrt(1 + 16 * cosine**4)


def fitting() -> int:
    """The largest number of documents whose worst pair has a gap of at least fp32's rounding."""
    low, high = 4, 10**6
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if pair_gap(middle) >= ROUNDING else (low, middle)
    return low


@top_k_dimension.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, x_label="documents", y_label="dimensions, at least", highlight="top 10")
