import pytest

from kernels import KernelError, plot
from kernels.library.transformers import _bpe
from kernels.library.transformers.bpe_fertility import EVERYDAY, HELD_OUT, bpe_fertility


def test_without_merges_tokens_are_bytes():
    result = bpe_fertility(merges=0)
    assert all(result[f"{name.lower()}_tokens"] == len(text.encode()) for name, text in HELD_OUT.items())


def test_as_gpt_2_s_loop_cuts():
    learned = _bpe.train(_bpe.byte_words(EVERYDAY), 200)
    rank = {pair: n for n, (pair, _) in enumerate(learned)}
    encode = _bpe.encoder(learned)
    for text in HELD_OUT.values():
        slow: list[bytes] = []
        for word in _bpe.byte_words(text):  # GPT-2's loop: the lowest-ranked pair that is present, again and again
            while pairs := [pair for pair in zip(word, word[1:]) if pair in rank]:
                word = _bpe.join(word, min(pairs, key=rank.__getitem__))
            slow.extend(word)
        assert encode(text) == slow


def test_nothing_is_unknown_and_all_comes_back():
    result = bpe_fertility()
    assert result["unknown"] == 0 and result["round_trip"] == 1 and result["id_errors"] == 0
    assert bpe_fertility(word="Türkiye")["word_bytes"] == 8


def test_training_on_a_text_helps_it():
    plain, japanese, medical = (bpe_fertility(training=name) for name in ("english", "english+japanese", "english+medical"))
    assert japanese["japanese_ratio"] < plain["japanese_ratio"] and medical["fertility_medical"] < plain["fertility_medical"]


def test_merges_that_the_corpus_does_not_have():
    with pytest.raises(KernelError, match="allows only"):
        bpe_fertility(merges=2000)


def test_the_figure():
    assert "Japanese" in plot.draw(bpe_fertility, bpe_fertility()).alt
