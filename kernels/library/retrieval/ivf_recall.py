"""An inverted file (IVF): vectors in lists around k-means centres, of which a query reads the nearest few.

    recall = share of the true ten nearest that lie in the lists read        read = share of all vectors in these lists

(Jegou, Douze and Schmid 2011, IEEE TPAMI 33(1), section IV; the Faiss library, arXiv 2401.08281, section 5.) A neighbour is missed where a boundary
between lists runs between it and the query, and in many dimensions most points lie near boundaries. Lists that know nothing of the vectors would
find what they read: recall = probes / lists.
"""

from typing import Annotated

from kernels import Bound, Free, KernelError, Series, kernel
from kernels.library.retrieval._vectors import K, assign, drawn, means, nearest

ROUNDS = 10
QUERIES = 200


@kernel(
    kind="simulation",
    outputs={
        "recall": "",
        "read": "",
        "blind": "",
        "probes_95": "",
        "read_95": "",
        "probes_99": "",
        "read_99": "",
        "sweep": Series("share of the vectors read", ""),
    },
    draws=10,
    tolerance=0.02,
)
def ivf_recall(
    vectors: Annotated[int, Bound(low=1000, high=50_000)] = 20_000,
    dimension: Annotated[int, Bound(low=2, high=512)] = 64,
    latent: Annotated[int, Bound(low=1, high=256), Free(16, 64)] = 32,
    lists: Annotated[int, Bound(low=2, high=500)] = 128,
    probes: Annotated[int, Bound(low=1, high=500)] = 8,
    seed: int = 0,
):
    """Recall of a query's ten nearest where `probes` of `lists` lists are read, and the share of all vectors in them.

    latent: dimensions in which the vectors really vary; of embeddings nobody knows it well, so it is free from 16 to 64. blind: the recall of lists
    that are drawn at random. probes_95, read_95: the least number of lists at which recall is 95 %, and the share read then. sweep: recall by share.
    """
    import torch

    if probes > lists:
        raise KernelError(f"ivf_recall: probes is {probes}, but must be at most lists, {lists}")
    random = torch.Generator().manual_seed(seed)
    points, queries = drawn(vectors, QUERIES, dimension, latent, random)
    centres = means(points, lists, ROUNDS, random)
    home = assign(points, centres)
    sizes = torch.bincount(home, minlength=lists)
    order = (queries @ centres.T - centres.square().sum(1) / 2).argsort(dim=1, descending=True)  # of the lists, by the query
    rank = torch.empty_like(order).scatter_(1, order, torch.arange(lists).expand(QUERIES, -1))
    needed = rank.gather(1, home[nearest(points, queries)])  # the place of each neighbour's list in the query's order
    read = sizes[order].cumsum(1).double().mean(0) / vectors
    recall = torch.bincount(needed.flatten(), minlength=lists).cumsum(0) / (QUERIES * K)
    least = {share: int((recall >= share / 100).nonzero()[0]) for share in (95, 99)}
    grid = [i / 20 for i in range(21)]
    return {
        "recall": recall[probes - 1],
        "read": read[probes - 1],
        "blind": probes / lists,
        **{f"probes_{share}": at + 1 for share, at in least.items()},
        **{f"read_{share}": read[at] for share, at in least.items()},
        "sweep": {
            "share of the vectors read": grid,
            "IVF": [between(read, recall, share) for share in grid],
            "at random": grid,
        },
    }


def between(read, recall, share: float) -> float:
    """Recall at a share of the vectors read, linear between whole lists; nothing is found where nothing is read."""
    at = int((read < share).sum())
    if at >= len(read):
        return float(recall[-1])
    low, below = (float(read[at - 1]), float(recall[at - 1])) if at else (0.0, 0.0)
    high, above = float(read[at]), float(recall[at])
    return below + (above - below) * (share - low) / (high - low) if high > low else above


@ivf_recall.invariant
def all_lists_hold_all(result) -> bool:
    """Where everything is read, everything is found; more is found in more lists, and never less than the first list's part of 95 %."""
    curve = result["sweep"].values("IVF")
    rising = all(a <= b + 1e-9 for a, b in zip(curve, curve[1:]))
    return abs(curve[-1] - 1) < 1e-9 and rising and result["probes_95"] <= result["probes_99"]


@ivf_recall.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax,
        result["sweep"],
        unit="percent",
        x_label="share of the vectors read",
        y_label="of the ten nearest, found",
        labels={"IVF": "", "at random": ""},
        highlight="IVF",
    )
    plot.mark(ax, result["read"], result["recall"], f"{result.parameters['probes']} of {result.parameters['lists']} lists", where="right below")
