"""Tables whose cells do not fit: Markdown drops a cell that is one too many, or shows the table as text.

In: a text with its code, math, HTML and escaped characters blanked. Out: Findings by offset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.read.html import Finding

_BAR = r"a | inside a cell is written \|"
_DIVIDER = re.compile(r"^(?P<quote>(?:[ \t]*>)*)[ \t]*(?P<row>\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?)[ \t]*$", re.MULTILINE)
_BARRED = re.compile(r"^(?:[ \t]*\|[^\n]*\|[ \t]*(?:\n|\Z)){2,}", re.MULTILINE)
_LEAD = re.compile(r"(?:[ \t]*(?:>|[-*+][ \t]|[0-9]{1,9}[.)][ \t]))*[ \t]*")
_WHOLE = re.compile(r"\[\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*\]\]|!\[[^\[\]\n]*\]|\{\{c[0-9]+::[^{}\n]*\}\}")  # whose bars part no cells


def tables(masked: str) -> Iterator[Finding]:
    """Each row with more cells than its table has columns, and each table that is none for want of a cell or of a blank line."""
    for divider in _DIVIDER.finditer(masked) if "|" in masked and "--" in masked.replace(":-", "--") else ():
        if "|" not in divider["row"] or not (above := _line_before(masked, divider.start())) or "|" not in above[1]:
            continue
        width, (at, head) = _cells(divider["row"]), above
        if _cells(head) != width:
            yield Finding(at, f"a table's head has {_counted(_cells(head))}, and the line of dashes below it {width}", f"as many in each; {_BAR}")
            continue
        before = _line_before(masked, at)
        if before and _LEAD.sub("", before[1], count=1) and not head.lstrip(" \t>").startswith("|"):
            yield Finding(at, "a table begins without a blank line above it", "leave one, so that it is no part of the paragraph")
        start = divider.end() + 1
        while start < len(masked):
            end = masked.find("\n", start)
            end = len(masked) if end < 0 else end
            row = masked[start:end]
            if "|" not in row:
                break
            if (count := _cells(row)) > width:
                yield Finding(start, f"a row has {_counted(count)}, and its table {width} columns", f"what is too many is lost; {_BAR}")
            start = end + 1

    for lines in _BARRED.finditer(masked) if "\n|" in masked else ():
        above = _line_before(masked, lines.start())
        if not (above and "|" in above[1]) and not any(map(_DIVIDER.fullmatch, lines.group().split("\n"))):
            yield Finding(
                lines.start(), "a table without a line of dashes is none, and shows its bars", "|---|---| below its head, a --- for each column"
            )


def _line_before(text: str, start: int) -> tuple[int, str] | None:
    if not start:
        return None
    begin = text.rfind("\n", 0, start - 1) + 1
    return (begin, text[begin : start - 1]) if text[begin : start - 1].strip(" \t>") else None


def _cells(row: str) -> int:
    return _WHOLE.sub("", _LEAD.sub("", row, count=1)).strip().removeprefix("|").removesuffix("|").count("|") + 1


def _counted(cells: int) -> str:
    return f"{cells} cell{'s' * (cells != 1)}"
