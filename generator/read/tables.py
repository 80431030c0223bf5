"""Tables whose cells do not fit: Markdown drops a cell that is one too many, or shows the table as text.

In: a text with its code, math, HTML and escaped characters blanked. Out: Findings by offset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from generator.read.html import Finding

_BAR = r"a | inside a cell is written \|"
_DIVIDER = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_LEAD = re.compile(r"(?:[ \t]*(?:>|[-*+][ \t]|[0-9]{1,9}[.)][ \t]))*[ \t]*")
_WHOLE = re.compile(r"\[\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*\]\]|!\[[^\[\]\n]*\]|\{\{c[0-9]+::[^{}\n]*\}\}")  # whose bars part no cells


class _Row(NamedTuple):
    """A line with a bar, what a quotation or a list has before it taken away."""

    start: int
    end: int
    text: str

    @property
    def cells(self) -> int:
        return _WHOLE.sub("", self.text).strip().removeprefix("|").removesuffix("|").count("|") + 1


def tables(masked: str) -> Iterator[Finding]:
    """Each row with more cells than its table has columns, and each table that is none: for want of a cell, of a blank line, of its dashes."""
    for rows in _barred(masked):
        number = next((number for number, row in enumerate(rows) if "-" in row.text and _DIVIDER.fullmatch(row.text)), None)
        if number is None:
            if len(rows) > 1 and all(row.text[0] == "|" and row.text[-1] == "|" for row in rows):
                hint = "|---|---| below its head, a --- for each column"
                yield Finding(rows[0].start, "a table without a line of dashes is none, and shows its bars", hint)
        elif number:
            yield from _table(rows[number - 1], rows[number], rows[number + 1 :], masked)


def _table(head: _Row, divider: _Row, rows: list[_Row], masked: str) -> Iterator[Finding]:
    width = divider.cells
    if head.cells != width:
        yield Finding(head.start, f"a table's head has {_counted(head.cells)}, and the line of dashes below it {width}", f"as many in each; {_BAR}")
        return
    above = masked[masked.rfind("\n", 0, max(head.start - 1, 0)) + 1 : max(head.start - 1, 0)]
    if head.text[0] != "|" and _LEAD.sub("", above, count=1):
        yield Finding(head.start, "a table begins without a blank line above it", "leave one, so that it is no part of the paragraph")
    for row in rows:
        if row.cells > width:
            yield Finding(row.start, f"a row has {_counted(row.cells)}, and its table {width} columns", f"what is too many is lost; {_BAR}")


def _barred(masked: str) -> Iterator[list[_Row]]:
    """The lines with bars, those that follow one another together."""
    rows: list[_Row] = []
    bar = masked.find("|")
    while bar >= 0:
        start, end = masked.rfind("\n", 0, bar) + 1, masked.find("\n", bar)
        end = end if end >= 0 else len(masked)
        if rows and rows[-1].end + 1 != start:
            yield rows
            rows = []
        plain = masked[start:end].strip(" \t>")  # of a divider - | - its first dash is no list's
        rows.append(_Row(start, end, plain if _DIVIDER.fullmatch(plain) else _LEAD.sub("", masked[start:end], count=1).rstrip()))
        bar = masked.find("|", end)
    if rows:
        yield rows


def _counted(cells: int) -> str:
    return f"{cells} cell{'s' * (cells != 1)}"
