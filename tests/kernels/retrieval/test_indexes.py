"""The simulations of IVF, PQ and HNSW, held against faiss, brute force and identities."""

import importlib.util

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, plot
from kernels.library.retrieval import _vectors
from kernels.library.retrieval import pq_recall as pq
from kernels.library.retrieval.hnsw_links import hnsw_links
from kernels.library.retrieval.hnsw_scaling import hnsw_scaling
from kernels.library.retrieval.ivf_recall import between, ivf_recall
from kernels.library.retrieval.pq_recall import decoded, pq_recall

needs_faiss = pytest.mark.skipif(importlib.util.find_spec("faiss") is None, reason="faiss is not installed (pip install faiss-cpu)")


def sample(count: int = 1500, dimension: int = 32, latent: int = 8, seed: int = 0):
    random = torch.Generator().manual_seed(seed)
    return *_vectors.drawn(count, 200, dimension, latent, random), random


def test_vectors_are_of_length_one_and_vary_in_few_directions():
    points, queries, _ = sample()
    assert points.norm(dim=1).sub(1).abs().max() < 1e-5 and len(queries) == 200
    spectrum = torch.linalg.svdvals(points)
    assert spectrum[7] > 2 * spectrum[8]


def test_means_do_no_worse_than_where_they_began_and_assign_to_the_nearest():
    points, _, random = sample()
    start = points[torch.randperm(len(points), generator=torch.Generator().manual_seed(1))[:16]]
    centres = _vectors.means(points, 16, 10, torch.Generator().manual_seed(1))
    distance = torch.cdist(points, centres)
    assert torch.equal(_vectors.assign(points, centres), distance.argmin(1))
    assert distance.min(1).values.square().mean() < torch.cdist(points, start).min(1).values.square().mean()


@needs_faiss
def test_an_inverted_file_of_faiss_with_the_same_centres_finds_the_same():
    import faiss

    ours = ivf_recall.once(vectors=1500, dimension=32, latent=8, lists=20, probes=3)
    points, queries, random = sample()
    centres = _vectors.means(points, 20, 10, random)
    quantizer = faiss.IndexFlatL2(32)
    quantizer.add(centres.numpy())
    index = faiss.IndexIVFFlat(quantizer, 32, 20)
    index.is_trained = True
    index.add(points.numpy())
    index.nprobe = 3
    faiss.cvar.indexIVF_stats.reset()
    places = torch.from_numpy(index.search(queries.numpy(), 10)[1])
    truth = _vectors.nearest(points, queries)
    assert ours["recall"] == pytest.approx(_vectors.found(places, truth), abs=0.002)
    assert ours["read"] == pytest.approx(faiss.cvar.indexIVF_stats.ndis / 200 / 1500, abs=0.002)


def test_recall_between_two_numbers_of_lists():
    read, recall = torch.tensor([0.1, 0.3, 1.0]), torch.tensor([0.5, 0.9, 1.0])
    assert [between(read, recall, share) for share in (0.0, 0.05, 0.2, 1.0)] == pytest.approx([0.0, 0.25, 0.7, 1.0])


def test_reading_all_lists_finds_all_and_blind_lists_find_what_they_read():
    all_of_them = ivf_recall.once(vectors=1200, dimension=16, latent=8, lists=8, probes=8)
    assert all_of_them["recall"] == 1 and all_of_them["read"] == pytest.approx(1) and all_of_them["blind"] == 1
    with pytest.raises(KernelError, match="at most lists"):
        ivf_recall.once(lists=4, probes=5)


@needs_faiss
def test_codes_are_as_exact_as_those_of_faiss():
    """Trained on the same vectors, the squared error of the codes is that of faiss's ProductQuantizer within 10 %."""
    import faiss

    points, _, random = sample(1500, 32, 8)
    ours = (points - decoded(points, 8, random)).square().sum(1).mean()
    other = faiss.ProductQuantizer(32, 8, 8)
    other.train(points.numpy())
    theirs = torch.from_numpy(other.decode(other.compute_codes(points.numpy())))
    assert float(ours / (points - theirs).square().sum(1).mean()) == pytest.approx(1, abs=0.1)


def test_the_product_of_a_code_is_the_sum_over_its_tables(monkeypatch):
    points, queries, random = sample(600, 32, 8)
    approximate = decoded(points, 4, random)
    by_part = sum(q @ v.T for q, v in zip(queries.split(8, 1), approximate.split(8, 1)))
    assert torch.allclose(queries @ approximate.T, by_part, atol=1e-5)
    monkeypatch.setattr(pq, "ROUNDS", 1)
    result = pq_recall.once(vectors=1000, dimension=32, latent=8, code=8, depth=10)
    assert result["recall"] == result["rescored"] and result["saving"] == 16
    with pytest.raises(KernelError, match="divide the dimension"):
        pq_recall.once(dimension=33)


@needs_faiss
def test_a_graph_with_more_links_finds_more_and_is_larger():
    result = hnsw_links.once(vectors=1500, dimension=24, latent=16, construction=40, beam=16)
    found = [result[f"recall_{m}"] for m in (4, 8, 16, 32)]
    assert found == sorted(found) and found[-1] > 0.9 > found[0]
    assert [result[f"bytes_{m}"] // (8 * m) for m in (4, 8, 16, 32)] == [1, 1, 1, 1]


@needs_faiss
def test_a_walk_over_everything_is_the_exact_search():
    points, queries, _ = sample(600, 16, 8)
    index = _vectors.graph(points, 16, 100)
    assert _vectors.walk(index, queries, _vectors.nearest(points, queries), 600)[0] > 0.999
    small = hnsw_scaling.once(vectors=1600, dimension=16, latent=4, construction=40)
    assert (small["small"], small["middle"], small["large"]) == (100, 400, 1600) and small["compared_small"] <= 110
    assert small["growth"] == pytest.approx(small["compared_large"] / small["compared_small"])


@pytest.mark.parametrize(
    ("kernel", "given"),
    [
        (ivf_recall, {"vectors": 1000, "dimension": 16, "latent": 8, "lists": 8, "probes": 2}),
    ],
)
def test_figures(kernel, given):
    assert plot.draw(kernel, kernel.once(**given)).alt


@needs_faiss
def test_figures_of_graphs(monkeypatch):
    monkeypatch.setattr(pq, "ROUNDS", 1)
    assert plot.draw(hnsw_links, hnsw_links.once(vectors=500, dimension=8, latent=4, construction=16)).alt
    assert plot.draw(hnsw_scaling, hnsw_scaling.once(vectors=1600, dimension=8, latent=4, construction=16)).alt
    assert plot.draw(pq_recall, pq_recall.once(vectors=1000, dimension=32, latent=8)).alt
