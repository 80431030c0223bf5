"""What stands in a paragraph where Python-Markdown reads it otherwise than CommonMark: addresses in angle brackets, entities, emphasis.

In: a text in which Python-Markdown has put marks for what it found before. Out: elements, each with where it stands in the text.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as etree
from typing import NamedTuple
from unicodedata import category, east_asian_width
from urllib.parse import quote

from markdown import Markdown
from markdown.inlinepatterns import (
    LINK_RE,
    REFERENCE_RE,
    InlineProcessor,
    LinkInlineProcessor,
    ReferenceInlineProcessor,
    ShortReferenceInlineProcessor,
)
from markdown.util import ETX, STX, AtomicString

from generator.render.blocks import Blocks
from generator.text import cloze
from generator.text.blocks import LANDED, LIFTED, Mistake

DEEPEST = 24  # emphases in one another
Found = tuple[etree.Element, int, int] | tuple[str, int, int] | tuple[None, None, None]


def install(converter: Markdown, parser: Blocks) -> None:
    """Gives the converter these; the parser takes their mistakes."""
    patterns = converter.inlinePatterns
    patterns.register(Address(r"<((?P<scheme>[A-Za-z][A-Za-z0-9+.-]{1,31}:)[^\s<>]*)>", converter), "autolink", 185)  # before escapes: it has none
    host = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    patterns.register(Address(rf"<(?P<scheme>)([\w.!#$%&'*+/=?^`{{|}}~-]+@{host}(?:\.{host})*)>", converter), "automail", 184)
    patterns.register(Reference(REFERENCE_RE, converter), "reference", 170)
    patterns.register(Link(LINK_RE, converter), "link", 160)
    patterns.register(ShortReference(REFERENCE_RE, converter), "short_reference", 130)
    patterns.register(Entity(r"&(?P<code>#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]*|#\w*);", converter), "entity", 80)
    patterns.register(Emphasis(converter, parser), "em_strong", 60)


class Address(InlineProcessor):
    """`<https://…>` and `<name@host>`."""

    def handleMatch(self, m: re.Match[str], data: str) -> Found:  # type: ignore[override]
        written = m[0][1:-1]
        link = etree.Element("a", href=quote(written if m["scheme"] else f"mailto:{written}", safe="!#$%&'()*+,/:;=?@~"))
        link.text = AtomicString(written)
        return link, m.start(), m.end()


class _WithoutLinks(LinkInlineProcessor):
    """A link that holds no other: of two in one another, the inner one is."""

    def handleMatch(self, m: re.Match[str], data: str) -> Found:  # type: ignore[override]
        link, start, end = super().handleMatch(m, data)
        return (None, None, None) if link is not None and _LINK.search(link.text or "") else (link, start, end)  # type: ignore[return-value, union-attr]


_LINK = re.compile(r"(?<!!)\[[^\[\]]*\]\(")


_FREE = r"[^\s()]"  # of an address, whose parentheses are balanced
for _ in range(4):
    _FREE = rf"(?:[^\s()]|\({_FREE}*\))"
_TARGET = re.compile(rf"\(\s*(?:<(?P<angled>[^<>\n]*)>|(?P<bare>(?!<){_FREE}*))(?:\s+(?P<title>\"[^\"]*\"|'[^']*'|\([^()]*\)))?\s*\)")


class Link(_WithoutLinks):
    """`[text](address)`, `[text](<address> "title")`."""

    def getLink(self, data: str, index: int) -> tuple[str, str | None, int, bool]:
        found = _TARGET.match(data, index)
        if found is None:
            return "", None, index, False
        title = self.unescape(found["title"][1:-1]) if found["title"] else None
        return self.unescape(found["angled"] or found["bare"] or ""), title, found.end(), True


class Reference(_WithoutLinks, ReferenceInlineProcessor):
    """`[text][label]`, with nothing between the brackets."""

    RE_LINK = re.compile(r"\[([^\]]*)\]")


class ShortReference(_WithoutLinks, ShortReferenceInlineProcessor):
    """`[label]`."""


class Entity(InlineProcessor):
    """`&amp;`, and `&#38;` with as many digits as a character has."""

    def handleMatch(self, m: re.Match[str], data: str) -> Found:  # type: ignore[override]
        sound = m["code"][0] != "#" or re.fullmatch(r"#(?:[0-9]{1,7}|[xX][0-9A-Fa-f]{1,6})", m["code"])
        return self.md.htmlStash.store(m[0] if sound else f"&amp;{m['code']};"), m.start(), m.end()


# ------------------------------------------------------------------------------------------------ emphasis


_STAR, _UNDERSCORE = f"{STX}42{ETX}", f"{STX}95{ETX}"  # as the converter has what a backslash escapes


class _Run:
    """Some `*` or `_` in a row, of which data[start:start + count] are still free."""

    def __init__(self, sign: str, start: int, count: int, opens: bool, closes: bool):
        self.sign, self.start, self.count, self.length, self.opens, self.closes = sign, start, count, count, opens, closes


class _Pair(NamedTuple):
    """data[start:inside] opens and data[stop:end] closes an emphasis, strong where these are two signs."""

    start: int
    inside: int
    stop: int
    end: int


class Emphasis(InlineProcessor):
    """`*…*`, `**…**` and the same with `_`, by CommonMark's rules for runs of delimiters.

    Beside Chinese, Japanese and Korean characters, which know no spaces, a run need not stand apart from punctuation.
    """

    def __init__(self, md: Markdown, parser: Blocks):
        super().__init__(r"\*+|_+", md)
        self.parser = parser
        self.text, self.done = "", 0  # what was read last, and how far it was answered for
        self.due: list[list[_Pair]] = []  # its outermost emphases that are to come, each with those inside, the last one first

    def handleMatch(self, m: re.Match[str], data: str) -> Found:  # type: ignore[override]
        moved = len(data) - len(self.text)  # what was found before stands in fewer or more characters now
        if m.start() < self.done + moved or not data.endswith(self.text[self.done :]):
            self.text, moved = data, 0
            self.due = _outermost(_pairs(self._runs(data)))[::-1]
        self.done = m.end() - moved
        if not self.due or self.due[-1][0].start >= self.done:
            return None, None, None
        pairs = self.due.pop()
        self.done = pairs[0].end
        return self._built(self.text, pairs), pairs[0].start + moved, pairs[0].end + moved

    def _built(self, data: str, pairs: list[_Pair]) -> etree.Element:
        """The element of the first pair, with the others, which it holds, inside."""
        outer: list[tuple[_Pair, etree.Element]] = []
        at = 0

        def text(end: int) -> None:
            into, literal = outer[-1][1], data[at:end].replace("*", _STAR).replace("_", _UNDERSCORE)
            if len(into):
                into[-1].tail = (into[-1].tail or "") + literal
            else:
                into.text = (into.text or "") + literal

        def close(before: int) -> None:
            nonlocal at
            while len(outer) > 1 and outer[-1][0].end <= before:
                text(outer[-1][0].stop)
                at = outer.pop()[0].end

        for pair in pairs:
            element = etree.Element("strong" if pair.inside - pair.start == 2 else "em")
            if outer:
                close(pair.start)
                text(pair.start)
                outer[-1][1].append(element)
                if len(outer) == DEEPEST:
                    self.parser.mistakes.append(Mistake(0, f"emphasis nested deeper than {DEEPEST} levels", "flatten it"))
                    break
            outer.append((pair, element))
            at = pair.inside
        close(pairs[0].stop)
        text(pairs[0].stop)
        return outer[0][1]

    def _runs(self, data: str) -> list[_Run]:
        runs = []
        for found in self.compiled_re.finditer(data):
            before, after = self._kind(data, found.start() - 1, -1), self._kind(data, found.end(), 1)
            left = after != " " and (after != "." or before in " .中")
            right = before != " " and (before != "." or after in " .中")
            if found[0][0] == "*":
                opens, closes = left, right
            else:
                opens, closes = left and (not right or before == "."), right and (not left or after == ".")
            if opens or closes:
                runs.append(_Run(found[0][0], found.start(), len(found[0]), opens, closes))
        return runs

    def _kind(self, data: str, at: int, step: int) -> str:
        """What stands there: " " for white space or an end, "." for punctuation and what has been found already, "中" for CJK, "a" for the rest."""
        if 0 <= at < len(data) and data[at].isascii() and data[at].isalnum():
            return "a"
        while 0 <= at < len(data) and data[at] in cloze.MARKS:  # a reader does not see them
            if data[at] in cloze.OPEN + cloze.OPENED:
                other = data.find(cloze.OPENED, at) if step > 0 else data.rfind(cloze.OPEN, 0, at)
                at = other if other >= 0 else at
            at += step
        if not 0 <= at < len(data) or data[at].isspace():
            return " "
        sign = data[at]
        if sign in STX + ETX:
            start = data.rfind(STX, 0, at + 1)
            found = self.md.treeprocessors["inline"].stashed_nodes.get(data[start + 1 : data.find(ETX, start)].rpartition(":")[2])  # type: ignore[attr-defined]
            return " " if isinstance(found, etree.Element) and found.tag == "br" else "."
        if sign in LIFTED + LANDED:
            return "."
        if sign > "\u2e7f" and east_asian_width(sign) in "WF":
            return "中"
        return "." if category(sign)[0] in "PS" else "a"


def _pairs(runs: list[_Run]) -> list[_Pair]:
    """Which runs belong together: each that closes with the nearest before it that opens, whatever is between being text."""
    pairs: list[_Pair] = []
    open_: list[_Run] = []
    vain: dict[tuple[str, bool, int], int] = {}  # nothing that opens before there goes with runs of this kind
    for run in runs:
        kind = (run.sign, run.opens, run.length % 3)
        while run.closes and run.count:
            for number in range(len(open_) - 1, -1, -1):
                opener = open_[number]
                if opener.start < vain.get(kind, 0):
                    number = -1
                    break
                odd = (opener.closes or run.opens) and (opener.length + run.length) % 3 == 0 and (opener.length % 3 or run.length % 3)
                if opener.sign == run.sign and not odd:
                    break
            else:
                number = -1
            if number < 0:
                vain[kind] = run.start
                break
            signs = 2 if opener.count >= 2 and run.count >= 2 else 1
            inside = opener.start + opener.count
            pairs.append(_Pair(inside - signs, inside, run.start, run.start + signs))
            opener.count -= signs
            run.start, run.count = run.start + signs, run.count - signs
            del open_[number + 1 if opener.count else number :]
        if run.opens and run.count:
            open_.append(run)
    return sorted(pairs)


def _outermost(pairs: list[_Pair]) -> list[list[_Pair]]:
    """The pairs, each that stands in no other with those that it holds."""
    outermost: list[list[_Pair]] = []
    for pair in pairs:
        if outermost and pair.start < outermost[-1][0].end:
            outermost[-1].append(pair)
        else:
            outermost.append([pair])
    return outermost
