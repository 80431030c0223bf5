"""Filters, inverted files, pages, buffers and loads, held against scipy, published index sizes, faiss's counts and played-out streams."""

import math
import random

import pytest

from kernels import KernelError, plot
from kernels.library.retrieval._binomial import among_first, fewer
from kernels.library.retrieval.filtered_search import filtered_search
from kernels.library.retrieval.fresh_segment import fresh_segment
from kernels.library.retrieval.ivf_cost import ivf_cost
from kernels.library.retrieval.pgvector_pages import pgvector_pages
from kernels.library.retrieval.search_load import search_load


@pytest.mark.parametrize(("k", "n", "p"), [(10, 100, 0.1), (1, 50, 0.02), (100, 100_000, 0.001), (3, 5, 0.5), (1, 1, 0.3), (900, 1000, 0.9)])
def test_binomial_tails_are_those_of_scipy(k, n, p):
    stats = pytest.importorskip("scipy.stats")
    assert fewer(k, n, p) == pytest.approx(stats.binom.cdf(k - 1, n, p), rel=1e-8)


def test_ends_of_the_binomial_tail():
    assert (fewer(0, 5, 0.5), fewer(6, 5, 0.5), fewer(1, 5, 0.0), fewer(1, 5, 1.0)) == (0, 1, 1, 0)


@pytest.mark.parametrize(("k", "others", "separation"), [(10, 999_999, 4.75), (1, 99, 3.0), (5, 5, 0.3), (10, 999, 3.0), (1, 10, 0.0), (3, 2, 1.0)])
def test_order_statistics_are_those_of_an_integral_over_the_score(k, others, separation):
    stats, integrate = pytest.importorskip("scipy.stats"), pytest.importorskip("scipy.integrate")

    def density(z):
        return stats.norm.pdf(z - separation) * stats.binom.cdf(k - 1, others, stats.norm.sf(z))

    near = stats.norm.isf(min(0.99, k / (others + 1)))
    whole = integrate.quad(density, separation - 9, separation + 9, limit=500, points=[near])[0]
    assert among_first(k, others, separation) == pytest.approx(whole, abs=1e-4)


@pytest.mark.oracle(
    "filtered_search", "pgvector's README: of 40 candidates and a filter that a tenth passes, 4 are left on average; a draw of 20,000 queries"
)
def test_a_filter_after_the_search():
    result = filtered_search(selectivity=0.1, fetched=40, k=4)
    assert result["passing"] == pytest.approx(4)
    numbers = random.Random(1)
    enough = sum(sum(numbers.random() < 0.1 for _ in range(40)) >= 4 for _ in range(20_000)) / 20_000
    assert result["enough"] == pytest.approx(enough, abs=0.015)


def test_the_least_number_fetched_is_the_least():
    needed = filtered_search(selectivity=0.05, k=10, sure=0.9)["needed"]
    assert filtered_search(selectivity=0.05, fetched=needed)["enough"] >= 0.9 > filtered_search(selectivity=0.05, fetched=needed - 1)["enough"]
    assert filtered_search(selectivity=1.0)["needed"] == 10


def test_either_order_compares_as_many_at_the_break_even():
    result = filtered_search()
    there = filtered_search(selectivity=result["break_even"])
    assert there["before"] == pytest.approx(there["after"])
    curve = result["sweep"]
    for x, first, last in zip(curve.x, curve.values("filter first"), curve.values("filter last")):
        here = filtered_search(selectivity=x)
        assert first == pytest.approx(here["before"]) and last == pytest.approx(min(here["after"], 10_000_000))
    assert result["full"].values("enough")[-1] == 1


@pytest.mark.oracle("ivf_cost", "faiss: distances that an IVF index of lists of equal length computes, and the bytes of its centres, codes and ids")
def test_faiss_compares_as_many_and_holds_as_many_bytes():
    faiss, numpy = pytest.importorskip("faiss"), pytest.importorskip("numpy")
    centres = 100 * numpy.eye(8, dtype="float32")
    vectors = numpy.repeat(centres, 25, axis=0) + numpy.random.default_rng(0).normal(size=(200, 8)).astype("float32")
    quantizer = faiss.IndexFlatL2(8)
    quantizer.add(centres)
    index = faiss.IndexIVFFlat(quantizer, 8, 8)
    index.is_trained, index.nprobe = True, 3
    index.add(vectors)
    faiss.cvar.indexIVF_stats.reset()
    index.search(vectors[:40], 1)
    ours = ivf_cost(vectors=200, dimension=8, lists=8, probes=3, code=32, id_bytes=8)
    assert ours["compared"] - 8 == faiss.cvar.indexIVF_stats.ndis / 40
    held = sum(index.invlists.list_size(i) for i in range(8)) * (index.code_size + 8) + centres.nbytes
    assert ours["total"] == held and ours["list_length"] == 25 and ours["share"] == 3 / 8


def test_no_other_number_of_lists_compares_less():
    best = ivf_cost(vectors=1_000_000, probes=4)["best_lists"]
    least = ivf_cost(vectors=1_000_000, lists=round(best), probes=4)
    assert best == 2000 and least["compared"] == least["least"] == 4000
    assert all(ivf_cost(vectors=1_000_000, lists=lists, probes=4)["compared"] > 4000 for lists in (1500, 2500))
    assert min(ivf_cost()["sweep"].values("compared")) == pytest.approx(ivf_cost()["least"])
    with pytest.raises(KernelError, match="probes must be at most lists"):
        ivf_cost(lists=4, probes=8)


@pytest.mark.oracle("pgvector_pages", "sizes that users of pgvector report: issues 688, 690 and 370")
@pytest.mark.parametrize(
    ("given", "mebibytes", "within"),
    [
        ({"vectors": 500_000, "dimension": 1536, "links": 8}, 3906, 2e-4),
        ({"vectors": 500_000, "dimension": 1536, "links": 16}, 3906, 2e-4),
        ({"vectors": 500_000, "dimension": 1536, "links": 32}, 3906, 2e-4),
        ({"vectors": 1_000_000, "dimension": 768, "links": 24}, 3904, 1e-3),
        ({"vectors": 900_000, "dimension": 1280, "links": 16}, 7036, 2e-3),
    ],
)
def test_sizes_that_users_report(given, mebibytes, within):
    assert pgvector_pages(**given)["index"] / 2**20 == pytest.approx(mebibytes, rel=within)


def test_pages_by_hand():
    """halfvec of 1,536: 72 + 8 + 3072 = 3152 and 4 + 192 = 196, rounded to 200, and 8 of line pointers: 3360, two to a page of 8160."""
    half = pgvector_pages(vectors=3, type="halfvec")
    assert half["per_page"] == 2 and half["index"] == 2 * 8192 and half["used"] == 6720 / 8160
    assert pgvector_pages(type="bit")["per_page"] == 8160 // (72 + 8 + 192 + 200 + 8)
    assert pgvector_pages()["over"] == 8192 / (6144 + 128)
    most = pgvector_pages()["fits_two"]
    assert pgvector_pages(dimension=most)["per_page"] == 2 and pgvector_pages(dimension=most + 1)["per_page"] == 1
    with pytest.raises(KernelError, match="at most 2000 dimensions"):
        pgvector_pages(dimension=2001)
    with pytest.raises(KernelError, match="spill over a page"):
        pgvector_pages(dimension=2000, links=100) and pgvector_pages(dimension=4000, type="halfvec", links=20)


@pytest.mark.oracle("fresh_segment", "a stream of writes and queries played out second by second")
def test_a_buffer_played_out():
    waiting, seen, merged = 0, [], 7
    for second in range(7000):
        waiting = 0 if second % merged == 0 else waiting
        seen.append(waiting)
        waiting += 3
    result = fresh_segment(writes=3.0, interval=7.0, compared=10.0, vector_bytes=4)
    assert result["waiting"] == pytest.approx(sum(seen) / len(seen) + 1.5)  # within the second, half of its writes are there
    assert result["buffer_share"] == 10.5 / 20.5 and result["bytes_a_query"] == 82 and result["waiting_most"] == 21


def test_dead_vectors_played_out():
    """Each deletion goes with an insertion, so that the graph grows while the live ones stay as many."""
    live, dead = 1000, 0
    for _ in range(250):
        dead += 1
    result = fresh_segment(vectors=1000, deletes=1.0, rebuild=250.0, k=8)
    assert result["dead"] == dead / (live + dead) == 0.2 and result["candidates"] == 10
    even = fresh_segment(interval=fresh_segment()["even_interval"])
    assert even["buffer_share"] == pytest.approx(0.5)


@pytest.mark.oracle("search_load", "bytes of numpy arrays that a loop of queries reads, counted")
def test_bytes_of_a_second_of_queries():
    numpy = pytest.importorskip("numpy")
    vectors, read, lines = numpy.zeros((50, 24), dtype="float32"), 0, 0
    for _ in range(7):
        read += sum(row.nbytes for row in vectors)
        lines += 5 * math.ceil(vectors[0].nbytes / 64)
    result = search_load(vectors=50, vector_bytes=vectors[0].nbytes, compared=5.0, rate=7.0, batch=7, bandwidth=1e6)
    assert result["exact"] == read and result["batched"] == vectors.nbytes and result["lines"] == lines
    assert result["index"] == 7 * 5 * 96 and result["machines_exact"] == read / 1e6


@pytest.mark.parametrize("kernel", [filtered_search, ivf_cost, pgvector_pages, fresh_segment, search_load])
def test_figures(kernel):
    assert plot.draw(kernel, kernel()).alt


def test_curves_pass_through_their_numbers():
    buffer, load, pages = fresh_segment()["sweep"], search_load()["sweep"], pgvector_pages()["dimensions"]
    for x, waiting, compared in zip(buffer.x, buffer.values("buffer"), buffer.values("index")):
        assert (waiting, compared) == (fresh_segment(interval=float(x))["waiting"], 2000)
    for x, exact, index in zip(load.x, load.values("exact"), load.values("index")):
        here = search_load(rate=float(x))
        assert (exact, index) == pytest.approx((here["exact"], here["index"]))
    for x, held, plain in list(zip(pages.x, pages.values("pages"), pages.values("fp32 and links")))[::20]:
        here = pgvector_pages(dimension=x, vectors=1)
        assert (held, plain) == (here["per_vector"], here["plain"])
    lists = ivf_cost(probes=1)["sweep"]
    whole = [x for x in lists.x if float(x).is_integer()]
    assert all(lists.values("compared")[lists.x.index(x)] == ivf_cost(lists=int(x), probes=1)["compared"] for x in whole)
    assert lists.values("compared") == pytest.approx(lists.values("compared")[::-1])  # alike in L and p N / L
