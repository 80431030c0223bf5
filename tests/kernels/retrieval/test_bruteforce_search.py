import importlib.util

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot
from kernels.library.retrieval import bruteforce_search as file
from kernels.library.retrieval import hnsw_search as graph
from kernels.library.retrieval.bruteforce_search import bruteforce_search
from kernels.library.retrieval.hnsw_search import hnsw_search
from kernels.library.retrieval.vector_memory import vector_memory
from kernels.record import Result

pytest_plugins = ("pretended_gpu",)

needs_faiss = pytest.mark.skipif(importlib.util.find_spec("faiss") is None, reason="faiss is not installed (pip install faiss-cpu)")


def made_up():  # not measured: numbers to draw with
    return {
        "bytes": 3.07e9,
        "time_1": 1.1e-3,
        "time_64": 2.5e-3,
        "time_per_query_64": 4e-5,
        "select_share_1": 0.05,
        "select_share_64": 0.2,
        "bandwidth": 2.8e12,
        "of_copy": 0.93,
        "ceiling": 3.0e12,
        "time_10m": 1.1e-2,
        "largest": 10_000_000,
        "recall": 1.0,
        "error": 1e-7,
        "sweep": {"vectors": [10**6, 5 * 10**6, 10**7], "1 query": [1.1e-3, 5.4e-3, 1.1e-2], "64 queries": [2.5e-3, 1.2e-2, 2.4e-2]},
    }


def made_up_graph():  # not measured either
    return {
        "recall_95_time": 1e-4,
        "recall_99_time": 3e-4,
        "recall_95_beam": 32,
        "recall_99_beam": 128,
        "best_recall": 0.998,
        "exact_time": 2e-4,
        "exact_over_95": 2.0,
        "exact_over_99": 0.67,
        "build_time": 20.0,
        "cores": 16,
        "links_memory": 1.4e8,
        "vectors_memory": 3.84e8,
        "latency": {"recall": [0.9, 0.95, 0.99], "HNSW": [5e-5, 1e-4, 3e-4]},
        "recalls": {"beam": [16, 32, 128], "HNSW": [0.9, 0.95, 0.99]},
    }


def test_the_search_finds_what_sorting_finds():
    v, q = file.points(500, 24, "cpu"), file.points(3, 24, "cpu", seed=1)
    best = sorted(range(500), key=lambda i: -float(v[i].double() @ q[1].double()))[:7]
    assert file.search(v, q, 7)[1][1].tolist() == best == file.search(v, q[1:2], 7)[1][0].tolist()
    error, recall = file.verified(v, q, 7)
    assert error < 1e-6 and recall == 1


def test_the_points_are_unit_vectors_about_one_subspace():
    v, q = file.points(300, 256, "cpu"), file.points(300, 256, "cpu", seed=1)
    assert torch.allclose(v.norm(dim=1), torch.ones(300)) and not torch.equal(v, q)
    for few in (v, torch.cat([v, q])):
        spectrum = torch.linalg.svdvals(few)
        assert spectrum[file.LATENT - 1] > 2 * spectrum[file.LATENT]


def test_it_runs_from_end_to_end(pretended_gpu, monkeypatch):
    monkeypatch.setattr(file, "SIZES", (2000, 4000))
    result = bruteforce_search(vectors=1000, dimension=32)
    assert result["sweep"].x == (1000, 2000, 4000) and result["recall"] == 1 and result["bytes"] == 128_000
    assert result["time_10m"] == pytest.approx(2500 * result["sweep"].lines["1 query"][-1].value)


def test_what_does_not_fit_is_refused(pretended_gpu):
    with pytest.raises(KernelError, match="do not fit"):
        bruteforce_search(vectors=10_000_000)


@needs_faiss
def test_a_wider_beam_finds_more_until_it_finds_all():
    v, q = file.points(2000, 32, "cpu"), file.points(20, 32, "cpu", seed=1)
    truth = file.search(v, q, graph.K)[1].numpy()
    index, seconds = graph.build(v.numpy(), links=8, construction=40)
    recalls = [graph.walked(index, q.numpy(), truth, beam)[0] for beam in (10, 2000)]
    assert recalls[0] <= recalls[1] and recalls[1] > 0.99 and seconds > 0
    assert graph.graph_bytes(index) >= 2000 * 2 * 8 * 4  # 2 M places of 4 bytes in the bottom layer


def test_the_smallest_beam_that_reaches_a_recall():
    found = {16: (0.9, None), 32: (0.96, None), 64: (0.97, None)}
    assert graph.first_beam(found, 0.95) == 32
    with pytest.raises(KernelError, match="best: 97.0%"):
        graph.first_beam(found, 0.99)


@needs_faiss
def test_the_graph_search_runs_from_end_to_end(pretended_gpu):
    result = hnsw_search(vectors=1000, dimension=16)
    assert result["recall_99_beam"] >= result["recall_95_beam"] and result["vectors_memory"] == 64_000


def test_memory_against_published_numbers():
    """Jegou et al. 2011: 8 bytes stand for a 128-dimensional vector; HNSW with M = 16 links 128 (arXiv 1603.09320, 4.2.3: 60 to 450)."""
    assert vector_memory(vectors=1, dimension=128, pq_bytes=8)["pq_saving"] == 64
    got = vector_memory(vectors=10_000_000, dimension=1536)
    assert got["flat"] == 61_440_000_000 and got["links"] == 1_280_000_000 and got["binary"] == 1_920_000_000
    assert vector_memory(vectors=1_000_000, dimension=1536)["read_time"] == pytest.approx(1.834e-3, rel=1e-3)


def test_the_figures_of_made_up_records():
    drawn = plot.draw(bruteforce_search, Result("bruteforce_search", "measurement", bruteforce_search.bind({}), bruteforce_search.checked(made_up())))
    assert "1 query" in drawn.alt
    drawn = plot.draw(hnsw_search, Result("hnsw_search", "measurement", hnsw_search.bind({}), hnsw_search.checked(made_up_graph())))
    assert "exact on the GPU: 200 µs" in drawn.alt
    assert "HNSW" in plot.draw(vector_memory, vector_memory()).alt
