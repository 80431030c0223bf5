from collections import Counter

import pytest

from kernels import plot
from kernels.library.rag.rag_fault_grid import rag_fault_grid


@pytest.mark.oracle("rag_fault_grid", "a thousand answers counted into cells")
def test_a_thousand_answers_counted():
    """800 with a relevant context, 760 of them faithful; 200 without, 140 of them faithful."""
    answers = [(True, i < 760) for i in range(800)] + [(False, i < 140) for i in range(200)]
    cells = Counter(answers)
    got = rag_fault_grid(relevant=0.8, faithful_if_relevant=0.95, faithful_if_irrelevant=0.7)
    assert got["relevant_faithful"] == pytest.approx(cells[True, True] / 1000)
    assert got["relevant_unfaithful"] == pytest.approx(cells[True, False] / 1000)
    assert got["irrelevant_faithful"] == pytest.approx(cells[False, True] / 1000)
    assert got["irrelevant_unfaithful"] == pytest.approx(cells[False, False] / 1000)
    assert got["faithful"] == pytest.approx(sum(f for _, f in answers) / 1000)
    failed = [relevant for relevant, faithful in answers if not (relevant and faithful)]
    assert got["retrieval_first"] == pytest.approx(failed.count(False) / len(failed))


def test_nothing_fails():
    assert rag_fault_grid(relevant=1, faithful_if_relevant=1)["retrieval_first"] == 0
    assert "generator" in plot.draw(rag_fault_grid, rag_fault_grid()).alt
