"""How well a secret can be guessed from a model: exposure from its rank, and the bound that differential privacy sets.

Exposure of a canary is log2 |R| - log2 rank, R the candidates and rank its place among them by likelihood (Carlini et
al. 2019, The Secret Sharer, arXiv 1802.08232). With (epsilon, delta) differential privacy for each record,
k records that hold the secret are covered by (k epsilon, delta (e^(k epsilon) - 1) / (e^epsilon - 1)) (group privacy,
Dwork and Roth 2014, section 2.3). A model without them guesses a uniform secret with 1 / |R|, so with them at most with

    e^(k epsilon) / |R| + delta_k.
"""

import math
from typing import Annotated

from kernels import Bound, kernel

OUTPUTS = ("exposure", "highest", "blind", "bound", "bound_once", "factor", "repeats_without_bound")


@kernel(kind="formula", outputs=dict.fromkeys(OUTPUTS, ""))
def secret_guess(
    candidates: Annotated[float, Bound(low=2.0, high=1e30)] = 1e6,
    rank: Annotated[float, Bound(low=1.0, high=1e30)] = 1.0,
    epsilon: Annotated[float, Bound(low=1e-3, high=50.0)] = 8.0,
    delta: Annotated[float, Bound(low=0.0, high=0.1)] = 1e-8,
    repeats: Annotated[int, Bound(low=1, high=1000)] = 1,
):
    """Exposure in bits and at most possible; the blind guess; the bound on the first guess with the secret in k records.

    bound_once: in one record. factor: of the bound over the blind guess. repeats_without_bound: the fewest records for
    which the bound says nothing.
    """
    held = bound(candidates, epsilon, delta, repeats)
    return {
        "exposure": math.log2(candidates) - math.log2(rank),
        "highest": math.log2(candidates),
        "blind": 1 / candidates,
        "bound": held,
        "bound_once": bound(candidates, epsilon, delta, 1),
        "factor": held * candidates,
        "repeats_without_bound": next(k for k in range(1, 10**6) if bound(candidates, epsilon, delta, k) >= 1),
    }


def bound(candidates: float, epsilon: float, delta: float, repeats: int) -> float:
    """At most 1."""
    if repeats * epsilon > 700:
        return 1.0
    group = delta * math.expm1(repeats * epsilon) / math.expm1(epsilon)
    return min(1.0, math.exp(repeats * epsilon) / candidates + group)
