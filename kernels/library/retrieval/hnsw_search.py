"""HNSW beside exact search in the same process: how much faster one query is at the recall that it reaches, and how many vectors it looks at.

A navigable graph in layers is walked greedily, with the ef best candidates kept on the way (Malkov and Yashunin 2016, arXiv 1603.09320, algorithms
2 and 5): a larger ef finds more and takes longer. The index is that of faiss (Douze et al. 2024, arXiv 2401.08281), which lives on the CPU; one
thread a query, no network, no filter, no database. What is exact, the search of bruteforce_search says: on the GPU that is measured, or, where
a CPU is, on one core too. Both walk through the queries one by one, so that neither finds its last query's data in the cache.
"""

import contextlib
import functools
import itertools
import time
from typing import Annotated, NamedTuple

from kernels import Bound, KernelError, Series, kernel, timing
from kernels.library.retrieval.bruteforce_search import points, search

BEAMS = (16, 32, 64, 128, 256, 512, 1024)
K = 10
TRIED = 500  # queries


@kernel(
    kind="measurement",
    outputs={
        **{f"recall_{share}_time": "s" for share in (95, 99)},
        **{f"recall_{share}_beam": "" for share in (95, 99)},
        **{f"exact_over_{share}": "" for share in (95, 99)},
        **{f"compared_{share}": "" for share in (95, 99)},
        **{f"hops_{share}": "" for share in (95, 99)},
        "best_recall": "",
        "exact_time": "s",
        "build_time": "s",
        "cores": "",
        "links_memory": "B",
        "vectors_memory": "B",
        "gain": Series("recall", ""),
        "recalls": Series("beam", ""),
    },
    needs=("faiss",),
    timeout=600,
    on="any",
    memory=lambda vectors, dimension, links: vectors * (8 * dimension + 9 * links + 32),
    rehearsal={"vectors": 1000, "dimension": 16, "TRIED": 20},
    headline="exact_over_95",
    seconds=60,
)
def hnsw_search(
    vectors: Annotated[int, Bound(low=1000, high=10_000_000)] = 200_000,
    dimension: Annotated[int, Bound(low=8, high=2048)] = 96,
    links: Annotated[int, Bound(low=4, high=128)] = 16,
    construction: Annotated[int, Bound(low=8, high=1000)] = 40,
):
    """Time of one query through faiss's HNSW on one core at 95 % and 99 % recall of the first ten, and of the exact search, in turns.

    recall_95_time, recall_99_time: at the smallest of the tried beams (efSearch) that reaches it. exact_over_95: the exact search's time, one
    query at a time, over that. compared_95: vectors that the query was multiplied with, over all; hops_95: vectors whose links were
    followed. build_time: of the index, on all `cores`. links_memory: what the graph takes beside the vectors. gain: exact_over by recall.
    """
    device = timing.device()
    v, q = points(vectors, dimension, device), points(TRIED, dimension, device, seed=1)
    truth, queries = search(v, q, K)[1].cpu().numpy(), q.cpu().numpy()
    index, built, cores = build(v.cpu().numpy(), links, construction)
    walks = {beam: walked(index, queries, truth, beam) for beam in BEAMS}
    beams = {share: first_beam({beam: walk.recall for beam, walk in walks.items()}, share / 100) for share in (95, 99)}
    ways = {f"beam {beam}": one_by_one(functools.partial(nearest, index, beam), queries) for beam in BEAMS}
    with one_thread():
        turns = timing.in_turns(flush=False, hidden=False, exact=one_by_one(functools.partial(search, v, k=K), q), **ways)
    gain = {walks[beam].recall: turns.ratio("exact", f"beam {beam}") for beam in reversed(BEAMS)}
    return {
        **{f"recall_{share}_time": turns[f"beam {beam}"] for share, beam in beams.items()},
        **{f"recall_{share}_beam": beam for share, beam in beams.items()},
        **{f"exact_over_{share}": turns.ratio("exact", f"beam {beam}") for share, beam in beams.items()},
        **{f"compared_{share}": walks[beam].compared / vectors for share, beam in beams.items()},
        **{f"hops_{share}": walks[beam].hops for share, beam in beams.items()},
        "best_recall": max(walk.recall for walk in walks.values()),
        "exact_time": turns["exact"],
        "build_time": built,
        "cores": cores,
        "links_memory": graph_bytes(index),
        "vectors_memory": 4 * vectors * dimension,
        "gain": {"recall": sorted(gain), "HNSW": [gain[recall] for recall in sorted(gain)]},
        "recalls": {"beam": list(BEAMS), "HNSW": [walks[beam].recall for beam in BEAMS]},
    }


def build(vectors, links: int, construction: int):
    """The index of float32 [count, dimension] by inner product, the seconds that it took, and the cores that it took them on."""
    import faiss

    index = faiss.IndexHNSWFlat(vectors.shape[1], links, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = construction
    start = time.perf_counter()
    index.add(vectors)
    return index, time.perf_counter() - start, faiss.omp_get_max_threads()


def nearest(index, beam: int, queries):
    """The places of the K nearest of each query."""
    import faiss

    return index.search(queries, K, params=faiss.SearchParametersHNSW(efSearch=beam))[1]


class Walk(NamedTuple):
    """Recall of the first K; vectors compared, and vectors whose links were followed, by one query."""

    recall: float
    compared: float
    hops: float


def walked(index, queries, truth, beam: int) -> Walk:
    """All queries at once, as faiss counts its steps."""
    import faiss

    counts = faiss.cvar.hnsw_stats
    counts.reset()
    places = nearest(index, beam, queries)
    hits = sum(len(set(mine) & set(wanted)) for mine, wanted in zip(places.tolist(), truth.tolist()))
    return Walk(hits / truth.size, counts.ndis / len(queries), counts.nhops / len(queries))


def one_by_one(way, queries):
    """A function that searches for the next of the queries, and after the last one for the first again."""
    turn = itertools.cycle(range(len(queries)))

    def searched():
        here = next(turn)
        return way(queries[here : here + 1])

    return searched


@contextlib.contextmanager
def one_thread():
    import faiss
    import torch

    before = torch.get_num_threads(), faiss.omp_get_max_threads()
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        faiss.omp_set_num_threads(before[1])


def first_beam(recalls: dict[int, float], wanted: float) -> int:
    """The smallest beam that reaches the recall. Raises KernelError where none of them does."""
    for beam in sorted(recalls):
        if recalls[beam] >= wanted:
            return beam
    raise KernelError(
        f"hnsw_search: no beam up to {max(recalls)} reaches a recall of {wanted:.0%} (best: {max(recalls.values()):.1%}); "
        "build with more links or a larger construction"
    )


def graph_bytes(index) -> int:
    """Bytes of the links of all layers, as faiss stores them: 4 for each place, taken or free."""
    return 4 * index.hnsw.neighbors.size()


@hnsw_search.figure
def draw(result, ax):
    from kernels import plot

    said = "exact search's time\nover HNSW's"
    plot.lines(ax, result["gain"], ylog=True, x_label="recall of the first ten", y_label=said, labels={"HNSW": ""})
    plot.hline(ax, 1.0, "as slow as exact search")
    ends = [(plot.show(recall, "percent"), plot.show(over, "")) for recall, over in zip(result["gain"].x, result["gain"].values("HNSW"))]
    return "The time of exact search over that of HNSW: " + ", ".join(f"{over} at a recall of {recall}" for recall, over in ends) + "."
