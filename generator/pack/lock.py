"""The lock: what was shipped of every note and note type, so that an update reaches learners and harms none.

In: the lock as it stands in git, and the notes as rendered now. Out: the next lock, what became of each note, and what
is refused. An unchanged note keeps its `mod`, a changed one gets a later one: Anki imports a note only if its `mod` grew,
and overwrites the learner's edits and tags when it does.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from generator.look.notetypes import NoteType
from generator.notes import Deck, Entry, Rendered
from generator.pack import library
from generator.problems import Place, Problem

ALIKE = 0.4  # a cloze whose text resembles its former text less than this hides something else
HEADER = "# What was shipped of every note and note type. The build writes it; commit it with the cards. Lines are never deleted."


class NoteLine(NamedTuple):
    """One note as last shipped. clozes: number -> source text, of every number that was ever used."""

    guid: str
    type: str
    deck: str
    hash: str
    mod: int
    clozes: Mapping[int, str] = MappingProxyType({})
    retired: str = ""


class TypeLine(NamedTuple):
    """One note type as last shipped. fields, templates: (id, name) in Anki's order."""

    id: int
    kind: str
    fields: tuple[tuple[int, str], ...]
    templates: tuple[tuple[int, str], ...]
    hash: str
    mod: int


class Lock(NamedTuple):
    """lines: the notes' lines as they were read, by id, each with what it says: one that did not change is written as it was."""

    notes: Mapping[str, NoteLine] = MappingProxyType({})
    types: Mapping[str, TypeLine] = MappingProxyType({})
    lines: Mapping[str, tuple[NoteLine, str]] = MappingProxyType({})


class Update(NamedTuple):
    """The next lock, and note id -> "new", "changed", "unchanged", "withheld", "retired" or "vanished".

    problems: what must not be shipped. warnings: what a learner will see and cannot be helped; passing are those of them that
    shipping settles.
    """

    lock: Lock
    statuses: Mapping[str, str]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    passing: tuple[Problem, ...] = ()


def settled(update: Update) -> Update:
    """The update of the same deck once more, after this one is shipped."""
    statuses = {id: "unchanged" if status in ("new", "changed") else status for id, status in update.statuses.items()}
    return Update(update.lock, statuses, update.problems, tuple(w for w in update.warnings if w not in update.passing))


def update(
    lock: Lock, deck: Deck, notes_now: Sequence[Entry], types: Mapping[str, NoteType], now: int, place: str, withheld: Collection[str] = ()
) -> Update:
    """The lock after shipping `notes_now`. now: seconds since 1970. place: the lock's path, for problems about types.

    withheld: ids of notes that this package leaves out and a later one will have; their lines stay as they are.
    """
    problems: list[Problem] = []
    warnings: list[Problem] = []
    passing: list[Problem] = []
    notes = dict(lock.notes)
    statuses = dict.fromkeys(withheld, "withheld")
    for note in notes_now:
        before = lock.notes.get(note.id)
        notes[note.id] = _note_line(before, note, deck, now, problems, passing)
        statuses[note.id] = "new" if before is None else "unchanged" if notes[note.id].mod == before.mod else "changed"
    for id, before in lock.notes.items():
        if id not in statuses:
            statuses[id] = "retired" if id in deck.retired else "vanished"
            if before.retired != deck.retired.get(id, before.retired):
                notes[id] = before._replace(retired=deck.retired[id])
            if statuses[id] == "vanished":
                hint = f"write `retired: {{{id}: why}}` into the front matter of its file, or bring it back"
                warnings.append(Problem(Place(place), f"the note {id!r} has vanished; learners keep its cards", hint))
    for id in sorted(set(deck.retired) - set(lock.notes)):
        warnings.append(Problem(Place(place), f"the note {id!r} is retired, but was never shipped", "take the line away"))
    if any(lock.notes[note.id].guid != note.guid for note in notes_now if note.id in lock.notes) or any(
        line.guid != guid_of(deck.id, id) for id, line in lock.notes.items() if statuses[id] in ("withheld", "retired", "vanished")
    ):
        message = f"the id {deck.id} in deck.yml is not the one that its notes were shipped with"
        problems.append(Problem(Place(place), message, "put the shipped id back: with another Anki takes every new note for another deck's"))
    used = {note.type for note in notes_now} | set(lock.types)
    kinds = {key: _type_line(lock.types.get(key), types[key], now, Place(place), problems) for key in sorted(used) if key in types}
    for key in sorted(set(lock.types) - set(types)):
        problems.append(Problem(Place(place), f"the note type {key!r} was shipped and is gone", f"bring look/{key} back"))
    return Update(Lock(notes, {**lock.types, **kinds}, lock.lines), statuses, tuple(problems), (*warnings, *passing), tuple(passing))


def guid_of(deck_id: int, note_id: str) -> str:
    """The note's GUID: what Anki knows it by in every collection, for ever."""
    return library().guid_for("warpdeck", deck_id, note_id)


def hash_of(note: Rendered) -> str:
    """The hash of a note as packed: type, tags and fields (figures count through the names of their files).

    The fields' names stay out: a field that is renamed in place touches no note, and none of a learner's edits.
    """
    return _digest([note.type, sorted(note.tags), list(note.fields.values())])


def _note_line(before: NoteLine | None, note: Entry, deck: Deck, now: int, problems: list[Problem], warnings: list[Problem]) -> NoteLine:
    place, found = note.place, note.hash
    if before and (before.hash, before.type, before.deck, before.clozes, before.retired) == (found, note.type, note.deck, note.clozes, ""):
        return before
    if before is None:
        return NoteLine(note.guid, note.type, note.deck, found, now, dict(note.clozes))
    if before.type != note.type:
        hint = "give the note a new id and retire the old one"
        problems.append(Problem(place, f"the note was shipped as {before.type}; Anki cannot make it {note.type}", hint))
    if before.deck != note.deck:
        message = f"the note moves to {note.deck!r}; Anki leaves the cards that learners have in {before.deck!r}"
        warnings.append(Problem(place, message, "a new learner gets them in the new place"))
    for number, text in sorted(note.clozes.items()):
        was = before.clozes.get(number)
        if was is not None and difflib.SequenceMatcher(None, was, text, autojunk=False).ratio() < ALIKE:
            hint = f"number it c{max([*before.clozes, *note.clozes]) + 1}; a learner's schedule for c{number} belongs to the old text"
            problems.append(Problem(place, f"cloze c{number} hid {was!r} and now hides {text!r}", hint))
    for number in sorted(set(before.clozes) - set(note.clozes)):
        if before.hash != found:
            warnings.append(Problem(place, f"cloze c{number} is gone; learners keep its card, empty, until they run Empty Cards"))
    mod = before.mod if before.hash == found else max(now, before.mod + 1)
    return NoteLine(before.guid, note.type, note.deck, found, mod, {**before.clozes, **note.clozes})


def _type_line(before: TypeLine | None, note_type: NoteType, now: int, place: Place, problems: list[Problem]) -> TypeLine:
    fields = tuple((id, name) for name, id in note_type.fields.items())
    templates = tuple((template.id, template.name) for template in note_type.templates)
    sides = [(template.front, template.back) for template in note_type.templates]
    found = _digest([note_type.name, note_type.kind, fields, templates, sides, note_type.css])
    line = TypeLine(note_type.id, note_type.kind, fields, templates, found, now)
    if before is None:
        return line
    what = f"note type {note_type.key!r}"
    if before.id != line.id:
        hint = f"put `id: {before.id}` into its type.yml: Anki knows it by nothing else"
        problems.append(Problem(place, f"{what}: its id was {before.id} and is now {line.id}", hint))
    elif before.kind != line.kind:
        hint = "make a new note type: Anki cannot turn it"
        problems.append(Problem(place, f"{what}: it was shipped as {before.kind} and is now {line.kind}", hint))
    else:
        for one, was, now_is, hint in (
            ("fields", before.fields, line.fields, "Rename a spare field, keeping its place, instead"),
            ("templates", before.templates, line.templates, "make a new note type for more cards"),
        ):
            if [id for id, _ in was] != [id for id, _ in now_is]:
                shipped = ", ".join(name for _, name in was)
                problems.append(Problem(place, f"{what}: {one} were added, removed or reordered", f"shipped: {shipped}. {hint}"))
    return line._replace(mod=before.mod if before.hash == found else max(now, before.mod + 1))


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()[:16]


# ---------------------------------------------------------------------------------------------- the file


def load(path: Path, problems: list[Problem]) -> Lock:
    """The lock in a file; an empty one where there is no file. A line that does not fit (a merge conflict, say) is a problem."""
    if not path.exists():
        return Lock()
    notes: dict[str, NoteLine] = {}
    types: dict[str, TypeLine] = {}
    lines: dict[str, tuple[NoteLine, str]] = {}
    shown = path.as_posix()
    written = [(number, line) for number, line in enumerate(path.read_bytes().split(b"\n"), 1) if line.strip() and not line.startswith(b"#")]
    for (number, line), entry in zip(written, _parsed([line for _, line in written])):
        try:
            name, content = _read(json.loads(line) if entry is None else entry)
        except (ValueError, KeyError, TypeError, AttributeError):
            problems.append(
                Problem(Place(shown, number), "this line is none of a lock", "settle the merge: keep both sides' lines, sorted, and build again")
            )
            continue
        if name in (notes if isinstance(content, NoteLine) else types):
            what = "note" if isinstance(content, NoteLine) else "note type"
            problems.append(Problem(Place(shown, number), f"the {what} {name!r} stands twice in the lock", "keep the line with the greater mod"))
        elif isinstance(content, NoteLine):
            notes[name] = content
            lines[name] = content, line.decode().strip()
        else:
            types[name] = content
    return Lock(notes, types, lines)


def _parsed(lines: Sequence[bytes]) -> Sequence[Any]:
    """What the lines hold, parsed all at once; None for each where one of them is no JSON."""
    try:
        found = json.loads(b"[" + b",".join(lines) + b"]")
    except ValueError:
        found = []
    return found if len(found) == len(lines) else [None] * len(lines)


def _read(entry: Any) -> tuple[str, NoteLine | TypeLine]:
    """The name and the content of a line, as `text` wrote it. Raises what a dictionary of another shape raises."""
    hash, mod = str(entry["hash"]), int(entry["mod"])
    if "note" not in entry:
        fields, templates = (tuple((int(id), str(name)) for id, name in entry[many]) for many in ("fields", "templates"))
        return str(entry["type"]), TypeLine(int(entry["id"]), str(entry["kind"]), fields, templates, hash, mod)
    clozes = {int(number): str(source) for number, source in entry["clozes"].items()} if "clozes" in entry else {}
    return str(entry["note"]), NoteLine(str(entry["guid"]), str(entry["type"]), str(entry["deck"]), hash, mod, clozes, str(entry.get("retired", "")))


def text(lock: Lock) -> str:
    """The lock as a file: types, then notes, one line each, sorted, so that merges seldom conflict."""
    lines = [HEADER]
    for key, kind in sorted(lock.types.items()):
        lines.append(_line({"type": key, **kind._asdict()}))
    for id, note in sorted(lock.notes.items()):
        before, line = lock.lines.get(id, (None, ""))
        if note is before:
            lines.append(line)
            continue
        entry: dict[str, Any] = {"note": id, "guid": note.guid, "hash": note.hash, "mod": note.mod, "type": note.type, "deck": note.deck}
        if note.clozes:
            entry["clozes"] = {str(number): source for number, source in sorted(note.clozes.items())}
        if note.retired:
            entry["retired"] = note.retired
        lines.append(_line(entry))
    return "\n".join(lines) + "\n"


def _line(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, ensure_ascii=False)
