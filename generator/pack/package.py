"""Notes as rendered in, the bytes of an Anki package out. The same notes and lock give the same bytes, to the last one.

genanki writes the database; what it cannot do is added here: a `mod` for each note and note type, ids that do not come
from the clock, cards in reading order, and a zip without times.
"""

from __future__ import annotations

import errno
import hashlib
import html
import json
import os
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache, partial
from json.encoder import encode_basestring_ascii  # json.dumps of a string takes four times as long
from pathlib import Path
from typing import IO, Any, NamedTuple

from generator.look.notetypes import NoteType
from generator.notes import Deck, Entry
from generator.pack import library
from generator.pack.lock import Lock
from generator.pack.order import spread
from generator.pack.output import writing
from kernels.parts import part

EPOCH_MS = 1_600_000_000_000  # Anki takes ids for times of creation; ours lie in the three years after this one
SPAN_MS = 100_000_000_000
SQLITE_WRITER = slice(92, 100)  # of the database's header: a count and the version of the SQLite that wrote it

OCCLUSION = 6  # as Anki numbers its own type for the occlusion of pictures
LEVEL = 6
CHUNK = 1 << 17  # bytes of the database that are compressed by themselves, so that an edit costs the compression of some only
LAST = b"\x03\x00"  # an empty deflate block that ends a stream


def deflated(content: bytes) -> bytes:
    """A part of a raw deflate stream, which ends at a byte and does not look back."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(content) + compressor.flush(zlib.Z_FULL_FLUSH)


class Contents(NamedTuple):
    """Where the heavy parts of a package come from. texts: the fields of each note as Anki joins them; media: a file's content by name.

    deflated: the raw deflate stream of some bytes, which may be remembered; left out, they are compressed now.
    """

    texts: Callable[[Sequence[Entry]], Iterator[bytes]]
    media: Callable[[str], bytes]
    deflated: Callable[[bytes], bytes] = deflated


def write_package(path: Path, deck: Deck, notes: Sequence[Entry], types: Mapping[str, NoteType], lock: Lock, contents: Contents) -> str:
    """Writes the .apkg of these notes, in their order, with `mod` times from the lock. Returns its SHA-256."""
    try:
        return _write_package(path, deck, notes, types, lock, contents)
    except sqlite3.OperationalError as error:  # no room for the collection, which is made in the system's folder for what is passing
        raise OSError(errno.EIO, str(error), os.fspath(path)) from error


def _write_package(path: Path, deck: Deck, notes: Sequence[Entry], types: Mapping[str, NoteType], lock: Lock, contents: Contents) -> str:
    names = list(media_of(notes, types))
    with writing(path) as file, zipfile.ZipFile(file, "w") as archive:
        with _database(path.parent, deck, notes, types, lock, contents) as database:
            _add(archive, "collection.anki2", iter(partial(database.read, CHUNK), b""), contents)
        _add(archive, "media", [json.dumps(dict(enumerate(names))).encode()], contents)
        for index, name in enumerate(names):
            _add(archive, str(index), [contents.media(name)], contents)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def media_of(notes: Sequence[Entry], types: Mapping[str, NoteType]) -> dict[str, int]:
    """The files that notes of these types show, sorted, with their sizes."""
    shown = {name: size for note in notes for name, size in note.media.items()}
    for key in {note.type for note in notes}:
        shown |= types[key].media
    return dict(sorted(shown.items()))


def description(deck: Deck) -> str:
    """What Anki shows under the deck's name: its version, its source, and what importing an update does."""
    source = f' from <a href="{html.escape(deck.source)}">{html.escape(deck.source)}</a>' if deck.source else ""
    parts = [
        f"<p>{html.escape(deck.description)}</p>" if deck.description else "",
        f"<p>Version {html.escape(deck.version)}{source}.</p>" if deck.version else f"<p>It comes{source}.</p>" if source else "",
        "<p>Importing a newer version changes only the notes whose content changed: there it overwrites your edits and tags. "
        "Schedules, review history, flags and suspended cards stay. Notes that were retired stay until you delete them.</p>"
        "<p>If you add, remove or move a field or a card template of a note type, Anki no longer updates its notes, "
        "unless you tick <i>Merge note types</i> when you import.</p>",
    ]
    return "".join(parts)


# --------------------------------------------------------------------------------------------- the database


@contextmanager
def _database(folder: Path, deck: Deck, notes: Sequence[Entry], types: Mapping[str, NoteType], lock: Lock, contents: Contents) -> Iterator[IO[bytes]]:
    """The collection as an open file in a folder, which genanki wrote and which goes with the block."""
    genanki, notes_class, model_class = _genanki()
    models = {key: model_class(types[key], lock.type_mod(key)) for key in sorted({note.type for note in notes})}
    homes: dict[str, list[tuple[int, Entry]]] = {deck.name: []}
    for position, note in enumerate(notes, 1):
        homes.setdefault(note.deck, []).append((position, note))
    for inside in homes.values():
        inside[:] = zip([position for position, _ in inside], spread([note for _, note in inside]), strict=True)
    decks = [genanki.Deck(deck.id, deck.name, description(deck))]
    decks += [genanki.Deck(_id("deck", deck.id, name) // 1000, name) for name in list(homes)[1:]]
    for home, inside in zip(decks, homes.values(), strict=True):
        home.notes = [notes_class(models, inside, lock)] if inside else []
        for key in dict.fromkeys(note.type for _, note in inside):
            home.add_model(models[key])
    with part(folder) as (path, file):
        with closing(sqlite3.connect(f"{Path(path).absolute().as_uri()}?nolock=1", uri=True)) as connection:  # it is ours alone
            connection.execute("pragma journal_mode = off")
            connection.execute("pragma synchronous = off")
            connection.execute("pragma cache_size = -16000")  # kB, as notes come in no order of their ids
            texts = contents.texts([note for inside in homes.values() for _, note in inside])  # in the order in which genanki writes
            genanki.Package(decks).write_to_db(connection.cursor(), 0, texts)
            connection.commit()
        file.seek(SQLITE_WRITER.start)
        file.write(bytes(SQLITE_WRITER.stop - SQLITE_WRITER.start))
        file.seek(0)
        yield file


def ids_of(guid: str, cards: Sequence[int]) -> tuple[int, ...]:
    """Anki's ids of a note and of its cards, which depend on nothing but the GUID and the cards' ordinals."""
    return _id(guid), *(_id(guid, ordinal) for ordinal in cards)


def _id(*content: str | int) -> int:
    """A number that Anki may take for a time in milliseconds, made of `content` alone."""
    json = ", ".join(encode_basestring_ascii(part) if isinstance(part, str) else str(part) for part in content)
    digest = hashlib.sha256(f"[{json}]".encode()).digest()
    return EPOCH_MS + int.from_bytes(digest[:8], "big") % SPAN_MS


@cache
def _genanki() -> tuple[Any, type, type]:
    """genanki, with notes and a Model whose ids and times are ours; made here because genanki is imported late."""
    genanki = library()

    class PackedModel(genanki.Model):  # type: ignore[name-defined]
        def __init__(self, note_type: NoteType, mod: int):
            browser = {"bqfmt": "", "bafmt": "{{Id}}" if "Id" in note_type.fields else ""}  # what Anki's list of cards shows
            if len(note_type.templates) == 1 and (title := note_type.heading or note_type.main):
                hides = note_type.kind == "cloze" and not note_type.occlusion
                browser["bqfmt"] = f"{{{{cloze:{note_type.main}}}}}" if hides else f"{{{{{title}}}}}"
            fields = [{"name": field, "id": id, **_numbered(field, note_type.occlusion)} for field, id in note_type.fields.items()]
            super().__init__(
                note_type.id,
                note_type.name,
                fields=fields,
                templates=[{"name": one.name, "id": one.id, "qfmt": one.front, "afmt": one.back, **browser} for one in note_type.templates],
                css=note_type.css,
                model_type=self.CLOZE if note_type.kind == "cloze" else self.FRONT_BACK,
            )
            self.mod, self.stock = mod, {"originalStockKind": OCCLUSION} if note_type.occlusion else {}

        def to_json(self, timestamp: float, deck_id: int) -> dict[str, Any]:
            return {**super().to_json(self.mod, deck_id), **self.stock}

    class PackedNotes:
        """All notes of a deck, as genanki.Deck asks of one. Their text comes as they are written, so that no deck is ever whole in memory."""

        def __init__(self, models: Mapping[str, PackedModel], notes: Sequence[tuple[int, Entry]], lock: Lock):
            self.models, self.notes, self.lock = models, notes, lock
            self.model = models[notes[0][1].type]

        def write_to_db(self, cursor: sqlite3.Cursor, timestamp: float, deck_id: int, texts: Iterator[bytes]) -> None:
            insert = cursor.connection.cursor().execute
            cursor.executemany("INSERT INTO notes VALUES(?,?,?,?,?,?,CAST(? AS TEXT),?,?,?,?)", self._rows(deck_id, texts, insert))

        def _rows(self, deck_id: int, texts: Iterator[bytes], insert: Callable[[str, tuple], Any]) -> Iterator[tuple]:
            """A row for each note; when the next one is asked for, the note's cards are inserted, so that they lie behind it."""
            for (position, note), fields in zip(self.notes, texts):
                mod = self.lock.mod(note.id)
                id, *card_ids = note.ids
                first, tags = fields.partition(b"\x1f")[0].decode(), f" {' '.join(sorted(note.tags))} "
                yield id, note.guid, self.models[note.type].model_id, mod, -1, tags, fields, first, 0, 0, ""
                for card_id, ordinal in zip(card_ids, note.cards, strict=True):
                    card = (card_id, id, deck_id, ordinal, mod, -1, 0, 0, position, 0, 0, 0, 0, 0, 0, 0, 0, "")
                    insert("INSERT INTO cards VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", card)

    return genanki, PackedNotes, PackedModel


def _numbered(field: str, occlusion: Sequence[str]) -> dict[str, Any]:
    """The number by which Anki knows a field of its type for the occlusion of pictures, which it then lets nobody remove."""
    return {"tag": occlusion.index(field), "preventDeletion": True} if field in occlusion else {}


# ------------------------------------------------------------------------------------------------ the zip


def _add(archive: zipfile.ZipFile, name: str, parts: Iterable[bytes], contents: Contents) -> None:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.create_system, entry.external_attr, entry.compress_type = 3, 0o600 << 16, zipfile.ZIP_DEFLATED
    with archive.open(entry, "w") as member:
        member._compressor = _Remembered(contents.deflated)  # type: ignore[attr-defined]  # zipfile has no way in for what is deflated already
        for part in parts:
            member.write(part)


class _Remembered(NamedTuple):
    """A compressor as zipfile wants it."""

    compress: Callable[[bytes], bytes]

    def flush(self) -> bytes:
        return LAST
