"""Fronts that ask nearly the same, over a whole deck.

In: the words of each front. Out: pairs. Two sets that have most of their words in common share one of their rarest few, so that only notes that
do are compared: a deck of ten thousand takes as long as its rare words are frequent, not the square of its notes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from math import ceil

SHARED = 0.75  # of all words of two fronts, from which on they are near-duplicates


def near_duplicates(fronts: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, str]]:
    """(note, an earlier one) for each note whose front shares most of its words with that of an earlier one. Cases of one family are meant to."""
    often = Counter(word for front in fronts.values() for word in front)
    begun: defaultdict[str, list[str]] = defaultdict(list)
    for id, front in fronts.items():
        rarest = sorted(front, key=lambda word: (often[word], word))[: len(front) - ceil(SHARED * len(front)) + 1]
        earlier = dict.fromkeys(other for word in rarest for other in begun[word])
        for other in earlier:
            if len(front & fronts[other]) >= SHARED * len(front | fronts[other]) and not _family(id, other):
                yield id, other
                break
        for word in rarest:
            begun[word].append(id)


def _family(id: str, other: str) -> bool:
    return "--" in id and id.partition("--")[0] == other.partition("--")[0]
