"""How a published tokenizer cuts a word or a short text: its pieces and their bytes.

The same word is cut differently after a space and at the start of a text, since most vocabularies hold a word together with the space
before it. The tokenizers: _tokenizers.py.
"""

from typing import Annotated

from kernels import Free, KernelError, Series, kernel
from kernels.library.transformers import _tokenizers


@kernel(
    kind="simulation",
    outputs={"words": "", "characters": "", "bytes": "B", "tokens": "", "pieces": Series("piece", "B")},
    needs=_tokenizers.NEEDS,
)
def tokenizer_pieces(text: str, tokenizer: Annotated[_tokenizers.Name, Free(*_tokenizers.ENDS)] = "llama-3", space: bool = True):
    """Tokens of a short text in a published tokenizer, after a space or at the start, and the bytes of each.

    words: parted by spaces. characters, bytes: of the text, its leading space not counted; pieces: with it. tokenizer: free between five, old and
    new, small and large, where nobody names one. Mistral's puts a space before every text, whatever `space` says.
    """
    if not text.strip() or text != text.strip():
        raise KernelError(f"tokenizer_pieces: {text!r} must be a text without space around it")
    pieces = _tokenizers.tokenizer(tokenizer).pieces(" " * space + text)
    return {
        "words": len(text.split()),
        "characters": len(text),
        "bytes": len(text.encode()),
        "tokens": len(pieces),
        "pieces": {"piece": list(range(1, len(pieces) + 1)), "bytes": list(map(len, pieces))},
    }


@tokenizer_pieces.invariant
def pieces_add_up(result):
    """The pieces' bytes are the text's, and its space's."""
    space = result.parameters["space"] or result.parameters["tokenizer"] == "mistral-7b"
    return sum(result["pieces"].values("bytes")) == result["bytes"] + space
