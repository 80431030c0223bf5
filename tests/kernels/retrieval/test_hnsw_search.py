import importlib.util

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot, timing
from kernels.library.retrieval import hnsw_search as file
from kernels.library.retrieval.bruteforce_search import points, search
from kernels.library.retrieval.hnsw_search import hnsw_search
from kernels.record import Result

pytest_plugins = ("pretended_gpu", "rehearsed")

needs_faiss = pytest.mark.skipif(importlib.util.find_spec("faiss") is None, reason="faiss is not installed (pip install faiss-cpu)")


def made_up():  # not measured: numbers to draw with
    return {
        "recall_95_time": 1e-4,
        "recall_99_time": 3e-4,
        "recall_95_beam": 32,
        "recall_99_beam": 128,
        "exact_over_95": 2.0,
        "exact_over_99": 0.67,
        "compared_95": 0.01,
        "compared_99": 0.03,
        "hops_95": 40,
        "hops_99": 140,
        "best_recall": 0.998,
        "exact_time": 2e-4,
        "build_time": 20.0,
        "cores": 16,
        "links_memory": 1.4e8,
        "vectors_memory": 3.84e8,
        "gain": {"recall": [0.9, 0.95, 0.99], "HNSW": [4.0, 2.0, 0.67]},
        "recalls": {"beam": [16, 32, 128], "HNSW": [0.9, 0.95, 0.99]},
    }


def indexed(count: int, dimension: int, links: int = 8):
    """An index, queries and their nearest by the exact search."""
    v, q = points(count, dimension, "cpu"), points(20, dimension, "cpu", seed=1)
    index, seconds, cores = file.build(v.numpy(), links, 40)
    assert seconds > 0 and cores >= 1
    return index, q.numpy(), search(v, q, file.K)[1].numpy()


@needs_faiss
def test_a_wider_beam_finds_more_until_it_finds_all_and_compares_more():
    index, queries, truth = indexed(2000, 32)
    narrow, wide = (file.walked(index, queries, truth, beam) for beam in (10, 2000))
    assert narrow.recall <= wide.recall and wide.recall > 0.99
    assert 10 <= narrow.hops < narrow.compared < wide.compared <= 2000 + 100  # greedy steps through the upper layers, and every vector at most once
    assert file.graph_bytes(index) >= 2000 * 2 * 8 * 4  # 2 M places of 4 bytes in the bottom layer


@needs_faiss
def test_a_query_alone_finds_what_it_finds_among_others():
    index, queries, truth = indexed(2000, 32)
    alone = file.one_by_one(lambda query: file.nearest(index, 64, query), queries)
    assert [alone()[0].tolist() for _ in range(21)] == [*(among := file.nearest(index, 64, queries).tolist()), among[0]]


def test_the_smallest_beam_that_reaches_a_recall():
    found = {16: 0.9, 32: 0.96, 64: 0.97}
    assert file.first_beam(found, 0.95) == 32
    with pytest.raises(KernelError, match="best: 97.0%"):
        file.first_beam(found, 0.99)


@needs_faiss
def test_its_rehearsal(rehearse):
    result = rehearse(hnsw_search)[0]
    assert result["recall_99_beam"] >= result["recall_95_beam"] and result["vectors_memory"] == 64_000
    assert 0 < result["compared_95"] <= result["compared_99"] <= 1.1 and result["hops_95"] >= 1
    held = 2 * result["vectors_memory"] + result["links_memory"]  # faiss keeps the vectors too
    assert held <= hnsw_search.demand.of(hnsw_search.demand.memory, result.parameters) <= 2 * held


@needs_faiss
def test_ratios_are_of_times(pretended_gpu, monkeypatch):
    monkeypatch.setattr(file, "TRIED", 20)
    result = hnsw_search(vectors=1000, dimension=16)
    assert result["exact_over_95"] == pytest.approx(result["exact_time"] / result["recall_95_time"])
    assert isinstance(result.outputs["exact_over_95"].low, float) and timing.device() == "cpu"


def test_the_figure_of_a_made_up_record():
    drawn = plot.draw(hnsw_search, Result("hnsw_search", "measurement", hnsw_search.bind({}), hnsw_search.checked(made_up())))
    assert "2 at a recall of 95" in drawn.alt
