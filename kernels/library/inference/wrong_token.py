"""The chance that at least one of n tokens is wrong, where each is with the same small probability, on its own.

P = 1 - (1 - e)^n
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

LENGTHS = tuple(50 * k for k in range(41))


@kernel(kind="formula", outputs={"any": "", "none": "", "expected": "", "half": "token", "sweep": Series("tokens", "", "token")})
def wrong_token(
    error: Annotated[float, Bound(low=1e-9, high=0.5)] = 0.001,
    tokens: Annotated[int, Bound("token", low=1, high=1_000_000)] = 200,
):
    """The chance that an output of so many tokens has at least one that is wrong.

    error: of a token, the same at each place and independent. expected: wrong tokens on average. half: tokens at which the chance reaches a half.
    """
    keep = math.log1p(-error)
    return {
        "any": -math.expm1(tokens * keep),
        "none": math.exp(tokens * keep),
        "expected": tokens * error,
        "half": math.ceil(math.log(0.5) / keep),
        "sweep": {"tokens": LENGTHS, "at least one wrong": [-math.expm1(n * keep) for n in LENGTHS]},
    }


@wrong_token.figure
def draw(result, ax):
    from kernels import plot

    p = result.parameters
    plot.lines(ax, result["sweep"], unit="percent", labels={"at least one wrong": ""}, x_label="tokens", y_label="at least one wrong token")
    if p["tokens"] <= LENGTHS[-1]:
        plot.mark(ax, p["tokens"], result["any"], f"{plot.show(result['any'], 'percent')} at {p['tokens']}", plot.ACCENT, "right below")
