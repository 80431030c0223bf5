"""Markdown to HTML, once math, code and figures are lifted out of it.

In: Markdown. Out: HTML whose tables scroll in boxes of their own. Blocks are ours (blocks.py); what stands in them is Python-Markdown's.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection
from html import unescape

from generator.text.blocks import Mistake


def prose(text: str, apart: Collection[int] = (), mistakes: list[Mistake] | None = None) -> str:
    """HTML of a Markdown text without code. No headings: a card has its sections for that.

    apart: the indices of lifted pieces that are blocks. What a card does not have is added to `mistakes`.
    """
    if "\t" in text:
        text = _TABS_AT_END.sub("", text).expandtabs(4)
    html, found = _markdown("".join(sign for sign in SIGNS if sign in text))(text, apart)
    if mistakes is not None:
        mistakes += found
    return tables(html)


_TABS_AT_END = re.compile(r"[ \t]*\t$", re.MULTILINE)  # they break no line, as two spaces do

# What Python-Markdown looks for in every line, by the sign without which it is not there. Half of its time goes into looking in vain.
SIGNS = {
    "\\": ("escape", "unescape", "broken"),
    "[": ("reference", "link", "image_link", "image_reference", "short_reference", "short_image_ref"),
    "<": ("autolink", "automail", "html"),
    "&": ("entity",),
    "*": ("em_strong", "unescape"),
    "_": ("em_strong", "unescape"),
    "~~": ("struck",),
    "  ": ("linebreak",),
}


@functools.lru_cache(maxsize=64)
def _markdown(signs: str) -> Callable[[str, Collection[int]], tuple[str, list[Mistake]]]:
    """The converter for texts that hold these of SIGNS and no others."""
    import markdown
    from markdown.inlinepatterns import SimpleTagInlineProcessor, SubstituteTagInlineProcessor

    from generator.render import blocks, inlines, lines

    converter = markdown.Markdown(output_format="html", tab_length=4)
    parser = blocks.install(converter)
    inlines.install(converter, parser)
    lines.install(converter)
    converter.ESCAPED_CHARS = [*converter.ESCAPED_CHARS, *(c for c in "$|<~&'\":=" if c not in converter.ESCAPED_CHARS)]
    converter.inlinePatterns.register(SimpleTagInlineProcessor(r"(?<!~)(~~)(?=[^\s~])(.+?)(?<=\S)~~(?!~)", "del"), "struck", 65)
    converter.inlinePatterns.register(SubstituteTagInlineProcessor(r"\\\n", "br"), "broken", 175)  # behind what a backslash escapes
    needed = {name for sign, names in SIGNS.items() if sign in signs for name in names}
    vain = {name for names in SIGNS.values() for name in names} - needed
    vain |= {"html_block", "backtick", "em_strong2", "not_strong"}  # blocks are ours, code is lifted, and emphasis is read at once
    for registry in (converter.preprocessors, converter.inlinePatterns, converter.treeprocessors):
        for name in sorted(vain):
            if name in registry:
                registry.deregister(name)
    # Which of them there are is settled: a registry sorts them at every look.
    converter.treeprocessors["inline"].inlinePatterns = [*converter.inlinePatterns]  # type: ignore[attr-defined]
    converter.preprocessors, converter.postprocessors = [*converter.preprocessors], [*converter.postprocessors]  # type: ignore[assignment]

    def convert(text: str, apart: Collection[int]) -> tuple[str, list[Mistake]]:
        parser.apart, parser.mistakes = apart, []
        return converter.reset().convert(text), parser.mistakes

    return convert


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
