"""Recall at k of a retriever that scores with noise, and the ceiling that it sets for whatever reranks.

The one relevant chunk scores N(d, 1), each of n others N(0, 1), independently. It is among the first k where fewer than k others beat it:

    recall(k) = integral of phi(x - d) P(Binomial(n, 1 - Phi(x)) < k) dx         (for k = 1 the forced choice of signal detection)

A reranker sees the first `pool` alone, so no reranked list has a recall above recall(pool).
"""

import functools
import math
from typing import Annotated

from kernels import Bound, Free, Series, kernel

KS = (1, 2, 3, 5, 10, 20, 50, 100, 200)
STEPS, REACH = 240, 6.0  # the integral: points, and standard deviations on either side


@kernel(kind="formula", outputs={"recall": "", "ceiling": "", "lost": "", "kept_by_chance": "", "k_needed": "", "sweep": Series("k", "")})
def recall_at_k(
    k: Annotated[int, Bound(low=1, high=200)] = 5,
    pool: Annotated[int, Bound(low=1, high=200)] = 20,
    chunks: Annotated[int, Bound(low=1, high=100_000_000)] = 100_000,
    separation: Annotated[float, Bound(low=0.0, high=10.0), Free(3.0, 5.0)] = 4.0,
    wanted: Annotated[float, Bound(low=0.01, high=0.999)] = 0.9,
):
    """Recall at k and at the pool, what a perfect reranker of the pool leaves lost, and the k at which recall is as wanted (201 where beyond 200).

    separation, a toy's free choice: how many standard deviations the relevant chunk's score lies above the others' on average. kept_by_chance: recall
    at k if it is 0.
    """
    found = recalls(chunks, separation)
    return {
        "recall": found[k - 1],
        "ceiling": found[pool - 1],
        "lost": 1 - found[pool - 1],
        "kept_by_chance": min(1.0, k / (chunks + 1)),
        "k_needed": next((i + 1 for i, share in enumerate(found) if share >= wanted), KS[-1] + 1),
        "sweep": {"k": list(KS), "recall": [found[i - 1] for i in KS]},
    }


@functools.lru_cache(maxsize=64)
def recalls(others: int, separation: float) -> list[float]:
    """Recall at 1, 2, .. 200."""
    found, weights = [0.0] * KS[-1], 0.0
    for step in range(STEPS + 1):
        z = -REACH + 2 * REACH * step / STEPS
        weight = math.exp(-z * z / 2)
        beaten = math.erfc((z + separation) / math.sqrt(2)) / 2  # by one of the others
        weights += weight
        log_term = others * math.log1p(-beaten) if beaten < 1 else -math.inf  # of P(Binomial = 0)
        odds = math.log(beaten) - math.log1p(-beaten) if 0 < beaten < 1 else -math.inf
        below = 0.0
        for i in range(KS[-1]):
            if i <= others:
                below += math.exp(log_term)
                log_term += (math.log((others - i) / (i + 1)) if others > i else -math.inf) + odds
            found[i] += weight * min(1.0, below)
    return [share / weights for share in found]


@recall_at_k.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 220)
    k, pool = result.parameters["k"], result.parameters["pool"]
    plot.lines(ax, result["sweep"], xlog=True, unit="percent", labels={"recall": ""}, x_label="k", y_label="recall at k")
    ax.set_ylim(0, 1)
    plot.hline(ax, result["ceiling"], "ceiling of a reranker")
    plot.mark(ax, k, result["recall"], f"k = {k}", plot.ACCENT, "right below")
    plot.mark(ax, pool, result["ceiling"], f"pool of {pool}", plot.AMBER, "right below")
    return f"Recall against k, rising: {result['recall']:.0%} at {k}, {result['ceiling']:.0%} at {pool}, the ceiling of a reranker of those."
