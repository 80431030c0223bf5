"""How many vectors HNSW compares a query with to find 95 % of its ten nearest, as the collection grows.

Malkov and Yashunin (arXiv 1603.09320, section 4.2.1) argue for O(log N) by the number of layers, with a bounded number of steps in each; that number
depends on the data. Logarithmic means that four times as many vectors cost the same number of comparisons more each time; under a power of N each
such step costs more than the last. There are instances on which HNSW takes time linear in N (Indyk and Xu 2023, arXiv 2310.19126). The index is
faiss's, built by one thread.
"""

from typing import Annotated

from kernels import Bound, Free, KernelError, Series, kernel
from kernels.library.retrieval._vectors import drawn, graph, nearest, walk

QUERIES = 300
WANTED = 0.95


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("small", "middle", "large", "compared_small", "compared_middle", "compared_large", "growth", "bend", "share_large"), ""),
        "sweep": Series("vectors", ""),
    },
    draws=6,
    needs=("faiss",),
    tolerance=0.03,
    timeout=900,
)
def hnsw_scaling(
    vectors: Annotated[int, Bound(low=1600, high=64_000)] = 32_000,
    dimension: Annotated[int, Bound(low=8, high=256)] = 64,
    latent: Annotated[int, Bound(low=2, high=256), Free(4, 64)] = 32,
    links: Annotated[int, Bound(low=8, high=64)] = 16,
    construction: Annotated[int, Bound(low=16, high=200)] = 100,
    seed: int = 0,
):
    """Comparisons a query at a recall of 95 %, in collections of a sixteenth, a quarter and all of `vectors`.

    latent: dimensions in which the vectors really vary, free from 4 to 64: of embeddings nobody knows it well. growth: compared in the largest over
    the smallest, 16 times as many vectors. bend: what the second fourfold growth adds over what the first added: 1 under a logarithm, more under a
    power. share_large: compared over all of the largest.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    points, queries = drawn(vectors, QUERIES, dimension, latent, random, noise=0.0)
    sizes = [vectors // 16, vectors // 4, vectors]
    counts = [compared(points[:size], queries, links, construction) for size in sizes]
    return {
        **dict(zip(("small", "middle", "large"), sizes)),
        "compared_small": counts[0],
        "compared_middle": counts[1],
        "compared_large": counts[-1],
        "growth": counts[-1] / counts[0],
        "bend": (counts[2] - counts[1]) / max(1.0, counts[1] - counts[0]),
        "share_large": counts[-1] / sizes[-1],
        "sweep": {"vectors": sizes, "compared": counts, "logarithm": [counts[0] + step * (counts[1] - counts[0]) for step in range(3)]},
    }


def compared(points, queries, links: int, construction: int) -> float:
    """Vectors compared where the recall passes WANTED, linear between the two beams on either side of it; at the narrowest beam where that has it."""
    index, truth = graph(points, links, construction), nearest(points, queries)
    before = None
    for beam in (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 1280, 2560, len(points)):
        recall, count = walk(index, queries, truth, beam)
        if recall >= WANTED:
            return count if before is None else before[1] + (count - before[1]) * (WANTED - before[0]) / (recall - before[0])
        before = (recall, count)
    raise KernelError(f"hnsw_scaling: no beam finds {WANTED:.0%} of the nearest; give more links or a larger construction")


@hnsw_scaling.invariant
def nobody_compares_more_than_all(result) -> bool:
    """Each vector is compared at most once, but for steps through the upper layers."""
    return result["compared_large"] <= 1.1 * result["large"] and result["compared_small"] >= 10


@hnsw_scaling.figure
def draw(result, ax):
    from kernels import plot

    labels = {"compared": "HNSW", "logarithm": "as log N"}
    plot.lines(ax, result["sweep"], xlog=True, labels=labels, x_label="vectors", y_label="compared with a query", highlight="compared")
