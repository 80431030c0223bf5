"""Byte-pair encoding by hand: which pairs are merged, in which order.

    repeat: merge the adjacent pair of symbols with the highest count (ties: the pair that is met first)

Sennrich et al. 2016, arXiv 1508.07909, algorithm 1. A word is a tuple of symbols; no merge crosses a word's end.
An underscore names what is no kernel.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

Word = tuple[bytes, ...]
Pair = tuple[bytes, bytes]
Merge = tuple[Pair, int]


def train(words: Iterable[Word], merges: int) -> list[Merge]:
    """Up to `merges` merges in order, each with its pair's count at that moment."""
    counts = Counter(words)
    done: list[Merge] = []
    while len(done) < merges and (pairs := pair_counts(counts)):
        best = max(pairs, key=pairs.__getitem__)  # the first of equals
        done.append((best, pairs[best]))
        counts = merged(counts, best)
    return done


def pair_counts(words: Counter[Word]) -> Counter[Pair]:
    pairs: Counter[Pair] = Counter()
    for word, count in words.items():
        for pair in zip(word, word[1:]):
            pairs[pair] += count
    return pairs


def symbol_counts(words: Counter[Word]) -> Counter[bytes]:
    symbols: Counter[bytes] = Counter()
    for word, count in words.items():
        for symbol in word:
            symbols[symbol] += count
    return symbols


def merged(words: Counter[Word], pair: Pair) -> Counter[Word]:
    after: Counter[Word] = Counter()
    for word, count in words.items():
        after[join(word, pair)] += count
    return after


def join(word: Word, pair: Pair) -> Word:
    """The word with every occurrence of the pair made one symbol, from the left."""
    symbols: list[bytes] = []
    at = 0
    while at < len(word):
        if word[at : at + 2] == pair:
            symbols.append(pair[0] + pair[1])
            at += 2
        else:
            symbols.append(word[at])
            at += 1
    return tuple(symbols)


def letter_words(text: str) -> list[Word]:
    """Words as tuples of characters, without spaces: BPE by hand."""
    return [tuple(letter.encode() for letter in word) for word in text.split()]
