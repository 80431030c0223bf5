import pytest
from published import published

from kernels import KernelError
from kernels.library.transformers import _tokenizers
from kernels.library.transformers.tokenizer_pieces import tokenizer_pieces


@published
def test_words_that_others_have_cut():
    """Llama 3's, as a JavaScript port of its tokenizer cuts them: gli|ob|last|oma and hepat|oc|ellular."""
    assert _tokenizers.tokenizer("llama-3").pieces(" glioblastoma") == [b" gli", b"ob", b"last", b"oma"]
    assert tokenizer_pieces(text="glioblastoma")["pieces"].values("bytes") == [4, 2, 4, 3]
    assert tokenizer_pieces(text="hepatocellular")["tokens"] == 3


@published
def test_a_word_that_only_some_vocabularies_cut_by_its_parts():
    assert _tokenizers.tokenizer("tekken").pieces("Unfriendly") == [b"Un", b"friend", b"ly"]
    assert _tokenizers.tokenizer("llama-3").pieces("Unfriendly") == [b"Un", b"friendly"]
    assert all(_tokenizers.tokenizer(name).pieces(" unfriendly")[0] == b" unf" for name in ("gpt2", "llama-3", "o200k"))


@published
def test_a_space_makes_another_word():
    assert tokenizer_pieces(text="Türkiye", tokenizer="cl100k", space=False)["tokens"] == 3
    assert tokenizer_pieces(text="Türkiye", tokenizer="cl100k")["tokens"] == 2
    assert tokenizer_pieces(text="Türkiye")["bytes"] == 8
    assert tokenizer_pieces(text="America", tokenizer="cl100k", space=False)["tokens"] == 1  # as long, and frequent


@published
def test_sentencepiece_puts_a_space_before_every_text():
    bare, spaced = (tokenizer_pieces(text="Türkiye", tokenizer="mistral-7b", space=space) for space in (False, True))
    assert bare["tokens"] == spaced["tokens"] and sum(bare["pieces"].values("bytes")) == bare["bytes"] + 1


def test_a_text_that_makes_no_sense():
    with pytest.raises(KernelError, match="without space around it"):
        tokenizer_pieces(text=" a")
