"""Oracles: Newton's method on each pair alone, and the singular values of the shifted PMI matrix."""

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.retrieval import skipgram_table as file
from kernels.library.retrieval.skipgram_table import skipgram_table


@pytest.fixture(scope="module")
def full():
    return skipgram_table(negatives=3)


def test_each_pair_alone_wants_the_same(full):
    counts = torch.tensor(file.COUNTS, dtype=torch.float64)
    positive, negative = counts, 3 * counts.sum(1, keepdim=True) * counts.sum(0, keepdim=True) / counts.sum()
    x = torch.zeros_like(counts)
    for _ in range(40):  # Newton on the derivative n s(-x) - m s(x)
        slope = positive * torch.sigmoid(-x) - negative * torch.sigmoid(x)
        x = x + slope / ((positive + negative) * torch.sigmoid(x) * torch.sigmoid(-x))
    assert full["pairs"].values("dot product") == pytest.approx(x.flatten().sort().values.tolist(), abs=1e-2)
    assert list(full["pairs"].x) == pytest.approx(x.flatten().sort().values.tolist(), abs=1e-8)


def test_too_few_dimensions_stay_away(full):
    low = skipgram_table(dimension=1, negatives=3)
    assert low["gap"] > 0.1 > full["gap"] and low["correlation"] < full["correlation"]


def test_another_seed_ends_at_the_same_products(full):
    again = skipgram_table(negatives=3, seed=5)
    assert again["pairs"].values("dot product") == pytest.approx(full["pairs"].values("dot product"), abs=1e-2)


def test_the_figure(full):
    assert "sixteen pairs" in plot.draw(skipgram_table, full).alt
