import pytest
from published import published

from kernels import plot
from kernels.library.transformers import _specimens, _tokenizers
from kernels.library.transformers.tokenizer_texts import TEXTS, tokenizer_texts

pytestmark = published


def test_the_texts_are_what_they_are_said_to_be():
    assert len(_specimens.documents("news")) == 300  # Lee et al. 2005
    assert any("aplasia" in text for text in _specimens.documents("medical"))
    assert any("Apache License" in text for text in _specimens.documents("licences"))
    assert any("QuerySet" in text for text in _specimens.documents("python"))
    assert "propan-2-ol" in _specimens.documents("chemical") or any("propan-2-ol" in name for name in _specimens.documents("chemical"))


def test_a_large_document_by_hand():
    result = tokenizer_texts(tokenizer="cl100k")
    cut = _tokenizers.tokenizer("cl100k")
    tokens = sum(len(cut.pieces(text.strip())) for text in _specimens.documents("news"))
    words = sum(len(text.split()) for text in _specimens.documents("news"))
    assert result["news_tokens"] == tokens and result["news_fertility"] == pytest.approx(tokens / words)
    assert result["news_characters_a_token"] * result["news_fertility"] == pytest.approx(result["news_characters"] / words)


def test_newer_tokenizers_pack_code_tighter_and_none_packs_names():
    old, new = tokenizer_texts(tokenizer="gpt2"), tokenizer_texts(tokenizer="o200k")
    assert new["python_characters_a_token"] > 2 * old["python_characters_a_token"]  # runs of spaces became tokens
    assert all(new[f"{text}_fertility"] < new["chemical_fertility"] for text in TEXTS if text != "chemical")


def test_the_figure():
    assert "medical" in plot.draw(tokenizer_texts, tokenizer_texts()).alt
