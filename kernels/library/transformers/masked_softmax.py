"""Softmax weights of two real tokens beside pads, by the way of masking the pads' scores.

none        w_i = e^(s_i) / sum_j e^(s_j)
additive    s_j - inf at a pad, so e^(-inf) = 0
multiplied  s_j * 0 at a pad, so e^0 = 1: a pad counts as much as a real token with score 0
afterwards  weights * mask: pads have none, but the rest no longer adds up to 1
"""

from __future__ import annotations

import math
from typing import Annotated

from kernels import Bound, kernel

Score = Annotated[float, Bound(low=-50, high=50)]
WAYS = ("none", "additive", "multiplied")


@kernel(
    kind="formula",
    outputs={
        **{f"{way}_{part}": "" for way in WAYS for part in ("first", "second", "pads")},
        "afterwards_sum": "",
    },
)
def masked_softmax(first: Score = 1.0, second: Score = 2.0, pad: Score = 3.0, pads: Annotated[int, Bound(low=0, high=10**6)] = 1):
    """The weight of either real token and of all pads together, by way; afterwards_sum: what is left if weights are masked after softmax."""
    e_first, e_second, e_pads = math.exp(first), math.exp(second), pads * math.exp(pad)
    totals = {"none": e_pads, "additive": 0.0, "multiplied": float(pads)}
    weights: dict[str, float] = {}
    for way, padding in totals.items():
        total = e_first + e_second + padding
        weights |= {f"{way}_first": e_first / total, f"{way}_second": e_second / total, f"{way}_pads": padding / total}
    return {
        **weights,
        "afterwards_sum": weights["none_first"] + weights["none_second"],
    }
