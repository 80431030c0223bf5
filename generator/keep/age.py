"""How old what a note says has become: which notes are to be reviewed, and what is packed of those that were not.

In: a Built, whose notes bear the day by which they are to be reviewed. Out: the same, in which each note that was overdue on a day says so at
the foot of its back. That day is the last release's, which the lock has, or a release's own: no other build looks at the clock, so that the
same commit gives the same bytes on any day, and what was released stays as it was until the note is reviewed. `check` tells by today.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable

from generator.keep.cache import Cache, key
from generator.keep.deck import Built
from generator.keep.sheets import END
from generator.look.notetypes import NoteType
from generator.notes import Entry, Sheet
from generator.pack.lock import hash_of_packed
from generator.problems import Problem

FOOT = "Footer"


def told(day: str) -> str:
    """A day as a reader has it: 1 November 2027."""
    return time.strftime("%d %B %Y", time.strptime(day, "%Y-%m-%d")).lstrip("0")


def overdue(entries: Iterable[Entry], at: int) -> list[Problem]:
    """A warning for each note whose day is past."""
    return [
        Problem(
            entry.place, f"the note {entry.id!r} is to be reviewed since {told(entry.review_by)}", "mend what is no longer so, and move review_by on"
        )
        for entry in entries
        if entry.is_overdue(at)
    ]


def ahead(entries: Iterable[Entry], at: int) -> list[str]:
    """How many notes are to be reviewed by each day that is still to come."""
    days = Counter(entry.review_by for entry in entries if entry.review_by and not entry.is_overdue(at))
    return [f"to be reviewed by {told(day)}: {count} note{'s' * (count != 1)}" for day, count in sorted(days.items())]


def aged(built: Built, at: int) -> Built:
    """The deck in which each note that is overdue at a time says so on its back, where its type has a foot."""
    if not any(_says(entry, built, at) for sheet in built.sheets for entry in sheet.entries):
        return built
    return built._replace(sheets=tuple(_sheet(sheet, built, at) for sheet in built.sheets))


def foot_of(day: str) -> str:
    """What the back of a note says whose day is past."""
    return f'<p class="overdue">To be reviewed since {told(day)}</p>'


def _says(entry: Entry, built: Built, at: int) -> bool:
    return entry.is_overdue(at) and FOOT in built.types[entry.type].fields


def _sheet(sheet: Sheet, built: Built, at: int) -> Sheet:
    if not any(_says(entry, built, at) for entry in sheet.entries):
        return sheet
    facts = sheet.facts.split("\n")
    entries = list(sheet.entries)
    for number, entry in enumerate(sheet.entries):
        if _says(entry, built, at):
            entries[number] = _note(entry, built.types[entry.type], built.cache)
            facts[number] = json.dumps({**json.loads(facts[number]), "hash": entries[number].hash}, ensure_ascii=False)
    return sheet._replace(entries=tuple(entries), facts="\n".join(facts))


def _note(entry: Entry, kind: NoteType, cache: Cache) -> Entry:
    """The note with its foot, whose text lies in the cache beside that of the note without."""
    head, *texts = cache.need(entry.pieces[0]).decode().split(END)
    fields = dict(zip(kind.fields, texts, strict=True))
    fields[FOOT] = "\n".join(filter(None, (fields[FOOT], foot_of(entry.review_by))))
    piece = key("aged", entry.pieces[0], fields[FOOT])
    cache.put(piece, END.join([head, *fields.values()]).encode())
    return entry._replace(hash=hash_of_packed(entry.type, entry.tags, fields.values()), pieces=(piece, *entry.pieces))
