"""A beam of two over a tree of three steps, against one that keeps prefixes in a list, and all sequences."""

from __future__ import annotations

import pytest

from kernels import KernelError
from kernels.library.inference.beam_crowded import beam_crowded


def paths(first_a, then_a, last_a, first_b, then_b, last_b):
    """Probabilities by prefix; a rest that no path takes is cut into crumbs, which never rank."""
    tree = {"A": first_a, "AA": then_a, "AAA": last_a, "B": first_b, "BB": then_b, "BC": then_b, "BBB": last_b, "BCB": last_b}

    def probability(prefix):
        product = 1.0
        for k in range(len(prefix)):
            product *= tree[prefix[: k + 1]]
        return product

    return tree, probability


@pytest.mark.oracle("beam_crowded", "a beam that keeps prefixes in a list")
@pytest.mark.parametrize(
    "given", [(0.4, 0.4, 0.9, 0.35, 0.5, 0.5), (0.5, 0.6, 0.9, 0.3, 0.5, 0.5), (0.4, 0.4, 0.9, 0.4, 0.45, 1.0), (0.6, 0.5, 0.1, 0.3, 0.5, 0.9)]
)
def test_a_beam_in_a_list(given):
    tree, probability = paths(*given)
    kept = ["A", "B"]
    for length in (2, 3):
        kept = sorted((p for p in tree if len(p) == length and p[:-1] in kept), key=probability, reverse=True)[:2]
    got = beam_crowded(**dict(zip(("first_a", "then_a", "last_a", "first_b", "then_b", "last_b"), given)))
    assert got["beam"] == pytest.approx(max(map(probability, kept)))
    assert got["greedy"] == pytest.approx(probability("AAA"))
    assert got["best"] == pytest.approx(max(probability(p) for p in tree if len(p) == 3))


def test_a_is_the_likelier_one():
    with pytest.raises(KernelError, match="likelier"):
        beam_crowded(first_b=0.5)
