"""Markdown to HTML, once math, code and figures are lifted out of it.

In: Markdown. Out: HTML whose tables scroll in boxes of their own. Apart, because Python-Markdown wants four spaces before what
belongs to a list item and an empty line before a list or table, and authors write what every other Markdown takes.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from html import unescape

from generator.text.blocks import ITEM, RULE


def prose(text: str) -> str:
    """HTML of a Markdown text without code. No headings: a card has its sections for that."""
    outlined = "\n".join(_outline(text))
    return tables(_markdown("".join(sign for sign in SIGNS if sign in outlined))(outlined))


# What Python-Markdown looks for in every line, by the sign without which it is not there. Half of its time goes into looking in vain.
SIGNS = {
    "`": ("backtick",),
    "\\": ("escape", "unescape"),
    "[": ("reference", "link", "image_link", "image_reference", "short_reference", "short_image_ref"),
    "<": ("html_block", "autolink", "automail", "html"),
    "&": ("html_block", "entity"),
    "*": ("em_strong",),
    "_": ("em_strong", "em_strong2"),
    "~~": ("struck",),
    "  ": ("linebreak",),  # before a line's end, or before a tag that comes to stand on a line of its own
    "|": ("table",),
    ">": ("quote",),
}


@functools.lru_cache(maxsize=64)
def _markdown(signs: str) -> Callable[[str], str]:
    """The converter for texts that hold these of SIGNS and no others."""
    import markdown
    from markdown.extensions.sane_lists import SaneListExtension
    from markdown.extensions.tables import TableExtension
    from markdown.inlinepatterns import SimpleTagInlineProcessor

    converter = markdown.Markdown(extensions=[TableExtension(), SaneListExtension()], output_format="html", tab_length=4)
    converter.ESCAPED_CHARS = [*converter.ESCAPED_CHARS, *(c for c in "$|<~&'\":=" if c not in converter.ESCAPED_CHARS)]
    converter.inlinePatterns.register(SimpleTagInlineProcessor(r"(?<!~)(~~)(?=[^\s~])(.+?)(?<=\S)~~(?!~)", "del"), "struck", 65)
    needed = {name for sign, names in SIGNS.items() if sign in signs for name in names}
    vain = {name for names in SIGNS.values() for name in names} - needed
    vain |= {"code", "hashheader", "setextheader"}  # indented text is no code and a line of dashes no heading
    for registry in (converter.preprocessors, converter.parser.blockprocessors, converter.inlinePatterns, converter.treeprocessors):
        for name in sorted(vain):
            if name in registry:
                registry.deregister(name)

    def convert(text: str) -> str:
        return converter.reset().convert(text)

    return convert


# ------------------------------------------------------------------------------------------------ lists


def _outline(text: str) -> Iterator[str]:
    """The lines, with four spaces for each list item that a line belongs to, and an empty line before a list or table in a paragraph."""
    columns: list[int] = []  # where the text of each open item begins
    previous = ""
    for line in text.expandtabs(4).split("\n"):
        stripped = line.lstrip(" ")
        if not stripped:
            yield ""
            previous = ""
            continue
        indent = len(line) - len(stripped)
        item = None if RULE.match(stripped) else ITEM.match(stripped)
        if not previous or item or indent or stripped[0] == "|":  # else a paragraph goes on, wherever its line begins
            while columns and indent < columns[-1]:
                columns.pop()
        inside = "    " * len(columns)
        opens = item and (not item[1][0].isdigit() or item[1] in ("1.", "1)"))
        if previous and ((opens and not columns and not ITEM.match(previous)) or (stripped[0] == "|" and previous[0] != "|")):
            yield inside
        if item:
            rest = stripped[item.end() :]
            yield inside + (item[1][:-1] + "." if item[1][0].isdigit() else item[1]).ljust(3) + " " + rest
            columns.append(indent + item.end())
        else:
            yield inside + (stripped if columns else line)
        previous = stripped if not item else "- "


# ----------------------------------------------------------------------------------------------- tables

_NUMBER = re.compile(r"[~≈<>≤≥±+\-−]{0,2}\s*\d[\d.,\s]*(?:[-–]\s*[\d.,]+)?\s*[^\s\d]{0,9}")
_NO_VALUE = ("", "-", "–", "—")
_SHORT = 16  # characters of a cell that may stand on one line


def tables(html: str) -> str:
    """Each table in a box of its own that scrolls; columns of numbers aligned right, columns of text (t) so wide that they can be read."""
    return re.sub(r"<table>(?:[^<]|<(?!/?table>))*</table>", _table, html) if "<table>" in html else html


def _table(match: re.Match[str]) -> str:
    cell = r"<t[hd](?: style=\"text-align: (\w+);\")?>(.*?)</t[hd]>"
    rows = [re.findall(cell, row, re.DOTALL) for row in re.findall(r"<tr>(.*?)</tr>", match[0], re.DOTALL)]
    width = max(map(len, rows), default=0)
    classes = [_alignment([row[column] for row in rows if column < len(row)]) for column in range(width)]

    def aligned(row: re.Match[str]) -> str:
        position = iter(classes)
        return re.sub(r"<(t[hd])(?: style=\"[^\"]*\")?>", lambda cell: f"<{cell[1]}{next(position, '')}>", row[0])

    return f'<div class="table">{re.sub(r"<tr>.*?</tr>", aligned, match[0], flags=re.DOTALL)}</div>'


def _alignment(column: list[tuple[str, str]]) -> str:
    asked = next((alignment for alignment, _ in column if alignment), "")
    if asked:
        return {"right": ' class="n"', "center": ' class="c"'}.get(asked, "")
    cells = [unescape(re.sub(r"<[^<>]*>", "", cell)).strip() for _, cell in column[1:]]
    numbers = [bool(_NUMBER.fullmatch(cell)) for cell in cells if cell not in _NO_VALUE]
    if numbers and all(numbers):
        return ' class="n"'
    return ' class="t"' if max(map(len, cells), default=0) > _SHORT else ""
