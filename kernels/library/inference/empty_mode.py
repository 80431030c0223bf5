"""From which length on the empty output is likelier than the right one, however good the model is at each token.

    empty: e                 right: (1 - e) q^n e_n

e: the chance that the model ends at once; q: the chance of each right token, given those before; e_n: of ending where it should. The right output
loses a factor q with each token, the empty one nothing: n > ln(e / ((1 - e) e_n)) / ln q, and the mode is empty. (Stahlberg and Byrne 2019, arXiv
1908.10090, found it so for more than half of a test set.) Only a search that keeps the empty hypothesis finds out.
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

LENGTHS = tuple(range(0, 61, 2))


@kernel(
    kind="formula",
    outputs={"length": "token", "right": "", "over_empty": "", "log_right": "", "log_empty": "", "sweep": Series("tokens", "", "token")},
)
def empty_mode(
    empty: Annotated[float, Bound(low=1e-9, high=0.5)] = 0.001,
    token: Annotated[float, Bound(low=0.01, high=0.999)] = 0.7,
    ending: Annotated[float, Bound(low=0.01, high=1.0)] = 1.0,
    tokens: Annotated[int, Bound("token", low=1, high=10_000)] = 30,
):
    """The length from which the empty output is likelier than the right one.

    empty: chance of ending at once; token: of each right token; ending: of ending at the right place. right: probability of the right output of
    `tokens` tokens; over_empty: it over the empty one's. sweep: natural logs of both, over the length.
    """
    first = math.log1p(-empty) + math.log(ending)
    log_right, log_empty = first + tokens * math.log(token), math.log(empty)
    even = (log_empty - first) / math.log(token)
    return {
        "length": max(1, math.floor(even * (1 + 1e-12)) + 1),
        "right": math.exp(log_right) if log_right > -700 else 0.0,
        "over_empty": math.exp(log_right - log_empty) if log_right - log_empty > -700 else 0.0,
        "log_right": log_right,
        "log_empty": log_empty,
        "sweep": {
            "tokens": LENGTHS,
            "right": [first + n * math.log(token) for n in LENGTHS],
            "empty": [log_empty] * len(LENGTHS),
        },
    }


@empty_mode.figure
def draw(result, ax):
    from kernels import plot

    p, length = result.parameters, result["length"]
    plot.lines(
        ax, result["sweep"], labels={"right": "right", "empty": "empty"}, x_label="tokens of the right output", y_label="ln probability", zero=False
    )
    if length <= LENGTHS[-1]:
        plot.mark(ax, length, result["log_empty"], f"{length} tokens", plot.RED, "right above", "crossing")
    return (
        "Natural log of the probability over the length of the right output: the right one falls from "
        f"{result['sweep'].values('right')[0]:.2g} by {-math.log(p['token']):.2g} a token, the "
        f"empty one stays at {result['log_empty']:.2g}; from {length} tokens on the empty one is likelier."
    )
