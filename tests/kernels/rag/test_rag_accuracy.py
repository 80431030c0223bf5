import random

import pytest

from kernels import plot
from kernels.library.rag.rag_accuracy import rag_accuracy


@pytest.mark.oracle("rag_accuracy", "questions played one by one")
@pytest.mark.parametrize("recall, good, bare", [(0.8, 0.9, 0.3), (0.5, 0.6, 0.0), (1.0, 0.7, 0.5), (0.9, 0.4, 0.7)])
def test_questions_played_one_by_one(recall, good, bare):
    dice, n = random.Random(3), 40_000
    cells = {(found, right): 0 for found in (True, False) for right in (True, False)}
    for _ in range(n):
        found = dice.random() < recall
        cells[found, dice.random() < (good if found else bare)] += 1
    got = rag_accuracy(recall=recall, with_context=good, without_context=bare)
    for name, cell in (
        ("read_right", (True, True)),
        ("read_wrong", (True, False)),
        ("missed_right", (False, True)),
        ("missed_wrong", (False, False)),
    ):
        assert got[name] == pytest.approx(cells[cell] / n, abs=0.01)
    assert got["accuracy"] == pytest.approx((cells[True, True] + cells[False, True]) / n, abs=0.01)


def test_repairs_by_running_it_again():
    got, recall, good, bare = rag_accuracy(), 0.8, 0.9, 0.3
    again = lambda r=recall, a=good: rag_accuracy(recall=r, with_context=a, without_context=bare)["accuracy"]  # noqa: E731
    assert got["retrieval_gain"] == pytest.approx(again(r=1.0) - again())
    assert got["generation_gain"] == pytest.approx(again(a=1.0) - again())
    assert got["per_recall"] == pytest.approx((again(r=0.81) - again()) / 0.01)
    assert got["per_generation"] == pytest.approx((again(a=0.91) - again()) / 0.01)
    assert again(r=got["recall_needed"]) == pytest.approx(0.85)


def test_the_ends():
    assert rag_accuracy(without_context=0)["accuracy"] == rag_accuracy(without_context=0)["product"]
    assert rag_accuracy(with_context=0.5, target=0.9)["recall_needed"] > 1
    assert rag_accuracy(with_context=0.2, without_context=0.9)["recall_needed"] == 0
    assert rag_accuracy(with_context=0.2, without_context=0.3, target=0.9)["recall_needed"] > 1
    assert "gold context" in plot.draw(rag_accuracy, rag_accuracy()).alt
