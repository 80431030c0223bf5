"""InfoNCE with negatives from the batch: what guessing costs, and how low the temperature lets the loss go.

A query is compared with N candidates: its positive, the other B - 1 queries' positives, and B h hard negatives that came along. With cosines in
[-1, 1], divided by t, the positive at cosine p and all others at n:

    loss = ln(1 + (N - 1) exp(-(p - n) / t))        guessing: ln N        floor: p - n = 2

(van den Oord et al. 2018, arXiv 1807.03748; floor: all negatives exactly opposite, which no set of N > 2 vectors can do for each of its
members, so that it is a bound.) Arithmetic of a step, at 2 FLOP a weight and token forward, 4 backward: 6 W (query + passage tokens) B, and 6 B^2
d of scores (three products of the same size).
"""

import math
from typing import Annotated

from kernels import Bound, Lower, Series, kernel

BATCHES = [2**k for k in range(1, 16)]


@kernel(
    kind="formula",
    outputs={
        "candidates": "",
        "negatives": "",
        "chance": "",
        "loss": "",
        "orthogonal": "",
        "floor": Lower(""),
        "scores": "FLOP",
        "encoding": "FLOP",
        "scores_share": "",
        "false_negative": "",
        "sweep": Series("batch", ""),
    },
)
def contrastive_loss(
    batch: Annotated[int, Bound(low=2, high=10_000_000)] = 1024,
    hard: Annotated[int, Bound(low=0, high=1000)] = 0,
    temperature: Annotated[float, Bound(low=0.001, high=100.0)] = 0.05,
    positive: Annotated[float, Bound(low=-1.0, high=1.0)] = 0.8,
    negative: Annotated[float, Bound(low=-1.0, high=1.0)] = 0.3,
    weights: Annotated[float, Bound(low=1, high=1e13)] = 85e6,
    query_tokens: Annotated[int, Bound("token", low=1, high=1_000_000)] = 32,
    passage_tokens: Annotated[int, Bound("token", low=1, high=1_000_000)] = 128,
    dimension: Annotated[int, Bound(low=1, high=1_000_000)] = 768,
    relevant: Annotated[float, Bound(low=0.0, high=1.0)] = 0.001,
):
    """Candidates, chance loss, loss at given cosines and its floor, of InfoNCE over a batch; what the scores cost beside the encoder.

    hard: hard negatives that each query brings, which are candidates for all. orthogonal: with the positive at cosine 1 and all others at 0, as a
    model has it that tells everything apart. floor: with others at -1. scores_share: of scores and encoding. relevant: the chance that another
    query's positive answers this query as well; false_negative: that at least one of the batch's does. sweep: over the batch, guessing and the
    orthogonal case at two temperatures.
    """
    candidates = batch * (1 + hard)
    scores, encoding = 6 * batch * candidates * dimension, 6 * weights * batch * (query_tokens + (1 + hard) * passage_tokens)
    return {
        "candidates": candidates,
        "negatives": candidates - 1,
        "chance": math.log(candidates),
        "loss": loss(candidates, (positive - negative) / temperature),
        "orthogonal": loss(candidates, 1 / temperature),
        "floor": loss(candidates, 2 / temperature),
        "scores": scores,
        "encoding": encoding,
        "scores_share": scores / (scores + encoding),
        "false_negative": -math.expm1((batch - 1) * math.log1p(-relevant)) if relevant < 1 else 1.0,
        "sweep": {
            "batch": BATCHES,
            "guessing": [math.log(n) for n in BATCHES],
            "temperature 1": [loss(n, 1.0) for n in BATCHES],
            "temperature 0.1": [loss(n, 10.0) for n in BATCHES],
        },
    }


def loss(candidates: int, gap: float) -> float:
    """ln(1 + (N - 1) exp(-gap)), without overflow."""
    if candidates == 1:
        return 0.0
    x = math.log(candidates - 1) - gap
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@contrastive_loss.figure
def draw(result, ax):
    from kernels import plot

    labels = {"temperature 1": "τ = 1", "temperature 0.1": "τ = 0.1"}
    plot.lines(ax, result["sweep"], xlog=True, labels=labels, x_label="batch", y_label="InfoNCE, nats")
