import pytest
from published import published

from kernels import plot
from kernels.library.transformers import _specimens
from kernels.library.transformers.tokenizer_languages import LANGUAGES, tokenizer_languages

pytestmark = published


def test_sentences_are_parallel():
    japanese = _specimens.sentences("japanese", 4)
    assert japanese["Enter a valid URL."] == "URLを正しく入力してください。" and not any("%" in english for english in japanese)
    assert all(len(english.split()) >= 8 for english in _specimens.sentences("german", 8))


def test_english_against_itself_would_be_one():
    """Bytes have no vocabulary: their ratio is the same whoever cuts."""
    a, b = tokenizer_languages(tokenizer="gpt2"), tokenizer_languages(tokenizer="o200k")
    assert all(a[f"{language}_bytes"] == b[f"{language}_bytes"] for language in LANGUAGES)
    pairs = _specimens.sentences("japanese", 5)
    assert a["japanese_bytes"] == pytest.approx(len("".join(pairs.values()).encode()) / len("".join(pairs).encode()))


def test_vocabularies_for_many_languages_are_fairer():
    ratios = [tokenizer_languages(tokenizer=name) for name in ("gpt2", "cl100k", "o200k")]
    for language in LANGUAGES:
        assert ratios[0][language] > ratios[1][language] > ratios[2][language]


def test_the_figure():
    assert "Japanese" in plot.draw(tokenizer_languages, tokenizer_languages()).alt
