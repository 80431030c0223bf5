"""The preview's part of each file of cards, made again only where its notes or the templates changed.

In: a Built. Out: index.html and media/ beside it, or the notes of single files as the page has them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from generator.keep.cache import key
from generator.keep.deck import Built
from generator.keep.sheets import END
from generator.look.notetypes import NoteType
from generator.notes import Sheet
from generator.pack.output import write_media, writing
from generator.show.preview import embedded, entry, faces, page


def write_preview(built: Built, statuses: Mapping[str, str], out: Path) -> Path:
    """Writes out/index.html and out/media/, and returns the page's path. Raises ValueError where a template is one that Anki would refuse."""
    notes, path = built.entries, out / "index.html"
    write_media(out / "media", {name: size for note in notes for name, size in note.media.items()}, built.media)
    with writing(path) as file:
        for piece in whole(built, statuses):
            file.write(piece.encode())
    return path


def whole(built: Built, statuses: Mapping[str, str]) -> Iterator[str]:
    """The page of all cards, piece by piece."""
    types = {name: built.types[name] for name in sorted({note.type for note in built.entries})}
    cards = sum(len(note.cards) for note in built.entries)
    return page(built.deck, cards, types, (note for sheet in built.sheets for note in shown(sheet, built)), statuses)


def shown(sheet: Sheet, built: Built) -> list[str]:
    """The notes of a file as the page has them, each as JSON."""
    looks = {note.type: _look(built.types[note.type]) for note in sheet.entries}
    name = key("shown", built.code, built.deck.name, sheet.facts, [note.pieces[0] for note in sheet.entries], looks)
    return built.cache.kept(name, lambda: "\n".join(_notes(sheet, built, looks)).encode()).decode().split("\n") if sheet.entries else []


def _notes(sheet: Sheet, built: Built, looks: Mapping[str, str]) -> list[str]:
    made = []
    for note, line, text in zip(sheet.entries, sheet.facts.split("\n"), built.texts(sheet.entries), strict=True):
        kind = built.types[note.type]
        fields = dict(zip(kind.fields, text.decode().split(END), strict=True))
        name = key("faces", built.code, note.pieces[0], looks[note.type])
        cards = built.cache.get(name) or json.dumps(faces(fields, kind, note.deck, note.tags, note.cards)).encode()
        built.cache.put(name, cards)
        made.append(embedded(entry(json.loads(line), built.deck.name, fields, kind, json.loads(cards))))
    return made


def _look(kind: NoteType) -> str:
    return key("look", kind.front, kind.back)
