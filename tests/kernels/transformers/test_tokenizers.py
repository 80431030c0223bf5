import typing

import pytest
from published import published

from kernels.library.models._models import SHAPES
from kernels.library.transformers import _tokenizers
from kernels.library.transformers._tokenizers import tokenizer

pytestmark = published
ALL = typing.get_args(_tokenizers.Name)
KNOWN = {  # what their makers, or other libraries' tests, give
    "gpt2": ("Hello world", [15496, 995]),
    "cl100k": ("tiktoken is great!", [83, 1609, 5963, 374, 2294, 0]),  # OpenAI's cookbook, with the next but one
    "llama-3": ("Hello world", [9906, 1917]),
    "o200k": ("tiktoken is great!", [83, 8251, 2488, 382, 2212, 0]),
}


@pytest.mark.parametrize("name", KNOWN)
def test_ids_that_are_known(name):
    text, ids = KNOWN[name]
    assert tokenizer(name).encode(text) == ids


def test_vocabularies():
    sizes = {name: tokenizer(name).vocabulary for name in ALL}
    assert sizes["gpt2"] == SHAPES["gpt2"].vocab and sizes["llama-3"] == SHAPES["llama-3-8b"].vocab
    assert sizes["mistral-7b"] == 32_000 and sizes["cl100k"] == 100_277 and sizes["o200k"] == 200_019
    assert sizes["deepseek-v3"] == 129_280 and sizes["tekken"] == 2**17 and sizes["qwen"] == 151_643 + 208


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_lost(name):
    text = " Ärzte prüfen 12,345.67 mg; 東京で 🙂\n\tif x:  return  y"
    assert b"".join(tokenizer(name).pieces(text)) == text.encode()


def test_patterns_are_those_of_the_packages():
    assert _tokenizers.LLAMA_3 in (_tokenizers.folder("llama_models") / "llama3" / "tokenizer.py").read_text()
    assert _tokenizers.QWEN in (_tokenizers.folder("dashscope") / "tokenizers" / "qwen_tokenizer.py").read_text()
