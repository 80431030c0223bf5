"""Reranking, its cost and what one vector can rank, held against draws, torch's count of FLOP, brute force and published bounds."""

import itertools
import math

import pytest

from kernels import KernelError, plot
from kernels.library.machines._devices import DEVICES
from kernels.library.retrieval.rerank_hits import rerank_hits
from kernels.library.retrieval.reranker_cost import reranker_cost
from kernels.library.retrieval.top_k_dimension import pair_gap, top_k_dimension


@pytest.mark.oracle("rerank_hits", "20,000 queries drawn: both stages' scores of all documents, sorted")
def test_both_stages_drawn():
    torch = pytest.importorskip("torch")
    numbers = torch.Generator().manual_seed(0)
    n, depth, k, first, second, queries = 400, 40, 5, 2.2, 1.5, 20_000
    one, two = (torch.randn(queries, n, generator=numbers) for _ in range(2))
    one[:, 0] += first
    two[:, 0] += second
    candidates = one.topk(depth, dim=1).indices
    is_there = (candidates == 0).any(1)
    ahead = (two.gather(1, candidates) > two[:, :1]).sum(1)
    rank = torch.where(is_there, ahead + 1, n)
    before = (one > one[:, :1]).sum(1) + 1
    both = first * one + second * two
    fused = ((both > both[:, :1]).sum(1) < k).double().mean()
    result = rerank_hits(documents=n, first=first, second=second, candidates=depth, k=k)
    assert result["ceiling"] == pytest.approx(float(is_there.double().mean()), abs=0.012)
    assert result["after"] == pytest.approx(float((rank <= k).double().mean()), abs=0.012)
    assert result["before"] == pytest.approx(float((before <= k).double().mean()), abs=0.012)
    assert result["fused"] == pytest.approx(float(fused), abs=0.012)
    for name, ranked in (("before", before), ("after", rank)):
        inside = (ranked <= k).double()
        assert result[f"mrr_{name}"] == pytest.approx(float((inside / ranked).mean()), abs=0.012)
        assert result[f"ndcg_{name}"] == pytest.approx(float((inside / (ranked + 1.0).log2()).mean()), abs=0.012)


def test_a_blind_reranker_draws_from_the_candidates_and_a_perfect_one_reaches_the_ceiling():
    blind = rerank_hits(second=0.0, candidates=100, k=10)
    assert blind["kept"] == pytest.approx(0.1, rel=1e-3)
    perfect = rerank_hits(second=12.0)
    assert perfect["after"] == pytest.approx(perfect["ceiling"], rel=1e-6) and perfect["gain"] > 0
    with pytest.raises(KernelError, match="at most documents"):
        rerank_hits(documents=100, candidates=101)


def test_the_curve_of_reranking_passes_through_its_numbers():
    curve = rerank_hits()["sweep"]
    for depth, found, shown in zip(curve.x, curve.values("found"), curve.values("shown")):
        here = rerank_hits(candidates=depth)
        assert found == pytest.approx(here["ceiling"]) and shown == pytest.approx(here["after"])


@pytest.mark.oracle("reranker_cost", "torch's FLOP counter on encoder layers of these shapes")
def test_torch_counts_as_many_flop():
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    d, tokens, layers = 64, 24, 3
    x = torch.empty(tokens, d, device="meta")
    weights = [torch.empty(d, d, device="meta") for _ in range(4)] + [torch.empty(d, 4 * d, device="meta"), torch.empty(4 * d, d, device="meta")]
    q, v = torch.empty(8, 16, device="meta"), torch.empty(16, 16, device="meta")
    with FlopCounterMode(display=False) as counter:
        for _ in range(layers):
            for weight in weights[:4]:
                x @ weight
            (x @ x.T) @ x
            (x @ weights[4]) @ weights[5]
    cross = counter.get_total_flops()
    with FlopCounterMode(display=False) as counter:
        q @ v.T
    result = reranker_cost(layers=layers, width=d, query_tokens=8, document_tokens=16, late_width=16, candidates=5, documents=50)
    assert result["pair"] == cross and result["late_pair"] == counter.get_total_flops() and result["single_pair"] == 128
    assert result["query"] == 5 * cross and result["corpus"] == 50 * cross and result["corpus_over_query"] == 10
    assert result["time"] == pytest.approx(5 * cross / DEVICES["h100"].half) and result["within"] == pytest.approx(0.1 * DEVICES["h100"].half / cross)
    assert result["late_bytes"] == 16 * 16 * 2 and result["single_bytes"] == 256 and result["expected"] > result["time"]


@pytest.mark.oracle("top_k_dimension", "the bound's table as published with margin 0.1 (arXiv 2508.21038), and every pair ranked by brute force")
@pytest.mark.parametrize(
    ("documents", "k", "needed"),
    [(10**3, 2, 6), (10**3, 10, 23), (10**3, 100, 135), (10**5, 2, 10), (10**5, 10, 42), (10**5, 100, 329), (10**7, 2, 14), (10**7, 10, 61)]
    + [(10**7, 100, 521), (10**9, 2, 17), (10**9, 10, 81), (10**9, 100, 713), (10**5, 1000, 2334), (10**7, 1000, 4257)],
)
def test_the_published_table(documents, k, needed):
    assert top_k_dimension(documents=documents, k=k, gap=0.2)["needed"] == pytest.approx(needed, abs=1)


def on_the_curve(n: int):
    """n points of the trigonometric curve in four dimensions, evenly spaced, and their angles."""
    angles = [2 * math.pi * i / n for i in range(n)]
    return [[f(m * t) / math.sqrt(2) for m in (1, 2) for f in (math.cos, math.sin)] for t in angles], angles


def test_four_dimensions_rank_every_pair_first():
    """Each pair of 9 points beats the other seven for the query -(1 - cos(t - a))(1 - cos(t - b)), by less than with the best one."""
    n = 9
    points, angles = on_the_curve(n)
    least = 1.0
    for i, j in itertools.combinations(range(n), 2):
        a, b = angles[i], angles[j]
        query = [math.cos(a) + math.cos(b), math.sin(a) + math.sin(b), -math.cos(a + b) / 2, -math.sin(a + b) / 2]
        length = math.sqrt(sum(x * x for x in query))
        scores = [sum(x * y for x, y in zip(query, point)) / length for point in points]
        least = min(least, min(scores[i], scores[j]) - max(s for at, s in enumerate(scores) if at not in (i, j)))
    assert 0 < least < pair_gap(n)


@pytest.mark.parametrize("n", [6, 9, 30, 90])
def test_the_worst_pairs_gap_is_the_distance_of_two_hulls(n):
    """The best gap is the distance between the hulls of the pair and of the others: least squares over positive weights that sum to 1."""
    optimize, numpy = pytest.importorskip("scipy.optimize"), pytest.importorskip("numpy")
    points, heavy = numpy.array(on_the_curve(n)[0]), 1e4
    found = []
    for other in range(1, n // 2 + 1):
        inside, outside = points[[0, other]], numpy.delete(points, [0, other], axis=0)
        sums = heavy * numpy.repeat([[1.0, 0.0], [0.0, 1.0]], [len(inside), len(outside)], axis=0).T
        rows = numpy.vstack([numpy.hstack([inside.T, -outside.T]), sums])
        weights, _ = optimize.nnls(rows, numpy.array([0, 0, 0, 0, heavy, heavy]), maxiter=20_000)
        found.append(float(numpy.linalg.norm(rows[:4] @ weights)))
    assert min(found) == found[1] == pytest.approx(pair_gap(n), rel=1e-3)


def test_fewer_than_2k_dimensions_fail_by_radon():
    """In three dimensions: two points whose segment meets the hull of three others; no query ranks both before the rest."""
    optimize, numpy = pytest.importorskip("scipy.optimize"), pytest.importorskip("numpy")
    points = numpy.array([[0, 0, 0], [1, 1, 1], [1.2, 0.1, 0.2], [0.1, 1.2, 0.2], [0.2, 0.2, 1.1], [3, 3, -3]], dtype=float)
    wanted, others = points[:2], points[2:]
    rows = [numpy.append(w - s, 1.0) for s in wanted for w in others]  # (w - s).q + gap <= 0
    best = optimize.linprog([0, 0, 0, -1], A_ub=rows, b_ub=[0.0] * len(rows), bounds=[(-1, 1)] * 3 + [(None, 1)])
    assert best.x[3] <= 1e-9 and top_k_dimension(documents=6, k=2)["exact"] == 4


def test_the_number_at_which_pairs_drown_in_rounding():
    count = top_k_dimension()["pair_documents"]
    assert pair_gap(count) >= 2**-24 > pair_gap(count + 1)
    assert top_k_dimension(documents=1000, k=2)["sets"] == pytest.approx(math.log10(math.comb(1000, 2)))
    curve = top_k_dimension()["sweep"]
    assert curve.values("top 10")[4] == pytest.approx(top_k_dimension()["bound"])
    with pytest.raises(KernelError, match="at least 3 k"):
        top_k_dimension(documents=29, k=10)


@pytest.mark.parametrize("kernel", [rerank_hits, reranker_cost, top_k_dimension])
def test_figures(kernel):
    assert plot.draw(kernel, kernel()).alt


def test_the_curve_of_costs_is_linear_in_the_candidates():
    curve = reranker_cost()["sweep"]
    for count, time in zip(curve.x, curve.values("time")):
        assert time == pytest.approx(reranker_cost(candidates=count)["time"])
