"""Two steps of a beam on a small tree, against one that is searched by hand in a dictionary."""

from __future__ import annotations

import pytest

from kernels import KernelError, plot
from kernels.library.inference.beam_paths import beam_paths


def search(tree, width):
    """The best of the sequences that a beam of that width ends with."""
    prefixes = sorted(((p, token) for token, (p, _) in tree.items()), reverse=True)[:width]
    return max(p * then for p, token in prefixes for then in tree[token][1])


@pytest.mark.oracle("beam_paths", "a beam over a dictionary of prefixes")
@pytest.mark.parametrize(("first_a", "then_a", "first_b", "then_b"), [(0.5, 0.4, 0.4, 0.9), (0.6, 0.9, 0.3, 0.9), (0.5, 0.5, 0.5, 0.7)])
def test_beams_over_a_dictionary(first_a, then_a, first_b, then_b):
    tree = {"A": (first_a, [then_a, 1 - then_a]), "B": (first_b, [then_b, 1 - then_b]), "C": (1 - first_a - first_b, [1.0])}
    got = beam_paths(first_a=first_a, then_a=then_a, first_b=first_b, then_b=then_b)
    assert got["beam"] == pytest.approx(search(tree, 2))
    assert got["greedy"] == pytest.approx(tree["A"][0] * then_a)
    assert got["other_most"] == pytest.approx(tree["C"][0], abs=1e-12)


def test_a_is_the_likelier_one():
    with pytest.raises(KernelError, match="likelier"):
        beam_paths(first_a=0.3)


def test_the_figure():
    assert "Greedy takes A" in plot.draw(beam_paths, beam_paths()).alt
