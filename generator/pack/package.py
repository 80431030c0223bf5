"""Notes as rendered in, the bytes of an Anki package out. The same notes and lock give the same bytes, to the last one.

genanki writes the database; what it cannot do is added here: a `mod` for each note and note type, ids that do not come
from the clock, cards in reading order, and a zip without times.
"""

from __future__ import annotations

import hashlib
import html
import io
import json
import os
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from generator.look.notetypes import NoteType
from generator.notes import Deck, Rendered
from generator.pack.lock import Lock, TypeLine

EPOCH_MS = 1_600_000_000_000  # Anki takes ids for times of creation; ours lie in the three years after this one
SPAN_MS = 100_000_000_000
SQLITE_WRITER = slice(92, 100)  # of the database's header: a count and the version of the SQLite that wrote it


def pack(deck: Deck, rendered: Sequence[Rendered], types: Mapping[str, NoteType], lock: Lock) -> bytes:
    """The .apkg of these notes, in their order, with `mod` times from the lock."""
    media = {name: content for note in rendered for name, content in note.media.items()}
    names = sorted(media)
    entries = [("collection.anki2", _database(deck, rendered, types, lock)), ("media", json.dumps(dict(enumerate(names))).encode())]
    entries += [(str(index), media[name]) for index, name in enumerate(names)]
    return _zipped(entries)


def write(path: Path, content: bytes) -> None:
    """Writes under another name and renames, so that a failed build leaves the last good package."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_media(folder: Path, rendered: Sequence[Rendered]) -> None:
    """Makes the folder hold exactly the media of these notes."""
    media = {name: content for note in rendered for name, content in note.media.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in media:
            path.unlink()
    for name, content in media.items():
        path = folder / name
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


def description(deck: Deck) -> str:
    """What Anki shows under the deck's name: its version, its source, and what importing an update does."""
    source = f' from <a href="{html.escape(deck.source)}">{html.escape(deck.source)}</a>' if deck.source else ""
    parts = [
        f"<p>{html.escape(deck.description)}</p>" if deck.description else "",
        f"<p>Version {html.escape(deck.version)}{source}.</p>",
        "<p>Importing a newer version changes only the notes whose content changed: there it overwrites your edits and tags. "
        "Schedules, review history, flags and suspended cards stay. Notes that were retired stay until you delete them.</p>",
    ]
    return "".join(parts)


# --------------------------------------------------------------------------------------------- the database


def _database(deck: Deck, rendered: Sequence[Rendered], types: Mapping[str, NoteType], lock: Lock) -> bytes:
    import genanki

    note_class, model_class = _classes()
    models = {key: model_class(types[key], lock.types[key]) for key in sorted({note.type for note in rendered})}
    decks = {deck.name: genanki.Deck(deck.id, deck.name, description(deck))}
    for position, note in enumerate(rendered, 1):
        home = decks.setdefault(note.deck, genanki.Deck(_id("deck", deck.id, note.deck) // 1000, note.deck))
        home.add_note(note_class(models[note.type], note, lock.notes[note.id].guid, lock.notes[note.id].mod, position))
    handle, name = tempfile.mkstemp(suffix=".anki2")
    os.close(handle)
    try:
        with closing(sqlite3.connect(name)) as connection:
            genanki.Package(list(decks.values())).write_to_db(connection.cursor(), 0, iter(()))
            connection.commit()
        content = bytearray(Path(name).read_bytes())
    finally:
        os.unlink(name)
    content[SQLITE_WRITER] = b"\0" * 8
    return bytes(content)


def _id(*content: Any) -> int:
    """A number that Anki may take for a time in milliseconds, made of `content` alone."""
    digest = hashlib.sha256(json.dumps(content).encode()).digest()
    return EPOCH_MS + int.from_bytes(digest[:8], "big") % SPAN_MS


@cache
def _classes() -> tuple[type, type]:
    """genanki's Note and Model with ids and times of ours; made here because importing genanki costs what an idle build lasts."""
    import genanki

    class PackedModel(genanki.Model):
        def __init__(self, note_type: NoteType, shipped: TypeLine):
            name, template_id = note_type.template
            shown = f"{{{{cloze:{note_type.main}}}}}" if note_type.kind == "cloze" else "{{Front}}"
            template = {"name": name, "id": template_id, "qfmt": note_type.front, "afmt": note_type.back, "bqfmt": shown, "bafmt": "{{Id}}"}
            super().__init__(
                note_type.id,
                note_type.name,
                fields=[{"name": field, "id": id} for field, id in note_type.fields.items()],
                templates=[template],
                css=note_type.css,
                model_type=self.CLOZE if note_type.kind == "cloze" else self.FRONT_BACK,
            )
            self.mod = shipped.mod

        def to_json(self, timestamp: float, deck_id: int) -> dict[str, Any]:
            return super().to_json(self.mod, deck_id)

    class PackedNote(genanki.Note):
        def __init__(self, model: PackedModel, note: Rendered, guid: str, mod: int, position: int):
            super().__init__(model, list(note.fields.values()), tags=sorted(note.tags), guid=guid, due=position)
            self.mod = mod
            self.ordinals = note.cards

        @property
        def cards(self) -> list[Any]:
            return [genanki.Card(ordinal) for ordinal in self.ordinals]

        def write_to_db(self, cursor: sqlite3.Cursor, timestamp: float, deck_id: int, id_gen: Iterable[int]) -> None:
            ids = iter([_id(self.guid), *(_id(self.guid, ordinal) for ordinal in self.ordinals)])
            super().write_to_db(cursor, self.mod, deck_id, ids)

    return PackedNote, PackedModel


def _zipped(entries: Iterable[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in entries:
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o600 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 1)
    return buffer.getvalue()
