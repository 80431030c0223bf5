"""What an Anki template says: its text, fields and sections, and whether Anki makes a card of it.

In: a template as Anki gets it. Out: its tree. Apart, because a note's cards are counted by the templates' fronts, long before anybody fills one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

FILTERS = ("cloze", "furigana", "hint", "kana", "kanji", "nc", "text", "tts", "type")  # those of Anki that need no script
ANKIS_OWN = ("FrontSide", "Tags", "Type", "Deck", "Subdeck", "Card", "CardFlag")  # names that stand for no field of a note
_BLANK = re.compile(r"(?:\s|</?(?:br|div) ?/?>)*", re.IGNORECASE)


class Field(NamedTuple):
    """{{filter:Name}}. filters: in the order of their application; what follows a filter's name, as in {{tts es_ES:Name}}, is no part of it."""

    name: str
    filters: tuple[str, ...]


class Section(NamedTuple):
    """{{#Name}}..{{/Name}}, or {{^Name}}..{{/Name}} where it is inverted."""

    name: str
    inverted: bool
    parts: tuple


_TOKEN = re.compile(r"(<!--.*?-->|\{\{[^{}]*\}\})", re.DOTALL)


def without_comments(template: str) -> str:
    """The template as no card needs more of it. What is left has to be judged: to a browser a comment may end sooner than to Anki."""
    return "".join(token for token in _TOKEN.split(template) if not token.startswith("<!--") or not token.endswith("-->"))


@functools.lru_cache(maxsize=256)
def tree(template: str) -> tuple:
    """The template as text, fields and sections; HTML comments are text, whatever stands in them. Raises ValueError where sections cross."""
    open_sections: list[tuple[str, bool, list]] = [("", False, [])]
    for token in _TOKEN.split(template):
        parts = open_sections[-1][2]
        if not token.startswith("{{"):
            parts.append(token)
            continue
        name = token[2:-2].strip()
        if name[:1] in ("#", "^"):
            open_sections.append((name[1:].strip(), name[0] == "^", []))
        elif name.startswith("/"):
            opened, inverted, inside = open_sections.pop()
            if not open_sections:
                raise ValueError(f"the template closes {{{{{name}}}}}, which is not open")
            if opened != name[1:].strip():
                raise ValueError(f"the template closes {{{{{name}}}}} where {{{{#{opened}}}}} is open")
            open_sections[-1][2].append(Section(opened, inverted, tuple(inside)))
        else:
            *filters, field = (part.strip() for part in name.split(":"))
            parts.append(Field(field, tuple(name.split()[0] for name in reversed(filters) if name)))
    if len(open_sections) > 1:
        raise ValueError(f"the template does not close {{{{#{open_sections[-1][0]}}}}}")
    return tuple(open_sections[0][2])


def shown(parts: tuple) -> Iterator[Field]:
    """The fields that stand in the template, in sections too."""
    for part in parts:
        if isinstance(part, Section):
            yield from shown(part.parts)
        elif isinstance(part, Field):
            yield part


def sections(parts: tuple) -> Iterator[str]:
    """The names that its sections ask for."""
    for part in parts:
        if isinstance(part, Section):
            yield part.name
            yield from sections(part.parts)


def asks(front: str, filled: Collection[str]) -> bool:
    """Whether Anki makes a card of this front where these fields are not empty: some field must show, since text alone counts for nothing."""
    return _asks(tree(front), filled)


def _asks(parts: tuple, filled: Collection[str]) -> bool:
    for part in parts:
        if isinstance(part, Field):
            if part.name in filled:
                return True
        elif isinstance(part, Section) and (part.name in filled) != part.inverted and _asks(part.parts, filled):
            return True
    return False


def is_blank(html: str) -> bool:
    """Whether a field counts as empty for Anki."""
    return _BLANK.fullmatch(html) is not None
