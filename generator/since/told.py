"""The changes in words, for people who never saw the deck's files: what an importer will do, then what came, changed and went, by subdeck.

In: the changes. Out: Markdown for a change log, or the same as plain text, for AnkiWeb say.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from generator.notes import Deck, Entry
from generator.since.changes import Change, Changes, Field

QUIET = ("Breadcrumb", "Expected", "Footer", "Tags")  # fields that repeat others, or say where a note stands: told where nothing else differs
NAMES = {"Footer": "Sources"}  # of fields, as a reader knows them, where that is another word
ONE = {"notes": "note", "them": "it", "its": "its"}
MORE = {"notes": "notes", "them": "them", "its": "their"}
KEPT = 6  # words around what differs
GROUPS = {
    "new": "New",
    "changed": "Changed",
    "moved": "Moved",
    "retired": "Retired",
    "withheld": "Waiting for a result",
    "vanished": "No longer in the deck",
}
WHAT = {
    "new": "{} new {notes}: Anki adds {them}.",
    "changed": "{} changed {notes}: Anki replaces {its} text, and a learner's own edits and tags on {them} go; schedules stay.",
    "retired": "{} retired {notes}: learners keep {them} until they delete {them}.",
    "withheld": "{} {notes} left out until a result is there: learners who have {them} keep {them}.",
    "vanished": "{} {notes} no longer in the deck: learners keep {them} until they delete {them}.",
    "moved": "{} {notes} moved to another subdeck: learners who have {them} find the cards where they were.",
}


def importer(found: Changes) -> list[str]:
    """What Anki's importer will do, a sentence each."""
    counts = {status: len(found.moved if status == "moved" else found.of(status)) for status in WHAT}
    said = [what.format(f"{count:,}", **(ONE if count == 1 else MORE)) for status, what in WHAT.items() if (count := counts[status])]
    kinds: dict[str, list[str]] = {}
    for name, what in found.types:
        kinds.setdefault(what, []).append(name.removeprefix(f"{found.name}: "))
    said += [f"Note type{'s' * (len(some) > 1)} {_listed(some)}: {what.format(**(ONE if len(some) == 1 else MORE))}." for what, some in kinds.items()]
    retyped = sum(field.name == "Note type" for note in found.notes for field in note.fields)
    said += [f"{retyped:,} of the changed notes have another note type: Anki leaves those as learners have them."] if retyped else []
    if gone := sum(note.gone for note in found.notes):
        have, them = ("s have", "them") if gone > 1 else (" has", "it")
        said.append(f"{gone:,} card{have} nothing to ask any more: Anki leaves {them} empty, until Empty Cards is run.")
    return said or ["Nothing changed."]


def first(deck: Deck, notes: Sequence[Entry]) -> str:
    """The change log of a first release, before which there was nothing."""
    counts = Counter(subdeck(note.deck, deck.name) if note.deck != deck.name else deck.name for note in notes)
    said = [
        f"# {_escaped(f'{deck.name} {deck.version}')}: the first release",
        "",
        *(f"- {_escaped(name)}: {_notes(many)}" for name, many in [("All", len(notes)), *counts.items()]),
    ]
    return "\n".join(said) + "\n"


def markdown(found: Changes, version: str = "") -> str:
    """version: of the release that brings the changes."""
    name = f"{found.name} {version}".strip()
    said = [f"# {_escaped(name)}: changes since {_escaped(found.since)}", "", *(f"- {_escaped(line)}" for line in importer(found))]
    for title, notes in by_subdeck(found):
        said += ["", f"## {_escaped(title)}"]
        for status, group in notes.items():
            said += ["", f"### {GROUPS[status]}", ""]
            for note in group:
                said += [f"- **{_escaped(note.side.title)}**{_escaped(_behind(note, status))}"]
                said += [f"  - {_escaped(line)}" for line in (_sentences(note) if status == "changed" else ())]
    return "\n".join(said) + "\n"


def text(found: Changes) -> str:
    said = [f"{found.name}: changes since {found.since}", "", *importer(found)]
    for title, notes in by_subdeck(found):
        said += ["", title.upper()]
        for status, group in notes.items():
            said += ["", f"{GROUPS[status]}:"]
            for note in group:
                said += [f"- {note.side.title}{_behind(note, status)}"]
                said += [f"    {line}" for line in (_sentences(note) if status == "changed" else ())]
    return "\n".join(said) + "\n"


def by_subdeck(found: Changes) -> list[tuple[str, dict[str, list[Change]]]]:
    """The notes of each subdeck by what became of them; a note that moved stands where it is now."""
    decks: dict[str, dict[str, list[Change]]] = {}
    for note in found.notes:
        groups = decks.setdefault(subdeck(note.side.deck, found.name), {})
        for status in filter(None, (note.status, "moved" if note.moved else "")):
            groups.setdefault(status, []).append(note)
    return [(title, {status: decks[title][status] for status in GROUPS if status in decks[title]}) for title in decks]


def subdeck(deck: str, name: str) -> str:
    """ "Inference › Caches" of "Interviews::Inference::Caches"."""
    return deck.removeprefix(f"{name}::").replace("::", " › ") or "Elsewhere"


def _listed(words: Sequence[str]) -> str:
    """one, two and three"""
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last


def _notes(count: int) -> str:
    return f"{count:,} note{'s' * (count != 1)}"


def _behind(note: Change, status: str) -> str:
    if status == "moved":
        return f" (was in {note.moved.split('::', 1)[-1].replace('::', ' › ')})"
    return f" ({note.about})" if note.about else ""


def _sentences(note: Change) -> Iterator[str]:
    """What a reader sees change in a note."""
    fields = [field for field in note.fields if field.lines and field.name not in QUIET] or [field for field in note.fields if field.lines]
    if not fields and note.fields:
        yield "only its markup differs"
    for field in fields:
        yield from (f"{NAMES.get(field.name, field.name)}: {said}" for said in _of_field(field))


def _of_field(field: Field) -> Iterator[str]:
    for was, now in field.lines:
        if was and now:
            old, new = _around(was, now)
            yield f"was “{old}”, now “{new}”"
        else:
            yield f"now also “{now}”" if now else f"no longer “{was}”"
    if field.html.numbers:
        yield "; ".join(map(str, field.html.numbers))


def _around(was: str, now: str) -> tuple[str, str]:
    """Two lines without most of what they share before and behind what differs."""
    old, new = was.split(" "), now.split(" ")
    least = min(len(old), len(new))
    before = next((at for at in range(least) if old[at] != new[at]), least)
    behind = next((at for at in range(least - before) if old[-1 - at] != new[-1 - at]), least - before)
    start, end = max(before - KEPT, 0), max(behind - KEPT, 0)
    start, end = start if start > 2 else 0, end if end > 2 else 0
    shown = (" ".join(words[start : len(words) - end]) for words in (old, new))
    first, second = (f"{'… ' * bool(start)}{text}{' …' * bool(end)}" for text in shown)
    return first, second


def _escaped(text: str) -> str:
    """Text as Markdown that shows it."""
    return re.sub(r"([\\`*_\[\]<>|~])|^([#+-]|\d+(?=[.)]))", lambda found: f"\\{found[0]}" if not found[0].isdigit() else found[0], text)
