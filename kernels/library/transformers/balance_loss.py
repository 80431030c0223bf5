"""The balancing loss of a router, for one hot expert among E, top-1.

    L = alpha E sum_i f_i P_i        (Fedus et al. 2021, Switch Transformers, arXiv 2101.03961, equations 4 to 6)

f_i is the share of tokens sent to expert i, P_i the mean router probability of it; the other experts share the rest evenly. No gradient
passes through f, so dL/dP_i = alpha E f_i: the fuller an expert, the harder its probability is pushed down. With f = P the least
is alpha, at the uniform load; where f and P differ, the loss can be lower.
"""

from typing import Annotated

from kernels import Bound, kernel


@kernel(
    kind="formula",
    outputs=dict.fromkeys(("loss", "without_factor", "uniform", "uniform_without_factor", "worst", "over_uniform", "push_hot", "push_other"), ""),
)
def balance_loss(
    experts: Annotated[int, Bound(low=2, high=1_000_000)] = 8,
    hot_share: Annotated[float, Bound(low=0.0, high=1.0)] = 1.0,
    hot_probability: Annotated[float, Bound(low=0.0, high=1.0)] = 1.0,
    alpha: Annotated[float, Bound(low=0.0)] = 0.01,
):
    """Switch's balancing loss with and without its factor E, for a hot expert of the given share and mean probability.

    uniform: the loss at equal shares and probabilities; worst: all on one expert. push_*: dL/dP of the hot and of another expert.
    """
    share, probability = (1 - hot_share) / (experts - 1), (1 - hot_probability) / (experts - 1)  # of each other expert
    product = hot_share * hot_probability + (experts - 1) * share * probability
    return {
        "loss": alpha * experts * product,
        "without_factor": alpha * product,
        "uniform": alpha,
        "uniform_without_factor": alpha / experts,
        "worst": alpha * experts,
        "over_uniform": experts * product,
        "push_hot": alpha * experts * hot_share,
        "push_other": alpha * experts * share,
    }
