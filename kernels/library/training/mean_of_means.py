"""Two micro-batches of unequal length: the mean over their tokens, and the mean of their means.

    token mean = (n_a loss_a + n_b loss_b) / (n_a + n_b)        mean of means = (loss_a + loss_b) / 2

Averaging means weighs each token by 1 / (its micro-batch's tokens), so a short micro-batch's tokens count for more.
"""

from typing import Annotated

from kernels import Bound, kernel

Tokens = Annotated[int, Bound("token", low=1)]
Loss = Annotated[float, Bound(low=0.0)]


@kernel(kind="formula", outputs={"token_mean": "", "mean_of_means": "", "weight_ratio": "", "short_share": "", "fair_share": ""})
def mean_of_means(tokens_a: Tokens = 10, loss_a: Loss = 4.0, tokens_b: Tokens = 1000, loss_b: Loss = 1.0):
    """Both means; weight_ratio: how much more a token of a counts than one of b in the mean of means.

    short_share: the share of a's tokens in the mean of means, fair_share: in the token mean.
    """
    return {
        "token_mean": (tokens_a * loss_a + tokens_b * loss_b) / (tokens_a + tokens_b),
        "mean_of_means": (loss_a + loss_b) / 2,
        "weight_ratio": tokens_b / tokens_a,
        "short_share": 0.5,
        "fair_share": tokens_a / (tokens_a + tokens_b),
    }
