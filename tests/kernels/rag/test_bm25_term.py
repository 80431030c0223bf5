import math

import pytest

from kernels import KernelError, plot
from kernels.library.rag.bm25_term import bm25_term

TEXTS = ["red fox red fox red", "the dog and the cat and the fox", "a dog", "no animal is here at all in this long line of words", "cat"]


@pytest.mark.oracle("bm25_term", "scikit-learn's counts and idf of five texts, put into BM25 as matrices")
@pytest.mark.parametrize("word, number", [("fox", 0), ("fox", 1), ("dog", 2), ("the", 1), ("red", 0)])
def test_five_texts_counted_by_scikit_learn(word, number):
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(token_pattern=r"\S+")
    counts = vectorizer.fit_transform(TEXTS).toarray()
    lengths, holding = counts.sum(1), (counts > 0).sum(0)
    scores = counts * 2.2 / (counts + 1.2 * (0.25 + 0.75 * lengths / lengths.mean())[:, None]) * np.log(1 + (5 - holding + 0.5) / (holding + 0.5))
    column = vectorizer.vocabulary_[word]
    got = bm25_term(
        count=int(counts[number, column]), length=float(lengths[number] / lengths.mean()), documents=5, holding=int(holding[column]), common=5
    )
    assert got["weight"] == pytest.approx(scores[number, column])


def test_limits():
    assert bm25_term(count=0)["weight"] == 0 and bm25_term(count=1_000_000)["of_limit"] == pytest.approx(1, abs=1e-5)
    assert bm25_term(count=1, length=1.0)["saturation"] == 1
    assert bm25_term(b=0, length=50.0)["saturation"] == bm25_term(b=0, length=1.0)["saturation"]
    assert bm25_term(k1=0)["saturation"] == 1
    assert bm25_term(documents=100, holding=100, common=1)["idf"] == pytest.approx(math.log(1 + 0.5 / 100.5))
    with pytest.raises(KernelError, match="at most documents"):
        bm25_term(documents=10, holding=11, common=1)
    assert "limit" in plot.draw(bm25_term, bm25_term()).alt
