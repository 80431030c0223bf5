import math

import pytest

from kernels import KernelError, plot
from kernels.library.transformers import _bpe
from kernels.library.transformers.bpe_merges import bpe_merges

CAT = "the cat sat on the mat"


def test_the_paper_s_example():  # Sennrich et al. 2016, section 3.2: low x5, lower x2, newest x6, widest x3, with an end-of-word mark
    words = [tuple(c.encode() for c in word) + (b"_",) for word, n in (("low", 5), ("lower", 2), ("newest", 6), ("widest", 3)) for _ in range(n)]
    merged = [(a + b).decode() for (a, b), _ in _bpe.train(words, 5)]
    assert merged[:3] == ["es", "est", "est_"]
    assert merged[3:] == ["lo", "low"]


@pytest.mark.oracle("bpe_merges", "merges, scores and gains counted by hand")
def test_the_cat_by_hand():
    result = bpe_merges(text=CAT)
    assert [(a + b).decode() for (a, b), _ in _bpe.train(_bpe.letter_words(CAT), 7)][:3] == ["at", "th", "the"]
    assert [result[name] for name in ("first_count", "second_count", "third_count", "symbols", "symbols_after", "repeated", "to_words")] == [
        3,
        2,
        2,
        17,
        10,
        3,
        7,
    ]


def test_wordpiece_s_score_by_hand():
    result = bpe_merges(text=CAT, pair="a t")
    assert result["pair_score"] == pytest.approx(3 / (3 * 5))
    assert result["best_score"] == 1 and result["best_score_count"] == 1  # o and n, each once


def test_a_gain_by_hand():  # eight symbols of two kinds become four of one kind, which are certain
    assert bpe_merges(text="abababab", pair="a b")["pair_gain"] == pytest.approx(8 * math.log(2))


def test_a_pair_that_is_not_there():
    with pytest.raises(KernelError, match="does not occur"):
        bpe_merges(text=CAT, pair="x y")


def test_the_figure():
    assert "the (2 times)" in plot.draw(bpe_merges, bpe_merges(text=CAT)).alt
