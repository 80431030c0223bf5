"""Irrelevant chunks among those that were retrieved: how many questions meet one, and what a filter leaves.

    independent    any = 1 - p^k
    alike          any = 1 - prod over i < k of (a + i) / (a + b + i)        a = p (1 - r) / r, b = (1 - p) (1 - r) / r
    filter         precision = p s / (p s + (1 - p) f)                       (Bayes)

p is the share of chunks that are relevant and k how many a question gets. r is how much the chunks of one question are alike: 0, each for itself;
1, all relevant or none (beta-binomial: Skellam 1948, JRSS B 10(2)). A filter, such as a reranker with a threshold, keeps s of the relevant ones and
f of the others.
"""

from typing import Annotated

from kernels import Bound, Series, kernel

COUNTS = tuple(range(1, 11))


@kernel(
    kind="formula",
    outputs={
        "any": "",
        "any_alike": "",
        "none_relevant": "",
        "none_alike": "",
        "expected": "",
        "filtered": "",
        "kept": "",
        "lost": "",
        "any_filtered": "",
        "sweep": Series("chunks", ""),
    },
)
def noisy_chunks(
    relevant: Annotated[float, Bound(low=0.01, high=0.99)] = 0.8,
    chunks: Annotated[int, Bound(low=1, high=1000)] = 5,
    alike: Annotated[float, Bound(low=0.001, high=0.999)] = 0.5,
    sensitivity: Annotated[float, Bound(low=0.01, high=1.0)] = 0.95,
    false_keep: Annotated[float, Bound(low=0.0, high=1.0)] = 0.2,
):
    """The chance that a question gets an irrelevant chunk, or no relevant one, and the precision behind a filter.

    *_alike: where chunks of one question are alike in relevance. expected: irrelevant ones a question. filtered: precision of what a filter keeps,
    kept: the share that it keeps, lost: of the relevant ones that it drops; any_filtered: a question's chance of an irrelevant chunk among
    as many kept ones, each for itself. sweep: the chance of any irrelevant one, by chunks.
    """
    a, b = relevant * (1 - alike) / alike, (1 - relevant) * (1 - alike) / alike

    def all_of(first: float, second: float, k: int) -> float:
        product = 1.0
        for i in range(k):
            product *= (first + i) / (first + second + i)
        return product

    kept = relevant * sensitivity + (1 - relevant) * false_keep
    filtered = relevant * sensitivity / kept
    return {
        "any": 1 - relevant**chunks,
        "any_alike": 1 - all_of(a, b, chunks),
        "none_relevant": (1 - relevant) ** chunks,
        "none_alike": all_of(b, a, chunks),
        "expected": chunks * (1 - relevant),
        "filtered": filtered,
        "kept": kept,
        "lost": 1 - sensitivity,
        "any_filtered": 1 - filtered**chunks,
        "sweep": {
            "chunks": COUNTS,
            "each for itself": [1 - relevant**k for k in COUNTS],
            "alike": [1 - all_of(a, b, k) for k in COUNTS],
        },
    }


@noisy_chunks.figure
def draw(result, ax):
    from kernels import plot

    x_label = "chunks that a question gets"
    plot.lines(ax, result["sweep"], unit="percent", x_label=x_label, y_label="questions with an irrelevant chunk", highlight="each for itself")
