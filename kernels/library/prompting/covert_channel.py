"""How many allowed calls carry a secret out: each call that an attacker may choose among k carries log2 k bits.

    calls = ceil(bits / log2 k)

(Shannon 1948, A Mathematical Theory of Communication, section 1: the capacity of a noiseless channel.)
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

CHOICES = (2, 4, 16, 64, 256, 1024, 4096, 65536)


@kernel(kind="formula", outputs={"bits_each": "", "calls": "", "free_text_calls": "", "sweep": Series("choices", "")})
def covert_channel(
    bits: Annotated[int, Bound(low=1, high=10**6)] = 128,
    choices: Annotated[int, Bound(low=2, high=10**9)] = 16,
    text: Annotated[int, Bound(low=1, high=10**4)] = 100,
):
    """The calls that carry `bits` out where each is one of `choices`, as the pages of an allowed site.

    free_text_calls: the same where each call may carry `text` characters of 64 kinds. sweep: calls against choices.
    """
    return {
        "bits_each": math.log2(choices),
        "calls": calls(bits, choices),
        "free_text_calls": -(-bits // (6 * text)),
        "sweep": {"choices": CHOICES, "calls": [calls(bits, k) for k in CHOICES]},
    }


def calls(bits: int, choices: int) -> int:
    """The fewest calls whose sequences outnumber the secrets, in whole numbers: choices^n >= 2^bits."""
    n = max(1, math.floor(bits / math.log2(choices)) - 1)
    while choices**n < 2**bits:
        n += 1
    return n


@covert_channel.figure
def draw(result, ax):
    from kernels import plot

    x_label = "addresses that a call may choose among"
    plot.lines(ax, result["sweep"], xlog=True, labels={"calls": ""}, x_label=x_label, y_label="calls that carry the secret")
    plot.mark(ax, result.parameters["choices"], result["calls"], f"{result['calls']:,.0f} calls", plot.INK, "right above")
