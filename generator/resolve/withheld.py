"""What is not measured is not said: the blocks that need a result which is not there, taken out of a text.

In: Markdown with values in, each with its number behind it as a mark, and the numbers of those that are stand-ins. Out: the text
without the blocks that hold one, each line where it was, and the blocks.

A paragraph, a fence, a figure goes. Of a list the item goes, with all that it holds, where its first block does; of a table the row,
or the column where every cell of the body that has a value needs it; what is left of a quotation stays. A list without items goes, and
so does a table without rows or with a single column. A paragraph that ends in a colon goes with the list, table, figure, fence, quotation
or displayed formula that it introduces; one that touches a figure's line goes with the figure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from generator.notes import Note, Text
from generator.text.blocks import ITEM, Block, blocks
from generator.text.spans import SpanError, spans

_MARK = re.compile("\ue000([0-9]+)\ue001")
_INTRODUCES = re.compile(r":[*_ ]*$")
_CLOZE = re.compile(r"\{\{c[0-9]+::")
_START = re.compile(r"[ \t>]*")  # before what a line says, in a list or a quotation
_BAR = re.compile(r"(?<!\\)\|")
_NO_VALUE = ("", "-", "–", "—")


def marked(text: str, number: int) -> str:
    """A value with its number behind it."""
    return f"{text}\ue000{number}\ue001"


def unmarked(text: str) -> str:
    return _MARK.sub("", text) if "\ue000" in text else text


class LeftOut(NamedTuple):
    """A block that is left out. needs: the numbers of the stand-ins in it; first: whether it is the first of its field; cloze: whether it has one."""

    text: Text
    needs: frozenset[int]
    first: bool
    cloze: bool


class Kept(NamedTuple):
    """What is left of a field, "" where nothing is; the numbers of the values in it; and what is left out."""

    text: str
    numbers: frozenset[int]
    left_out: tuple[LeftOut, ...] = ()


def kept(text: Text, missing: Collection[int]) -> Kept:
    """The field without the blocks that hold a value of these numbers, and without marks. text: with marks."""
    if missing:
        try:
            return _Field(text, missing).kept()
        except SpanError:
            pass  # render says so
    return Kept(unmarked(text.text), _numbers(text.text))


def waits(note: Note, fields: Mapping[str, Kept]) -> bool:
    """Whether a note without these blocks cannot be asked or answered.

    What is asked stays whole, as does what is typed, offered or masked; and the first block of an answer, and every cloze, is there.
    """
    return any(
        name in note.asked
        or block.cloze
        or (name == note.answer and (block.first or note.type in ("numeric", "choice")))
        or (name, note.type) in (("Mistakes", "choice"), ("Masks", "occlusion"))
        for name, field in fields.items()
        for block in field.left_out
    )


def _numbers(text: str) -> frozenset[int]:
    return frozenset(int(match[1]) for match in _MARK.finditer(text)) if "\ue000" in text else frozenset()


def _dedented(source: str) -> str:
    """The source of a block that stands in others, without the spaces by which it does."""
    lines = source.expandtabs(4).split("\n")
    indent = len(lines[0]) - len(lines[0].lstrip(" "))
    return "\n".join(line[min(indent, len(line) - len(line.lstrip(" "))) :] for line in lines)


class _Field:
    """A field while blocks are taken out of it."""

    def __init__(self, text: Text, missing: Collection[int]):
        self.text, self.missing = text, missing
        self.lines = text.text.split("\n")
        self.changed: dict[int, str] = {}  # lines that stay in part
        self.columns: list[LeftOut] = []

    def kept(self) -> Kept:
        whole = blocks(self.text.text)
        parts = self._among(whole)
        gone = [block for part in parts for block in part]
        if not gone and not self.columns:
            return Kept(unmarked(self.text.text), _numbers(self.text.text))
        left_out = [self._said(_dedented(self._source(block)), block.first, block == whole[0]) for block in gone]
        left = any(part != [block] and block.kind != "rule" for part, block in zip(parts, whole))
        text = self._written(gone, whole) if left else ""
        return Kept(unmarked(text), _numbers(text), tuple(sorted([*left_out, *self.columns], key=lambda block: block.text.place)))

    def _source(self, block: Block) -> str:
        return "\n".join(self.lines[block.first : block.end])

    def _needs(self, text: str) -> frozenset[int]:
        return frozenset(number for number in _numbers(text) if number in self.missing)

    def _said(self, source: str, line: int, first: bool) -> LeftOut:
        place = self.text.place._replace(line=self.text.place.line + line)
        return LeftOut(Text(unmarked(source), place), self._needs(source), first, _CLOZE.search(source) is not None)

    # ------------------------------------------------------------------------------------------ which blocks go

    def _among(self, siblings: Sequence[Block]) -> list[list[Block]]:
        """What goes of each of some blocks that follow one another: itself, some that it holds, or nothing."""
        parts = [self._of(block) for block in siblings]
        for number in range(1, len(siblings)):
            above, block = siblings[number - 1 : number + 1]
            if above.kind == "figure" and parts[number - 1] and block.kind == "paragraph" and block.first == above.end:
                parts[number] = [block]
        for number in reversed(range(len(siblings) - 1)):
            block, below = siblings[number : number + 2]
            if parts[number + 1] == [below] and self._introduces(block, below):
                parts[number] = [block]
        return parts

    def _introduces(self, block: Block, below: Block) -> bool:
        if block.kind != "paragraph" or not _INTRODUCES.search(unmarked(self.lines[block.end - 1])):
            return False
        return below.kind not in ("paragraph", "rule") or self._source(below).lstrip(" \t>").startswith(("$$", "\\[", "\\begin{"))

    def _of(self, block: Block) -> list[Block]:
        if block.kind == "table":
            return self._of_table(block)
        if not block.inside:
            return [block] if self._needs(self._source(block)) else []
        parts = self._among(block.inside)
        went = [part == [inside] for part, inside in zip(parts, block.inside)]
        if all(went) or (block.kind == "item" and went[0] and block.inside[0].kind == "paragraph"):
            return [block]
        if block.kind == "ordered" and went[0]:
            self._renumber(block.inside[0], block.inside[went.index(False)])
        return [inside for part in parts for inside in part]

    def _renumber(self, first: Block, now_first: Block) -> None:
        """A list of numbers begins with the number that it began with."""
        number, line = (ITEM.search(self.lines[block.first], _START.match(self.lines[block.first]).end()) for block in (first, now_first))  # type: ignore[union-attr]
        if number and line:
            before, after = line.string[: line.start(1)], line.string[line.end(1) :]
            self.changed[now_first.first] = f"{before}{number[1].ljust(len(line[1]))}{after}"

    # --------------------------------------------------------------------------------------------------- tables

    def _of_table(self, table: Block) -> list[Block]:
        rows = [[self.lines[row.first][low:high] for low, high in self._cells(row)] for row in table.inside]
        head, _, *body = rows
        needs = [[bool(self._needs(cell)) for cell in row] for row in rows]
        if not any(map(any, needs)):
            return []
        away = {column for column in range(len(head)) if needs[0][column] or self._everywhere(column, body)}
        gone = [row for row, cells in zip(table.inside[2:], needs[2:]) if any(need for column, need in enumerate(cells) if column not in away)]
        if len(head) - len(away) < 2 or len(gone) == len(body):
            return [table]
        for row in table.inside if away else ():
            line = self.lines[row.first]
            shown = " | ".join(line[low:high].strip() for column, (low, high) in enumerate(self._cells(row)) if column not in away)
            self.changed[row.first] = f"{_START.match(line)[0]}| {shown} |"  # type: ignore[index]
        for column in sorted(away):
            self.columns.append(self._said("\n\n".join(row[column] for row in [head, *body] if column < len(row)), table.first, False))
        return gone

    def _everywhere(self, column: int, body: Sequence[Sequence[str]]) -> bool:
        """Whether each cell of the column that has a value needs what is missing, and there is one."""
        cells = [row[column] for row in body if column < len(row) and row[column].strip() not in _NO_VALUE]
        return bool(cells) and all(self._needs(cell) for cell in cells)

    def _cells(self, row: Block) -> Iterator[tuple[int, int]]:
        """Where the cells of a row stand in its line."""
        line, base = self.lines[row.first], sum(len(line) + 1 for line in self.lines[: row.first])
        start, end = _START.match(line).end(), len(line.rstrip())  # type: ignore[union-attr]
        bars = [
            match.start() - base
            for span in spans(self.text.text)
            if span.kind == "text"
            for match in _BAR.finditer(self.text.text, max(span.start, base + start), min(span.end, base + end))
        ]
        ends = [start - 1, *bars, end]
        if bars and bars[0] == start:
            ends = ends[1:]
        if bars and bars[-1] == end - 1:
            ends = ends[:-1]
        return ((low + 1, high) for low, high in zip(ends, ends[1:]))

    # ------------------------------------------------------------------------------------------ what is left

    def _written(self, gone: Sequence[Block], whole: Sequence[Block]) -> str:
        """The lines that stay, each where it was: blank ones in place of those that go, or a comment where they would part a list or a table."""
        away = {
            line: block.kind in ("item", "row") or (block.kind in ("ordered", "bullets") and block not in whole)
            for block in gone
            for line in range(block.first, block.end)
        }
        written: list[str] = []
        comment = ""
        number = 0
        while number < len(self.lines):
            if number not in away:
                written.append(comment + self.changed.get(number, self.lines[number]))
                comment = ""
                number += 1
                continue
            end = next(line for line in range(number, len(self.lines) + 1) if line not in away)
            around = written[-1].strip() and self.lines[end].strip() if written and end < len(self.lines) else ""
            if around and all(away[line] for line in range(number, end)):
                comment = "<!--" + "\n" * (end - number) + "-->"
            else:
                written += [""] * (end - number)
            number = end
        return "\n".join(written)
