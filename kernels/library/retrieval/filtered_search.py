"""A filter beside a vector search: what is left when it comes after the search, and what has to be read when it comes before.

    after    of `fetched` nearest, Bin(fetched, s) pass;  P(k pass) = P(Bin(fetched, s) >= k);  comparisons ~ r k / s
    before   s N vectors pass, and each is compared: exact, however rare

s is the filter's selectivity, the share of vectors that pass, taken to be independent of the distance to the query; r the vectors compared for each
candidate that the graph's beam holds. Both cost the same at s = sqrt(r k / N).
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.retrieval._binomial import fewer

SHARES = tuple(10 ** (-k / 4) for k in range(16, -1, -1))


@kernel(
    kind="formula",
    outputs={
        "passing": "",
        "enough": "",
        "needed": "",
        "before": "",
        "before_bytes": "B",
        "after": "",
        "break_even": "",
        "sweep": Series("share that passes", ""),
        "full": Series("share that passes", ""),
    },
)
def filtered_search(
    vectors: Annotated[int, Bound(low=1000)] = 10_000_000,
    selectivity: Annotated[float, Bound(low=1e-6, high=1.0)] = 0.01,
    k: Annotated[int, Bound(low=1, high=1000)] = 10,
    fetched: Annotated[int, Bound(low=1, high=100_000)] = 100,
    sure: Annotated[float, Bound(low=0.5, high=0.9999)] = 0.95,
    per_candidate: Annotated[float, Bound(low=1.0, high=1000.0)] = 20.0,
    vector_bytes: Annotated[int, Bound("B", low=1, high=65536)] = 3072,
):
    """What a filter leaves of the nearest `fetched`, how many must be fetched for k with probability `sure`, and what either order compares.

    passing: the mean number of the fetched that pass; enough: the probability that k do. before, before_bytes: vectors that pass, all compared where
    the filter comes first, and their bytes. after: comparisons where k / selectivity candidates are fetched and filtered. break_even: the selectivity
    at which before and after compare as many. sweep: both over the selectivity; full: the probability that k pass.
    """
    return {
        "passing": selectivity * fetched,
        "enough": 1 - fewer(k, fetched, selectivity),
        "needed": needed(k, selectivity, sure),
        "before": selectivity * vectors,
        "before_bytes": selectivity * vectors * vector_bytes,
        "after": per_candidate * k / selectivity,
        "break_even": min(1.0, math.sqrt(per_candidate * k / vectors)),
        "sweep": {
            "share that passes": list(SHARES),
            "filter first": [share * vectors for share in SHARES],
            "filter last": [min(per_candidate * k / share, vectors) for share in SHARES],
        },
        "full": {"share that passes": list(SHARES), "enough": [1 - fewer(k, fetched, share) for share in SHARES]},
    }


def needed(k: int, selectivity: float, sure: float) -> int:
    """The least number of candidates of which k pass with that probability."""
    low, high = k - 1, k
    while 1 - fewer(k, high, selectivity) < sure:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if 1 - fewer(k, middle, selectivity) >= sure else (middle, high)
    return high


@filtered_search.figure
def draw(result, ax):
    from kernels import plot

    labels = {"filter first": "filter\nfirst", "filter last": "filter\nlast"}
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels=labels, x_label="share of the vectors that pass", y_label="vectors compared")
    even = result["break_even"]
    plot.mark(ax, even, even * result.parameters["vectors"], f"{100 * even:.2g} %", where="above")
