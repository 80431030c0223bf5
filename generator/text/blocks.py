"""Where paragraphs, lists, tables and the like lie in Markdown, so that whoever leaves one out leaves out what a reader sees as one.

In: a text. Out: Blocks, by lines, in order. Lists and tables begin where `render/prose.py` lets them begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from generator.text.spans import spans

ITEM = re.compile(r"([-*+]|[0-9]{1,9}[.)])(?:[ ]{1,4}(?=\S)|[ ]*$)")
RULE = re.compile(r"([-*_])(?:[ ]*\1){2,}[ ]*$")
FIGURE = re.compile("\ue000figure:([^\ue000\ue001]*)\ue001")  # what stands in a resolved text where a drawing comes
_SEPARATOR = re.compile(r"\|?[ ]*:?-+:?[ ]*(?:\|[ ]*:?-+:?[ ]*)*\|?[ ]*$")  # between a table's head and its body
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*?(/?)>")
_VOID = ("br", "hr", "img", "wbr", "input")


class Block(NamedTuple):
    """Lines first to end (without it, counted from 0).

    kind: "paragraph" (display math too), "fence", "figure", "rule"; "quote" with blocks inside; "ordered" or "bullets" with an "item"
    each inside, which has blocks; "table" with a "row" for each line inside, head and separator first.
    """

    kind: str
    first: int
    end: int
    inside: tuple[Block, ...] = ()


def blocks(text: str) -> tuple[Block, ...]:
    """The blocks of a text; comments belong to none. Raises SpanError as `spans` does."""
    return _parsed(list(_lines(text)))


class _Line(NamedTuple):
    """What Markdown sees as one line: code, math or raw HTML may hold line breaks of their own. apart: "fence" or "figure"."""

    text: str
    first: int
    end: int
    apart: str = ""


def _lines(text: str) -> Iterator[_Line]:
    held, fences, comments = [], [], []
    opened: list[tuple[str, int]] = []
    for span in spans(text):
        if span.kind == "text":
            continue
        held.append((span.start, span.end))
        if span.kind == "fence":
            fences.append((span.start, span.end))
        elif text.startswith("<!--", span.start):
            comments.append((span.start, span.end))
        elif span.kind == "html" and (tag := _TAG.fullmatch(text, span.start, span.end)) and tag[2].lower() not in _VOID and not tag[3]:
            if not tag[1]:
                opened.append((tag[2].lower(), span.start))
            elif opened and opened[-1][0] == tag[2].lower():
                held.append((opened.pop()[1], span.end))
    start = line = first = 0
    for match in re.finditer(r"\n|\Z", text):
        at, line = match.start(), line + 1
        if any(low <= at < high - 1 for low, high in held):
            continue
        shown, done = "", start
        for low, high in comments:
            if start <= low < at:
                shown, done = shown + text[done:low], high
        shown += text[done:at]
        apart = "fence" if any(low <= start < high for low, high in fences) else ""
        if "\ue000" in shown and not re.sub("\ue000[^\ue000\ue001]*\ue001", "", shown).strip() and FIGURE.search(shown):
            apart = "figure"
        yield _Line(shown.expandtabs(4), first, line, apart)
        start, first = match.end(), line


class _Node:
    """A block while its lines come."""

    def __init__(self, kind: str, line: _Line, text: str):
        self.kind, self.first, self.end = kind, line.first, line.end
        self.lines = [line._replace(text=text)]
        self.inside: list[_Node] = []

    def takes(self, line: _Line, text: str) -> None:
        self.lines.append(line._replace(text=text))
        self.end = line.end

    def _is_table(self) -> bool:
        head, *rest = self.lines
        divided = rest and "|" in head.text and _SEPARATOR.match(rest[0].text.strip())
        return bool(divided) and all(line.end == line.first + 1 for line in self.lines)

    def block(self) -> Block:
        if self.kind == "quote":
            return Block(self.kind, self.first, self.end, _parsed(self.lines))
        if self.kind == "paragraph" and self._is_table():
            return Block("table", self.first, self.end, tuple(Block("row", line.first, line.end) for line in self.lines))
        inside = tuple(node.block() for node in self.inside)
        return Block(self.kind, self.first, max([self.end, *(block.end for block in inside)]), inside)


def _parsed(lines: Sequence[_Line]) -> tuple[Block, ...]:
    top: list[_Node] = []
    homes, columns = [top], list[int]()  # of each open item: what it holds, and where its text begins
    previous, going = "", None  # the line before, "" where it is blank; the paragraph or quotation that a line may go on with
    for line in lines:
        stripped = line.text.lstrip(" ")
        if not stripped or line.apart:
            previous, going = "", None
        if not stripped:
            continue
        indent = len(line.text) - len(stripped)
        item = None if line.apart or RULE.match(stripped) else ITEM.match(stripped)
        if not previous or item or indent or stripped[0] == "|":
            while columns and indent < columns[-1]:
                columns.pop()
                homes.pop()
        home = homes[-1]
        listed = columns or (home and home[-1].kind in ("ordered", "bullets"))
        if item and (not previous or listed or not item[1][0].isdigit() or item[1] in ("1.", "1)")):  # else a number in a paragraph
            kind = "ordered" if item[1][0].isdigit() else "bullets"
            if not home or home[-1].kind != kind:
                home.append(_Node(kind, line, ""))
            made = _Node("item", line, "")
            home[-1].inside.append(made)
            rest = stripped[item.end() :]
            going = _Node("paragraph", line, rest) if rest else None
            made.inside += [going] if going else []
            homes.append(made.inside)
            columns.append(indent + item.end())
            previous = "- "
            continue
        if stripped[0] == ">" and not line.apart:
            inner = stripped[1:].removeprefix(" ")
            if home and home[-1].kind == "quote":
                if not previous:
                    home[-1].takes(line, "")
                home[-1].takes(line, inner)
            else:
                home.append(_Node("quote", line, inner))
            going = home[-1]
        elif line.apart or RULE.match(stripped):
            home.append(_Node(line.apart or "rule", line, stripped))
            going = None
        elif going and previous and not (stripped[0] == "|" and previous[0] != "|"):
            going.takes(line, stripped)
        else:
            going = _Node("paragraph", line, stripped)
            home.append(going)
        previous = "" if line.apart else stripped
    return tuple(node.block() for node in top)
