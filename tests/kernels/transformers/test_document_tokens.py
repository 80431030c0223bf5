import pytest

from kernels.library.transformers.document_tokens import document_tokens


@pytest.mark.oracle("document_tokens", "multiplied by hand")
def test_pages_words_and_tokens():
    got = document_tokens(pages=200, words=400, tokens_per_word=1.33, window=128_000, reserve=4_000)
    assert got["tokens"] == pytest.approx(106_400) and got["room"] == 124_000 and got["spare"] == pytest.approx(17_600)
    assert got["share"] == pytest.approx(106_400 / 128_000) and (got["sparse"], got["dense"]) == (65_000, 160_000)
    assert document_tokens(window=10, reserve=20)["room"] == 0
