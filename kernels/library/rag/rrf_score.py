"""Reciprocal rank fusion by hand: what two ranks add up to, and the single rank that they beat.

    score = sum over rankings of 1 / (k + rank), k = 60         (Cormack, Clarke and Buettcher 2009, SIGIR)

A rank of 0 stands for a document that the list does not hold: it adds nothing.
"""

from typing import Annotated

from kernels import Bound, kernel

Rank = Annotated[int, Bound(low=0, high=1_000_000)]


@kernel(kind="formula", outputs={"both": "", "single": "", "ratio": "", "worst_pair": ""})
def rrf_score(
    rank_a: Rank = 3,
    rank_b: Rank = 12,
    alone: Annotated[int, Bound(low=1, high=1_000_000)] = 1,
    k: Annotated[float, Bound(low=0.0, high=10_000.0)] = 60.0,
):
    """The score of a document at two ranks, of one at the rank `alone` in one list only, and the former over the latter.

    worst_pair: the rank in both lists at which two votes are worth as much as that one.
    """
    both = sum(1 / (k + rank) for rank in (rank_a, rank_b) if rank)
    single = 1 / (k + alone)
    return {"both": both, "single": single, "ratio": both / single, "worst_pair": 2 * (k + alone) - k}
