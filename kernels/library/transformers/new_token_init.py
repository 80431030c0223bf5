"""A new token's logit before any training: near-zero rows against the mean row, in an output head whose logits are all negative.

    p_new = e^(h.e_new) / (Z + e^(h.e_new)),   mean row: h.e_new = mean logit <= ln(Z / V), so p_new <= 1 / (V + 1)

The second by Jensen's inequality: Hewitt, Initializing New Word Embeddings for Pretrained Language Models (2021).
"""

from typing import Annotated

from kernels import Bound, kernel


@kernel(
    kind="simulation",
    outputs={
        "mean_logit": "",
        "noise_probability": "",
        "mean_probability": "",
        "bound": "",
        "below_bound": "",
        "noise_loss": "",
        "mean_loss": "",
        "loss_bound": "",
    },
    tolerance=1e-4,
)
def new_token_init(
    vocab: Annotated[int, Bound(low=10, high=100_000)] = 8000,
    width: Annotated[int, Bound(low=2, high=1024)] = 64,
    offset: Annotated[float, Bound(low=-100.0, high=100.0)] = -20.0,
    spread: Annotated[float, Bound(low=0.0, high=10.0)] = 2.0,
    contexts: Annotated[int, Bound(low=1, high=1000)] = 200,
    seed: int = 0,
):
    """One row is added to an output head, as noise of scale 0.02 or as the mean row: its probability, and what the other tokens lose.

    Logits are `offset` plus a normal part of scale `spread`. Probabilities are means over random contexts; below_bound: share of contexts
    whose mean-row probability is at most 1 / (vocab + 1). noise_loss, mean_loss: nats that every old token's log-probability falls by;
    loss_bound: ln(1 + 1 / vocab).
    """
    import math

    import torch

    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(vocab, width, generator=generator, dtype=torch.float64)
    hidden = torch.randn(contexts, width, generator=generator, dtype=torch.float64)
    hidden = spread * hidden / hidden.norm(dim=1, keepdim=True)
    rows = torch.cat((rows, torch.full((vocab, 1), offset, dtype=torch.float64)), 1)  # one direction that all rows share
    hidden = torch.cat((hidden, torch.ones(contexts, 1, dtype=torch.float64)), 1)
    noise = 0.02 * torch.randn(width + 1, generator=generator, dtype=torch.float64)
    logits = hidden @ rows.T
    z = logits.logsumexp(1)
    noise_p, mean_p = ((hidden @ new - z).sigmoid() for new in (noise, rows.mean(0)))
    return {
        "mean_logit": logits.mean(),
        "noise_probability": noise_p.mean(),
        "mean_probability": mean_p.mean(),
        "bound": 1 / (vocab + 1),
        "below_bound": (mean_p <= 1 / (vocab + 1)).double().mean(),
        "noise_loss": -torch.log1p(-noise_p).mean(),
        "mean_loss": -torch.log1p(-mean_p).mean(),
        "loss_bound": math.log1p(1 / vocab),
    }
