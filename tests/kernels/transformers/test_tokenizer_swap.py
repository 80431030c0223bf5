from published import published

from kernels.library.transformers.tokenizer_swap import tokenizer_swap

pytestmark = published


def test_with_its_own_tokenizer_nothing_changes():
    result = tokenizer_swap(model="llama-3", tokenizer="llama-3")
    assert result["shared"] == result["same"] == 1 and result["missing"] == 0


def test_llama_3_begins_with_the_vocabulary_of_gpt_4():
    """As its paper says: 100K tokens of tiktoken's and 28K more."""
    result = tokenizer_swap(model="llama-3", tokenizer="cl100k")
    assert result["shared"] == result["same"] == 1 and result["model_vocabulary"] - result["vocabulary"] == 27_979


def test_ids_beyond_a_smaller_vocabulary_are_missing():
    result = tokenizer_swap(model="gpt2", tokenizer="llama-3")
    assert 0 < result["missing"] < 0.1 and result["same"] + result["missing"] < 1
