"""The preview's part of each file of cards, made again only where its notes or the templates changed.

In: a Built. Out: index.html and media/ beside it, or the notes of single files as the page has them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from generator.keep.cache import key
from generator.keep.deck import Built
from generator.keep.sheets import END
from generator.look.notetypes import Template
from generator.notes import Entry, Sheet
from generator.pack.output import write_media, writing
from generator.pack.package import media_of
from generator.show.preview import embedded, entry, faces, page
from kernels.parts import sweep


def write_preview(built: Built, statuses: Mapping[str, str], out: Path) -> Path:
    """Writes out/index.html and out/media/, and returns the page's path. Raises ValueError where a template is one that Anki would refuse."""
    path = out / "index.html"
    sweep(out)
    write_media(out / "media", media_of(built.entries, built.types), built.media)
    with writing(path) as file:
        for piece in whole(built, statuses):
            file.write(piece.encode())
    return path


def whole(built: Built, statuses: Mapping[str, str]) -> Iterator[str]:
    """The page of all cards, piece by piece."""
    types = {name: built.types[name] for name in sorted({note.type for note in built.entries})}
    cards = sum(len(note.cards) for note in built.entries)
    return page(built.deck, cards, types, (note for sheet in built.sheets for note in shown(sheet, built)), statuses, built.withheld)


def shown(sheet: Sheet, built: Built) -> list[str]:
    """The notes of a file as the page has them, each as JSON."""
    content = built.cache.kept(_sheet_key(sheet, built), lambda: "\n".join(_notes(sheet, built)).encode()).decode()
    return content.split("\n") if content else []


def looks(built: Built) -> str:
    """A key of all that `shown` gives besides the sheet."""
    return key("looks", built.code, built.deck.name, {name: _look(kind.name, kind.templates) for name, kind in built.types.items()})


def live(built: Built) -> Iterator[str]:
    """The keys of all pieces that the page stands on."""
    for sheet in built.sheets:
        yield _sheet_key(sheet, built)
        yield from (_note_key(note, built) for note in sheet.entries)


def _notes(sheet: Sheet, built: Built) -> Iterator[str]:
    for note, line, text in zip(sheet.entries, sheet.facts.split("\n"), built.texts(sheet.entries)):
        kind = built.types[note.type]
        fields = fields_of(note, text, built)
        yield embedded(entry(json.loads(line), built.deck.name, fields, kind, cards_of(note, fields, built)))


def fields_of(note: Entry, text: bytes, built: Built) -> dict[str, str]:
    """A note's fields by name. text: as `Built.texts` gives it."""
    return dict(zip(built.types[note.type].fields, text.decode().split(END), strict=True))


def cards_of(note: Entry, fields: Mapping[str, str], built: Built) -> list[dict[str, Any]]:
    """The cards of a note, each with its two sides as a browser shows them."""
    kind, name = built.types[note.type], _note_key(note, built)
    cards = built.cache.get(name) or json.dumps(faces(fields, kind, note.deck, note.tags, note.cards)).encode()
    built.cache.put(name, cards)
    return json.loads(cards)


def _sheet_key(sheet: Sheet, built: Built) -> str:
    looks = {kind.key: _look(kind.name, kind.templates) for kind in (built.types[note.type] for note in sheet.entries)}
    return key("shown", built.code, built.deck.name, sheet.facts, [note.pieces[0] for note in sheet.entries], looks)


def _note_key(note: Entry, built: Built) -> str:
    kind = built.types[note.type]
    return key("faces", built.code, built.deck.name, note.pieces[0], _look(kind.name, kind.templates))


@functools.lru_cache(maxsize=16)
def _look(name: str, templates: tuple[Template, ...]) -> str:
    return key("look", name, templates)
