"""What a learner sees of a note, as the rules read it: text without markup, and what stands in it.

In: a note type and the note's fields as they are packed. Out: a Lesson. Apart from the rules, so that they speak of words and not of HTML.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import NamedTuple

from generator.look.notetypes import BUILT, HEADING, NoteType
from generator.look.template import shown, tree

FOLDED = "Depth"  # what a learner has to unfold is no part of the back
OFFERED = "Options"
FRONT_SIDE = "FrontSide"  # by which a template's back shows its front
MATH = "∎"  # begins a formula, which is one word


class Deletion(NamedTuple):
    """What a cloze card hides under a number, at one place."""

    number: int
    text: str


class Lesson(NamedTuple):
    """A note in plain text.

    front: all that is asked, of a cloze note its text with the deletions left out. answer: the paragraph that answers, "" where there is none.
    computed: the numbers in it that a run made. back: all that shows behind the front, the answer included. lists: how many items each list has.
    figures: what their alternative texts say. height: of the back below its front on a phone, in pixels, as well as text tells it.
    """

    id: str
    type: str
    heading: str
    front: str
    answer: str
    computed: tuple[str, ...]
    back: str
    lists: tuple[int, ...]
    figures: tuple[str, ...]
    deletions: tuple[Deletion, ...]
    height: float


def lesson(id: str, kind: NoteType, fields: Mapping[str, str]) -> Lesson:
    """The note with this id, whose fields hold this HTML."""
    asked = {kind.heading if name == HEADING else name for name in kind.asked} | ({kind.main} if kind.kind == "cloze" else set())
    seen = {name: html for name, html in fields.items() if html and name not in (*BUILT, FOLDED, OFFERED, *kind.switches)}
    front, back = [html for name, html in seen.items() if name in asked], [html for name, html in seen.items() if name not in asked]
    answer = next((piece for piece in _pieces(seen.get(kind.answer, "")) if text(piece)), "") if kind.answer else ""
    return Lesson(
        id=id,
        type=kind.key,
        heading=text(seen.get(kind.heading, "")),
        front=" ".join(text(_CLOZE.sub(" … ", html)) for html in front),
        answer=text(answer),
        computed=tuple(map(text, _COMPUTED.findall(answer))),
        back=" ".join(map(text, back)),
        lists=tuple(items.count("<li") for html in seen.values() for items in _LIST.findall(html)),
        figures=tuple(unescape(alt) for html in back for alt in _FIGURE.findall(html)),
        deletions=tuple(Deletion(int(number), text(inside.partition("::")[0])) for html in front for number, inside in _CLOZE.findall(html)),
        height=_height(kind, fields),
    )


def text(html: str) -> str:
    """The words of HTML, with single spaces: a formula is one of them, and so is a number with its unit; a figure has none."""
    flat = _MATH.sub(lambda math: MATH + "".join(_TAG.sub("", math[0][2:-2]).split()), html) if "\\" in html else html
    plain = _TAG.sub(" ", _INLINE.sub("", flat))
    return " ".join(unescape(plain).replace("\u202f", "").split())


def words(plain: str) -> list[str]:
    """The words of a text, as one would count them."""
    return [word for word in plain.split() if MATH in word or any(map(str.isalnum, word))]


def _pieces(html: str) -> list[str]:
    """The HTML of its paragraphs and list items, without tables, figures and code."""
    return _BLOCK.split(_ASIDE.sub("", html) if "<table" in html or "<figure" in html or "<pre" in html else html)


# ------------------------------------------------------------------------------------------- how tall a back is

# px, fitted to what Chromium measures of 397 backs at 360 px, 400 to 1,650 px tall: the error's standard deviation is 42.
WIDTH, FRAME, SECTION, FOLD, LINE, LARGE, BLOCK, ROW, CODE, DISPLAY, CLAIM = 324, 100, 104, 78, 26.5, 28, 14, 49, 22.6, 48, 17
_SMALL = {"Footer": (13.8, 21), "Claims": (17.4, 31)}  # the size of its letters, with what boxes take of the line, and a line's height
LETTER = 0.494  # of its size is a letter wide, on average


@functools.cache
def _behind(back: str) -> frozenset[str]:
    """The fields that the back of a card shows."""
    return frozenset(field.name for field in shown(tree(back)))


def _height(kind: NoteType, fields: Mapping[str, str]) -> float:
    total = float(FRAME)
    behind = frozenset[str]().union(*(_behind(template.back) for template in kind.templates))
    for name, html in fields.items():
        if not html or name in ("Id", "Breadcrumb", "Expected", OFFERED) or (name in kind.asked and name not in behind and FRONT_SIDE not in behind):
            continue
        if name == FOLDED:
            total += FOLD
        elif name in _SMALL:
            size, line = _SMALL[name]
            total += sum(line * _lines(piece, size) for piece in _shown(_DETAILS.sub("", html))) + CLAIM * html.count('class="claim ')
        else:
            total += SECTION * (name in kind.sections and name not in kind.asked and name != kind.answer)
            total += ROW * html.count("<tr") + CODE * sum(code.count("\n") + 2 for code in _CODE.findall(html)) + DISPLAY * html.count(r"\[")
            total += sum(float(height) + BLOCK for height in _PICTURE.findall(html))
            for number, piece in enumerate(_shown(html)):
                large = name == kind.heading or (kind.kind == "cloze" and name == kind.main) or (name == kind.answer and not number)
                total += LARGE * _lines(piece, 20) if large else LINE * _lines(piece, 17) + BLOCK
    return total


def _lines(plain: str, size: float) -> float:
    return -(-len(_FORMULA.sub("x" * 7, plain)) * size * LETTER // WIDTH)


def _shown(html: str) -> Iterator[str]:
    for piece in _pieces(_DISPLAY.sub("", html) if r"\[" in html else html):
        if said := text(piece):
            yield said


_TAG = re.compile(r"</?\w+(?:[^>\"]|\"[^\"]*\")*>")
_INLINE = re.compile(r"</?(?:a|abbr|b|bdi|bdo|cite|code|del|em|i|ins|kbd|mark|q|ruby|s|samp|small|span|strong|sub|sup|u|var)\b[^>]*>")
_BLOCK = re.compile(r"</?(?:p|ul|ol|li|div|blockquote)\b[^>]*>")
_MATH = re.compile(r"\\\(.*?\\\)|\\\[.*?\\\]", re.DOTALL)
_DISPLAY = re.compile(r"\\\[.*?\\\]", re.DOTALL)
_FORMULA = re.compile(rf"{MATH}\S*")
_COMPUTED = re.compile(r"<span class=\"num\">(.*?)</span>")
_LIST = re.compile(r"<[uo]l>((?:(?!<[uo]l\b).)*?)</[uo]l>", re.DOTALL)
_FIGURE = re.compile(r"<figure\b[^>]*><img\b[^>]*?\balt=\"([^\"]*)\"")
_PICTURE = re.compile(r"<img class=\"light\"[^>]*? height=\"(\d+)\"")
_CODE = re.compile(r"<pre\b.*?</pre>", re.DOTALL)
_ASIDE = re.compile(r"<(table|figure|pre)\b.*?</\1>", re.DOTALL)
_DETAILS = re.compile(r"<details\b.*?</details>", re.DOTALL)
_CLOZE = re.compile(r"\{\{c([0-9]+)::((?:(?!\{\{c[0-9]|\}\}).)*)\}\}", re.DOTALL)
