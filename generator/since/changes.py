"""Two times of a deck held against one another: what became of each note and note type, and what a reader sees change.

In: a package, and the deck as it is built now. Out: the changes, which `told` and `page` write out.
"""

from __future__ import annotations

import difflib
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

from generator.keep.deck import Built
from generator.look.notetypes import NoteType
from generator.problems import DeckError, Place, Problem
from generator.since.words import Marked, marked
from generator.text.safe import cleaned
from kernels.parts import folder as temporary

BLOCKS = {"p", "div", "li", "tr", "h1", "h2", "h3", "h4", "table", "ul", "ol", "dl", "dt", "dd", "pre", "blockquote", "details", "summary", "figure"}
BLOCKS |= {"figcaption", "hr", "br", "section"}
SHOWN = ("new", "changed", "retired", "withheld", "vanished")
UNTITLED = ("Id", "Breadcrumb")  # fields that say where a note stands, not what it asks


class Side(NamedTuple):
    """A note at one time. place: where it stands, empty for one of a package, which alone has a `mod`."""

    id: str
    type: str
    fields: Mapping[str, str]
    tags: tuple[str, ...]
    deck: str
    place: str = ""
    mod: int = 0

    @property
    def title(self) -> str:
        """What the note asks, as one line of text."""
        asked = next((text for name, text in self.fields.items() if name not in UNTITLED and text), self.id)
        return " ".join(lines(asked)) or self.id


class Then(NamedTuple):
    """A deck at an earlier time. sides: by GUID; types: the note types by Anki's id; media: a file's content, None for one that it lacks."""

    sides: Mapping[str, Side]
    types: Mapping[int, Mapping[str, Any]]
    media: Callable[[str], bytes | None]


class Field(NamedTuple):
    """A field that differs. lines: what a reader sees gone and come, as text, "" on the side where nothing stood."""

    name: str
    html: Marked
    lines: tuple[tuple[str, str], ...]


class Change(NamedTuple):
    """What became of a note. moved: the deck that it stood in, "" where it stays. about: why it was retired, or what is not known of it.

    gone: how many of its cards have nothing to ask any more, since their cloze or mask went.
    """

    status: str
    side: Side
    fields: tuple[Field, ...] = ()
    moved: str = ""
    about: str = ""
    gone: int = 0


class Changes(NamedTuple):
    """since: what the deck is held against. name: the deck's. types: the name of each note type that differs, and what an importer does."""

    since: str
    name: str
    notes: tuple[Change, ...]
    types: tuple[tuple[str, str], ...]

    def of(self, status: str) -> list[Change]:
        return [note for note in self.notes if note.status == status]

    @property
    def moved(self) -> list[Change]:
        return [note for note in self.notes if note.moved]


NOTHING = Then({}, {}, lambda name: None)  # of a release that was not committed, whose texts are not known


def of_package(path: Path, deck: int) -> Then:
    """What one of our packages holds. deck: the deck's id, which a package of another one lacks."""
    try:
        with zipfile.ZipFile(path) as archive, temporary() as folder:
            with closing(sqlite3.connect(archive.extract("collection.anki2", folder))) as database:
                models, decks = map(json.loads, database.execute("select models, decks from col").fetchone())
                asked = "select guid, mod, mid, tags, flds, (select min(did) from cards where nid = notes.id) from notes"
                rows = database.execute(asked).fetchall()
            members = {name: member for member, name in json.loads(archive.read("media")).items()}
            content = {name: archive.read(member) for name, member in members.items()}
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, sqlite3.Error) as error:
        raise DeckError([Problem(Place(path.as_posix()), "this is no package that warpdeck wrote", f"{error}")]) from error
    if str(deck) not in decks:
        names = ", ".join(sorted(one["name"] for id, one in decks.items() if id != "1")) or "no deck"
        raise DeckError([Problem(Place(path.as_posix()), f"this is another deck: {names}", "name a package of this one")])
    found = {}
    for guid, mod, mid, tags, text, did in rows:
        kind = models[str(mid)]
        fields = dict(zip((field["name"] for field in kind["flds"]), text.split("\x1f")))
        deck_name = decks.get(str(did), {}).get("name", "")
        found[guid] = Side(fields.get("Id", guid), kind["name"], fields, tuple(sorted(tags.split())), deck_name, mod=mod)
    return Then(found, {int(id): kind for id, kind in models.items()}, content.get)


def of_deck(built: Built) -> dict[str, Side]:
    """The notes as they are now, by GUID."""
    notes = built.entries
    found = {}
    for note, text in zip(notes, built.texts(notes)):
        kind = built.types[note.type]
        fields = dict(zip(kind.fields, text.decode().split("\x1f")))
        found[note.guid] = Side(note.id, kind.name, fields, tuple(sorted(note.tags)), note.deck, str(note.place))
    return found


def statuses(before: Mapping[str, Side], now: Mapping[str, Side], others: Mapping[str, str]) -> dict[str, str]:
    """Note id -> what became of it. others: the statuses of notes that are not packed now."""
    found = {side.id: "new" if guid not in before else "changed" if _content(side) != _content(before[guid]) else "" for guid, side in now.items()}
    return {**found, **{side.id: others.get(side.id, "vanished") for guid, side in before.items() if guid not in now}}


def changes(since: str, then: Then, built: Built, found: Mapping[str, str]) -> Changes:
    """What became of each note, in reading order, then of those that are gone. found: note id -> status."""
    here, notes = of_deck(built), list[Change]()
    for guid, side in here.items():
        was, status = then.sides.get(guid), found.get(side.id, "")
        moved = was.deck if was and was.deck != side.deck else ""
        if status not in SHOWN and not moved:
            continue
        fields = tuple(_differences(was, side)) if was and status == "changed" else ()
        about = "" if fields or status != "changed" else "only its markup differs" if was else "its text then is not known"
        gone = len(_numbers(was) - _numbers(side)) if was and fields else 0
        notes.append(Change(status if status in SHOWN else "", side, fields, moved, about, gone))
    were, at = {side.id: side for side in then.sides.values()}, {side.id for side in here.values()}
    for id in sorted(id for id, status in found.items() if status in SHOWN and id not in at):
        notes.append(Change(found[id], were.get(id) or Side(id, "", {}, (), ""), about=built.deck.retired.get(id, "")))
    used = {entry.type for entry in built.entries}
    types = [said for key, kind in built.types.items() if key in used and (said := _of_type(then.types.get(kind.id), kind))]
    return Changes(since, built.deck.name, tuple(notes), tuple(sorted(types)))


def _of_type(was: Mapping[str, Any] | None, now: NoteType) -> tuple[str, str] | None:
    """What an importer does about a note type that differs; None where it is the same, or new."""
    if was is None:
        return None
    fields, cards = was["flds"], was["tmpls"]
    ids = [field.get("id") for field in fields], [card.get("id") for card in cards]
    if ids != (list(now.fields.values()), [card.id for card in now.templates]):
        return now.name, "{its} fields or cards are others, so Anki updates {its} notes only where Merge note types is ticked on import"
    sides = [(card["name"], card["qfmt"], card["afmt"]) for card in cards]
    names = [field["name"] for field in fields] == list(now.fields)
    if not names or was["css"] != now.css or sides != [(card.name, card.front, card.back) for card in now.templates]:
        return now.name, "{its} look or names change, and a learner's own changes to {them} go"
    return None


def _content(side: Side) -> tuple[str, tuple[str, ...], list[str]]:
    return side.type, side.tags, list(side.fields.values())


def _differences(before: Side, now: Side) -> Iterator[Field]:
    """The fields that differ, those of the type as it is now first."""
    names = [*now.fields, *(name for name in before.fields if name not in now.fields)]
    both = [(name, before.fields.get(name, ""), now.fields.get(name, "")) for name in names if name != "Id"]
    kinds = [(before.type, now.type)] if before.type != now.type else []
    tags = [(" ".join(before.tags), " ".join(now.tags))]
    for name, was, is_now in [*(("Note type", *kind) for kind in kinds), *both, *(("Tags", *one) for one in tags)]:
        if was != is_now:
            old, new = (_clozes(cleaned(html)) for html in (was, is_now))
            yield Field(name, marked(old, new), tuple(_paired(lines(was), lines(is_now))))


def _numbers(side: Side) -> set[str]:
    """Those of its clozes and masks, each of which is a card."""
    return {number for html in side.fields.values() for numbers in re.findall(r"\{\{c([\d,]+)::", html) for number in numbers.split(",")}


def _clozes(html: str) -> str:
    """Sanitized HTML with Anki's cloze marks as a reader's: ⟦1 …⟧."""
    return re.sub(r"\}\}", "⟧", re.sub(r"\{\{c([\d,]+)::", r"⟦\1 ", _MASK.sub(_mask, html))) if "{{c" in html else html


_MASK = re.compile(r"image-occlusion:([a-z]+)((?::\w+=[^:{}<>]*)*)")


def _mask(match: re.Match[str]) -> str:
    """ "rect: left .1, top .2" of a mask that Anki's script draws."""
    return f"{match[1]}: {match[2][1:].replace(':oi=1', '').replace(':', ', ').replace('=', ' ')}"


def _paired(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    """Lines that differ, each beside the one in its place."""
    for op, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if op != "equal":
            gone, come = old[a:b], new[c:d]
            count = max(len(gone), len(come))
            yield from zip(gone + [""] * (count - len(gone)), come + [""] * (count - len(come)))


def lines(html: str) -> list[str]:
    """The text of a field, a line for each block, pictures by what they show, without Anki's and MathJax's marks."""
    reader = _Reader()
    reader.feed(_MASK.sub(_mask, html))
    reader.close()
    text = re.sub(r"\{\{c[\d,]+::(.*?)(?:::[^{}]*?)?\}\}", r"\1", re.sub(r"\\[()\[\]]", "", "".join(reader.parts)))
    return [line for line in (" ".join(line.split(" ")).strip(" |") for line in text.split("\n")) if line]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in BLOCKS:
            self.parts.append("\n")
        given = dict(attributes)
        if tag == "img" and given.get("class") != "dark":  # a figure's twin is the same drawing
            self.parts.append(f"(figure: {(given.get('alt') or given.get('src') or '').rstrip('.')})")
        elif tag in ("td", "th"):
            self.parts.append(" | ")

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
