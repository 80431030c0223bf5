"""HNSW on the CPU beside exact search on the GPU of the same machine: latency of one query against recall.

A navigable graph in layers is walked greedily, with the ef best candidates kept on the way (Malkov and Yashunin 2016, arXiv 1603.09320, algorithms
2 and 5): a larger ef finds more and takes longer. The index is that of faiss (Douze et al. 2024, arXiv 2401.08281), one thread a query, in the
same process: no network, no filter, no database. What is exact, the GPU's search of bruteforce_search says.
"""

import os
import time
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel, timing
from kernels.library.retrieval.bruteforce_search import points, search

BEAMS = (16, 32, 64, 128, 256, 512, 1024)
K = 10
TRIED = 200  # queries


@kernel(
    kind="measurement",
    outputs={
        "recall_95_time": "s",
        "recall_99_time": "s",
        "recall_95_beam": "",
        "recall_99_beam": "",
        "best_recall": "",
        "exact_time": "s",
        "exact_over_95": "",
        "exact_over_99": "",
        "build_time": "s",
        "cores": "",
        "links_memory": "B",
        "vectors_memory": "B",
        "latency": Series("recall", "s"),
        "recalls": Series("beam", ""),
    },
    needs=("faiss",),
    timeout=300,
)
def hnsw_search(
    vectors: Annotated[int, Bound(low=1000, high=10_000_000)] = 1_000_000,
    dimension: Annotated[int, Bound(low=8, high=2048)] = 96,
    links: Annotated[int, Bound(low=4, high=128)] = 16,
    construction: Annotated[int, Bound(low=8, high=1000)] = 40,
):
    """Time of one query through faiss's HNSW on one CPU core at 95 % and 99 % recall of the first ten, and of the exact search on the GPU.

    recall_95_time, recall_99_time: at the smallest of the tried beams (efSearch) that reaches it. exact_over_95: the GPU's time, one query at
    a time, over that. build_time: of the index, on all `cores`. links_memory: what the graph takes beside the vectors. latency: time by recall.
    """
    device = timing.device()
    v, q = points(vectors, dimension, device), points(TRIED, dimension, device, seed=1)
    truth = search(v, q, K)[1].cpu().numpy()
    exact = timing.measure(lambda: search(v, q[:1], K))
    index, built = build(v.cpu().numpy(), links, construction)
    found = {beam: walked(index, q.cpu().numpy(), truth, beam) for beam in BEAMS}
    reached = {share: first_beam(found, share / 100) for share in (95, 99)}
    times = {share: found[beam][1] for share, beam in reached.items()}
    by_recall: dict = {}
    for recall, seconds in sorted(found.values(), key=lambda pair: (pair[0], pair[1].value)):
        by_recall.setdefault(recall, seconds)
    return {
        **{f"recall_{share}_time": seconds for share, seconds in times.items()},
        **{f"recall_{share}_beam": beam for share, beam in reached.items()},
        "best_recall": max(recall for recall, _ in found.values()),
        "exact_time": exact,
        **{f"exact_over_{share}": exact.value / seconds.value for share, seconds in times.items()},
        "build_time": built,
        "cores": os.cpu_count() or 1,
        "links_memory": graph_bytes(index),
        "vectors_memory": 4 * vectors * dimension,
        "latency": {"recall": list(by_recall), "HNSW": list(by_recall.values())},
        "recalls": {"beam": list(found), "HNSW": [recall for recall, _ in found.values()]},
    }


def build(vectors, links: int, construction: int):
    """The index of float32 [count, dimension] by inner product, on all cores, and the seconds that it took."""
    import faiss

    faiss.omp_set_num_threads(os.cpu_count() or 1)
    index = faiss.IndexHNSWFlat(vectors.shape[1], links, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = construction
    start = time.perf_counter()
    index.add(vectors)
    return index, time.perf_counter() - start


def walked(index, queries, truth, beam: int):
    """(recall of the first K, seconds of a query): one thread, one query at a time, each timed."""
    import faiss

    faiss.omp_set_num_threads(1)
    index.hnsw.efSearch = beam
    samples, hits = [], 0
    for query, wanted in zip(queries, truth):
        start = time.perf_counter()
        _, places = index.search(query[None], K)
        samples.append(time.perf_counter() - start)
        hits += len(set(places[0].tolist()) & set(wanted.tolist()))
    return hits / truth.size, timing.spread(samples)


def first_beam(found, recall: float) -> int:
    """The smallest beam that reaches the recall. Raises KernelError where none of them does."""
    for beam, (reached, _) in sorted(found.items()):
        if reached >= recall:
            return beam
    best = max(reached for reached, _ in found.values())
    raise KernelError(
        f"hnsw_search: no beam up to {max(found)} reaches a recall of {recall:.0%} (best: {best:.1%}); build with more links or a larger construction"
    )


def graph_bytes(index) -> int:
    """Bytes of the links of all layers, as faiss stores them: 4 for each place, taken or free."""
    return 4 * index.hnsw.neighbors.size()


@hnsw_search.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["latency"], x_label="recall of the first ten", y_label="time of a query", labels={"HNSW": "HNSW,\none core"})
    plot.hline(ax, result["exact_time"], f"exact on the GPU: {plot.show(result['exact_time'], 's')}")
