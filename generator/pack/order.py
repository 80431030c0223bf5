"""The order in which new cards come: that of reading, but for the notes of a family, which come apart.

In: the notes of a subdeck in reading order. Out: the same notes. Anki buries siblings, the cards of one note, and takes notes of a family for
strangers; all that a package can do is to set them apart. The others keep their order, whatever members come and go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from generator.notes import FAMILY, Entry

APART = 20  # notes between two of a family, where there are as many: the new cards of a day, as Anki has it by itself


def spread(notes: Sequence[Entry]) -> Sequence[Entry]:
    """The first note of a family where it stands, each further one behind other notes that follow, evenly where these are few."""
    family_of = {tags: next((tag for tag in tags if tag.startswith(FAMILY)), "") for tags in {note.tags for note in notes}}
    if not any(family_of.values()):
        return notes
    families = [family_of[note.tags] for note in notes]
    size, others = Counter(families), families.count("")
    begin, come, slots, before = dict[str, int](), Counter[str](), [], 0
    for index, family in enumerate(families):
        at, number = begin.setdefault(family, before) if family else before, come[family] if family else 0
        slots.append((at + number * min(APART, (others - at) / (size[family] - 1)) if number else at, not family, number, index))
        come[family] += 1
        before += not family
    return [notes[index] for *_, index in sorted(slots)]
