"""HNSW built with few and with many links a vector: recall at the same beam, vectors compared, bytes.

M links a vector on each upper layer, 2 M at the bottom, 4 bytes each (Malkov and Yashunin 2016, arXiv 1603.09320, sections 4.1 and 4.2.3). The
index is faiss's, built by one thread.
"""

from typing import Annotated

from kernels import Bound, Free, Series, kernel
from kernels.library.retrieval._vectors import drawn, graph, nearest, walk

LINKS = (4, 8, 16, 32)
QUERIES = 300


@kernel(
    kind="simulation",
    outputs={
        **{f"recall_{m}": "" for m in LINKS},
        **{f"compared_{m}": "" for m in LINKS},
        **{f"bytes_{m}": "B" for m in LINKS},
        "sweep": Series("beam", ""),
    },
    draws=8,
    needs=("faiss",),
    tolerance=0.02,
    timeout=600,
)
def hnsw_links(
    vectors: Annotated[int, Bound(low=500, high=20_000)] = 10_000,
    dimension: Annotated[int, Bound(low=8, high=256)] = 64,
    latent: Annotated[int, Bound(low=1, high=256), Free(16, 64)] = 32,
    construction: Annotated[int, Bound(low=16, high=200)] = 100,
    beam: Annotated[int, Bound(low=10, high=500), Free(16, 100)] = 32,
    seed: int = 0,
):
    """Recall of the ten nearest at the same efSearch, by the number M of links with which the graph was built.

    latent: dimensions in which the vectors really vary, free from 16 to 64. beam: efSearch, free from 16 to 100. compared: vectors that a query was
    multiplied with. bytes: the graph's, for each vector, all layers. sweep: recall by beam, a line for each M.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    points, queries = drawn(vectors, QUERIES, dimension, latent, random)
    truth = nearest(points, queries)
    indexes = {m: graph(points, m, construction) for m in LINKS}
    beams = [16, 32, 64, 128, 256]
    walks = {m: walk(index, queries, truth, beam) for m, index in indexes.items()}
    return {
        **{f"recall_{m}": recall for m, (recall, _) in walks.items()},
        **{f"compared_{m}": compared for m, (_, compared) in walks.items()},
        **{f"bytes_{m}": 4 * index.hnsw.neighbors.size() / vectors for m, index in indexes.items()},
        "sweep": {"beam": beams, **{f"M = {m}": [walk(index, queries, truth, b)[0] for b in beams] for m, index in indexes.items()}},
    }


@hnsw_links.invariant
def the_bottom_layer_holds_twice_m_links(result) -> bool:
    """At least 2 M places of 4 bytes a vector, and the layers above add less than a third of that."""
    return all(8 * m <= result[f"bytes_{m}"] <= 8 * m * 4 / 3 for m in LINKS)


@hnsw_links.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax, result["sweep"], xlog=True, unit="percent", x_label="efSearch", y_label="of the ten nearest, found", highlight="M = 16", zero=False
    )
