"""Two times of a deck held against one another: notes that are new, changed and gone, and of the changed ones what a reader sees change.

In: a package, and the deck as it is built now. Out: text.
"""

from __future__ import annotations

import difflib
import json
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

from generator.keep.deck import Built
from generator.problems import DeckError, Place, Problem
from kernels.parts import folder as temporary

BLOCKS = {"p", "div", "li", "tr", "h1", "h2", "h3", "h4", "table", "ul", "ol", "dl", "dt", "dd", "pre", "blockquote", "details", "summary", "figure"}
BLOCKS |= {"figcaption", "hr", "br", "section"}
SHOWN = ("new", "changed", "retired", "withheld", "vanished")


class Side(NamedTuple):
    """A note at one time. place: where it stands, empty for one of a package."""

    id: str
    type: str
    fields: Mapping[str, str]
    tags: tuple[str, ...]
    place: str = ""


def of_package(path: Path) -> dict[str, Side]:
    """The notes of one of our packages, by GUID."""
    try:
        with zipfile.ZipFile(path) as archive, temporary() as folder:
            database = sqlite3.connect(archive.extract("collection.anki2", folder))
            try:
                (models,) = database.execute("select models from col").fetchone()
                rows = database.execute("select guid, mid, tags, flds from notes").fetchall()
            finally:
                database.close()
    except (OSError, zipfile.BadZipFile, KeyError, sqlite3.Error) as error:
        raise DeckError([Problem(Place(path.as_posix()), "this is no package that warpdeck wrote", f"{error}")]) from error
    kinds = {int(id): (kind["name"], [field["name"] for field in kind["flds"]]) for id, kind in json.loads(models).items()}
    found = {}
    for guid, mid, tags, text in rows:
        name, fields = kinds[mid]
        parts = text.split("\x1f")
        found[guid] = Side(parts[0], name, dict(zip(fields, parts)), tuple(sorted(tags.split())))
    return found


def of_deck(built: Built) -> dict[str, Side]:
    """The notes as they are now, by GUID."""
    notes = built.entries
    found = {}
    for note, text in zip(notes, built.texts(notes)):
        kind = built.types[note.type]
        fields = dict(zip(kind.fields, text.decode().split("\x1f")))
        found[note.guid] = Side(note.id, kind.name, fields, tuple(sorted(note.tags)), str(note.place))
    return found


def statuses(before: Mapping[str, Side], now: Mapping[str, Side], others: Mapping[str, str]) -> dict[str, str]:
    """Note id -> what became of it. others: the statuses of notes that are not packed now."""
    found = {side.id: "new" if guid not in before else "changed" if _content(side) != _content(before[guid]) else "" for guid, side in now.items()}
    return {**found, **{side.id: others.get(side.id, "vanished") for guid, side in before.items() if guid not in now}}


def text(before: Mapping[str, Side], now: Mapping[str, Side], found: Mapping[str, str], reasons: Mapping[str, str]) -> str:
    """What became of each note, one after another. found: note id -> status; reasons: why notes were retired."""
    then, here = ({side.id: side for side in sides.values()} for sides in (before, now))
    counts = [f"{count} {status}" for status in SHOWN if (count := sum(one == status for one in found.values()))]
    lines = []
    for status in SHOWN:
        for id in sorted(id for id, one in found.items() if one == status):
            at = f"  ({here[id].place})" if id in here else f"  ({reasons[id]})" if id in reasons else ""
            lines.append(f"{status:<9}{id}{at}")
            if status == "changed" and id in here:
                lines += [f"  {line}" for line in (_differences(then[id], here[id]) if id in then else ["its text then is not known"])]
    return "\n".join([*lines, ", ".join(counts) or "nothing changed"]) + "\n"


def _content(side: Side) -> tuple[str, tuple[str, ...], list[str]]:
    return side.type, side.tags, list(side.fields.values())


def _differences(before: Side, now: Side) -> Iterator[str]:
    """The lines that a reader would see gone and come, by field."""
    seen = False
    names = [*now.fields, *(name for name in before.fields if name not in now.fields)]
    both = [(name, _lines(before.fields.get(name, "")), _lines(now.fields.get(name, ""))) for name in names]
    for name, old, new in [*both, ("Tags", list(before.tags), list(now.tags))]:
        differing = [line for line in difflib.ndiff(old, new) if line[0] in "-+"]
        if differing:
            seen = True
            yield name
            yield from (f"  {line}" for line in differing)
    if not seen:
        yield "its markup alone"


def _lines(html: str) -> list[str]:
    """The text of a field, a line for each block, pictures by their names."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return [line for line in (" ".join(line.split()) for line in "".join(reader.parts).split("\n")) if line]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in BLOCKS:
            self.parts.append("\n")
        given = dict(attributes)
        if tag == "img" and given.get("class") != "dark":  # a figure's twin is the same drawing
            self.parts.append(f"[{given.get('alt') or given.get('src')}]")
        elif tag in ("td", "th"):
            self.parts.append(" | ")

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
