"""One head, several places to look at: what a single pattern of weights loses when parts of the output come from different tokens.

A token needs m parts, each from another position. Inputs are independent with equal variance, and h heads have fixed weights over positions. What
part i gets is a linear function of the h mixtures, whose share of its variance is |P e_i|^2, P the projection on the heads' weight vectors; over
the parts these sum to the rank of P, so together h heads explain min(h, m) / m and no more, however the weights are chosen.
(Why heads: Vaswani et al. 2017, arXiv 1706.03762, section 3.2.2: averaging inhibits it.)
"""

from typing import Annotated

from kernels import Bound, kernel


@kernel(kind="formula", outputs={"explained": "", "lost": "", "head_dim": ""})
def head_mixtures(
    heads: Annotated[int, Bound(low=1, high=1024)] = 1,
    places: Annotated[int, Bound(low=1, high=1024)] = 2,
    d_model: Annotated[int, Bound(low=1, high=1_000_000)] = 512,
):
    """The most of the output's variance that heads with fixed weights explain, and what is lost. head_dim: the width, split."""
    explained = min(heads, places) / places
    return {"explained": explained, "lost": 1 - explained, "head_dim": d_model / heads}
