"""Decks of md2anki: Markdown in which a level-1 heading is a deck, deeper ones are notes, and ids stand in parentheses behind them.

In: the text of a file. Out: a Haul whose fields are Markdown, with the GUIDs that md2anki's packages have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from generator.elsewhere.files import Files
from generator.elsewhere.found import Found, Haul, Kind, Template
from generator.problems import Place, Problem

_HEADING = re.compile(r"(#+)\s+(.+?)(?:\s+\(([^()\s]+)\))?\s*")
_DECK = re.compile(r"^#\s+.+?\s+\(\d+\)\s*$", re.MULTILINE)
_NOTE = re.compile(r"^##+\s+.+?\s+\([0-9a-fA-F]{8}-[0-9a-fA-F-]{27}\)\s*$", re.MULTILINE)
_TAGS = re.compile(r"`\{=:(.*?):=\}`")
_TYPE = re.compile(r"`\{=<(\w+)>=\}`")
_RUN = re.compile(r"(`[^`\n]+`)\{(=?)\.?[\w+#-]*\}|^(?:```+|~~~+)\{(=)", re.MULTILINE)
_SUBDECK = "Subdeck: "

# Its note types, since GUIDs alone match no note of another type. Its templates lean on scripts of its own style; these say the same without.
_BASIC = ("{{Question}}", '{{FrontSide}}\n\n<hr id="answer">\n\n{{Answer}}')
_TYPED = ("{{Question}}\n\n{{type:Answer}}", '{{Question}}\n\n<hr id="answer">\n\n{{type:Answer}}')
_CLOZE = ("{{cloze:Text}}", "{{cloze:Text}}")
_CSS = """\
.card {
  font-family: sans-serif;
  font-size: 20px;
  text-align: center;
}
.cloze {
  font-weight: bold;
}
pre {
  overflow-x: auto;
}
.nightMode a {
  color: #8ab4f8;
}
"""
KINDS = {
    "md2anki_type_default": Kind(
        "md2anki (default)", 396500103, False, dict.fromkeys(("Question", "Answer")), (Template("md2anki md2anki_default (v3)", *_BASIC),), _CSS
    ),
    "md2anki_type_answer": Kind(
        "md2anki (type answer)",
        396500203,
        False,
        dict.fromkeys(("Question", "Answer")),
        (Template("md2anki md2anki_type_answer (v3)", *_TYPED),),
        _CSS,
    ),
    "md2anki_type_cloze": Kind(
        "md2anki (type cloze)", 396500301, True, dict.fromkeys(("Text",)), (Template("md2anki md2anki_type_cloze (v1)", *_CLOZE),), _CSS
    ),
}
DEFAULT, CLOZE = "md2anki_type_default", "md2anki_type_cloze"


def is_one(text: str) -> bool:
    """Whether the text is md2anki's, by what it writes behind its headings."""
    return bool(_DECK.search(text) and re.search(r"^##+ ", text, re.MULTILINE)) or bool(_NOTE.search(text))


def read(path: Path, text: str) -> Haul:
    lost: list[Problem] = []
    notes = tuple(_notes(path, text, lost))
    used = {note.kind for note in notes}
    return Haul(notes, "markdown", {key: kind for key, kind in KINDS.items() if key in used}, Files(path.parent), tuple(lost))


def _notes(path: Path, text: str, lost: list[Problem]) -> Iterator[Found]:
    decks: list[tuple[str, tuple[str, ...], str]] = []  # name, tags and type, from the outermost
    for level, title, id, body, line in _parts(text):
        place = Place(path.as_posix(), line)
        for run in _RUN.finditer(body):
            if run[2] or run[3]:
                lost.append(Problem(place, "code that md2anki runs is shown as it is", "a kernel computes what a card says"))
        tags, kinds = _tags(title + body), _TYPE.findall(title + body)
        title, body = (_without(part) for part in (title, body))
        if level == 1 or title.startswith(_SUBDECK):
            del decks[level - 1 :]
            inherited = decks[-1] if decks else ("", (), DEFAULT)
            decks.append((title.removeprefix(_SUBDECK), (*inherited[1], *tags), kinds[-1] if kinds else inherited[2]))
            if body:
                lost.append(Problem(place, "the description of a deck", "write it into deck.yml"))
            continue
        del decks[max(level - 1, 1) :]
        kind = kinds[-1] if kinds else decks[-1][2] if decks else DEFAULT
        kind = {"md2anki_default": DEFAULT, "md2anki_type_cloze_extra": CLOZE}.get(kind, kind if kind in KINDS else DEFAULT)
        before, after = _divided(body)
        front, back = "\n\n".join(filter(None, (title, before))), after
        fields = {"Text": "\n\n".join(filter(None, (front, back)))} if kind == CLOZE else {"Question": front, "Answer": back}
        inherited_tags = decks[-1][1] if decks else ()
        yield Found(kind, fields, tuple(name for name, _, _ in decks), tuple(dict.fromkeys((*inherited_tags, *tags))), place, id)


def _parts(text: str) -> Iterator[tuple[int, str, str, str, int]]:
    """(level, title, id, what stands below, line) of each heading; what looks like one inside a fence is none."""
    head: tuple[int, str, str, int] | None = None
    body: list[str] = []
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"\s*(`{3,}|~{3,})", line)
        if mark and (not fence or (mark[1].startswith(fence) and not line.strip(" `~"))):
            fence = "" if fence else mark[1]
        heading = None if fence else _HEADING.fullmatch(line)
        if heading:
            if head:
                yield *head[:3], "\n".join(body).strip(), head[3]
            head, body = (len(heading[1]), heading[2], heading[3] or "", number), []
        else:
            body.append(line)
    if head:
        yield *head[:3], "\n".join(body).strip(), head[3]


def _divided(body: str) -> tuple[str, str]:
    """What stands before the first line of ---, and behind it; all of it behind where there is none."""
    parts = re.split(r"^---[ \t]*$", body, maxsplit=1, flags=re.MULTILINE)
    return (parts[0].strip(), parts[1].strip()) if len(parts) == 2 else ("", body)


def _tags(text: str) -> list[str]:
    return [re.sub(r"\s+", "_", tag.strip()) for found in _TAGS.findall(text) for tag in found.split(",") if tag.strip()]


def _without(text: str) -> str:
    """The text without tags, types and what names the language of code."""
    text = _TYPE.sub("", _TAGS.sub("", text))
    return re.sub(r"(`[^`\n]+`)\{=?\.?[\w+#-]*\}", r"\1", text).strip()
