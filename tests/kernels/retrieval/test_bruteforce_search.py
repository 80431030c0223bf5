import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot
from kernels.library.machines._devices import DEVICES
from kernels.library.retrieval import bruteforce_search as file
from kernels.library.retrieval.bruteforce_search import bruteforce_search
from kernels.library.retrieval.vector_memory import vector_memory
from kernels.record import Result

pytest_plugins = ("pretended_gpu", "rehearsed")


def made_up():  # not measured: numbers to draw with
    return {
        "bytes": 3.07e9,
        "time_1": 1.1e-3,
        "time_64": 2.5e-3,
        "time_per_query_64": 4e-5,
        "select_share_1": 0.05,
        "select_share_64": 0.2,
        "bandwidth": 2.8e12,
        "of_reading": 0.93,
        "ceiling": 3.0e12,
        "time_10m": 1.1e-2,
        "largest": 10_000_000,
        "recall": 1.0,
        "error": 1e-7,
        "sweep": {"vectors": [10**6, 5 * 10**6, 10**7], "1 query": [1.1e-3, 5.4e-3, 1.1e-2], "64 queries": [2.5e-3, 1.2e-2, 2.4e-2]},
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


def test_its_rehearsal(rehearse):
    result = rehearse.within_memory(bruteforce_search)
    assert result["recall"] == 1
    assert (
        rehearse.expected(bruteforce_search, result, "h100") == pytest.approx(4 * 1000 * 256 / DEVICES["h100"].bandwidth)
        and rehearse.expected(bruteforce_search, result, "gtx-0") is None
    )


def test_times_become_rates(pretended_gpu, monkeypatch):
    monkeypatch.setattr(file, "SIZES", (2000, 4000))
    result = bruteforce_search(vectors=1000, dimension=32)
    assert result["sweep"].x == (1000, 2000, 4000) and result["bytes"] == 128_000
    assert result["time_10m"] == pytest.approx(2500 * result["sweep"].lines["1 query"][-1].value)
    assert result["of_reading"] == pytest.approx(result["bandwidth"] / result["ceiling"])


def test_what_does_not_fit_is_refused(pretended_gpu):
    with pytest.raises(KernelError, match="do not fit"):
        bruteforce_search(vectors=10_000_000)


def test_memory_against_published_numbers():
    """Jegou et al. 2011: 8 bytes stand for a 128-dimensional vector; HNSW with M = 16 links 128 (arXiv 1603.09320, 4.2.3: 60 to 450)."""
    assert vector_memory(vectors=1, dimension=128, pq_bytes=8)["pq_saving"] == 64
    got = vector_memory(vectors=10_000_000, dimension=1536)
    assert got["flat"] == 61_440_000_000 and got["links"] == 1_280_000_000 and got["binary"] == 1_920_000_000
    assert vector_memory(vectors=1_000_000, dimension=1536)["read_time"] == pytest.approx(1.834e-3, rel=1e-3)


def test_the_figures_of_made_up_records():
    drawn = plot.draw(bruteforce_search, Result("bruteforce_search", "measurement", bruteforce_search.bind({}), bruteforce_search.checked(made_up())))
    assert "1 query" in drawn.alt
    assert "HNSW" in plot.draw(vector_memory, vector_memory()).alt
