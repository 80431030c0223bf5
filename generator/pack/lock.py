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
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from generator.gate.files import unreadable
from generator.look.notetypes import NoteType
from generator.notes import Deck, Entry, Rendered
from generator.pack import library
from generator.problems import Place, Problem
from kernels import files

ALIKE = 0.4  # a cloze whose text resembles its former text less than this hides something else
LONG = 500  # characters, or words, in whose order two texts are compared; of longer ones it counts alone how many they share
MANY = 40  # numbers of a note that may change while each is compared with each; of more the same text alone is looked for
HEADER = "# What learners have of every note and note type, and under built what was built since. The build writes it; commit it with the cards."
UNTOLD = b"# What was shipped"  # began a lock that did not tell a build from a release, when there had been none
LATEST = 10**11  # seconds since 1970: no release is that late
SUM = b', "sum": "'  # behind what a line says of releases, and of a build since: its checksum, since no hand should write there
CONFLICT = (b"<<<<<<< ", b"||||||| ", b">>>>>>> ")
MEND = "take the line away: the build brings it back, from git's history or from build/released"
SETTLE = "take either side, or both sides' lines without these marks, and build: of each note it takes what was released last"
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


Line = TypeVar("Line", NoteLine, TypeLine, Release)


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


def later(lock: Lock, lines: Iterable[bytes], only: Collection[str] | None = None) -> Lock:
    """The lock with what other versions of it know: of each note and note type the line with the greatest `mod`, and all releases.

    lines: what `released_lines` gives of those versions, the newest first; one that does not fit tells nothing. only: of these notes, of the
    types that are here and of no releases, as of versions that this one does not follow.
    """
    known: dict[str, dict[str, Any]] = {"note": dict(lock.notes), "type": dict(lock.types), "release": dict(lock.releases)}
    here = None if only is None else {"note": {*only}, "type": {*lock.types, *lock.type_drafts}, "release": set[str]()}
    for line in lines:
        try:
            read = _read(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
        if read.released and _sound(line) and (here is None or read.name in here[read.kind]):
            before = known[read.kind].get(read.name)
            known[read.kind][read.name] = _last(before, read.released) if before else read.released
    return lock._replace(notes=known["note"], types=known["type"], releases=known["release"])


def released_lines(content: Iterable[bytes]) -> Iterator[bytes]:
    """What lines of a lock say of releases, without what was built since."""
    for line in content:
        if line.startswith((b'{"note": ', b'{"type": ', b'{"release": ')):
            said, built, _ = line.rstrip().partition(b', "built": {')
            if b', "' in said:
                yield said + b"}" if built else said


def _last(one: Line, other: Line) -> Line:
    """What was released last, of two lines of one name; `one` where nothing tells. Two other contents of one second: neither is what all have."""
    if isinstance(one, Release) or isinstance(other, Release):
        return max(one, other, key=lambda release: release.at)
    last, first = (other, one) if other.mod > one.mod else (one, other)
    if last.mod == first.mod and last.hash != first.hash:
        last = last._replace(hash="")
    if isinstance(last, NoteLine):
        gone = {number: source for number, source in {**first.gone, **first.clozes, **last.gone}.items() if number not in last.clozes}
        return last if gone == last.gone else last._replace(gone=gone)
    return last


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
    problems += _judge_clozes(note, released)
    what, sign, _ = _words(note)
    for number in sorted(set(released.clozes) - set(note.clozes)):
        same = [f"{sign}{other}" for other, text in sorted(note.clozes.items()) if other not in released.clozes and text == released.clozes[number]]
        hint = f"{same[0]} hides the same: number it {sign}{number}, and its schedule stays" if same else ""
        warnings.append(Problem(place, f"{what} {sign}{number} is gone; learners keep its card, empty, until they run Empty Cards", hint))


def _words(note: Entry) -> tuple[str, str, str]:
    """What the note's hidden parts are called, what stands before their numbers, and where these are written."""
    return ("mask", "", " under ## Masks") if note.type == "occlusion" else ("cloze", "c", "")


def _judge_clozes(note: Entry, released: NoteLine) -> Iterator[Problem]:
    """A problem for each number whose schedule would go on with what another number hid, or with something else.

    Numbers and what was hidden are paired off, the best fit first. What did not change is out of it, so that a correction may repeat another
    number's text; a number that comes back after a release without it may not.
    """
    hidden = {**released.gone, **released.clozes}
    changed = [number for number, text in sorted(note.clozes.items()) if number in hidden and hidden[number] != text]
    own = {number: _fit(hidden[number], note.clozes[number]) for number in changed}
    pairs = [(-own[number], False, number, number) for number in changed]
    for number in changed:
        text = note.clozes[number]
        for other, was in hidden.items():
            free = number not in released.clozes or note.clozes.get(other) != was
            fit = 0 if other == number or not free else _fit(was, text) if len(changed) <= MANY else float(was == text)
            if fit > own[number]:
                pairs.append((-fit, True, number, other))
    takes: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, number, other in sorted(pairs):
        if number not in takes and other not in taken:
            takes[number] = other
            taken.add(other)
    what, sign, where = _words(note)
    for number in changed:
        was, text, other = hidden[number], note.clozes[number], takes.get(number, number)
        belongs = f"a learner's schedule for {sign}{number} belongs to the old text"
        if other != number:
            message = f"{what} {sign}{number} hid {was!r} and now hides {text!r}, which fits what {sign}{other} hid"
            yield Problem(note.place, message, f"number it {sign}{other}{where}; {belongs}")
        elif _shared(was, text) < ALIKE:
            hint = f"number it {sign}{max([*hidden, *note.clozes]) + 1}{where}; {belongs}"
            yield Problem(note.place, f"{what} {sign}{number} hid {was!r} and now hides {text!r}", hint)


@lru_cache(4096)
def _fit(was: str, text: str) -> float:
    """How much of a text is another one, from 0 to 1: by its words and signs, and by its characters."""
    return (_shared(*(re.findall(r"\w+|\S", one) for one in (was, text))) + _shared(was, text)) / 2


def _shared(one: Sequence[str], other: Sequence[str]) -> float:
    both = difflib.SequenceMatcher(None, one, other, autojunk=False)
    return both.ratio() if max(len(one), len(other)) <= LONG else both.quick_ratio()


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


def load(path: Path, problems: list[Problem], sure: bool = False) -> Lock:
    """The lock in a file; an empty one where there is no file. A line that does not fit is a problem, one that stands twice is read as the later one.

    sure: whether it is the file that our own build wrote.
    """
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
    if marks := [number for number, line in written if line.startswith(CONFLICT)]:
        problems.append(Problem(Place(shown, marks[0]), "a merge left its marks in the lock", SETTLE))
        written = [(number, line) for number, line in written if not line.startswith((*CONFLICT, b"======="))]
    for (number, line), entry in zip(written, _parsed([line for _, line in written])):
        try:
            read = _read(entry if _plain(line, entry) else _strict(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            problems.append(Problem(Place(shown, number), "this line is none of a lock", MEND))
            continue
        if not (sure or _sound(line)):
            what = f"{'note type' if read.kind == 'type' else read.kind} {read.name!r}"
            problems.append(Problem(Place(shown, number), f"the line of the {what} was changed by hand, or damaged", MEND))
            continue
        if before := found[read.kind].get(read.name):
            read = _both(before, read)
        found[read.kind][read.name] = read
        if read.kind == "note":
            lines[read.name] = read.released, read.draft, "" if before else line.decode().strip()
    notes, types, releases = ({name: read.released for name, read in found[kind].items() if read.released} for kind in found)
    drafts, type_drafts = ({name: read.draft for name, read in found[kind].items() if read.draft} for kind in ("note", "type"))
    return Lock(notes, types, releases, drafts, type_drafts, lines)


def unfounded(lock: Lock, place: str) -> Iterator[Problem]:
    """A problem where a lock that knows of released notes has lost its releases, and nothing brought them back."""
    if not lock.releases and (lock.notes or lock.types):
        yield Problem(Place(place), "the lock knows of released notes and of no release", "bring its release lines back from git")


class _Line(NamedTuple):
    kind: str
    name: str
    released: Any
    draft: Draft | None = None


def _both(one: _Line, other: _Line) -> _Line:
    """Two lines of one name, as a merge may keep them."""
    released = _last(one.released, other.released) if one.released and other.released else one.released or other.released
    draft = max((line.draft for line in (one, other) if line.draft), key=lambda draft: draft.mod, default=None)
    return one._replace(released=released, draft=draft)


def _sound(line: bytes) -> bool:
    """Whether a line says what the build wrote there, as its sums tell; one of before there were sums has none."""
    marks = [match.span() for match in re.finditer(SUM, line)]
    return all(line.startswith(_sum(line[:at]), end) for at, end in marks) and len(marks) == len(re.findall(rb'"sum"\s*:', line))


def _sum(said: bytes) -> bytes:
    return b"%08x" % zlib.crc32(said)


def _parsed(lines: Sequence[bytes]) -> Sequence[Any]:
    """What the lines hold, parsed all at once; None for each where one of them is no JSON."""
    try:
        found = json.loads((b"[" + b",".join(lines) + b"]").decode())
    except (ValueError, RecursionError):
        found = []
    return found if len(found) == len(lines) else [None] * len(lines)


def _plain(line: bytes, entry: Any) -> bool:
    """Whether the line is surely what it was parsed as: no name stands twice, and no escape makes what is no text."""
    if type(entry) is not dict or b"\\u" in line or b'" ' in line or b'"\t' in line or b'"\r' in line:
        return False
    return line.count(b'":') == len(entry) + sum([len(value) for value in entry.values() if type(value) is dict])


def _strict(line: bytes) -> Any:
    entry = json.loads(line.decode(), object_pairs_hook=_once)
    json.dumps(entry, ensure_ascii=False).encode()  # half a pair of surrogates is no character
    return entry


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, none of whose names stands twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


# What each sort of line holds:
FORM: Mapping[str, Mapping[str, type]] = {
    "release": {"release": str, "deck": int, "at": int, "sum": str},
    "note": {
        **dict.fromkeys(("note", "guid", "hash", "type", "deck", "retired", "sum"), str),
        "mod": int,
        **dict.fromkeys(("clozes", "gone", "built"), dict),
    },
    "type": {**dict.fromkeys(("type", "kind", "hash", "sum"), str), "id": int, "fields": list, "templates": list, "mod": int, "built": dict},
}


def _read(entry: Any) -> _Line:
    """What a line says, as `text` wrote it. Raises ValueError, KeyError or TypeError where it has another form."""
    kind = "note" if "note" in entry else "release" if "release" in entry else "type"
    form = FORM[kind]
    for name, value in entry.items():
        if type(value) is not form[name]:
            raise TypeError(name)
    name, said = entry[kind], entry.get
    if kind == "release":
        return _Line(kind, name, Release(_within(entry["deck"], 2**63), _within(entry["at"])))
    draft, hash = said("built"), said("hash")
    if draft or hash is None:
        if draft.keys() - {"sum"} != {"hash", "mod"} or type(draft["hash"]) is not str:
            raise TypeError("built")
        draft = Draft(draft["hash"], _within(draft["mod"]))
    if hash is None:
        return _Line(kind, name, None, draft)
    mod = _within(entry["mod"])
    if kind == "type":
        return _Line(kind, name, TypeLine(entry["id"], entry["kind"], _named(entry["fields"]), _named(entry["templates"]), hash, mod), draft)
    clozes, gone = (_numbered(some) if some else {} for some in (said("clozes"), said("gone")))
    return _Line(kind, name, NoteLine(entry["guid"], entry["type"], entry["deck"], hash, mod, clozes, gone, said("retired", "")), draft)


def _within(value: Any, below: int = LATEST) -> int:
    if type(value) is not int or not 0 <= value < below:
        raise ValueError(value)
    return value


def _numbered(said: Mapping[str, Any]) -> dict[int, str]:
    if not all(type(source) is str for source in said.values()):
        raise TypeError(said)
    return {_within(int(number)): source for number, source in said.items()}


def _named(said: Sequence[Any]) -> tuple[tuple[int, str], ...]:
    if not all(type(id) is int and abs(id) < 2**63 and type(name) is str for id, name in said):
        raise TypeError(said)
    return tuple((id, name) for id, name in said)


def text(lock: Lock) -> str:
    """The lock as a file: releases, types, then notes, one line each, sorted, so that merges seldom conflict."""
    lines = [HEADER]
    lines += [_line({"release": version, **release._asdict()}) for version, release in sorted(lock.releases.items())]
    for key in sorted({*lock.types, *lock.type_drafts}):
        kind = lock.types.get(key)
        lines.append(_line({"type": key, **(kind._asdict() if kind else {})}, lock.type_drafts.get(key)))
    for id in sorted({*lock.notes, *lock.drafts}):
        note, draft = lock.notes.get(id), lock.drafts.get(id)
        *before, line = lock.lines.get(id, (None, None, ""))
        if not line or note is not before[0] or draft is not before[1]:
            line = _line({"note": id, **_released(note)}, draft)
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


def _line(entry: Mapping[str, Any], draft: Draft | None = None) -> str:
    """A line: what was released, and what was built since, a sum behind each."""
    line = json.dumps(entry, ensure_ascii=False)[:-1]
    if len(entry) > 1:
        line = _summed(line)
    return _summed(f'{line}, "built": {json.dumps(draft._asdict())[:-1]}') + "}}" if draft else line + "}"


def _summed(said: str) -> str:
    return f'{said}{SUM.decode()}{_sum(said.encode()).decode()}"'
