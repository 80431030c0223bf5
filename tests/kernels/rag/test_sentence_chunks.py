import pytest

from kernels.library.rag.sentence_chunks import SENTENCES, sentence_chunks
from kernels.library.rag.span_cut import span_cut


def test_by_hand_where_all_sentences_are_alike():
    """Sentences of 10 tokens, chunks of 25: two a chunk packed; of 5 fixed boundaries in 125 tokens some fall between sentences."""
    got = sentence_chunks(seed=0, chunk=25, sentence=10.0, spread=0.01, answer=1)
    assert got["cut_packed"] == 0 and got["fill"] == pytest.approx(0.8, abs=0.001)
    assert got["chunks_ratio"] == pytest.approx(1.25, abs=0.001)
    two = sentence_chunks(seed=0, chunk=25, sentence=10.0, spread=0.01, answer=2)
    assert two["cut_packed"] == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize("answer", [1, 2, 4])
def test_fixed_cuts_are_those_of_the_closed_form(answer):
    """A run of sentences of L tokens begins anywhere in its chunk with nearly equal chance, and the chance of a cut is linear in L."""
    got = sentence_chunks(seed=1, answer=answer)
    assert got["cut_fixed"] == pytest.approx(span_cut(chunk=256, overlap=0, span=25 * answer)["cut"], abs=0.01)


def test_longer_than_a_chunk_is_cut():
    got = sentence_chunks(seed=0, chunk=16, sentence=40.0, spread=0.1, answer=1)
    assert got["cut_fixed"] == got["cut_packed"] == 1 and got["fill"] <= 1
    assert SENTENCES > 1000
