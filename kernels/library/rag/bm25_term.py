"""What one query term adds to a document's BM25 score: it saturates with its count, and long documents pay for their length.

    idf tf (k1 + 1) / (tf + k1 (1 - b + b L / avg L))       idf = ln(1 + (N - n + 0.5) / (n + 0.5))

(Robertson and Zaragoza 2009, The Probabilistic Relevance Framework: BM25 and Beyond, section 3; the 1 within the logarithm is Lucene's, and
keeps the weight of a term positive that more than half of the documents hold.) n of N documents hold the term.
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

COUNTS = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20)


@kernel(
    kind="formula",
    outputs={**dict.fromkeys(("idf", "weight", "saturation", "limit", "of_limit", "rare_over_common"), ""), "sweep": Series("count", "")},
)
def bm25_term(
    count: Annotated[int, Bound(low=0, high=1_000_000)] = 3,
    length: Annotated[float, Bound(low=0.001, high=1000.0)] = 1.0,
    documents: Annotated[int, Bound(low=1, high=10**12)] = 1_000_000,
    holding: Annotated[int, Bound(low=0, high=10**12)] = 100,
    k1: Annotated[float, Bound(low=0.0, high=100.0)] = 1.2,
    b: Annotated[float, Bound(low=0.0, high=1.0)] = 0.75,
    common: Annotated[int, Bound(low=1, high=10**12)] = 100_000,
):
    """The weight of a term that a document holds `count` times; length: the document's over the average.

    saturation: the factor beside idf, limit: what it tends to, of_limit: its share of that. rare_over_common: this term's idf over that of one which
    `common` documents hold. sweep: the factor against the count, of documents half, once and twice as long as the average.
    """
    if max(holding, common) > documents:
        raise KernelError(f"bm25_term: holding and common must be at most documents, {documents}")
    factor = saturated(count, length, k1, b)
    sizes = {"half": 0.5, "average": 1.0, "double": 2.0}
    return {
        "idf": idf(documents, holding),
        "weight": idf(documents, holding) * factor,
        "saturation": factor,
        "limit": k1 + 1,
        "of_limit": factor / (k1 + 1),
        "rare_over_common": idf(documents, holding) / idf(documents, common),
        "sweep": {"count": list(COUNTS), **{name: [saturated(c, size, k1, b) for c in COUNTS] for name, size in sizes.items()}},
    }


def idf(documents: int, holding: int) -> float:
    return math.log1p((documents - holding + 0.5) / (holding + 0.5))


def saturated(count: int, length: float, k1: float, b: float) -> float:
    return count * (k1 + 1) / (count + k1 * (1 - b + b * length)) if count else 0.0


@bm25_term.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 230)
    labels = {"half": "half as long", "average": "average", "double": "twice as long"}
    plot.lines(ax, result["sweep"], labels=labels, x_label="times that the document holds the term", y_label="factor beside idf", highlight="average")
    plot.hline(ax, result["limit"], "limit: k1 + 1")
