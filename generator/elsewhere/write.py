"""What was found elsewhere, written as a deck of ours: topics, note types, media, and the lock's lines of what learners have already.

In: Hauls and the folder of cards. Out: files in it, none of which was there before, and what could not come along. All of it is made beside, built,
and held against what the notes showed; a field that does not show the same is written in a plainer form.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from html import unescape
from pathlib import Path
from typing import NamedTuple

from generator.elsewhere import look
from generator.elsewhere.alike import seen
from generator.elsewhere.dialect import adapted
from generator.elsewhere.found import Found, Haul, Kind
from generator.elsewhere.from_html import FORMS, Converted, Form, converted, is_empty, plain_line
from generator.keep import deck as building
from generator.keep.cache import Cache
from generator.look.notetypes import HEADING, LOOK, NoteType
from generator.notes import Entry
from generator.pack import lock
from generator.problems import DeckError, Place, Problem
from generator.read.deckfile import fresh_id, is_tag, settings
from generator.read.folder import frame, home_at, read_file
from kernels import parts
from kernels.home import Home, use

LONG = 200  # notes of one topic
OURS = {  # how a note of each of our types is written
    "basic": look.Shape("Front", "Back", ("Note",), frozenset()),
    "reversed": look.Shape("Front", "Back", ("Note",), frozenset()),
    "typed": look.Shape("Front", "Answer", ("Note",), frozenset({"Answer"})),
    "cloze": look.Shape("Front", "Text", ("Why",), frozenset()),
}
_BLOCK = re.compile(r"^ {0,3}(?:[-*+] |[0-9]+[.)] |>|\||```|~~~|---|\$\$$)|^<(?:div|table|ul|ol|pre|dl|blockquote|details)\b", re.MULTILINE)


class Written(NamedTuple):
    """notes: how many were written; known: how many were there before. files: their paths. lost: what could not come along."""

    notes: int
    known: int
    files: tuple[str, ...]
    lost: tuple[Problem, ...]


def write(hauls: Sequence[tuple[Path, Haul]], cards: Path, now: int, name: str) -> Written:
    """Writes what was found into the folder of cards, which may be there. name: of a new deck, where the notes have none in common.

    Raises DeckError where it cannot.
    """
    here = _Here(cards)
    with parts.folder() as folder:
        stage = _Stage(Path(folder, "cards"), here, hauls, name)
        try:
            built = stage.settled()
        except DeckError as error:
            raise DeckError(map(stage.of_source, error.problems)) from None
        written = stage.written()
        for path in written:  # checked before the first is moved
            if (cards / path).exists():
                raise DeckError([Problem(Place((cards / path).as_posix()), "this file is there already", "nothing is overwritten; move it away")])
        for path in written:
            parts.write(cards / path, (stage.cards / path).read_bytes())
    _release(cards, stage, built, now)
    return Written(len(stage.cards_of), stage.known, tuple((cards / path).as_posix() for path in written), tuple(stage.losses()))


def _release(cards: Path, stage: _Stage, built: building.Built, now: int) -> None:
    """Adds to the lock what learners have: an unchanged note keeps the `mod` that it has in their collections, and overwrites nothing there."""
    path, problems = cards / "deck.lock", list[Problem]()
    old = lock.load(path, problems)
    if problems:
        raise DeckError(problems)
    mods = {one.id: one.found.mod for one in stage.cards_of if one.found.guid and one.found.mod}
    notes, kinds = dict(old.notes), dict(old.types)
    for entry in built.entries:
        if entry.id in mods:
            notes[entry.id] = lock.NoteLine(entry.guid, entry.type, entry.deck, entry.hash, mods[entry.id], entry.clozes)
    for key, kind in stage.kinds.items():
        if kind.id and any(line.type == key for line in notes.values()):
            kinds.setdefault(key, lock.type_line(built.types[key])._replace(mod=kind.mod))
    if notes != old.notes or kinds != old.types:
        releases = old.releases or {"elsewhere": lock.Release(built.deck.id, now)}
        parts.write(path, lock.text(old._replace(notes=notes, types=kinds, releases=releases)).encode())


class _Here:
    """The deck as it stands: its name and id, a new one's where there is none; the ids, GUIDs, note types and files that it has."""

    def __init__(self, cards: Path):
        self.cards = cards
        self.name, self.id, self.folders = "", 0, dict[str, str]()
        self.fronts: dict[str, str] = {}
        self.guids: dict[str, str] = {}
        self.types: dict[str, NoteType] = {}
        self.is_there = (cards / "deck.yml").is_file()
        self.home: Home | None = None
        if not self.is_there:
            return
        around = frame(cards)
        if around.problems:
            raise DeckError(around.problems)
        self.home = home_at(cards)
        use(self.home)  # whose kernels its cards name
        files = [read_file(source, around) for source in around.sources]
        if problems := [problem for file in files for problem in file.problems]:
            raise DeckError(problems)
        self.name, self.id = around.settings.name, around.settings.id
        self.folders = {source.folder: source.deck.removeprefix(f"{self.name}::") for source in around.sources if source.folder}
        self.types = dict(around.types)
        for note in (note for file in files for note in file.notes):
            self.fronts[note.id] = note.fields[HEADING].text
            self.guids[note.guid or lock.guid_of(self.id, note.id)] = note.id
        self.fronts |= {id: "" for file in files for id in file.front.retired}

    def content(self, path: str) -> bytes | None:
        """A file that is there."""
        file = self.cards / path
        return file.read_bytes() if file.is_file() else None


class _Card:
    """A note on its way: what was found, how it is written, and of each field which forms were tried."""

    def __init__(self, found: Found, haul: int, key: str, shape: look.Shape, kind: Kind | None):
        self.found, self.haul, self.key, self.shape, self.kind = found, haul, key, shape, kind
        self.id = ""
        self.fields = {name: text for name, text in found.fields.items() if not is_empty(text)}
        self.forms: dict[str, Form] = dict.fromkeys(self.fields, FORMS[0])
        self.differing: dict[str, list[Form]] = {}
        self.shows: dict[str, Converted] = {}
        self.place = found.place
        self.left_out = False


class _Stage:
    """A folder of cards beside the real one, with all that is to be written."""

    def __init__(self, cards: Path, here: _Here, hauls: Sequence[tuple[Path, Haul]], name: str):
        self.cards, self.here, self.hauls = cards, here, hauls
        self.known = 0
        self.lost: list[Problem] = [problem for _, haul in hauls for problem in haul.lost]
        self.media: list[dict[str, str | None]] = [{} for _ in hauls]  # of each haul, name -> path
        self.taken: dict[str, str] = {}  # media by path, with their hashes
        self.new: list[str] = []  # those of them that were not there before
        self.kinds: dict[str, Kind] = {}
        self.look_files: dict[str, bytes] = {}
        self.headed: dict[str, bool] = {}  # whether the first field of a type is what its notes are headed with
        paths = {note.deck for _, haul in hauls for note in haul.notes if note.deck}
        common = {path[0] for path in paths}
        self.name = here.name or (common.pop() if len(common) == 1 and all(note.deck for _, haul in hauls for note in haul.notes) else name)
        self.id = here.id or fresh_id()
        self.cards_of = self._cards()
        self._ids()
        self.topics = self._topics()
        self.lines: dict[str, list[tuple[int, _Card, str]]] = {}

    # ------------------------------------------------------------------------------------------- notes and types

    def _cards(self) -> list[_Card]:
        made = []
        for number, (_, haul) in enumerate(self.hauls):
            keys = {name: self._kind(kind, haul, number) for name, kind in haul.kinds.items()}
            for found in haul.notes:
                if found.guid and found.guid in self.here.guids:
                    self.known += 1
                    continue
                if found.kind in keys:
                    key, about, kind = keys[found.kind]
                    made.append(_Card(found, number, key, about, kind))
                else:
                    made.append(_Card(found, number, found.kind, OURS[found.kind], None))
        return made

    def _kind(self, kind: Kind, haul: Haul, number: int) -> tuple[str, look.Shape, Kind]:
        """The key of the note type in look/, where it is put unless it is there."""
        for key, known in self.here.types.items():
            if kind.id and known.id == kind.id:
                if list(known.fields) != list(kind.fields):
                    place = Place(f"{self.here.cards.as_posix()}/look/{key}/type.yml")
                    message = f"the note type {kind.name!r} has other fields now: {', '.join(kind.fields)}"
                    raise DeckError([Problem(place, message, "Anki takes it for another type; make one of the two as the other is")])
                return key, look.Shape(known.heading, known.main, known.sections, frozenset(known.typed)), kind
        for key, other in self.kinds.items():
            if other == kind:
                return key, look.shape(kind, self.headed[key]), kind
        key = _slug(kind.name, 30) or "type"
        key = key if key[0].isalpha() else f"type-{key}"
        ours = {path.parent.name for path in LOOK.glob("*/type.yml")}
        key = f"{key}-elsewhere" if key in ours else key
        key = next(name for name in (key, *(f"{key}-{n}" for n in range(2, 1000))) if name not in self.kinds and name not in self.here.types)
        first = next(iter(kind.fields))
        headed = not any(is_empty(note.fields.get(first, "")) for note in haul.notes if haul.kinds.get(note.kind) == kind)
        about = look.shape(kind, headed)
        files, lost = look.files(key, kind, about, haul.media)
        self.kinds[key], self.headed[key] = kind, headed
        self.look_files.update(files)
        self.lost += [problem._replace(place=Place(f"{self.here.cards.as_posix()}/{problem.place.path}")) for problem in lost]
        self.lost += [Problem(Place(f"{self.here.cards.as_posix()}/look/{key}/type.yml"), what) for what in look.losses(kind)]
        return key, about, kind

    def _ids(self) -> None:
        """Gives each note an id made of its front: the first one that has it has it plain, so that a later version of a deck names the same alike."""
        taken = set(self.here.fronts)
        kept = []
        for card in self.cards_of:
            plain = self._plain(card)
            content = card.found.guid or "\x1f".join(card.found.fields.values())
            mark = hashlib.sha256(content.encode()).hexdigest()
            id = _slug(plain, 48)
            id = id if len(id) > 1 else f"{id or 'note'}-{mark[:8]}"
            heading, front = self._heading(card)
            if card.shape.heading and not (front and front.text):
                self.lost.append(Problem(card.place, f"a note without a front was left out: {plain[:60]}"))
                continue
            if not card.found.guid and id in self.here.fronts and self.here.fronts[id] == heading:
                self.known += 1
                continue
            if id in taken:
                id = next(one for one in (f"{id}-{mark[:length]}" for length in range(4, 64)) if one not in taken)
            taken.add(id)
            card.id = id
            kept.append(card)
        self.cards_of = kept

    def _plain(self, card: _Card) -> str:
        """What the note asks, as words."""
        name = card.shape.heading or card.shape.main
        name = card.shape.main if card.key == "cloze" else "Image" if card.kind and card.kind.occlusion else name
        text = card.fields.get(name) or next(iter(card.fields.values()), "")
        text = re.sub(r"\{\{c[0-9]+::(.*?)(?:::.*?)?\}\}", r"\1", text)
        text = re.sub(r"\[\[(?:[^\[\]|]*\|)?([^\[\]]*)\]\]", r"\1", text)
        text = re.sub(
            r"!?\[([^\[\]]*)\]\([^()]*\)|\[sound:([^\[\]]*)\]|<img[^<>]*src=\"?([^\"<>]*)[^<>]*>", lambda m: f" {m[1] or m[2] or m[3] or ''} ", text
        )
        return " ".join(unescape(re.sub(r"<[^<>]*>", " ", text)).split())

    # ---------------------------------------------------------------------------------------------------- fields

    def _path(self, number: int, name: str) -> str | None:
        """The path in media/ of a file that a note shows, None where there is none, or none that a card of ours can show."""
        known = self.media[number]
        if name not in known:
            content = self.hauls[number][1].media(name)
            known[name] = None if content is None else self._kept(name, content)
        return known[name]

    def _kept(self, name: str, content: bytes) -> str:
        stem, _, suffix = name.rpartition("/")[2].rpartition(".")
        mark = hashlib.sha256(content).hexdigest()
        plain = _slug(stem, 60, words=99) or f"media-{mark[:8]}"
        for path in (f"{plain}.{suffix.lower()}", f"{plain}-{mark[:8]}.{suffix.lower()}"):
            there = self.here.content(f"media/{path}")
            if self.taken.get(path, mark) != mark or there not in (None, content):
                continue
            if path not in self.taken:
                self.taken[path] = mark
                self.new += [path] * (there is None)
                self._put(f"media/{path}", content)
            return path
        raise AssertionError(f"two files have the hash {mark}")

    def _converted(self, card: _Card, name: str, text: str, form: Form) -> Converted:
        haul, media = self.hauls[card.haul][1], partial(self._path, card.haul)
        clozes = name == card.shape.main and (card.kind.cloze if card.kind else card.key == "cloze")
        if name in card.shape.typed:
            form = "text"
        if haul.written == "html":
            return converted(text, form, clozes, media, line=name in card.shape.typed)
        lost: list[str] = []
        if form == "text":
            return Converted(
                "<br>\n".join(plain_line(line) for line in text.split("\n") if line.strip()), "", ("formatting that no card may have was left out",)
            )
        return Converted(adapted(text, media, lost), "", tuple(dict.fromkeys(lost)))

    def _heading(self, card: _Card) -> tuple[str, Converted | None]:
        """What the note is headed with; and the field that this is, or that has to stand below since it is more than a line."""
        name = card.shape.heading
        one = self._converted(card, name, card.fields[name], card.forms[name]) if name in card.fields else None
        line = one and _on_a_line(one.text)
        if line:
            return line, one
        words = " ".join(re.sub(r"[\\$*_`#|~^\[\]{}<>&]|==+|%%+", " ", self._plain(card)).split())
        return (words if len(words) <= 60 else f"{words[:59].rsplit(' ', 1)[0]} …") or card.id, one

    # ---------------------------------------------------------------------------------------------------- files

    def _topics(self) -> dict[str, tuple[str, list[_Card]]]:
        """The notes of each topic by its path, with the name of the folder's subdeck."""
        by_deck: dict[tuple[tuple[str, ...], str], list[_Card]] = {}
        for card in self.cards_of:
            source, haul = self.hauls[card.haul]
            path = card.found.deck[1:] if card.found.deck[:1] == (self.name,) else card.found.deck
            path = tuple(part.strip() for part in path if part.strip())
            own = haul.written == "markdown" and not haul.kinds  # a file of notes, which says more than their deck
            topic = source.stem if own or not card.found.deck else (path or (self.name,))[-1]
            by_deck.setdefault((path, topic), []).append(card)
        if self.here.folders or any(path for path, _ in by_deck):  # cards of the deck itself lie in a subdeck beside the others
            by_deck = {(path or (self.name.rpartition("::")[2],), topic): cards for (path, topic), cards in by_deck.items()}
        folders = {name: folder for folder, name in self.here.folders.items()}
        topics: dict[str, tuple[str, list[_Card]]] = {}
        for (path, topic), cards in by_deck.items():
            name = "::".join(path)
            if path and name not in folders:
                slug = (
                    (_slug(name, 60, words=12) or f"deck-{hashlib.sha256(name.encode()).hexdigest()[:8]}")
                    .replace("media", "media-")
                    .replace("look", "look-")
                )
                folders[name] = next(one for one in (slug, *(f"{slug}-{n}" for n in range(2, 1000))) if one not in folders.values())
            stem = _slug(topic, 60, words=12) or "cards"
            for start in range(0, len(cards), LONG):
                part = stem if len(cards) <= LONG else f"{stem}-{start // LONG + 1:02}"
                prefix = f"{folders[name]}/" if path else ""
                file = next(
                    one
                    for one in (f"{prefix}{part}.md", *(f"{prefix}{part}-{n}.md" for n in range(2, 1000)))
                    if one not in topics and self.here.content(one) is None
                )
                topics[file] = name, cards[start : start + LONG]
        return topics

    def _deck_yml(self) -> str:
        named = {file.partition("/")[0]: name for file, (name, _) in self.topics.items() if name}
        lines = [f"name: {json.dumps(self.name, ensure_ascii=False)}", f"id: {self.id}    # every learner's notes hang on it: never change it"]
        if named:
            lines += ["subdecks:", *(f"  {folder}: {{name: {json.dumps(name, ensure_ascii=False)}}}" for folder, name in named.items())]
        return "\n".join(lines) + "\n"

    def _write(self) -> None:
        """All files, as the fields' forms are now."""
        self.lines.clear()
        for path, (_, cards) in self.topics.items():
            text = self._topic(path, cards)
            self._put(path, text.encode())
        self._put("deck.yml", self._deck_yml().encode())
        for path, content in self.look_files.items():
            self._put(f"look/{path}", content)
        if (self.here.cards / "look").is_dir():
            shutil.copytree(self.here.cards / "look", self.cards / "look", dirs_exist_ok=True)

    def _put(self, path: str, content: bytes) -> None:
        file = self.cards / path
        if not file.is_file() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)

    def _topic(self, path: str, cards: Sequence[_Card]) -> str:
        tags = {card.id: _tags(card.found.tags) for card in cards}
        common = [tag for tag in next(iter(tags.values()), ()) if all(tag in some for some in tags.values())]
        head: list[str] = []
        if common:
            head.append(f"tags: [{', '.join(map(_scalar, common))}]")
        own = {id: [tag for tag in some if tag not in common] for id, some in tags.items()}
        if any(own.values()):
            head += ["tagged:", *(f"  {id}: [{', '.join(map(_scalar, some))}]" for id, some in own.items() if some)]
        if any(card.found.guid for card in cards):
            head += ["guids:", *(f"  {card.id}: {json.dumps(card.found.guid, ensure_ascii=False)}" for card in cards if card.found.guid)]
        lines = ["---", *head, "---", ""] if head else []
        placed = self.lines.setdefault(path, [])
        for card in cards:
            card.shows.clear()
            placed.append((len(lines) + 1, card, card.shape.heading))
            heading, front = self._heading(card)
            lines += [f"# {heading} {{#{card.id} .{card.key}}}", ""]
            if front:
                card.shows[card.shape.heading] = front
            below = card.shape.heading if front and heading != _on_a_line(front.text) else ""
            for name in (card.shape.main, below, *card.shape.sections):
                if name not in card.fields:
                    continue
                one = self._converted(card, name, card.fields[name], card.forms[name])
                if not one.text:
                    continue
                card.shows[name] = one
                placed.append((len(lines) + 1, card, name))
                lines += [*([] if name == card.shape.main else [f"## {name}", ""]), *one.text.split("\n"), ""]
        return "\n".join(lines)

    # ------------------------------------------------------------------------------------------------- settling

    def settled(self) -> building.Built:
        """Writes and builds until every note is sound and shows what it showed, or is left out."""
        if not self.cards_of:
            raise DeckError(
                [Problem(Place(path.as_posix()), "no note is new here" if self.known else "no card could be carried") for path, _ in self.hauls]
            )
        cache = Cache()
        try:
            while True:
                self._write()
                under = building.circumstances_of(self.cards, cache, (), (), None, (), self.here.home)
                built, problems = building.sound(under, cache)
                refused = {field: problem for problem in reversed(problems) if (field := self._at(problem.place))}  # the first of each field
                if problems and not refused:
                    raise DeckError(problems)
                again = [self._plainer(problem, *field) for field, problem in refused.items()]
                by_id = {card.id: card for card in self.cards_of}
                again += [self._compared(by_id[entry.id], entry, text, built) for entry, text in zip(built.entries, built.texts(built.entries))]
                if not any(again):
                    return built
                self.cards_of = [card for card in self.cards_of if not card.left_out]
                self.topics = {path: (name, kept) for path, (name, cards) in self.topics.items() if (kept := [c for c in cards if not c.left_out])}
                for path in self.cards.glob("**/*.md"):
                    if path.relative_to(self.cards).as_posix() not in self.topics:
                        path.unlink()
                if not self.cards_of:
                    raise DeckError(self.lost)
        finally:
            cache.close()

    def of_source(self, problem: Problem) -> Problem:
        """A problem of what would be written, at the file that it comes from."""
        written = Path(problem.place.path)
        if not written.is_relative_to(self.cards):
            return problem
        said = f"{written.relative_to(self.cards).as_posix()} would say: {problem.message}"
        return Problem(Place(self.hauls[0][0].as_posix()), said, problem.hint)

    def _at(self, place: Place) -> tuple[_Card, str] | None:
        """The note and the field that stand at a place."""
        file = next((path for path in self.lines if place.path.endswith(f"/{path}")), None)
        before = [(card, name) for line, card, name in self.lines.get(file or "", ()) if line <= place.line]
        return before[-1] if before else None

    def _plainer(self, problem: Problem, card: _Card, name: str) -> bool:
        """Takes the next form of a field that the compiler refuses; without one, the note is left out. A medium that it refuses goes alone."""
        if refused := {path for path in self.taken if repr(path) in problem.message}:
            for known in self.media:
                known.update({medium: None for medium, path in known.items() if path in refused})
            for path in refused:
                del self.taken[path]
                (self.cards / "media" / path).unlink()
            self.new = [path for path in self.new if path not in refused]
            return True
        form = card.forms.get(name, FORMS[-1])
        if form == FORMS[-1] or not name:
            if not card.left_out:
                card.left_out = True
                what = f"the note {card.id!r} was left out: {problem.message}"
                self.lost.append(Problem(card.place, what, problem.hint))
        else:
            card.forms[name] = FORMS[FORMS.index(form) + 1] if self.hauls[card.haul][1].written == "html" else FORMS[-1]
        return True

    def _compared(self, card: _Card, entry: Entry, text: bytes, built: building.Built) -> bool:
        """Whether the note is to be written again, since a field shows something else than it did."""
        if card.kind is None or self.hauls[card.haul][1].written != "html":
            return False
        again = False
        fields = dict(zip(built.types[entry.type].fields, text.decode().split("\x1f")))
        for name, one in card.shows.items():
            form = card.forms[name]
            if name in card.shape.typed or form in card.differing.get(name, ()) or form == "text" or seen(fields[name]) == seen(one.shows):
                continue
            card.differing.setdefault(name, []).append(form)
            tried = card.differing[name]
            card.forms[name] = "html" if "html" not in tried else tried[0]
            again = again or card.forms[name] != form
        return again

    # -------------------------------------------------------------------------------------------------- results

    def written(self) -> list[str]:
        """The paths of what is new, in the order in which they are moved."""
        new = [
            *self.topics,
            *(f"look/{path}" for path in self.look_files),
            *(f"media/{path}" for path in self.new),
        ]
        return [*new, *([] if self.here.is_there else ["deck.yml"])]

    def losses(self) -> Iterator[Problem]:
        yield from self.lost
        for path, lines in self.lines.items():
            for line, card, name in lines:
                one = card.shows.get(name)
                place = Place(f"{self.here.cards.as_posix()}/{path}", line)
                yield from (Problem(place, what) for what in (one.lost if one else ()))
                if name == card.shape.heading and (
                    odd := [tag for tag in card.found.tags if tag not in _tags(card.found.tags) and tag.lower() not in ("leech", "marked")]
                ):
                    yield Problem(place, f"tags are written otherwise: {' '.join(odd)}")
                if name in card.differing and card.forms[name] in card.differing[name]:
                    yield Problem(place, "this looks otherwise than it did", "learners keep what they have until the note is changed")
        if self.here.is_there and (missing := self._unlisted()):
            yield Problem(Place(f"{self.here.cards.as_posix()}/deck.yml"), f"the folders {', '.join(missing)} are no subdecks yet", "list them")

    def _unlisted(self) -> list[str]:
        found: list[Problem] = []
        listed = settings((self.here.cards / "deck.yml").read_text(encoding="utf-8"), "deck.yml", found).folders
        return [] if listed is None else sorted({file.partition("/")[0] for file in self.topics if "/" in file} - set(listed))


# ------------------------------------------------------------------------------------------------------- words


def _slug(text: str, longest: int, words: int = 6) -> str:
    plain = unicodedata.normalize("NFKD", re.sub("['’]", "", text).replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    found = re.findall(r"[a-z0-9]+", plain)
    slug = ""
    for word in found[:words]:
        if slug and len(slug) + len(word) + 1 > longest:
            break
        slug = f"{slug}-{word}" if slug else word[:longest]
    return slug


def _on_a_line(text: str) -> str | None:
    """Markdown of paragraphs and line breaks on a single line; None where there is more."""
    if _BLOCK.search(text):
        return None
    return re.sub(r"\s*\n\s*", " ", re.sub(r"(?:<br>)?\n", "<br>", text.replace("\n\n", "<br><br>")) if "\n" in text else text)


def _tags(tags: Iterable[str]) -> list[str]:
    """The tags as ours may be, each once."""
    found: dict[str, str] = {}
    for tag in tags:
        plain = "::".join(filter(None, re.sub(r"[\s,\"']+", "-", tag).split("::")))
        if plain and is_tag(plain):
            found.setdefault(plain.lower(), plain)
    return list(found.values())


def _scalar(tag: str) -> str:
    return (
        tag
        if re.fullmatch(r"[A-Za-z][\w-]*(?:::[\w-]+)*", tag) and tag.lower() not in ("true", "false", "null")
        else json.dumps(tag, ensure_ascii=False)
    )


def counted(problems: Iterable[Problem]) -> list[str]:
    """Problems as lines, those of one place and message once."""
    return [f"{problem}" + (f", {count} times" if count > 1 else "") for problem, count in Counter(problems).items()]
