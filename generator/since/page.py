"""The changes as one page that needs nothing beside it: old beside new, figures laid over each other, no script.

In: the changes, and where pictures of both times come from. Out: HTML, what stands in a note passing the sanitizer as in the preview.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

from generator.look.notetypes import LOOK, environment
from generator.show.preview import with_mathml
from generator.since.changes import Change, Changes, Field
from generator.since.told import GROUPS, by_subdeck, importer, subdeck
from generator.since.words import TAG
from generator.text.media import kind_of
from generator.text.safe import MEDIUM, cleaned, shown

KINDS = {"svg": "svg+xml", "jpg": "jpeg"}
Media = Callable[[str], "bytes | None"]


def page(found: Changes, then: Media, now: Media) -> str:
    folder = LOOK / "preview"
    decks = [
        (title, [(GROUPS[status], list(_notes(notes, found, then, now, status))) for status, notes in groups.items()])
        for title, groups in by_subdeck(found)
    ]
    template = environment(autoescape=True).from_string((folder / "diff.html").read_text(encoding="utf-8"))
    css = (folder / "diff.css").read_text(encoding="utf-8")
    return template.render(name=found.name, since=found.since, importer=importer(found), decks=decks, css=css)


def _notes(notes: list[Change], found: Changes, then: Media, now: Media, status: str) -> Iterator[dict[str, Any]]:
    for note in notes:
        yield {
            "id": note.side.id,
            "place": note.side.place,
            "title": note.side.title,
            "about": f"was in {subdeck(note.moved, found.name)}" if status == "moved" else note.about,
            "fields": [_field(field, then, now) for field in note.fields] if status == "changed" else [],
            "whole": [(name, _shown(cleaned(html), now)) for name, html in note.side.fields.items() if html and name != "Id"]
            if status == "new"
            else [],
        }


def _field(field: Field, then: Media, now: Media) -> dict[str, Any]:
    figures: list[tuple[str, str]] = []
    before, after = field.html.old, field.html.new
    for was, is_now in field.html.pictures:
        before, after = before.replace(was, "", 1), after.replace(is_now, "", 1)  # they stand below, over each other
        old, new = _shown(was, then), _shown(is_now, now)
        if figures and 'class="dark"' in was:  # the twin of the one before, which the page's theme hides
            figures[-1] = (figures[-1][0] + old, figures[-1][1] + new)
        else:
            figures.append((old, new))
    sides = (_shown(before, then), _shown(after, now))
    return {"name": field.name, "old": sides[0], "new": sides[1], "numbers": list(map(str, field.html.numbers)), "figures": figures}


def _shown(html: str, media: Media) -> str:
    """Marked HTML as the page has it, with its pictures in it and what is folded open."""

    def tag(match: re.Match[str]) -> str:
        if match[0].startswith("<details"):
            return match[0] if " open" in match[0] else f"<details open{match[0][8:]}"
        return re.sub(rf'(?<= src=")({MEDIUM.pattern})(?=")', source, match[0]) if match[0].startswith("<img") else match[0]

    def source(match: re.Match[str]) -> str:
        content, suffix = media(match[0]), match[0].rpartition(".")[2]
        if content is None or kind_of(match[0]) != "image":
            return match[0]
        return f"data:image/{KINDS.get(suffix, suffix)};base64,{base64.b64encode(content).decode()}"

    return re.sub(TAG, tag, shown(with_mathml(html)))
