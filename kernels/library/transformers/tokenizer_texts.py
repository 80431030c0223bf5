"""Published tokenizers on texts of five kinds: tokens a word, characters and bytes a token.

    fertility = tokens / words,   words as spaces part them        (Rust et al. 2021, arXiv 2012.15613)

The tokenizers: _tokenizers.py; the texts: _specimens.py. Both come from packages, whose versions stand in the record.
"""

from typing import Annotated

from kernels import Free, kernel
from kernels.library.transformers import _specimens, _tokenizers

TEXTS = ("news", "medical", "licences", "python", "chemical")
PARTS = ("words", "characters", "bytes", "tokens", "fertility", "characters_a_token", "bytes_a_token", "fertility_90")


@kernel(
    kind="simulation",
    outputs={"vocabulary": "", "merged": "", **{f"{text}_{part}": "" for text in TEXTS for part in PARTS}},
    needs=(*_tokenizers.NEEDS, *_specimens.NEEDS),
)
def tokenizer_texts(tokenizer: Annotated[_tokenizers.Name, Free(*_tokenizers.ENDS)] = "llama-3"):
    """A published tokenizer on news, medical definitions, licences, Python code and chemical names: tokens a word, characters and bytes a token.

    fertility: tokens over words of the whole text; fertility_90: the 90th percentile over its documents of ten words or more (over all where none is
    so long). vocabulary: its entries, special tokens counted; merged: entries that stand for bytes. tokenizer: free between five, old
    and new, small and large, where nobody names one.
    """
    cut = _tokenizers.tokenizer(tokenizer)
    found: dict = {"vocabulary": cut.vocabulary, "merged": sum(cut.token(i) is not None for i in range(cut.vocabulary))}
    for text in TEXTS:
        documents = [document.strip() for document in _specimens.documents(text)]
        words = [len(document.split()) for document in documents]
        tokens = [len(cut.encode(document)) for document in documents]
        size = {"characters": sum(map(len, documents)), "bytes": sum(len(d.encode()) for d in documents)}
        long = sorted(t / w for t, w in zip(tokens, words) if w >= 10) or sorted(t / w for t, w in zip(tokens, words))
        found |= {
            f"{text}_words": sum(words),
            f"{text}_characters": size["characters"],
            f"{text}_bytes": size["bytes"],
            f"{text}_tokens": sum(tokens),
            f"{text}_fertility": sum(tokens) / sum(words),
            f"{text}_characters_a_token": size["characters"] / sum(tokens),
            f"{text}_bytes_a_token": size["bytes"] / sum(tokens),
            f"{text}_fertility_90": long[int(0.9 * (len(long) - 1))],
        }
    return found


@tokenizer_texts.invariant
def a_token_is_a_byte_or_more(result):
    """No text has more tokens than bytes, and every byte has a token of its own to fall back to."""
    return all(result[f"{text}_tokens"] <= result[f"{text}_bytes"] for text in TEXTS) and result["merged"] >= 256


@tokenizer_texts.figure
def draw(result, ax):
    from kernels import plot

    names = {"news": "news", "licences": "licences", "medical": "medical", "python": "Python", "chemical": "chemical names"}
    plot.bars(ax, {label: round(result[f"{name}_fertility"], 1) for name, label in names.items()}, "", highlight="medical")
