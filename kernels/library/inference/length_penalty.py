"""Which of two hypotheses of different length wins, by how the score is normalised.

    summed     S = sum of log p                      the shorter one is favoured: each token makes S smaller
    length     S / L^alpha                           alpha = 1: the mean log-probability        (transformers' length_penalty)
    GNMT       S / ((5 + L) / 6)^alpha               (Wu et al. 2016, arXiv 1609.08144, section 7)

With scores S1 > S2 and lengths L1 < L2 the longer wins from alpha = ln(S2/S1) / ln(L2/L1) on; under GNMT's, lengths plus 5 take the lengths' place.
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

ALPHAS = tuple(k / 20 for k in range(25))


@kernel(
    kind="formula",
    outputs={**dict.fromkeys(("short", "long", "short_gnmt", "long_gnmt", "flip", "flip_gnmt", "times"), ""), "sweep": Series("alpha", "")},
)
def length_penalty(
    short_score: Annotated[float, Bound(low=-1e4, high=-1e-3)] = -4.0,
    short_length: Annotated[int, Bound(low=1, high=10_000)] = 5,
    long_score: Annotated[float, Bound(low=-1e4, high=-1e-3)] = -5.0,
    long_length: Annotated[int, Bound(low=2, high=20_000)] = 10,
    alpha: Annotated[float, Bound(low=0.0, high=2.0)] = 0.6,
):
    """Normalised scores of a short and a long hypothesis, and the exponent from which the long one wins.

    short, long: sums of log-probabilities over length^alpha; _gnmt: over ((5 + length) / 6)^alpha. flip, flip_gnmt: that exponent. times: how many
    times likelier the short one is. sweep: both scores, over alpha.
    """
    if long_length <= short_length:
        raise KernelError(
            f"length_penalty: the long hypothesis has {long_length} tokens, the short one {short_length} (long_length must be the larger)"
        )
    if short_score - long_score > 700:
        raise KernelError("length_penalty: the scores lie more than 700 nats apart (long_score has to be nearer to short_score)")
    pairs = ((short_score, short_length), (long_score, long_length))
    worse = math.log(long_score / short_score)
    return {
        **{name: score / length**alpha for name, (score, length) in zip(("short", "long"), pairs)},
        **{name: score / ((5 + length) / 6) ** alpha for name, (score, length) in zip(("short_gnmt", "long_gnmt"), pairs)},
        "flip": worse / math.log(long_length / short_length),
        "flip_gnmt": worse / math.log((5 + long_length) / (5 + short_length)),
        "times": math.exp(short_score - long_score),
        "sweep": {"alpha": ALPHAS, **{name: [score / length**a for a in ALPHAS] for name, (score, length) in zip(("short", "long"), pairs)}},
    }


@length_penalty.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 220)
    p, flip = result.parameters, result["flip"]
    names = {"short": f"{p['short_length']} tokens", "long": f"{p['long_length']} tokens"}
    plot.lines(ax, result["sweep"], labels=names, x_label="exponent α", y_label="score / lengthᵅ", zero=False)
    if 0 < flip < ALPHAS[-1]:
        plot.mark(ax, flip, p["short_score"] / p["short_length"] ** flip, f"α = {plot.show(flip, '')}", plot.INK, "left above", "crossing")
    return (
        f"Scores over length to the power α: at 0 the one of {p['short_length']} tokens leads, {p['short_score']:g} to {p['long_score']:g}; "
        f"they cross at {flip:.3g}, and beyond that the one of {p['long_length']} tokens leads."
    )
