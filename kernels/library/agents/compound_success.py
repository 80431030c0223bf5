"""Success of a task whose steps must all be right: p^n, and what follows from it.

    success = p^n          needed per step = target^(1/n)          steps at even odds = ln(1/2) / ln p

The steps are independent, and nothing mends a wrong one: the special case of an absorbing chain whose only way out of a step is on or down
(Kemeny and Snell 1960, Finite Markov Chains, chapter 3). What detection and a retry change is agent_chain's.
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

STEPS = tuple(range(1, 51))
SHARES = {"90 %": 0.90, "95 %": 0.95, "99 %": 0.99, "99.9 %": 0.999}


@kernel(
    kind="formula",
    outputs={
        "success": "",
        "failure": "",
        "needed": "",
        "union_bound": "",
        "even_odds": "",
        "until_error": "",
        "of_steps": "",
        "sweep": Series("steps", ""),
    },
)
def compound_success(
    p: Annotated[float, Bound(low=0.01, high=0.999999)] = 0.95,
    steps: Annotated[int, Bound(low=1, high=100_000)] = 10,
    target: Annotated[float, Bound(low=0.01, high=0.999999)] = 0.9,
):
    """The chance that all of a task's independent steps are right, and what each step must reach for a target.

    needed: of each step, for `target` over the whole task. union_bound: 1 - (1 - target) / steps, which is a little more than enough. even_odds:
    steps after which success is one half. until_error: right steps before the first wrong one, on average. of_steps: of a task at `target` whose
    steps are p each, how many it may have. sweep: success by steps for four values of p.
    """
    return {
        "success": p**steps,
        "failure": 1 - p**steps,
        "needed": target ** (1 / steps),
        "union_bound": 1 - (1 - target) / steps,
        "even_odds": math.log(0.5) / math.log(p),
        "until_error": p / (1 - p),
        "of_steps": math.log(target) / math.log(p),
        "sweep": {"steps": STEPS, **{name: [q**n for n in STEPS] for name, q in SHARES.items()}},
    }


@compound_success.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], unit="percent", x_label="steps that must all be right", y_label="tasks that succeed")
