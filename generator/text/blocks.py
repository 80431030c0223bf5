"""Where paragraphs, quotations, lists, tables and the like lie in Markdown: CommonMark's first phase, with GitHub's tables.

In: a text, or its lines. Out: Nodes, of which rendering makes elements; and Blocks, by lines, so that whoever leaves one out leaves
out what a reader sees as one. What CommonMark takes for a heading, or for code because it is indented, is a mistake here.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from generator.text.spans import spans

DEEPEST = 24  # lists and quotations in one another
ITEM = re.compile(r"([-*+]|[0-9]{1,9}[.)])(?:([ ]+)(?=\S)|[ ]*$)")
RULE = re.compile(r"([-*_])(?:[ ]*\1){2,}[ ]*$")
BAR = re.compile(r"(?<!\\)\|")  # between the cells of a table
FIGURE = re.compile("\ue000figure:([^\ue000\ue001]*)\ue001")  # what stands in a resolved text where a drawing comes
BEFORE, HIDE = "before:", "hide:"  # behind a run and a bar: what of its figure a sketch's front lacks, and what an occlusion note hides
LIFTED, LANDED = "\ue002", "\ue003"  # LIFTED, an index, LANDED stand for a piece of HTML that Markdown must not see
COMMENT = "<!-- -->"  # stands for a comment, whatever it says
_DASHES = re.compile(r" *:?-+:? *")  # in each cell between a table's head and its body
_UNDERLINE = re.compile(r"(?:=+|-+)[ ]*$")
_HEADING = re.compile(r"#{1,6}(?: |$)")
_HTML = re.compile(  # what begins raw HTML, in a paragraph too
    r"</?(?:address|article|aside|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|"
    r"form|frame|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|ol|optgroup|option|p|param|search|section|summary|"
    r"table|tbody|td|tfoot|th|thead|title|tr|track|ul)(?:\s|/?>|$)",
    re.IGNORECASE,
)
_VERBATIM = re.compile(r"<(?:pre|script|style|textarea)(?:\s|>|$)", re.IGNORECASE)
_VERBATIM_END = re.compile(r"</(?:pre|script|style|textarea)>", re.IGNORECASE)
_TAG_ALONE = re.compile(
    r"(?:</[A-Za-z][A-Za-z0-9-]*\s*>|<[A-Za-z][A-Za-z0-9-]*(?:\s+[\w:.-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?)*\s*/?>)\s*$"
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*?(/?)>")
_VOID = ("br", "hr", "img", "wbr", "input")


class Block(NamedTuple):
    """Lines first to end (without it, counted from 0).

    kind: "paragraph" (display math and raw HTML too), "fence", "figure", "rule"; "quote" with blocks inside; "ordered" or "bullets" with
    an "item" each inside, which has blocks; "table" with a "row" for each line inside, head and separator first.
    """

    kind: str
    first: int
    end: int
    inside: tuple[Block, ...] = ()


class Mistake(NamedTuple):
    """What a card does not have, on a line counted from 0."""

    line: int
    message: str
    hint: str


class Line(NamedTuple):
    """What Markdown sees as one line, tabs expanded; code, math or raw HTML may hold line breaks of their own.

    apart: "fence", "figure" or "comment", where the line is nothing else.
    """

    text: str
    first: int
    end: int
    apart: str = ""


class Node:
    """A block while its lines come, and after. lines: of a paragraph, a table or raw HTML, without what contains it ("html").

    mark: of a list, the character that tells it from the next one; start: its first number; loose: whether blank lines part its
    paragraphs. column: of an item, where its text begins.
    """

    __slots__ = ("kind", "first", "end", "lines", "inside", "mark", "start", "column", "loose")

    def __init__(self, kind: str, line: Line, mark: str = "", column: int = 0):
        self.kind, self.first, self.end, self.mark, self.column = kind, line.first, line.end, mark, column
        self.lines: list[Line] = []
        self.inside: list[Node] = []
        self.start, self.loose = 1, False

    def takes(self, line: Line, text: str) -> None:
        self.lines.append(line if text is line.text else Line(text, line.first, line.end))
        self.end = line.end

    def closed(self) -> Node:
        """The node with its end, and each list with whether it is loose."""
        for node in self.inside:
            self.end = max(self.end, node.closed().end)
        if self.kind in ("ordered", "bullets"):
            self.loose = any(_parted(nodes) for nodes in (self.inside, *(item.inside for item in self.inside)))
        return self

    def block(self) -> Block:
        if self.kind == "table" and all(line.end == line.first + 1 for line in self.lines):
            return Block("table", self.first, self.end, tuple(Block("row", line.first, line.end) for line in self.lines))
        kind = "paragraph" if self.kind in ("html", "table") else self.kind
        return Block(kind, self.first, self.end, tuple(node.block() for node in self.inside if node.kind != "comment"))


def _parted(nodes: list[Node]) -> bool:
    """Whether a blank line stands between two that follow one another."""
    return any(below.first > above.end for above, below in pairwise(nodes))


def blocks(text: str) -> tuple[Block, ...]:
    """The blocks of a text; comments belong to none. Raises SpanError as `spans` does."""
    return parsed(_lines(text))[0].block().inside


def parsed(lines: Iterable[Line]) -> tuple[Node, list[Mistake]]:
    """The document, and what is wrong in it."""
    parser = _Parser()
    for line in lines:
        parser.line(line)
    return parser.document.closed(), parser.mistakes


def cells(row: str) -> list[str]:
    """The cells of a table's row."""
    return BAR.split(re.sub(r"(?<!\\)\|$", "", row.strip().removeprefix("|")))


def _is_head(row: str) -> bool:
    return "|" in row and not row.startswith("    ")


def _is_separator(row: str) -> bool:
    return row[0] in "|:-" and not row.strip("|:- ") and all(map(_DASHES.fullmatch, cells(row)))


class _Parser:
    """CommonMark's algorithm: each line goes on with the open containers as far as it can, opens others, and what is left is text."""

    def __init__(self) -> None:
        self.document = Node("document", Line("", 0, 0))
        self.open = [self.document]  # with the quotations and items that the next line may go on with
        self.leaf: Node | None = None  # the paragraph, table or raw HTML, last in the last of them, that it may go on with
        self.mistakes: list[Mistake] = []

    def line(self, line: Line) -> None:
        rest, leaf = line.text, self.leaf
        if leaf and leaf.kind == "paragraph" and len(self.open) == 1 and rest[:1].isalpha() and not line.apart:
            leaf.takes(line, rest)
            return
        depth = 1
        for container in self.open[1:]:
            inner = _within(container, rest, line)
            if inner is None:
                break
            rest, depth = inner, depth + 1
        blank = not line.apart and not rest.strip(" ")
        if leaf and leaf.kind == "html" and depth == len(self.open) and (leaf.mark or not blank):
            if line.apart:
                self._mistake(line, f"a {line.apart} right under raw HTML is a part of it in Markdown", "leave a blank line before it")
            leaf.takes(line, rest)
            if leaf.mark and _VERBATIM_END.search(rest):
                self.leaf = None
        elif blank:
            self._close(depth)
            self.leaf = None
        else:
            self._opened(line, rest, depth)

    def _opened(self, line: Line, rest: str, depth: int) -> None:
        """Opens what the rest of a line, within `depth` containers, begins."""
        while True:
            stripped = rest.lstrip(" ")
            indent = len(rest) - len(stripped)
            going = self.leaf if depth == len(self.open) else None  # without a paragraph that goes on as its containers end
            paragraph = self.leaf is not None and self.leaf.kind == "paragraph"
            if indent >= 4 and not (paragraph and line.apart in ("", "comment")):
                self._mistake(
                    line, "text indented by four spaces is code in Markdown", "fence code with ```, or indent the line as what it belongs to"
                )
            if line.apart == "comment" and indent >= 4:
                return
            if line.apart:
                self._add(depth, node := Node(line.apart, line))
                node.takes(line, stripped)
                return
            if indent >= 4:
                break
            sign = stripped[0]
            if sign.isalpha():
                break
            if sign == ">":
                if not self._contain(depth, Node("quote", line), line):
                    break
                rest = stripped[2:] if stripped[1:2] == " " else stripped[1:]
            elif stripped.startswith(("<?", "<!")):
                self._mistake(line, f"{stripped[:2]} begins what is no tag that a card may have", "write &lt; for a literal <")
                break
            elif sign == "<" and (mark := _html(stripped, paragraph)) is not None:
                self._add(depth, node := Node("html", line, mark))
                node.takes(line, stripped)
                self.leaf = None if mark and _VERBATIM_END.search(stripped) else node
                return
            elif sign in "=-" and going and going.kind == "paragraph" and _UNDERLINE.match(stripped):
                shown = stripped.strip()[:3]
                self._mistake(
                    line, f"a line of {shown} under text makes it a heading in Markdown", "leave a blank line before it for a rule, or write **text**"
                )
                self.leaf = None
                return
            elif sign in "-*_" and RULE.match(stripped):
                self._add(depth, Node("rule", line))
                return
            elif (
                (sign in "-*+" or sign.isdigit())
                and (item := ITEM.match(stripped))
                and not (going and going.kind == "paragraph" and not _interrupts(item))
            ):
                spaces = len(item[2] or " ")
                column = indent + len(item[1]) + (spaces if spaces <= 4 else 1)
                if not self._contain(depth, Node("item", line, column=column), line, item[1]):
                    break
                rest = rest[column:]
            else:
                if sign == "#" and _HEADING.match(stripped):
                    self._mistake(line, "a line begins with # where no heading can stand", r"write **text**, or \# for a literal #")
                break
            depth += 1
            if not rest.strip(" "):
                return
        lazy = depth < len(self.open) and self.leaf is not None and self.leaf.kind == "paragraph"
        if not lazy:
            self._close(depth)
        if self.leaf is None:
            self._add(depth, node := Node("paragraph", line))
            self.leaf = node
        elif self.leaf.kind == "paragraph" and indent < 4 and _is_head(head := self.leaf.lines[-1].text) and _is_separator(stripped):
            columns, found = (len(cells(row)) for row in (head, stripped))
            if lazy:
                self._mistake(line, "a table right under a list or quotation is text of it in Markdown", "leave a blank line before the table")
            elif columns != found:
                told = f"the line under a table's head has {found} cell{'s' if found != 1 else ''}, the head {columns}"
                self._mistake(line, told, "both have as many as the table has columns")
            else:
                self._begin_table()
        self.leaf.takes(line, rest)

    def _begin_table(self) -> None:
        """Makes the last line of the open paragraph the head of a table."""
        assert self.leaf
        head = self.leaf.lines.pop()
        if self.leaf.lines:
            self.leaf.end = self.leaf.lines[-1].end
        else:
            self.open[-1].inside.pop()
        self._add(len(self.open), node := Node("table", head))
        node.takes(head, head.text)
        self.leaf = node

    def _contain(self, depth: int, node: Node, line: Line, mark: str = "") -> bool:
        """Opens a quotation, or an item with this mark; False where it would stand too deep."""
        if len(self.open) > DEEPEST:
            self._mistake(line, f"lists and quotations nested deeper than {DEEPEST} levels", "flatten them")
            return False
        if mark:
            self._close(depth)
            kind, sign = ("ordered", mark[-1]) if mark[0].isdigit() else ("bullets", mark)
            siblings = self.open[-1].inside
            if not siblings or (siblings[-1].kind, siblings[-1].mark) != (kind, sign):
                siblings.append(Node(kind, line, sign))
                siblings[-1].start = int(mark[:-1]) if kind == "ordered" else 1
            siblings[-1].inside.append(node)
            self.leaf = None
        else:
            self._add(depth, node)
        self.open.append(node)
        return True

    def _add(self, depth: int, node: Node) -> None:
        self._close(depth)
        self.open[-1].inside.append(node)
        self.leaf = None

    def _close(self, depth: int) -> None:
        if depth < len(self.open):
            del self.open[depth:]
            self.leaf = None

    def _mistake(self, line: Line, message: str, hint: str) -> None:
        self.mistakes.append(Mistake(line.first, message, hint))


def _within(container: Node, rest: str, line: Line) -> str | None:
    """What is left of a line that goes on with the container."""
    stripped = rest.lstrip(" ")
    indent = len(rest) - len(stripped)
    if container.kind == "quote":
        if indent > 3 or stripped[:1] != ">":
            return None
        container.end = line.end
        return stripped[2:] if stripped[1:2] == " " else stripped[1:]
    if not stripped and not line.apart:
        return "" if container.inside else None  # an item begins with one blank line at most
    return rest[container.column :] if indent >= container.column else None


def _html(stripped: str, paragraph: bool) -> str | None:
    """Whether raw HTML begins: "verbatim" where it goes on to its closing tag, "" where it ends with a blank line."""
    if _HTML.match(stripped):
        return ""
    if _VERBATIM.match(stripped):
        return "verbatim"
    return "" if not paragraph and _TAG_ALONE.match(stripped) else None


def _interrupts(item: re.Match[str]) -> bool:
    """Whether a list may begin so right under a paragraph: else a number that wraps to a line's start would be one."""
    return bool(item[2]) and (not item[1][0].isdigit() or int(item[1][:-1]) == 1)


def _lines(text: str) -> Iterator[Line]:
    """The lines of a text as it is written; code and math in them are of no account."""
    held, fences, away = list[tuple[int, int]](), deque[tuple[int, int]](), deque[tuple[int, int, str]]()
    opened: list[tuple[str, int]] = []
    for span in spans(text):
        if span.kind == "text":
            continue
        held.append((span.start, span.end))
        if span.kind == "fence":
            fences.append((span.start, span.end))
        elif span.kind != "html":
            away.append((span.start, span.end, "x"))
        elif text.startswith("<!--", span.start):
            away.append((span.start, span.end, ""))
        elif (tag := _TAG.fullmatch(text, span.start, span.end)) and tag[2].lower() not in _VOID and not tag[3]:
            if not tag[1]:
                opened.append((tag[2].lower(), span.start))
            elif opened and opened[-1][0] == tag[2].lower():
                held.append((opened.pop()[1], span.end))
    ranges = deque(sorted(held))
    start = line = first = within = fenced = 0  # within, fenced: where the last range ends that began before
    for match in re.finditer(r"\n|\Z", text):
        at, line = match.start(), line + 1
        while ranges and ranges[0][0] <= at:
            within = max(within, ranges.popleft()[1])
        if at < within - 1:
            continue
        shown, done, comments = "", start, False
        while away and away[0][0] < at:
            low, high, instead = away.popleft()
            shown, done, comments = shown + text[done:low] + instead, high, comments or not instead
        while fences and fences[0][0] <= start:
            fenced = fences.popleft()[1]
        shown += text[done:at]
        apart = "fence" if start < fenced else ""
        if "\ue000" in shown and not re.sub("\ue000[^\ue000\ue001]*\ue001", "", shown).strip() and FIGURE.search(shown):
            apart = "figure"
        elif comments and not shown.strip():
            apart, shown = "comment", text[start:at]
        yield Line(shown.expandtabs(4), first, line, apart)
        start, first = match.end(), line
