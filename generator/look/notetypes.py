"""What a note type is, and how the templates and the style sheet of a look are rendered to what Anki gets.

In: files below a look. Out: NoteType values and text. Apart from read/looks.py, which finds and judges them.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from generator.gate.files import text_of
from generator.problems import DeckError, Problem
from kernels.files import is_there

LOOK = Path(__file__).parent
BUILT = ("Id", "Breadcrumb", "Claims", "Footer", "Expected")  # fields that no author writes, where a type has them
HEADING = "Front"  # what a heading is called in a note, whatever field of its type it fills
SOURCE = "Source"  # the section that every type with a footer takes


class Template(NamedTuple):
    """One card of a note: its name, its id, and the two sides as Anki gets them."""

    name: str
    id: int
    front: str
    back: str


class NoteType(NamedTuple):
    """A note type. `fields` are Anki's, name -> id, in Anki's order.

    heading: the field that the note's heading fills, main: the one that takes the text under it; each may be "", where there is none.
    required and sections name the fields that an author writes; `## Source` may stand besides where there is a footer. switches: fields that a
    word in the heading's braces fills. asked: what the fronts show of a note, typed: what they want typed, by the names that the author's
    text goes by. media: the files that templates and style show, name -> size in bytes. elsewhere: learners have the type from another maker,
    so that its fields hold what stood there and nothing of ours. occlusion: of a type that hides parts of pictures, the fields that Anki knows
    by numbers: masks, picture, header, back, comments.
    shape: a hash of all that the fields and cards of a note depend on.
    """

    key: str
    name: str
    id: int
    kind: Literal["basic", "cloze"]
    heading: str
    main: str
    required: tuple[str, ...]
    sections: tuple[str, ...]
    switches: tuple[str, ...]
    fields: Mapping[str, int]
    templates: tuple[Template, ...]
    css: str
    asked: tuple[str, ...] = (HEADING,)
    typed: tuple[str, ...] = ()
    media: Mapping[str, int] = MappingProxyType({})
    elsewhere: bool = False
    occlusion: tuple[str, ...] = ()
    shape: str = ""

    @property
    def words(self) -> Mapping[str, str]:
        """The switches by the words that an author writes: any-accent for "Any accent"."""
        return {switch.lower().replace(" ", "-"): switch for switch in self.switches}

    @property
    def answer(self) -> str:
        """The field whose first sentence answers, "" where there is none."""
        return "Answer" if "Answer" in self.fields else self.main if self.kind == "basic" and self.main not in self.asked else ""


def environment(*folders: Path, autoescape: bool = False) -> Any:
    """Jinja over templates that may hold Anki's {{Field}}: << >> for values, <% %> for statements, <# #> for comments; strict."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined, TemplateNotFound

    def load(name: str) -> str:
        for folder in folders:
            if ".." not in name.split("/") and is_there(folder / name):
                problems: list[Problem] = []
                text = text_of(folder / name, os.path.relpath(folder / name), problems)
                if text is None:
                    raise DeckError(problems)
                return text
        raise TemplateNotFound(name)

    return Environment(
        loader=FunctionLoader(load),
        undefined=StrictUndefined,
        autoescape=autoescape,
        bytecode_cache=_compiled(autoescape),
        trim_blocks=True,
        lstrip_blocks=True,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
    )


@functools.cache
def _compiled(autoescape: bool) -> Any:
    """The templates that this process has compiled, by name and content: those that several types include are compiled once."""
    from jinja2 import BytecodeCache
    from jinja2.bccache import Bucket

    class Compiled(BytecodeCache):
        def __init__(self) -> None:
            self.codes: dict[str, tuple[str, Any]] = {}

        def load_bytecode(self, bucket: Bucket) -> None:
            checksum, code = self.codes.get(bucket.key, ("", None))
            bucket.code = code if checksum == bucket.checksum else None

        def dump_bytecode(self, bucket: Bucket) -> None:
            self.codes[bucket.key] = bucket.checksum, bucket.code

    return Compiled()


def tight(html: str) -> str:
    """HTML without its blank lines."""
    return "\n".join(line for line in html.split("\n") if line.strip()) + "\n"
