"""One wrong token and what follows: errors that stay, and errors from which the text recovers.

    all right after n     (1 - e)^n                                   independent errors of rate e a token
    off course after n    e / (e + r) (1 - (1 - e - r)^n)             two-state Markov chain, r: the chance a token to come back on course

With r = 0 the second is 1 minus the first: every error is for ever. With r > 0 it levels off at e / (e + r), however long the text.
"""

import math
from typing import Annotated

from kernels import Bound, Free, Series, kernel

LENGTHS = (0, 10, 25, 50, 75, 100, 150, 200, 250, 300, 400, 500)


@kernel(
    kind="formula", outputs={**dict.fromkeys(("all_right", "off_course", "off_for_ever", "plateau", "half_life"), ""), "sweep": Series("tokens", "")}
)
def token_error_chain(
    error: Annotated[float, Bound(low=1e-6, high=0.5)] = 0.01,
    recovery: Annotated[float, Bound(low=0.0, high=0.5), Free(0.0, 0.5)] = 0.1,
    tokens: Annotated[int, Bound("token", low=1, high=1_000_000)] = 100,
):
    """The chance that n tokens are all right, and that the text is off course after them, with recovery and without.

    recovery: not known of any model, so free from never to every second token. plateau: what being off course tends to, with recovery. half_life:
    tokens after which every second text holds an error.
    """
    return {
        "all_right": (1 - error) ** tokens,
        "off_course": off(error, recovery, tokens),
        "off_for_ever": off(error, 0.0, tokens),
        "plateau": error / (error + recovery),
        "half_life": math.log(0.5) / math.log1p(-error),
        "sweep": {
            "tokens": list(LENGTHS),
            "for ever": [off(error, 0.0, n) for n in LENGTHS],
            "recovering": [off(error, recovery, n) for n in LENGTHS],
        },
    }


def off(error: float, recovery: float, tokens: int) -> float:
    return error / (error + recovery) * (1 - (1 - error - recovery) ** tokens)


@token_error_chain.figure
def draw(result, ax):
    from kernels import plot

    labels = {"for ever": "errors stay", "recovering": "text recovers"}
    plot.lines(ax, result["sweep"], unit="percent", labels=labels, x_label="tokens written", y_label="off course", highlight="for ever")
    ax.set_ylim(0, 1.02)
