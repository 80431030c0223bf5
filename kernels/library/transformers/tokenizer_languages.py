"""The same sentences in many languages, through published tokenizers: tokens over those of the English.

    ratio = tokens of the translations / tokens of their English sentences

Petrov et al. 2023, arXiv 2305.15425 (the measure; there on FLORES-200). The sentences are Django's messages with their translations, each
language held against the English of those sentences that it has (_specimens.py); the tokenizers: _tokenizers.py.
"""

from typing import Annotated

from kernels import Bound, Free, kernel
from kernels.library.transformers import _specimens, _tokenizers

LANGUAGES = tuple(_specimens.LANGUAGES)


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(LANGUAGES, ""),
        **{f"{language}_bytes": "" for language in LANGUAGES},
        **{f"{language}_sentences": "" for language in LANGUAGES},
        "most": "",
        "fewest_sentences": "",
        "most_sentences": "",
    },
    needs=(*_tokenizers.NEEDS, "django"),
)
def tokenizer_languages(
    tokenizer: Annotated[_tokenizers.Name, Free(*_tokenizers.ENDS)] = "llama-3",
    words: Annotated[int, Bound(low=1, high=8), Free(3, 8)] = 5,
):
    """Tokens of Django's messages in each language over those of the same messages in English, by a published tokenizer; and the same of UTF-8 bytes.

    words: only messages of so many English words or more; free between 3, which leaves out buttons and labels, and 8, whole sentences.
    tokenizer: free between five, old and new, small and large, where nobody names one. most: the largest of the ratios. Messages
    with places to be filled in are left out.
    """
    cut = _tokenizers.tokenizer(tokenizer)
    found: dict = {}
    for language in LANGUAGES:
        pairs = _specimens.sentences(language, words)
        found[language] = sum(len(cut.encode(t)) for t in pairs.values()) / sum(len(cut.encode(e)) for e in pairs)
        found[f"{language}_bytes"] = sum(len(t.encode()) for t in pairs.values()) / sum(len(e.encode()) for e in pairs)
        found[f"{language}_sentences"] = len(pairs)
    counts = [found[f"{language}_sentences"] for language in LANGUAGES]
    return {**found, "most": max(found[language] for language in LANGUAGES), "fewest_sentences": min(counts), "most_sentences": max(counts)}


@tokenizer_languages.invariant
def every_language_has_sentences(result):
    """Each language has at least twenty sentences, and no ratio is outside what one token a byte and one a sentence allow."""
    return result["fewest_sentences"] >= 20 and all(0.1 < result[language] < 40 for language in LANGUAGES)


@tokenizer_languages.figure
def draw(result, ax):
    from kernels import plot

    shown = ("german", "turkish", "russian", "chinese", "japanese", "arabic", "greek", "hindi")
    ratios = sorted(((result[language], language.capitalize()) for language in shown), reverse=True)
    plot.bars(ax, {"English": 1.0, **{name: round(ratio, 1) for ratio, name in reversed(ratios)}}, "", highlight="Japanese")
