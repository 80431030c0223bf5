"""The note types: what look/<key>/type.yml declares, and the templates that its front.html and back.html render to.

In: the folders of look/. Out: NoteType values, in a fixed order, and for each the (front, back, css) that Anki gets.
Apart, because reading cards needs the declarations alone: they load without Jinja, `templates` fetches it when it is called.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

LOOK = Path(__file__).parent
COMMON = ("Front", "Source")  # every type takes a heading and a ## Source; the source goes into the footer


class NoteType(NamedTuple):
    """A note type. `fields` are Anki's, name -> id, in Anki's order; `main` takes the text before the first section.

    required and sections name the fields that an author writes; `## Source` may stand everywhere besides.
    template: the name and the id of the one card template. ready: its front, back and style sheet where they are rendered already.
    """

    key: str
    name: str
    id: int
    kind: Literal["basic", "cloze"]
    main: str
    required: tuple[str, ...]
    sections: tuple[str, ...]
    fields: Mapping[str, int]
    template: tuple[str, int]
    look: Path = LOOK
    ready: tuple[str, str, str] | None = None

    @property
    def front(self) -> str:
        return (self.ready or templates(self))[0]

    @property
    def back(self) -> str:
        return (self.ready or templates(self))[1]

    @property
    def css(self) -> str:
        return (self.ready or templates(self))[2]


@functools.cache
def note_types(look: Path = LOOK) -> Mapping[str, NoteType]:
    """The note types by key ("qa", "cloze", ...), sorted by key."""
    return {path.parent.name: _note_type(path) for path in sorted(look.glob("*/type.yml"))}


def templates(note_type: NoteType) -> tuple[str, str, str]:
    """The front and back templates and the style sheet, as Anki gets them.

    front.html and back.html are Jinja with << >> for values, <% %> for statements and <# #> for comments, so that
    Anki's own {{Field}} passes through; a name that is not defined, or an Anki field that the type lacks, is an error.
    """
    front, back, css = _rendered(note_type.look, note_type.key)
    for side, text in (("front", front), ("back", back)):
        unknown = _anki_fields(text) - set(note_type.fields)
        if unknown:
            raise ValueError(f"look/{note_type.key}/{side}.html names fields that the type lacks: {sorted(unknown)}")
    return front, back, css


@functools.cache
def _rendered(look: Path, key: str) -> tuple[str, str, str]:
    jinja = environment(look / key, look)
    front, back = (_tight(jinja.get_template(f"{side}.html").render()) for side in ("front", "back"))
    return front, back, (look / "style.css").read_text(encoding="utf-8")


def forget() -> None:
    """Reads look/ again when it is next asked for: for a process that lives longer than what it read."""
    note_types.cache_clear()
    _rendered.cache_clear()


def environment(*folders: Path, autoescape: bool = False) -> Any:
    """Jinja over templates that may hold Anki's {{Field}}: << >> for values, <% %> for statements, <# #> for comments; strict."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
    )


def _tight(html: str) -> str:
    return "\n".join(line for line in html.split("\n") if line.strip()) + "\n"


def _note_type(path: Path) -> NoteType:
    declared = _load(path)
    return NoteType(
        key=path.parent.name,
        name=declared["name"],
        id=declared["id"],
        kind=declared["kind"],
        main=declared["main"],
        required=tuple(declared["required"]),
        sections=tuple(declared["sections"]),
        fields=declared["fields"],
        template=(declared["template"]["name"], declared["template"]["id"]),
        look=path.parent.parent,
    )


def _load(path: Path) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)


def _anki_fields(template: str) -> set[str]:
    """The fields that an Anki template names, with its filters, sections and {{FrontSide}} taken away."""
    import re

    names = {match.split(":")[-1].lstrip("#/^").strip() for match in re.findall(r"\{\{(.+?)\}\}", template)}
    return names - {"FrontSide", "Tags", "Type", "Deck", "Subdeck", "Card", "CardFlag"}
