"""The loss on one preference pair: Bradley-Terry for a reward model, and the same with implied rewards for DPO.

    P(chosen wins) = sigmoid(margin),   loss = -ln sigmoid(margin),   slope = -(1 - sigmoid(margin))

A reward model has margin = r_chosen - r_rejected (Ouyang et al. 2022, arXiv 2203.02155, equation 1). DPO has
margin = beta (ln pi/pi_ref of the chosen answer - ln pi/pi_ref of the rejected one) (Rafailov et al. 2023,
arXiv 2305.18290, equation 7). So `chosen` and `rejected` are rewards with beta 1, or log ratios in nats.
"""

import math
from typing import Annotated

from kernels import Bound, kernel


@kernel(
    kind="formula",
    outputs={"margin": "", "probability": "", "loss": "", "slope": "", "loss_at_start": "", "loss_reversed": ""},
)
def preference_loss(
    chosen: Annotated[float, Bound(low=-1000.0, high=1000.0)] = 0.0,
    rejected: Annotated[float, Bound(low=-1000.0, high=1000.0)] = 0.0,
    beta: Annotated[float, Bound(low=1e-6, high=100.0)] = 1.0,
):
    """Margin, chance that the chosen answer wins, loss and its slope in the margin, for one pair.

    loss_at_start: with no margin, as DPO begins, where pi is pi_ref. loss_reversed: chosen and rejected mixed up.
    """
    margin = beta * (chosen - rejected)
    return {
        "margin": margin,
        "probability": sigmoid(margin),
        "loss": loss(margin),
        "slope": -sigmoid(-margin),
        "loss_at_start": loss(0.0),
        "loss_reversed": loss(-margin),
    }


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def loss(margin: float) -> float:
    """-ln sigmoid(margin), without overflow."""
    return max(-margin, 0.0) + math.log1p(math.exp(-abs(margin)))
