"""What a file from elsewhere holds, whatever its format: notes with fields of Markdown or HTML, note types, media, and what cannot come along."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from generator.problems import Place, Problem


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
