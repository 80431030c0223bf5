"""Of the rollouts that a checker rewards, which share did not do the task: Bayes' rule.

    rewarded = p r + (1 - p) f        undeserved = (1 - p) f / rewarded

p: rollouts that do the task; r: of those, accepted; f: of the others, accepted. (Any textbook; Amodei et al. 2016, arXiv 1606.06565, section 4,
on rewards that are gamed.)
"""

from typing import Annotated

from kernels import Bound, Series, kernel

RATES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@kernel(
    kind="formula",
    outputs={"rewarded": "", "undeserved": "", "missed": "", "allowed": "", "sweep": Series("p", "")},
)
def reward_checker(
    p: Annotated[float, Bound(low=0.0001, high=0.9999)] = 0.05,
    accepted_wrong: Annotated[float, Bound(low=0.0, high=1.0)] = 0.03,
    accepted_right: Annotated[float, Bound(low=0.01, high=1.0)] = 1.0,
    undeserved_limit: Annotated[float, Bound(low=0.001, high=0.9)] = 0.05,
):
    """The share of rewards that a leaky checker gives to rollouts which did not do the task.

    accepted_wrong, accepted_right: what the checker accepts of failures and of successes. rewarded: rollouts that get the reward. undeserved: of
    those, not done. missed: done, but not rewarded, of all. allowed: the accepted_wrong at which undeserved is `undeserved_limit`. sweep:
    undeserved by p.
    """
    rewarded = p * accepted_right + (1 - p) * accepted_wrong
    return {
        "rewarded": rewarded,
        "undeserved": (1 - p) * accepted_wrong / rewarded,
        "missed": p * (1 - accepted_right),
        "allowed": undeserved_limit * p * accepted_right / ((1 - undeserved_limit) * (1 - p)),
        "sweep": {"p": RATES, "undeserved": [(1 - x) * accepted_wrong / (x * accepted_right + (1 - x) * accepted_wrong) for x in RATES]},
    }


@reward_checker.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 190)
    plot.lines(
        ax, result["sweep"], unit="percent", labels={"undeserved": ""}, x_label="rollouts that do the task", y_label="rewards for tasks not done"
    )
    plot.mark(ax, result.parameters["p"], result["undeserved"], f"{result['undeserved']:.0%}", plot.AMBER, "right above", name="at p")
