"""Which notes the page for readers shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from generator.look.notetypes import NoteType
from generator.notes import Entry
from generator.problems import Place, Problem, nearest
from generator.read.deckfile import MOST_SHOWN


def showcase(entries: Sequence[Entry], named: Mapping[str, Place], types: Mapping[str, NoteType]) -> list[Entry]:
    """The notes that deck.yml names, in its order.

    Where it names none: one of each subdeck in turn, again and again, each time of the note type that was shown least, with a picture rather than
    without, and then in reading order. Notes whose cards need a script are left out.
    """
    if named:
        by_id = {entry.id: entry for entry in entries}
        return [by_id[id] for id in named if id in by_id]
    chosen: list[Entry] = []
    seen: Counter[str] = Counter()
    waiting: dict[str, list[Entry]] = {}
    for entry in entries:
        if not any("<script" in side for template in types[entry.type].templates for side in (template.front, template.back)):
            waiting.setdefault(entry.deck, []).append(entry)
    while waiting and len(chosen) < MOST_SHOWN:
        for deck, rest in list(waiting.items())[: MOST_SHOWN - len(chosen)]:
            best = min(rest, key=lambda entry: (seen[entry.type], not entry.media))
            chosen.append(best)
            seen[best.type] += 1
            rest.remove(best)
            if not rest:
                del waiting[deck]
    return chosen


def unknown(entries: Sequence[Entry], named: Mapping[str, Place]) -> Iterator[Problem]:
    """A problem for each note that deck.yml names and that the deck does not hold."""
    ids = {entry.id for entry in entries}
    for id, place in named.items():
        if id not in ids:
            yield Problem(place, f"the showcase names a note {id!r} that the deck does not hold", nearest(id, ids))
