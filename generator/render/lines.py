"""The last looks of Python-Markdown at a tree, at what can be there.

In: the tree of a text, its inline marks read. Out: the same with line breaks between its blocks, and with what a backslash escaped.
"""

from __future__ import annotations

import xml.etree.ElementTree as etree

from markdown import Markdown
from markdown.treeprocessors import PrettifyTreeprocessor, UnescapeTreeprocessor
from markdown.util import STX


class Lines(PrettifyTreeprocessor):
    """Line breaks between blocks and behind <br>. All code is lifted, so that none is in a tree."""

    def __init__(self, md: Markdown):
        super().__init__(md)
        self.blocks = frozenset(md.block_level_elements)

    def run(self, root: etree.Element) -> None:
        self._broken(root)
        for br in root.iter("br"):
            br.tail = f"\n{br.tail}" if br.tail and br.tail.strip() else "\n"

    def _broken(self, block: etree.Element) -> None:
        if len(block):
            if block[0].tag in self.blocks and not (block.text and block.text.strip()):
                block.text = "\n"
            for inside in block:
                if inside.tag in self.blocks:
                    self._broken(inside)
        if not (block.tail and block.tail.strip()):
            block.tail = "\n"


class Unescaped(UnescapeTreeprocessor):
    """Puts escaped characters back where there are any."""

    def unescape(self, text: str) -> str:
        return super().unescape(text) if STX in text else text


def install(converter: Markdown) -> None:
    """Gives the converter these."""
    converter.treeprocessors.register(Lines(converter), "prettify", 10)
    converter.treeprocessors.register(Unescaped(converter), "unescape", 0)
