"""Hubs: vectors that are among the ten nearest of far more others than ten, and those that are in nobody's list.

Gaussian points about a common offset; each one's ten nearest by cosine, after subtracting the mean, by Euclidean distance, or by dot product. On
average a vector is in ten lists, whatever the dimension (Radovanovic et al. 2010, Hubs in Space, JMLR 11: skewness of the counts grows with the
dimension).
"""

from typing import Annotated, Literal

from kernels import Bound, Free, Series, kernel

K = 10
DIMENSIONS = (3, 10, 30, 100, 300)
Measure = Literal["cosine", "centred cosine", "euclidean", "dot"]


@kernel(kind="simulation", outputs={"mean": "", "largest": "", "never": "", "skew": "", "sweep": Series("dimension", "")}, tolerance=1e-3, draws=16)
def hub_counts(
    dimension: Annotated[int, Bound(low=2, high=512)] = 300,
    measure: Measure = "euclidean",
    offset: Annotated[float, Bound(low=0.0, high=10.0)] = 0.0,
    points: Annotated[int, Bound(low=50, high=4000), Free(500, 4000)] = 1000,
    seed: int = 0,
):
    """In how many lists of ten nearest the most popular vector is, and how many vectors are in none.

    offset: length of the common part over the typical length of the rest; points: the size of the toy, free between some hundred and thousands.
    mean: 10 by construction. never: share that is in no list. skew: of the counts. sweep: the largest count over the dimension.
    """
    import torch

    found = {d: counted(d, measure, offset, points, torch.Generator().manual_seed(seed)) for d in dict.fromkeys((*DIMENSIONS, dimension))}
    counts = found[dimension]
    rest = counts - counts.mean()
    return {
        "mean": counts.mean(),
        "largest": counts.max(),
        "never": (counts == 0).double().mean(),
        "skew": (rest**3).mean() / (rest**2).mean() ** 1.5,
        "sweep": {"dimension": DIMENSIONS, "largest": [found[d].max() for d in DIMENSIONS]},
    }


def counted(dimension: int, measure: str, offset: float, points: int, random):
    """How often each point is among the ten nearest of another."""
    import torch

    x = torch.randn(points, dimension, generator=random, dtype=torch.float64) / dimension**0.5
    x[:, 0] += offset
    if measure == "centred cosine":
        x = x - x.mean(0)
    if "cosine" in measure:
        x = torch.nn.functional.normalize(x, dim=1)
    scores = x @ x.T
    if measure == "euclidean":
        scores = scores - (x**2).sum(1) / 2  # half the squared distance, but for the query's own length, which all share
    scores.fill_diagonal_(float("-inf"))
    return scores.topk(K, dim=1).indices.flatten().bincount(minlength=points).double()


@hub_counts.invariant
def every_list_has_ten(result) -> bool:
    """The counts are those of all lists, so that their mean is ten."""
    return abs(result["mean"] - K) < 1e-9 and result["largest"] >= K


@hub_counts.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, labels={"largest": "most popular"}, x_label="dimensions", y_label="lists of ten nearest that hold it")
    plot.hline(ax, K, "average: 10")
