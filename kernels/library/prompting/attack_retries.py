"""An attacker who may try again: against a filter that stops a share d of tries, each independent of the others.

    through after n tries = 1 - d^n        tries until a share q is through = ln(1 - q) / ln d

The geometric distribution. Independence favours the defender: whoever learns from what was stopped does better.
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel


@kernel(
    kind="formula",
    outputs={"through": "", "half": "", "ninety": "", "mean_tries": "", "stops_needed": "", "sweep": Series("tries", "")},
)
def attack_retries(
    detection: Annotated[float, Bound(low=0.001, high=0.999999)] = 0.95,
    tries: Annotated[int, Bound(low=1, high=10**7)] = 14,
):
    """The chance that one of the tries gets through, and the tries by which half and nine tenths of such attackers are.

    half, ninety: whole tries. mean_tries: tries until the first success. stops_needed: the share that a filter must stop for `tries` of them to
    get through in one case of a hundred. sweep: the chance against tries.
    """
    last = 1.0 * math.ceil(3 / -math.log(detection))
    counts = sorted({max(1.0, round(last * k / 40)) for k in range(41)})
    return {
        "through": -math.expm1(tries * math.log(detection)),
        "half": tries_until(0.5, detection),
        "ninety": tries_until(0.9, detection),
        "mean_tries": 1 / (1 - detection),
        "stops_needed": 0.99 ** (1 / tries),
        "sweep": {"tries": counts, "through": [1 - detection**n for n in counts]},
    }


def tries_until(share: float, detection: float) -> int:
    """The fewest tries after which `share` of the attackers are through."""
    n = max(1, math.floor(math.log1p(-share) / math.log(detection)))
    while -math.expm1(n * math.log(detection)) < share * (1 - 1e-12):  # rounding makes no try more
        n += 1
    return n


@attack_retries.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], labels={"through": ""}, unit="percent", x_label="tries", y_label="at least one got through")
    for share, name in ((0.5, "half"), (0.9, "ninety")):
        plot.mark(ax, result[name], share, f"{100 * share:.0f} % at {result[name]:,.0f}", plot.INK, "right below")
