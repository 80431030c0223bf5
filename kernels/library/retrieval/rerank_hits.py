"""A reranker behind a first stage, as order statistics: what the first stage misses is lost, and each further candidate may outrank the right one.

One relevant document has a score from N(d, 1), the n - 1 others have theirs from N(0, 1), at both stages, errors independent:

    found in the first N      F(N, n - 1, d1) = P(its score is among the N largest)          the ceiling, which rises with N
    shown, after reranking    F(N, n - 1, d1) F(k, N - 1, d2)                                 the second factor falls with N
    by both scores together   F(k, n - 1, sqrt(d1^2 + d2^2))                                  the sum of log-likelihood ratios

d is the separation: how many standard deviations the relevant document's score lies above the others'. In practice the errors of both stages are
alike to some degree (both like the same wrong documents), which takes from the reranker's gain.
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel
from kernels.library.retrieval._binomial import among_first

DEPTHS = (10, 20, 30, 50, 100, 200, 300, 500, 1000, 2000, 5000, 10_000)


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("before", "ceiling", "after", "kept", "gain", "best_depth", "best", "fused"), ""),
        **dict.fromkeys(("mrr_before", "mrr_after", "ndcg_before", "ndcg_after"), ""),
        "sweep": Series("candidates", ""),
    },
)
def rerank_hits(
    documents: Annotated[int, Bound(low=100, high=1_000_000_000)] = 1_000_000,
    first: Annotated[float, Bound(low=0.0, high=12.0)] = 4.75,
    second: Annotated[float, Bound(low=0.0, high=12.0)] = 3.0,
    candidates: Annotated[int, Bound(low=1, high=10_000)] = 100,
    k: Annotated[int, Bound(low=1, high=100)] = 10,
):
    """The chance that the one relevant document stands among the first k, before and after a reranker that orders `candidates` of the first stage.

    first, second: separations d of the stages. ceiling: its chance to be among the candidates at all; kept: to stand among the first k, once it is.
    best_depth, best: the number of candidates, of those tried from 10 to 10,000, that shows it most often, and how often. fused: the chance with both
    scores together, over all documents. mrr, ndcg: of the first k, which for one relevant document need its rank alone.
    """
    if candidates > documents:
        raise KernelError(f"rerank_hits: candidates is {candidates}, but must be at most documents, {documents}")
    ceiling, kept = among_first(candidates, documents - 1, first), among_first(k, candidates - 1, second)
    before = ranks(k, documents - 1, first)
    after = [ceiling * share for share in ranks(k, candidates - 1, second)]
    depths = [depth for depth in DEPTHS if depth <= documents]
    found = [among_first(depth, documents - 1, first) for depth in depths]
    shown = [share * among_first(k, depth - 1, second) for depth, share in zip(depths, found)]
    best = max(range(len(depths)), key=shown.__getitem__)
    return {
        "before": sum(before),
        "ceiling": ceiling,
        "after": ceiling * kept,
        "kept": kept,
        "gain": ceiling * kept - sum(before),
        "best_depth": depths[best],
        "best": shown[best],
        "fused": among_first(k, documents - 1, math.hypot(first, second)),
        "mrr_before": reciprocal(before),
        "mrr_after": reciprocal(after),
        "ndcg_before": discounted(before),
        "ndcg_after": discounted(after),
        "sweep": {"candidates": depths, "found": found, "shown": shown},
    }


def ranks(k: int, others: int, separation: float) -> list[float]:
    """The chance of each of the ranks 1 to k."""
    first = [among_first(rank, others, separation) for rank in range(1, k + 1)]
    return [max(0.0, upper - lower) for lower, upper in zip([0.0, *first], first)]


def reciprocal(chances: list[float]) -> float:
    return sum(chance / rank for rank, chance in enumerate(chances, 1))


def discounted(chances: list[float]) -> float:
    return sum(chance / math.log2(rank + 1) for rank, chance in enumerate(chances, 1))


@rerank_hits.figure
def draw(result, ax):
    from kernels import plot

    k = result.parameters["k"]
    labels = {"found": "among the\ncandidates", "shown": f"in the first\n{k} after\nreranking"}
    plot.lines(
        ax,
        result["sweep"],
        xlog=True,
        unit="percent",
        labels=labels,
        x_label="candidates reranked",
        y_label="queries whose document is there",
        highlight="shown",
    )
