"""Whether dot product, cosine and Euclidean distance find the same ten neighbours: they do where all lengths are alike.

    |q - v|^2 = |q|^2 + |v|^2 - 2 q.v        cosine = q.v / (|q| |v|)

With |v| the same for all v, each is a rising or falling function of q.v. Where lengths differ, dot product favours long vectors, and Euclidean
distance those whose length is near that of their own projection on the query.
"""

from typing import Annotated

from kernels import Bound, Free, Series, kernel
from kernels.library.retrieval._vectors import K, drawn, found

QUERIES = 100
SPREADS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)


@kernel(
    kind="simulation",
    outputs={"dot_cosine": "", "l2_cosine": "", "dot_l2": "", "gap": "", "sweep": Series("spread of the lengths", "")},
    draws=10,
    tolerance=0.02,
)
def norm_rankings(
    vectors: Annotated[int, Bound(low=100, high=50_000)] = 5_000,
    dimension: Annotated[int, Bound(low=2, high=512)] = 64,
    latent: Annotated[int, Bound(low=1, high=256), Free(16, 64)] = 32,
    spread: Annotated[float, Bound(low=0.0, high=1.0)] = 0.0,
    seed: int = 0,
):
    """The share of the ten nearest that two measures have in common, where lengths are log-normal with standard deviation `spread` of their
    logarithm.

    latent: dimensions in which the vectors really vary, free from 16 to 64. gap: the largest |L2^2 - (2 - 2 cosine)| of a query and a vector.
    sweep: what dot product and Euclidean distance have in common with cosine, over the spread.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    unit, queries = drawn(vectors, QUERIES, dimension, latent, random)
    unit, queries = unit.double(), queries.double()
    unit, queries = unit / unit.norm(dim=1, keepdim=True), queries / queries.norm(dim=1, keepdim=True)
    cosine = queries @ unit.T
    lengths = torch.randn(vectors, generator=random).double()

    def first(wide: float):
        scaled = unit * (wide * lengths).exp()[:, None]
        distance = torch.cdist(queries, scaled, compute_mode="donot_use_mm_for_euclid_dist")
        return distance, {
            "dot": (queries @ scaled.T).topk(K, dim=1).indices,
            "l2": distance.topk(K, dim=1, largest=False).indices,
            "cosine": cosine.topk(K, dim=1).indices,
        }

    distance, here = first(spread)
    over = [first(wide)[1] for wide in SPREADS]
    return {
        "dot_cosine": found(here["dot"], here["cosine"]),
        "l2_cosine": found(here["l2"], here["cosine"]),
        "dot_l2": found(here["dot"], here["l2"]),
        "gap": float((distance.square() - (2 - 2 * cosine)).abs().max()),
        "sweep": {
            "spread of the lengths": list(SPREADS),
            "dot product": [found(each["dot"], each["cosine"]) for each in over],
            "Euclidean": [found(each["l2"], each["cosine"]) for each in over],
        },
    }


@norm_rankings.invariant
def equal_lengths_rank_alike(result) -> bool:
    """At no spread the three measures find the same ten, whatever the draw."""
    return result["sweep"].values("dot product")[0] == 1 and result["sweep"].values("Euclidean")[0] == 1


@norm_rankings.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax,
        result["sweep"],
        unit="percent",
        labels={"dot product": "dot\nproduct", "Euclidean": "Euclidean"},
        x_label="spread of the lengths (sd of their log)",
        y_label="shared with cosine's ten nearest",
    )
