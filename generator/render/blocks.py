"""Blocks to elements, in place of Python-Markdown's own block parser, which goes by empty lines where CommonMark goes by columns.

In: the lines of a text, math, code and figures lifted out of it. Out: the tree whose texts Python-Markdown's second phase, the inline one, reads.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as etree
from collections.abc import Collection, Iterable, Iterator
from html import unescape

from markdown import Markdown
from markdown.blockparser import BlockParser
from markdown.postprocessors import RawHtmlPostprocessor
from markdown.util import AtomicString

from generator.text.blocks import COMMENT, LANDED, LIFTED, Line, Mistake, Node, cells, parsed

_DEFINITION = re.compile(
    r"\[(?P<label>(?=[^\]]*[^\s\]])(?:\\.|[^\[\]\\]){1,999})\]:[ ]*\n?[ ]*(?P<to><[^<>\n]*>|[^\s<]\S*)"
    r"(?:(?:[ ]+|[ ]*\n[ ]*)(?:\"(?P<one>[^\"]*)\"|'(?P<two>[^']*)'|\((?P<three>[^()]*)\)))?[ ]*(?:\n|\Z)"
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_LIST = {"ordered": "ol", "bullets": "ul"}


class Blocks(BlockParser):
    """Builds the tree of a document. apart: the indices of lifted pieces that are blocks; mistakes: what was found in the last text."""

    apart: Collection[int] = ()
    mistakes: list[Mistake] = []

    def parseDocument(self, lines: Iterable[str]) -> etree.ElementTree:
        document, self.mistakes = parsed(self._lines(lines))
        root = etree.Element(self.md.doc_tag)
        self._build(root, document.inside)
        return etree.ElementTree(root)

    def _lines(self, lines: Iterable[str]) -> Iterator[Line]:
        for number, text in enumerate(lines):
            apart = ""
            if COMMENT in text:
                bare = text.replace(COMMENT, "")
                apart, text = ("", bare) if bare.strip() else ("comment", text)
            elif LIFTED in text and (alone := text.strip())[0] == LIFTED and alone.find(LANDED) == len(alone) - 1 and int(alone[1:-1]) in self.apart:
                apart = "fence"
            yield Line(text, number, number + 1, apart)

    def _build(self, parent: etree.Element, nodes: Iterable[Node], tight: bool = False) -> None:
        for node in nodes:
            if node.kind == "paragraph":
                self._paragraph(parent, "\n".join(line.text.lstrip(" ") for line in node.lines).rstrip(), tight)
            elif node.kind == "quote":
                self._build(etree.SubElement(parent, "blockquote"), node.inside)
            elif node.kind in _LIST:
                made = etree.SubElement(parent, _LIST[node.kind], {"start": str(node.start)} if node.start != 1 else {})
                for item in node.inside:
                    self._build(etree.SubElement(made, "li"), item.inside, not node.loose)
            elif node.kind == "table":
                _table(parent, [line.text for line in node.lines])
            elif node.kind == "rule":
                etree.SubElement(parent, "hr")
            elif node.kind == "html":
                source = "\n".join(line.text for line in node.lines)
                etree.SubElement(parent, "p").text = AtomicString(self.md.htmlStash.store(Raw(source)))
            elif node.kind != "comment":
                etree.SubElement(parent, "p").text = AtomicString(node.lines[0].text.strip())

    def _paragraph(self, parent: etree.Element, text: str, tight: bool) -> None:
        while text.startswith("[") and (definition := _DEFINITION.match(text)):
            to, title = definition["to"], next((definition[name] for name in ("one", "two", "three") if definition[name] is not None), "")
            to = to[1:-1] if to[0] == "<" else to
            self.md.references.setdefault(" ".join(definition["label"].split()).lower(), (_meant(to), _meant(title)))
            text = text[definition.end() :]
        if not text:
            return
        if not tight:
            etree.SubElement(parent, "p").text = text
        elif len(parent):
            parent[-1].tail = text
        else:
            parent.text = text


class Raw(str):
    """Raw HTML that is a block."""


class RawBlocks(RawHtmlPostprocessor):
    """Puts raw HTML back: a block of it stands in no paragraph, whatever its first tag is."""

    def stash_to_string(self, text: str) -> str:
        self.is_block = isinstance(text, Raw)
        return str(text)

    def isblocklevel(self, html: str) -> bool:
        return self.is_block


def install(converter: Markdown) -> Blocks:
    """Gives the converter these blocks."""
    converter.parser = Blocks(converter)
    converter.postprocessors.register(RawBlocks(converter), "raw_html", 30)
    return converter.parser


def _meant(written: str) -> str:
    return unescape(_ESCAPED.sub(r"\1", written))


def _table(parent: etree.Element, rows: list[str]) -> None:
    head, separator, *body = (cells(row) for row in rows)
    styles = [_ALIGNED[cell.strip()[0] == ":", cell.strip()[-1] == ":"] for cell in separator]
    table = etree.SubElement(parent, "table")
    for tag, element, lines in (("th", "thead", [head]), ("td", "tbody", body)):
        part = etree.SubElement(table, element) if lines else table
        for line in lines:
            row = etree.SubElement(part, "tr")
            for cell, style in zip([*line, *[""] * len(styles)], styles):
                etree.SubElement(row, tag, style).text = cell.strip(" ")


_ALIGNED: dict[tuple[bool, bool], dict[str, str]] = {
    (False, False): {},
    (True, False): {"style": "text-align: left;"},
    (False, True): {"style": "text-align: right;"},
    (True, True): {"style": "text-align: center;"},
}
