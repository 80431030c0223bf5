"""Two rankings on the same queries: the sign test on those where one does better, which is all that the pairs can tell.

Where both were equally good, each of n differing queries would go either way with chance 1/2; two-sided

    p = 2 P(Binomial(n, 1/2) >= max(wins, losses)), at most 1          (Conover 1999, Practical Nonparametric Statistics)
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, kernel


@kernel(kind="formula", outputs={"p_value": "", "differing": "", "gain": "", "wins_needed": "", "tied_share": ""})
def paired_queries(
    wins: Annotated[int, Bound(low=0, high=100_000)] = 14,
    losses: Annotated[int, Bound(low=0, high=100_000)] = 6,
    queries: Annotated[int, Bound(low=1, high=1_000_000)] = 200,
    level: Annotated[float, Bound(low=1e-4, high=0.5)] = 0.05,
):
    """The two-sided sign test of wins against losses over queries on which two rankings were both judged.

    gain: wins minus losses, over all queries. wins_needed: the fewest wins among as many differing queries that reach the level; one more than
    all of them where none do.
    """
    differing = wins + losses
    if not 0 < differing <= queries:
        raise KernelError(f"paired_queries: {wins} wins and {losses} losses need 1 to {queries} differing queries")
    tails = upper_tails(differing)
    return {
        "p_value": min(1.0, 2 * tails[max(wins, losses)]),
        "differing": differing,
        "gain": (wins - losses) / queries,
        "wins_needed": next((w for w in range((differing + 1) // 2, differing + 1) if min(1.0, 2 * tails[w]) <= level), differing + 1),
        "tied_share": 1 - differing / queries,
    }


def upper_tails(n: int) -> list[float]:
    """P(Binomial(n, 1/2) >= w) for every w from 0 to n, in logarithms, since half to the power n underflows."""
    total, tails = 0.0, [0.0] * (n + 1)
    for w in range(n, -1, -1):
        total += math.exp(math.lgamma(n + 1) - math.lgamma(w + 1) - math.lgamma(n - w + 1) - n * math.log(2))
        tails[w] = min(1.0, total)
    return tails
