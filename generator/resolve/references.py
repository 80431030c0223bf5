"""Where the references of a field stand: `[[ expression | format ]]`, `![[run]]`, and the literal `\\[[`.

In: a field's Markdown. Out: its marks in order, each with its place and the kind of span that it stands in: text, what an image says, math or a
`computed` fence. Other code is left alone.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from generator.notes import Text
from generator.problems import Place, Problem
from generator.text.spans import Span, SpanError, spans

Medium = Literal["text", "alt", "math", "fence"]


class Reference(NamedTuple):
    """`[[ expression | format ]]` at text[start:end], or, where figure is true, `![[alias]]`, `![[alias | measured alias]]`, and last, behind a bar,
    `before: part` or `hide: parts`.

    paragraph: how many end before it.
    """

    start: int
    end: int
    expression: str
    format: str
    figure: bool
    medium: Medium
    place: Place
    paragraph: int = 0

    @property
    def runs(self) -> str:
        """What names runs."""
        return " ".join([self.expression, *(word for word in self.format.split("|") if self.figure and ":" not in word)])

    @property
    def source(self) -> str:
        return f"{self.expression} | {self.format}" if self.format else self.expression


class Bracket(NamedTuple):
    r"""A `\[[`, which stands for two brackets."""

    start: int
    end: int


def references(text: Text, problems: list[Problem]) -> list[Reference]:
    """The references of a field, in order: in text, in math, and in fences whose info string has the word `computed`."""
    return [mark for mark in marks(text, problems) if isinstance(mark, Reference)]


def marks(text: Text, problems: list[Problem]) -> list[Reference | Bracket]:
    """References and literal brackets, in order. Problems: a reference that does not close, or stands in an HTML tag."""
    found: list[Reference | Bracket] = []
    after = 0
    try:
        parts = spans(text.text)
    except SpanError as error:
        problems.append(Problem(text.at(error.offset), error.message, error.hint))
        return []
    images = [match.span() for match in _ALT.finditer(text.text)] if "](" in text.text and "[[" in text.text else ()
    for span in parts if "[[" in text.text else ():
        medium = None if span.kind == "fence" and "computed" not in span.info.split() else _MEDIA.get(span.kind)
        for match in _OPENING.finditer(text.text, span.start, span.end):
            start, escaped = match.start(2), len(match[1]) % 2 == 1
            if start < after or (found and start < found[-1].end):
                continue  # inside the reference before it, or behind one that its line does not close
            if medium is None:
                if span.kind == "html" and not text.text.startswith(_LEFT_ALONE, span.start):
                    problems.append(Problem(text.at(start), "a reference inside an HTML tag is not replaced", "put it between the tags"))
                continue
            told: Medium = "alt" if images and medium == "text" and any(begin < start < end for begin, end in images) else medium
            try:
                found.append(Bracket(start - 1, start + 2) if escaped else _reference(text, start, span, told))
            except _Open as error:
                problems.append(Problem(text.at(start), *error.args))
                after = _LINE_END.search(text.text, start).end()  # type: ignore[union-attr]
    return found


_MEDIA: dict[str, Medium] = {"text": "text", "math": "math", "fence": "fence"}
_ALT = re.compile(r"!\[(?!\[)(?:[^\[\]]|\[\[[^\[\]\n]*\]\])*\]\(")
_OPENING = re.compile(r"(?<!\\)(\\*)(\[\[+)")  # from the first of the backslashes, lest a thousand be counted a thousand times
_LINE_END = re.compile(r"\n|\Z")
_LEFT_ALONE = ("<!--", "<pre", "<code")  # HTML that is a comment or code, not a tag with attributes


def _reference(text: Text, start: int, span: Span, medium: Medium) -> Reference:
    bar, end = _bounds(text.text, start + 2)
    expression, form = text.text[start + 2 : bar], text.text[bar + 1 : end - 2]
    if form and expression.endswith("\\"):  # the bar as tables of other Markdown want it
        expression = expression[:-1]
    figure = span.kind == "text" and text.text.endswith("!", span.start, start) and not text.text.endswith("\\!", span.start, start)
    return Reference(
        start - figure, end, expression.strip(), " ".join(form.split()), figure, medium, text.at(start), text.text.count("\n\n", 0, start)
    )


def _bounds(text: str, position: int) -> tuple[int, int]:
    """Where the expression ends (at its bar or at `]]`) and where the closing `]]` ends; brackets and quotes are matched."""
    quote, depth, bar = "", 0, None
    for place in range(position, len(text)):
        character = text[place]
        if character == "\n":
            break
        if quote:
            quote = "" if character == quote else quote
        elif depth <= 0 and text.startswith("]]", place):
            return place if bar is None else bar, place + 2
        elif character == "|" and depth <= 0 and bar is None:
            bar = place
        elif character in "'\"" and bar is None:
            quote = character
        else:
            depth += (character in "([{") - (character in ")]}")
    raise _Open("a reference that its line does not close", r"close it with ]]; for two plain brackets write \[[")


class _Open(ValueError):
    """A reference that does not close: what is wrong, and what to do."""
