"""Penalties on tokens that were there before: CTRL's, which divides logits, and the additive ones.

    CTRL, as implemented    z > 0: z / theta       z < 0: z theta              (Keskar et al. 2019, arXiv 1909.05858, whose code divides throughout)
    additive                z - count * frequency - [count > 0] * presence     (OpenAI's API)

Two tokens, the seen one with logit z and a rival with r: p = 1 / (1 + exp(r - z)). A constant added to all logits changes no probability, but it
changes what dividing them does. Divided, a negative logit rises: an early bug of transformers (issue 2302).
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

SHIFTS = tuple(k / 2 for k in range(-20, 21))


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("before", "after", "divided", "presence", "penalised_logit", "divided_logit", "repeats"), ""),
        "sweep": Series("shift", ""),
    },
)
def repetition_penalty(
    logit: Annotated[float, Bound(low=-50.0, high=50.0)] = 6.0,
    rival: Annotated[float, Bound(low=-50.0, high=50.0)] = 5.0,
    shift: Annotated[float, Bound(low=-50.0, high=50.0)] = 0.0,
    penalty: Annotated[float, Bound(low=1.0, high=10.0)] = 1.2,
    additive: Annotated[float, Bound(low=0.01, high=10.0)] = 0.5,
):
    """The chance of a token seen before against one rival: untouched, and under each penalty.

    shift: added to both logits. after: CTRL's penalty, negative logits multiplied; divided: all divided. presence: one additive penalty. repeats:
    how often the token has to have been there until a frequency penalty of `additive` puts it below its rival. sweep: before and after, over what
    is added to all logits.
    """
    z, r, gap = logit + shift, rival + shift, logit - rival
    return {
        "before": chance(gap),
        "after": chance(ctrl(z, penalty) - r),
        "divided": chance(z / penalty - r),
        "presence": chance(gap - additive),
        "penalised_logit": ctrl(z, penalty),
        "divided_logit": z / penalty,
        "repeats": max(0, math.floor(gap / additive * (1 + 1e-12)) + 1),
        "sweep": {
            "shift": SHIFTS,
            "no penalty": [chance(gap)] * len(SHIFTS),
            "penalty": [chance(ctrl(logit + s, penalty) - rival - s) for s in SHIFTS],
        },
    }


def ctrl(z: float, penalty: float) -> float:
    return z / penalty if z > 0 else z * penalty


def chance(gap: float) -> float:
    return 1 / (1 + math.exp(-gap)) if gap > -700 else 0.0


@repetition_penalty.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 210)
    p, swept = result.parameters, result["sweep"]
    names = {"no penalty": "no\npenalty", "penalty": f"penalty\n{p['penalty']:g}"}
    plot.lines(ax, swept, unit="percent", labels=names, x_label="added to both logits", y_label="chance of the seen token", highlight="penalty")
    top = max(swept.values("penalty"))
    return (
        f"Chance of a token seen before against one rival that lies {p['logit'] - p['rival']:g} lower, over what is added to both logits: "
        f"without a penalty "
        f"{100 * result['before']:.0f} % throughout; with {p['penalty']:g} it lies between "
        f"{100 * min(swept.values('penalty')):.0f} % and {100 * top:.0f} %."
    )
