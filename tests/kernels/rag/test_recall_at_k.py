import numpy as np
import pytest

from kernels import plot
from kernels.library.rag.recall_at_k import recall_at_k


@pytest.mark.oracle("recall_at_k", "scores drawn and ranked")
@pytest.mark.parametrize("others, separation", [(1000, 3.0), (2000, 1.5), (30, 0.0)])
def test_scores_drawn_and_ranked(others, separation):
    draws = np.random.default_rng(2)
    ranks = np.concatenate([1 + (draws.normal(size=(500, others)) > draws.normal(separation, 1, (500, 1))).sum(1) for _ in range(6)])
    got = recall_at_k(k=5, pool=20, chunks=others, separation=separation)
    assert got["recall"] == pytest.approx(np.mean(ranks <= 5), abs=0.025)
    assert got["ceiling"] == pytest.approx(np.mean(ranks <= 20), abs=0.025)


def test_by_quadrature_and_the_binomial():
    from scipy.integrate import quad
    from scipy.stats import binom, norm

    want = quad(lambda x: norm.pdf(x - 4) * binom.cdf(4, 100_000, norm.sf(x)), -4, 12, points=[3, 4, 5])[0]
    assert recall_at_k()["recall"] == pytest.approx(want, abs=1e-6)


def test_the_ends():
    blind = recall_at_k(separation=0, chunks=999, k=100)
    assert blind["recall"] == pytest.approx(0.1, abs=1e-6) and blind["kept_by_chance"] == 0.1
    assert recall_at_k(chunks=1, k=2, pool=2)["recall"] == pytest.approx(1)
    assert recall_at_k(separation=10)["k_needed"] == 1 and recall_at_k(separation=0)["k_needed"] == 201
    assert "reranker" in plot.draw(recall_at_k, recall_at_k()).alt
