"""What a file from elsewhere holds, whatever its format: notes with fields of Markdown or HTML, note types, media, and what cannot come along."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from generator.gate.characters import unwanted, without_unwanted
from generator.problems import Place, Problem
from generator.read.html import VOID


class Template(NamedTuple):
    """A card template of Anki; id is None where it has none."""

    name: str
    front: str
    back: str
    id: int | None = None


class Kind(NamedTuple):
    """A note type of Anki. fields: name -> id, None where it has none. mod: seconds since 1970, when it last changed. occlusion: of pictures."""

    name: str
    id: int
    cloze: bool
    fields: Mapping[str, int | None]
    templates: tuple[Template, ...]
    css: str
    mod: int = 0
    occlusion: bool = False


class Found(NamedTuple):
    """A note. kind: its note type's key in `Haul.kinds`, or in ours. fields: by name, those of ours as their sections are called.

    deck: the parts of its name, none where the source says none. guid and mod are "" and 0 where the source has none.
    """

    kind: str
    fields: Mapping[str, str]
    deck: tuple[str, ...]
    tags: tuple[str, ...]
    place: Place
    guid: str = ""
    mod: int = 0


class Haul(NamedTuple):
    """All of a file. written: what the fields are in. media: a file's content by its name, None where there is none. lost: what cannot come along."""

    notes: tuple[Found, ...]
    written: Literal["html", "markdown"]
    kinds: Mapping[str, Kind] = MappingProxyType({})
    media: Callable[[str], bytes | None] = lambda name: None
    lost: tuple[Problem, ...] = ()


DEEPEST, LONGEST = 100, 200_000  # of a field: elements within elements, and characters; a card of ours may have far less
_TAG = re.compile(r"<(/?)([A-Za-z][\w:-]*)[^<>]*>")


_REFERENCE = re.compile(r"&#(?:([0-9]+)|[xX]([0-9A-Fa-f]+));?")


def gated(haul: Haul) -> Haul:
    """The haul without what no text may hold, in whatever it is, and without the notes that nothing could be made of. Raises TypeError
    where something is no text."""
    notes, lost = [], list(haul.lost)
    text_of = _markup if haul.written == "html" else without_unwanted
    for note in haul.notes:
        fields = {without_unwanted(name): text_of(text) for name, text in note.fields.items()}
        if fields != note.fields:
            lost.append(Problem(note.place, "characters that no text may hold were left out"))
        if wrong := next(filter(None, map(_too_much, fields.values())), ""):
            lost.append(Problem(note.place, f"a note was left out: a field {wrong}"))
            continue
        deck, tags = tuple(map(without_unwanted, note.deck)), tuple(map(without_unwanted, note.tags))
        notes.append(note._replace(fields=fields, deck=deck, tags=tags, guid=without_unwanted(note.guid)))
    kinds = {key: _gated(kind) for key, kind in haul.kinds.items()}
    return haul._replace(notes=tuple(notes), kinds=kinds, lost=tuple(lost))


def _markup(html: str) -> str:
    """HTML, in which characters have numbers as well."""

    def kept(match: re.Match[str]) -> str:
        number = int(match[1] or match[2], 10 if match[1] else 16) if len(match[0]) <= 12 else sys.maxsize
        return "" if number > sys.maxunicode or unwanted(chr(number)) else match[0]

    return _REFERENCE.sub(kept, without_unwanted(html))


def _gated(kind: Kind) -> Kind:
    templates = tuple(Template(without_unwanted(one.name), without_unwanted(one.front), without_unwanted(one.back), one.id) for one in kind.templates)
    fields = {without_unwanted(name): id for name, id in kind.fields.items()}
    return kind._replace(name=without_unwanted(kind.name), fields=fields, templates=templates, css=without_unwanted(kind.css))


def _too_much(text: str) -> str:
    if len(text) > LONGEST:
        return f"has {len(text)} characters, and at most {LONGEST} are read"
    depth = 0
    for closing, name in _TAG.findall(text):
        if name.lower() not in VOID:
            depth = max(depth - 1, 0) if closing else depth + 1
        if depth > DEEPEST:
            return f"has elements nested deeper than {DEEPEST}"
    return ""
