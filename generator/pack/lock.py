"""The lock: what learners have of every note and note type, and what was built since, so that an update reaches them and harms none.

In: the lock as it stands in git, and the notes as rendered now. Out: the next lock, what became of each note since the last release, and
what is refused. A note as it was released has its released `mod`, whatever was built in between; other content gets a later one, which it
keeps while it stays: Anki imports a note only if its `mod` grew, and overwrites the learner's edits and tags when it does. Refusals and
warnings speak of releases alone: what was built and never released is forgotten once it goes.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from generator.gate.files import unreadable
from generator.look.notetypes import NoteType
from generator.notes import Deck, Entry, Rendered
from generator.pack import library
from generator.problems import Place, Problem
from kernels import files

ALIKE = 0.4  # a cloze whose text resembles its former text less than this hides something else
HEADER = "# What learners have of every note and note type, and under built what was built since. The build writes it; commit it with the cards."
UNTOLD = b"# What was shipped"  # began a lock that did not tell a build from a release, when there had been none
NONE: Mapping[Any, Any] = MappingProxyType({})


class Draft(NamedTuple):
    """What was built of a note or a note type, where that is not what was released of it."""

    hash: str
    mod: int


class NoteLine(NamedTuple):
    """One note as last released. clozes: number -> source text; gone: the same of the numbers that only earlier releases had."""

    guid: str
    type: str
    deck: str
    hash: str
    mod: int
    clozes: Mapping[int, str] = NONE
    gone: Mapping[int, str] = NONE
    retired: str = ""


class TypeLine(NamedTuple):
    """One note type as last released. fields, templates: (id, name) in Anki's order."""

    id: int
    kind: str
    fields: tuple[tuple[int, str], ...]
    templates: tuple[tuple[int, str], ...]
    hash: str
    mod: int


class Release(NamedTuple):
    """One release. deck: the deck's id; at: seconds since 1970, later than those of the releases before it."""

    deck: int
    at: int


class Lock(NamedTuple):
    """What was released, and what was built since, each by note id or note type.

    lines: the notes' lines as they were read, each with what it says: one that did not change is written as it was.
    """

    notes: Mapping[str, NoteLine] = NONE
    types: Mapping[str, TypeLine] = NONE
    releases: Mapping[str, Release] = NONE
    drafts: Mapping[str, Draft] = NONE
    type_drafts: Mapping[str, Draft] = NONE
    lines: Mapping[str, tuple[NoteLine | None, Draft | None, str]] = NONE

    def mod(self, note: str) -> int:
        return (self.drafts.get(note) or self.notes[note]).mod

    def type_mod(self, key: str) -> int:
        return (self.type_drafts.get(key) or self.types[key]).mod

    @property
    def last(self) -> str:
        """The version of the last release, "" before the first."""
        return max(self.releases, key=lambda version: self.releases[version].at, default="")


class Update(NamedTuple):
    """The next lock, and note id -> what became of it since the last release: "new", "changed", "unchanged", "withheld", "retired" or "vanished".

    What the last release had retired already has no status. problems: what must not be released. warnings: what a learner will see and cannot
    be helped. vanished: released notes that are neither here nor retired.
    """

    lock: Lock
    statuses: Mapping[str, str]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    vanished: tuple[Problem, ...] = ()


def update(
    lock: Lock, deck: Deck, notes_now: Sequence[Entry], types: Mapping[str, NoteType], now: int, place: str, withheld: Collection[str] = ()
) -> Update:
    """The lock after `notes_now` are built. now: seconds since 1970. place: the lock's path, for problems about types.

    withheld: ids of notes that this package leaves out and a later one will have; what was released of them stays as it is.
    """
    problems: list[Problem] = []
    warnings: list[Problem] = []
    vanished: list[Problem] = []
    own = not lock.releases or lock.releases[lock.last].deck == deck.id
    if not own:
        message = f"the id {deck.id} in deck.yml is not {lock.releases[lock.last].deck}, with which its notes were released"
        problems.append(Problem(Place(place), message, "put that one back: with another Anki takes every note for another deck's"))
    statuses = dict.fromkeys(withheld, "withheld")
    drafts: dict[str, Draft] = {}
    for note in notes_now:
        released = lock.notes.get(note.id)
        if released and own:
            _judge_note(released, note, problems, warnings)
        if draft := _draft(released, lock.drafts.get(note.id), note.hash, now):
            drafts[note.id] = draft
        statuses[note.id] = "new" if released is None else "changed" if draft else "unchanged"
    for id, released in lock.notes.items():
        if id not in statuses and id not in deck.retired:
            statuses[id] = "vanished"
            hint = f"write `retired: {{{id}: why}}` into the front matter of its file, or bring it back"
            vanished.append(Problem(Place(place), f"the note {id!r} has vanished; learners keep its cards", hint))
        elif id not in statuses and not released.retired:
            statuses[id] = "retired"
    for id in sorted(set(deck.retired) - set(lock.notes)):
        warnings.append(Problem(Place(place), f"the note {id!r} is retired, but was never released", "take the line away"))
    type_drafts: dict[str, Draft] = {}
    for key in sorted({note.type for note in notes_now} | set(lock.types)):
        if key not in types:
            problems.append(Problem(Place(place), f"the note type {key!r} was released and is gone", f"bring look/{key} back"))
            continue
        line, known = type_line(types[key]), lock.types.get(key)
        if known and own:
            problems += _judge_type(known, line, key, Place(place))
        if draft := _draft(known, lock.type_drafts.get(key), line.hash, now):
            type_drafts[key] = draft
    following = lock._replace(drafts=drafts, type_drafts=type_drafts)
    return Update(following, statuses, tuple(problems), tuple(warnings), tuple(vanished))


def release(lock: Lock, deck: Deck, notes_now: Sequence[Entry], types: Mapping[str, NoteType], now: int) -> Lock:
    """The lock of `update` once what was built is released.

    What changed gets the time of the release, not that of the build: a learner whose note Anki touched in between (as it does with a leech)
    gets the change all the same.
    """
    notes = dict(lock.notes)
    for note in notes_now:
        before, draft = lock.notes.get(note.id), lock.drafts.get(note.id)
        hidden = {**before.gone, **before.clozes} if before else {}
        gone = {number: source for number, source in hidden.items() if number not in note.clozes}
        mod = max(now, draft.mod) if draft else lock.mod(note.id)
        line = NoteLine(note.guid, note.type, note.deck, note.hash, mod, note.clozes, gone)
        if line != before:
            notes[note.id] = line
    for id in deck.retired.keys() & notes.keys():
        notes[id] = notes[id]._replace(retired=deck.retired[id])
    kinds = {key: type_line(types[key])._replace(mod=max(now, draft.mod)) for key, draft in lock.type_drafts.items()}
    at = max(now, lock.releases[lock.last].at + 1) if lock.releases else now
    releases = {deck.version: Release(deck.id, at), **lock.releases}  # once more is the same release
    return Lock(notes, {**lock.types, **kinds}, releases, lines=lock.lines)


def same(one: Lock, other: Lock) -> bool:
    """Whether learners have the same of both."""
    return (one.notes, one.types) == (other.notes, other.types)


def guid_of(deck_id: int, note_id: str) -> str:
    """The note's GUID: what Anki knows it by in every collection, for ever."""
    return library().guid_for("warpdeck", deck_id, note_id)


def hash_of(note: Rendered) -> str:
    """The hash of a note as packed: type, tags and fields (figures count through the names of their files).

    The fields' names stay out: a field that is renamed in place touches no note, and none of a learner's edits.
    """
    return _digest([note.type, sorted(note.tags), list(note.fields.values())])


def type_line(note_type: NoteType) -> TypeLine:
    """A note type as it is now, its `mod` open."""
    fields = tuple((id, name) for name, id in note_type.fields.items())
    templates = tuple((template.id, template.name) for template in note_type.templates)
    sides = [(template.front, template.back) for template in note_type.templates]
    found = _digest([note_type.name, note_type.kind, fields, templates, sides, note_type.css])
    return TypeLine(note_type.id, note_type.kind, fields, templates, found, 0)


def _draft(released: NoteLine | TypeLine | None, before: Draft | None, hash: str, now: int) -> Draft | None:
    """What is built now where it is not what was released; as it was built before where nothing changed since."""
    if released and released.hash == hash:
        return None
    least = released.mod + 1 if released else 0
    if before and before.hash == hash and before.mod >= least:
        return before
    return Draft(hash, max(now, least, before.mod + 1 if before else 0))


def _judge_note(released: NoteLine, note: Entry, problems: list[Problem], warnings: list[Problem]) -> None:
    place = note.place
    if released.guid != note.guid:
        message = f"the note was released with the GUID {released.guid!r} and has {note.guid!r} now, another note to Anki"
        problems.append(Problem(place, message, f"write `guids: {{{note.id}: {released.guid!r}}}` into the front matter"))
    if released.type != note.type:
        hint = "give the note a new id and retire the old one"
        problems.append(Problem(place, f"the note was released as {released.type}; Anki cannot make it {note.type}", hint))
    if released.deck != note.deck:
        message = f"the note moves to {note.deck!r}; Anki leaves the cards that learners have in {released.deck!r}"
        warnings.append(Problem(place, message, "a new learner gets them in the new place"))
    if released.clozes == note.clozes:
        return
    hidden = {**released.gone, **released.clozes}
    for number, text in sorted(note.clozes.items()):
        was = hidden.get(number)
        if was is not None and difflib.SequenceMatcher(None, was, text, autojunk=False).ratio() < ALIKE:
            hint = f"number it c{max([*hidden, *note.clozes]) + 1}; a learner's schedule for c{number} belongs to the old text"
            problems.append(Problem(place, f"cloze c{number} hid {was!r} and now hides {text!r}", hint))
    for number in sorted(set(released.clozes) - set(note.clozes)):
        warnings.append(Problem(place, f"cloze c{number} is gone; learners keep its card, empty, until they run Empty Cards"))


def _judge_type(released: TypeLine, line: TypeLine, key: str, place: Place) -> Iterator[Problem]:
    what = f"note type {key!r}"
    if released.id != line.id:
        message = f"{what}: its id was {released.id} and is now {line.id}"
        yield Problem(place, message, f"put `id: {released.id}` into its type.yml: Anki knows it by nothing else")
    if released.kind != line.kind:
        message = f"{what}: it was released as {released.kind} and is now {line.kind}"
        yield Problem(place, message, "make a new note type: Anki cannot turn it")
    for many, was, is_now, hint in (
        ("fields", released.fields, line.fields, "Rename a spare field, keeping its place, instead"),
        ("templates", released.templates, line.templates, "Make a new note type for other cards"),
    ):
        if [id for id, _ in was] != [id for id, _ in is_now]:
            names = ", ".join(name for _, name in was)
            yield Problem(place, f"{what}: {many} were added, removed or reordered", f"released: {names}. {hint}")


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()[:16]


# ---------------------------------------------------------------------------------------------- the file


def load(path: Path, problems: list[Problem]) -> Lock:
    """The lock in a file; an empty one where there is no file. A line that does not fit (a merge conflict, say) is a problem."""
    try:
        content = files.read(path) if files.is_there(path) else b""
    except OSError as error:
        problems.append(unreadable(error, path.as_posix()))
        return Lock()
    if content.startswith(UNTOLD):
        return Lock()
    found: dict[str, dict[str, _Line]] = {"note": {}, "type": {}, "release": {}}
    lines: dict[str, tuple[NoteLine | None, Draft | None, str]] = {}
    shown = path.as_posix()
    written = [(number, line) for number, line in enumerate(content.split(b"\n"), 1) if line.strip() and not line.startswith(b"#")]
    for (number, line), entry in zip(written, _parsed([line for _, line in written])):
        try:
            read = _read(json.loads(line) if entry is None else entry)
        except (ValueError, KeyError, TypeError, AttributeError):
            hint = "settle the merge: keep both sides' lines, sorted, and build again"
            problems.append(Problem(Place(shown, number), "this line is none of a lock", hint))
            continue
        if read.name in found[read.kind]:
            what = "note type" if read.kind == "type" else read.kind
            problems.append(Problem(Place(shown, number), f"the {what} {read.name!r} stands twice in the lock", "keep the line with the greater mod"))
            continue
        found[read.kind][read.name] = read
        if read.kind == "note":
            lines[read.name] = read.released, read.draft, line.decode().strip()
    notes, types, releases = ({name: read.released for name, read in found[kind].items() if read.released} for kind in found)
    drafts, type_drafts = ({name: read.draft for name, read in found[kind].items() if read.draft} for kind in ("note", "type"))
    if not releases and (notes or types):
        problems.append(Problem(Place(shown), "the lock knows of released notes and of no release", "bring its release lines back from git"))
    return Lock(notes, types, releases, drafts, type_drafts, lines)


class _Line(NamedTuple):
    kind: str
    name: str
    released: Any
    draft: Draft | None = None


def _parsed(lines: Sequence[bytes]) -> Sequence[Any]:
    """What the lines hold, parsed all at once; None for each where one of them is no JSON."""
    try:
        found = json.loads(b"[" + b",".join(lines) + b"]")
    except ValueError:
        found = []
    return found if len(found) == len(lines) else [None] * len(lines)


def _read(entry: Any) -> _Line:
    """What a line says, as `text` wrote it. Raises what a dictionary of another shape raises."""
    if "release" in entry:
        return _Line("release", str(entry["release"]), Release(int(entry["deck"]), int(entry["at"])))
    kind = "note" if "note" in entry else "type"
    name, released = str(entry[kind]), "hash" in entry
    draft = Draft(str(entry["built"]["hash"]), int(entry["built"]["mod"])) if "built" in entry or not released else None
    if not released:
        return _Line(kind, name, None, draft)
    hash, mod = str(entry["hash"]), int(entry["mod"])
    if kind == "type":
        fields, templates = (tuple((int(id), str(name)) for id, name in entry[many]) for many in ("fields", "templates"))
        return _Line(kind, name, TypeLine(int(entry["id"]), str(entry["kind"]), fields, templates, hash, mod), draft)
    clozes, gone = ({int(n): str(source) for n, source in entry.get(some, {}).items()} for some in ("clozes", "gone"))
    about = str(entry["guid"]), str(entry["type"]), str(entry["deck"])
    return _Line(kind, name, NoteLine(*about, hash, mod, clozes, gone, str(entry.get("retired", ""))), draft)


def text(lock: Lock) -> str:
    """The lock as a file: releases, types, then notes, one line each, sorted, so that merges seldom conflict."""
    lines = [HEADER]
    lines += [_line({"release": version, **release._asdict()}) for version, release in sorted(lock.releases.items())]
    for key in sorted({*lock.types, *lock.type_drafts}):
        kind = lock.types.get(key)
        lines.append(_line({"type": key, **(kind._asdict() if kind else {}), **_built(lock.type_drafts.get(key))}))
    for id in sorted({*lock.notes, *lock.drafts}):
        note, draft = lock.notes.get(id), lock.drafts.get(id)
        *before, line = lock.lines.get(id, (None, None, ""))
        if not line or note is not before[0] or draft is not before[1]:
            line = _line({"note": id, **_released(note), **_built(draft)})
        lines.append(line)
    return "\n".join(lines) + "\n"


def _released(note: NoteLine | None) -> dict[str, Any]:
    if note is None:
        return {}
    entry: dict[str, Any] = {"guid": note.guid, "hash": note.hash, "mod": note.mod, "type": note.type, "deck": note.deck}
    for name, clozes in (("clozes", note.clozes), ("gone", note.gone)):
        if clozes:
            entry[name] = {str(number): source for number, source in sorted(clozes.items())}
    if note.retired:
        entry["retired"] = note.retired
    return entry


def _built(draft: Draft | None) -> dict[str, Any]:
    return {"built": draft._asdict()} if draft else {}


def _line(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, ensure_ascii=False)
