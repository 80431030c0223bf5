"""Anki packages: .apkg and .colpkg, of the legacy formats (SQLite with JSON in it) and the latest (zstd, protobuf).

In: a file. Out: a Haul whose fields are HTML. Schedules are not read: they are the learner's, whose Anki keeps them.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sized
from contextlib import closing
from pathlib import Path
from typing import Any

from generator.elsewhere.found import Found, Haul, Kind, Template, gated
from generator.pack.lock import LATEST as LATEST_MOD
from generator.problems import DeckError, Place, Problem
from kernels import files, parts

LATEST = "collection.anki21b"
LARGEST_COLLECTION, LARGEST_LIST, LARGEST_MEDIUM = 2**30, 2**26, 100 * 2**20  # bytes, unpacked
COLLECTIONS = (LATEST, "collection.anki21", "collection.anki2")  # an older one beside a newer one only says that Anki is to be updated
CLOZE, OCCLUSION = 1, 6  # as Anki numbers kinds and stock types


def read(path: Path) -> Haul:
    """What the package holds. Raises DeckError where it is none, or damaged, and OSError where it cannot be read."""
    place = Place(path.as_posix())
    try:
        return gated(_read(zipfile.ZipFile(files.opened(path)), place))
    except DeckError:
        raise
    except Exception as error:  # whatever strange bytes bring about: nothing but readers of them has been at work
        if isinstance(error, OSError) and error.filename:
            raise
        what = "this is no Anki package" if isinstance(error, zipfile.BadZipFile) else f"the package is damaged: {error or type(error).__name__}"
        raise DeckError([Problem(place, what, "export it from Anki once more")]) from None


def _read(archive: zipfile.ZipFile, place: Place) -> Haul:
    names = set(archive.namelist())
    collection = next((name for name in COLLECTIONS if name in names), None)
    if collection is None:
        raise DeckError([Problem(place, "the package holds no collection", f"one of {', '.join(COLLECTIONS)}")])
    latest = collection == LATEST
    members = _members(b"".join(_unpacked(archive, "media", latest, LARGEST_LIST)) if "media" in names else b"", latest)

    def media(name: str) -> bytes | None:
        try:
            return b"".join(_unpacked(archive, members[name], latest, LARGEST_MEDIUM))
        except Exception:  # not there, damaged, or too large
            return None

    with _connected(_unpacked(archive, collection, latest, LARGEST_COLLECTION)) as database:
        if database.execute("select 1 from sqlite_master where type = 'view'").fetchone():  # which may have rows without end
            raise ValueError("its collection has views")
        lost: list[Problem] = []
        kinds = _kinds(database)
        decks = _decks(database)
        lost += _lost(database, place)
        notes = tuple(_notes(database, kinds, decks, place, lost))
    used = {note.kind for note in notes}
    return Haul(notes, "html", {str(id): kind for id, kind in kinds.items() if str(id) in used}, media, tuple(lost))


def _unpacked(archive: zipfile.ZipFile, name: str, compressed: bool, most: int) -> Iterator[bytes]:
    """A member's content in pieces. Raises ValueError where it has more than `most` bytes, whatever it claims."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    with archive.open(name) as packed, zstd.open(packed) if compressed else packed as file:
        while piece := file.read(1 << 20):
            most -= len(piece)
            if most < 0:
                raise ValueError(f"{name} unpacks to more than is read")
            yield piece


def _connected(content: Iterable[bytes]) -> Any:
    """The collection as a database, from a file that is gone before it is closed."""
    with parts.folder() as folder:
        path = Path(folder, "collection")
        with path.open("wb") as file:
            file.writelines(content)
        disk = sqlite3.connect(path)
        memory = sqlite3.connect(":memory:")
        with closing(disk):
            disk.create_collation("unicase", _unicase)
            memory.create_collation("unicase", _unicase)
            disk.backup(memory)
    return closing(memory)


def _unicase(one: str, other: str) -> int:
    one, other = one.casefold(), other.casefold()
    return (one > other) - (one < other)


def _members(media: bytes, latest: bool) -> Mapping[str, str]:
    """Media names -> the names of the archive's members."""
    if not media:
        return {}
    if not latest:
        return {name: str(member) for member, name in json.loads(media).items()}
    entries = [dict(_message(entry)) for number, entry in _message(media) if number == 1]
    return {entry[1].decode(): str(index) for index, entry in enumerate(entries)}


# ---------------------------------------------------------------------------------------------- the collection


def _kinds(database: sqlite3.Connection) -> dict[int, Kind]:
    if _has_table(database, "notetypes"):
        return {
            id: _kind(database, id, name, mod, dict(_message(config)))
            for id, name, mod, config in database.execute("select id, name, mtime_secs, config from notetypes order by id")
        }
    (models,) = database.execute("select models from col").fetchone()
    return {int(model["id"]): _legacy_kind(model) for model in json.loads(models).values()}


def _kind(database: sqlite3.Connection, id: int, name: str, mod: int, config: Mapping[int, Any]) -> Kind:
    fields = database.execute("select name, config from fields where ntid = ? order by ord", (id,)).fetchall()
    templates = database.execute("select name, config from templates where ntid = ? order by ord", (id,)).fetchall()
    _whole(fields, templates)
    numbers = {dict(_message(about)).get(10): field for field, about in fields} if config.get(9) == OCCLUSION else {}
    return Kind(
        name=name,
        id=id,
        cloze=config.get(1) == CLOZE,
        fields={field: _signed(dict(_message(about)).get(9)) for field, about in fields},
        templates=tuple(_template(template, dict(_message(about))) for template, about in templates),
        css=config.get(3, b"").decode(),
        mod=_time(mod),
        occlusion=_of_pictures(numbers),
    )


def _of_pictures(numbers: Mapping[Any, str]) -> tuple[str, ...]:
    """The fields that Anki's type for the occlusion of pictures knows by numbers, of which nobody can remove the first four."""
    found = tuple(numbers[number] for number in range(5) if number in numbers)
    return found if len(found) >= 4 else ()


def _whole(fields: Sized, templates: Sized) -> None:
    if not fields or not templates:
        raise ValueError("a note type has no fields or no templates")


def _template(name: str, config: Mapping[int, Any]) -> Template:
    return Template(name, config.get(1, b"").decode(), config.get(2, b"").decode(), _signed(config.get(8)))


def _legacy_kind(model: Mapping[str, Any]) -> Kind:
    _whole(model["flds"], model["tmpls"])
    return Kind(
        name=model["name"],
        id=int(model["id"]),
        cloze=model.get("type") == CLOZE,
        fields={field["name"]: field.get("id") for field in sorted(model["flds"], key=lambda one: one.get("ord", 0))},
        templates=tuple(
            Template(one["name"], one["qfmt"], one["afmt"], one.get("id")) for one in sorted(model["tmpls"], key=lambda one: one.get("ord", 0))
        ),
        css=model.get("css", ""),
        mod=_time(int(model.get("mod", 0))),
        occlusion=_of_pictures({one.get("tag"): one["name"] for one in model["flds"]} if model.get("originalStockKind") == OCCLUSION else {}),
    )


def _decks(database: sqlite3.Connection) -> dict[int, tuple[str, ...]]:
    """Deck ids -> the parts of their names."""
    if _has_table(database, "decks"):
        return {id: tuple(name.split("\x1f")) for id, name in database.execute("select id, name from decks")}
    (decks,) = database.execute("select decks from col").fetchone()
    return {int(id): tuple(deck["name"].split("::")) for id, deck in json.loads(decks).items()}


def _lost(database: sqlite3.Connection, place: Place) -> Iterator[Problem]:
    """What is said of whole decks and stands in no note."""
    if _has_table(database, "decks"):
        kinds = ((name, dict(_message(kind)).get(1)) for name, kind in database.execute("select name, kind from decks order by name"))
        told = [name.replace("\x1f", "::") for name, normal in kinds if isinstance(normal, bytes) and dict(_message(normal)).get(4)]
    else:
        (decks,) = database.execute("select decks from col").fetchone()
        told = sorted(deck["name"] for deck in json.loads(decks).values() if deck.get("desc"))
    yield from (Problem(place, f"the description of the deck {name!r} was left out", "description: of deck.yml is for one") for name in told)


def _notes(
    database: sqlite3.Connection, kinds: Mapping[int, Kind], decks: Mapping[int, tuple[str, ...]], place: Place, lost: list[Problem]
) -> Iterator[Found]:
    """The notes in the order in which they were made; a note lies where its first card does (or lay, of one in a filtered deck)."""
    homes: dict[int, int] = {}
    for note, deck in database.execute("select nid, case odid when 0 then did else odid end from cards order by nid, ord"):
        homes.setdefault(note, deck)
    for id, guid, kind_id, mod, tags, fields in database.execute("select id, guid, mid, mod, tags, flds from notes order by id"):
        kind = kinds.get(kind_id)
        if kind is None or not (type(guid) is type(tags) is type(fields) is str and type(mod) is int):
            lost.append(Problem(place, f"the note {guid} was left out: the package is damaged there"))
            continue
        texts = dict(zip(kind.fields, [*fields.split("\x1f"), *[""] * len(kind.fields)]))
        deck = decks.get(homes.get(id, 1), ("Default",))
        yield Found(str(kind_id), texts, deck, tuple(tags.split()), place, guid, _time(mod))


def _time(mod: int) -> int:
    """Seconds since 1970, 0 where it is no time."""
    return mod if 0 <= mod < LATEST_MOD else 0


def _has_table(database: sqlite3.Connection, name: str) -> bool:
    return bool(database.execute("select 1 from sqlite_master where type = 'table' and name = ?", (name,)).fetchone())


# ------------------------------------------------------------------------------------------------- protobuf


def _message(content: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protobuf message: (number, an int or bytes). Anki's messages hold no groups."""
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(content, at)
            yield number, value
            continue
        length, at = _varint(content, at) if wire == 2 else ({1: 8, 5: 4}[wire], at)
        yield number, content[at : at + length]
        at += length


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _signed(value: int | None) -> int | None:
    return value if value is None or value < 2**63 else value - 2**64
