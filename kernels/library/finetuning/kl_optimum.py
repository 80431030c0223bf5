"""Where reward against KL divergence comes to rest: two kinds of answer, the good one rewarded `gap` more.

    maximise J(pi) = E_pi[r] - beta KL(pi || pi_ref)   gives   pi* = pi_ref exp(r / beta) / Z,   J(pi*) = beta ln Z

and turned round, r = beta ln(pi* / pi_ref) + beta ln Z, where Z cancels between two answers to one prompt: the implied
reward of DPO (Rafailov et al. 2023, arXiv 2305.18290, equations 3 to 5).
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, kernel


@kernel(
    kind="formula",
    outputs={"share": "", "kl": "", "objective": "", "objective_reference": "", "objective_greedy": "", "implied_gap": ""},
)
def kl_optimum(
    reference: Annotated[float, Bound(low=1e-9, high=0.999999)] = 0.1,
    gap: Annotated[float, Bound(low=0.0, high=1000.0)] = 1.0,
    beta: Annotated[float, Bound(low=1e-3, high=1000.0)] = 0.5,
):
    """The optimal policy's share of good answers, its KL in nats, and the objective there and at its neighbours.

    reference: the share that pi_ref gives. gap: reward of good answers, the others get 0. objective_reference: at pi_ref.
    objective_greedy: at good answers only. implied_gap: beta times the difference of the log ratios, DPO's reward gap.
    """
    if gap / beta > 600:
        raise KernelError(f"kl_optimum: gap / beta is {gap / beta:g}, which overflows; raise beta or lower gap, to 600 at most")
    share = tilted(reference, gap / beta)
    divergence = kl(share, reference)
    log_ratio = math.log(share / reference) - (log_other(reference, gap / beta) - math.log1p(-reference))
    return {
        "share": share,
        "kl": divergence,
        "objective": gap * share - beta * divergence,
        "objective_reference": gap * reference,
        "objective_greedy": gap + beta * math.log(reference),
        "implied_gap": beta * log_ratio,
    }


def tilted(p: float, exponent: float) -> float:
    """p exp(exponent) / (p exp(exponent) + 1 - p)."""
    return p / (p + (1 - p) * math.exp(-exponent))


def log_other(p: float, exponent: float) -> float:
    """The logarithm of the other answers' share after tilting."""
    return math.log1p(-p) - math.log(p * math.exp(exponent) + 1 - p)


def kl(p: float, q: float) -> float:
    other = (1 - p) * math.log((1 - p) / (1 - q)) if p < 1 else 0.0
    return p * math.log(p / q) + other
