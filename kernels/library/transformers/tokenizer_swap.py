"""One model's ids read by another: which of them mean the same, and which do not exist.

Text is cut by one published tokenizer and its ids are looked up in the vocabulary of another (_tokenizers.py), as a model does whose
tokenizer was exchanged. The text is news (_specimens.py).
"""

from typing import Annotated

from kernels import Free, kernel
from kernels.library.transformers import _specimens, _tokenizers


@kernel(
    kind="simulation",
    outputs={"vocabulary": "", "model_vocabulary": "", "shared": "", "tokens": "", "same": "", "missing": ""},
    needs=(*_tokenizers.NEEDS, "gensim"),
)
def tokenizer_swap(
    model: Annotated[_tokenizers.Name, Free("gpt2", "cl100k", "deepseek-v3", "o200k")] = "deepseek-v3",
    tokenizer: _tokenizers.Name = "llama-3",
):
    """What becomes of news cut by one published tokenizer in a model that was trained with another.

    shared: share of the tokenizer's tokens that the model's vocabulary holds too, under whatever id. tokens: of the text; same: share of its ids
    that stand for the same bytes in the model's vocabulary; missing: share of them for which the model has no row. model: free between a smaller
    vocabulary, a related one and a larger one where nobody names it.
    """
    ours, theirs = _tokenizers.tokenizer(tokenizer), _tokenizers.tokenizer(model)
    mine = {token for i in range(ours.vocabulary) if (token := ours.token(i)) is not None}
    known = {token for i in range(theirs.vocabulary) if (token := theirs.token(i)) is not None}
    ids = [i for article in _specimens.documents("news") for i in ours.encode(article)]
    return {
        "vocabulary": ours.vocabulary,
        "model_vocabulary": theirs.vocabulary,
        "shared": len(mine & known) / len(mine),
        "tokens": len(ids),
        "same": sum(ours.token(i) == theirs.token(i) for i in ids) / len(ids),
        "missing": sum(i >= theirs.vocabulary for i in ids) / len(ids),
    }


@tokenizer_swap.invariant
def its_own_ids_are_all_right(result):
    """With its own tokenizer a model reads every id as it was meant."""
    return result.parameters["model"] != result.parameters["tokenizer"] or (result["same"] == 1 and result["missing"] == 0)
