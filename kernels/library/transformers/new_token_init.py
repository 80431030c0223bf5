"""A new token's probability before any training: a row of zeros in the output head, against the mean of all rows.

    p_new = e^(h.e_new) / (Z + e^(h.e_new)),   Z = sum over the old tokens of e^logit

    row of zeros:  p_new = 1 / (1 + Z)
    mean row:      h.e_new = mean logit <= ln(Z / V), so p_new <= 1 / (V + 1)

The second by Jensen's inequality: Hewitt, Initializing New Word Embeddings for Pretrained Language Models (2021). Cross-entropy does not fix Z, which
a shift of all logits changes; PaLM's z-loss trains ln Z towards 0 (arXiv 2204.02311, section 5).
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.models._models import SHAPES


@kernel(
    kind="formula",
    outputs={
        "zero_probability": "",
        "mean_bound": "",
        "times": "",
        "zero_loss": "",
        "mean_loss": "",
        "harmless_from": "",
        "sweep": Series("ln Z", ""),
    },
)
def new_token_init(
    vocab: Annotated[int, Bound(low=2)] = SHAPES["llama-3-8b"].vocab,
    log_z: Annotated[float, Bound(low=-100.0, high=100.0)] = 0.0,
):
    """One row is added to an output head of `vocab` rows whose logits have the log-partition `log_z`: zeros, or the mean of all rows.

    zero_probability: of the new token with a logit of 0; mean_bound: the most that the mean row takes; times: the one over the other. zero_loss,
    mean_loss: nats that every old token's log-probability falls by, the second at most. harmless_from: the ln Z from which zeros take no more
    than mean_bound. sweep: zero_probability by ln Z.
    """
    zero, bound = 1 / (1 + math.exp(log_z)), 1 / (vocab + 1)
    grid = [float(z) for z in range(-12, 13)]
    return {
        "zero_probability": zero,
        "mean_bound": bound,
        "times": zero / bound,
        "zero_loss": math.log1p(math.exp(-log_z)),
        "mean_loss": math.log1p(1 / vocab),
        "harmless_from": math.log(vocab),
        "sweep": {"ln Z": grid, "row of zeros": [1 / (1 + math.exp(z)) for z in grid], "mean row, at most": [bound] * len(grid)},
    }


@new_token_init.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax,
        result["sweep"],
        unit="percent",
        x_label="ln Z of the old tokens",
        y_label="probability of the new token",
        highlight="row of zeros",
    )
    plot.mark(ax, result.parameters["log_z"], result["zero_probability"], "ln Z = 0", where="right above")
