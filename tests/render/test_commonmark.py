"""Random Markdown comes out as CommonMark's reference has it, or is refused."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from rendering import rendered

from generator.text.blocks import Block, blocks
from generator.text.safe import cleaned

markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")

WORDS = ["a", "b c", "word", "**x**", "<b>x</b>"]
MARKS = ["- ", "* ", "+ ", "1. ", "2. ", "1) ", "12. ", "> ", ">", "-\n", "***\n", "---\n", "===\n", "# x", "|", "  ", "   ", "    ", "\t"]
WHOLE = [
    "| a | b |\n|---|---|\n| c | d |\n",
    "\n```\nx\n```\n",
    "\n<center>\n",
    "\n</center>\n\n",
    "\n\n<!-- c -->\n\n",
    "\n\n[r]: https://r.s\n\n",
    "[r]",
]
BLOCKS = [*WORDS, *MARKS, *WHOLE, *["\n"] * 8, *["\n\n"] * 3]
INLINE = [
    *'ab1.,()"é-!',
    *["*", "_", "**", "__", "***"] * 2,
    *[" "] * 4,
    "\n",
    "  \n",
    "[x](https://a.b)",
    "`c`",
    "\\*",
    "<b>x</b>",
    "&amp;",
    "<https://x.y>",
]
LINKS = [
    *"[]()*a !",
    "https://a.b",
    "https://a.b/c_(d)",
    "<https://a.b>",
    ' "t"',
    " 't'",
    "\\]",
    "\\)",
    "\n",
    "](https://a.b)",
    '[x](https://a.b "t")',
    "&amp;",
]
APART = {"p", "pre", "ul", "ol", "li", "blockquote", "hr", "table", "thead", "tbody", "tr", "th", "td", "br"}


class Shape(HTMLParser):
    """HTML without what only looks: elements with where links lead and lists begin, and texts without spaces around what stands apart."""

    def __init__(self, html: str):
        super().__init__()
        self.parts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in ("div", "span"):
            shown = [f" {name}={unquote(value or '')}" for name, value in attributes if name in ("href", "start", "title")]
            self.parts.append(f"<{tag}{''.join(shown)}>")

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("div", "span", "br", "hr"):
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.parts.append(data.strip("\n") if self.parts[-2:] == ["<pre>", "<code>"] else data)

    def of(self) -> list[str]:
        found: list[str] = []
        for part in self.parts:
            if part[0] == "<" and part != "<":
                found.append(part)
            elif found and found[-1][0] != "<":
                found[-1] += part
            else:
                found.append(part)
        apart = [part.strip("</>").split(" ")[0] in APART and part[0] == "<" for part in found] + [True]
        shown = []
        for number, part in enumerate(found):
            if part[0] != "<" or part == "<":
                part = " ".join(f"x{part}x".split())[1:-1].replace("\u202f", " ")
                part = part.lstrip() if number == 0 or apart[number - 1] else part
                part = part.rstrip() if apart[number + 1] else part
            if part:
                shown.append(part)
        return shown


def documents(pieces: list[str], seed: int, count: int, longest: int) -> Iterator[str]:
    chance = random.Random(seed)
    for _ in range(count):
        text = f"Start.\n\n{''.join(chance.choices(pieces, k=chance.randint(1, longest)))}\n\nEnd.\n"
        if not _EMPTY_ITEM.search(text):
            yield text


_EMPTY_ITEM = re.compile(
    r"(?:[-*+]|[0-9][.)])[ \t]*\n[ \t]*\n[ \t]*\n"
)  # behind two blank lines the reference begins another list, unlike CommonMark


@pytest.mark.parametrize(("pieces", "longest", "sound"), [(BLOCKS, 12, 400), (INLINE, 12, 1100), (LINKS, 8, 1100)], ids=["blocks", "inline", "links"])
def test_the_same_or_refused(pieces: list[str], longest: int, sound: int):
    reference, same = markdown_it.MarkdownIt("commonmark").enable("table"), 0
    for text in documents(pieces, 7, 1500, longest):
        note, problems = rendered("qa", {"Front": "F", "Answer": text})
        assert (note is None) == bool(problems), text
        if note is not None:
            shown, wanted = Shape(note.fields["Answer"]).of(), Shape(cleaned(reference.render(text))).of()
            assert shown == wanted, text
            same += 1
    assert same > sound


KINDS = {"ul": "bullets", "ol": "ordered", "li": "item", "blockquote": "quote", "table": "table", "tr": "row", "hr": "rule", "pre": "fence"}


def test_what_is_left_out_goes_by_the_same_blocks():
    """The blocks that are found by lines are those that are rendered."""

    def of(found: tuple[Block, ...]) -> Iterator[str]:
        for block in found:
            rows = len(block.inside) - 1 if block.kind == "table" and len(block.inside) > 2 else 2
            yield from [block.kind] if block.kind in KINDS.values() else []
            yield from of(block.inside) if block.kind != "table" else ["row"] * rows

    for text in documents([piece for piece in BLOCKS if "center" not in piece], 8, 1500, 12):  # an element goes as one, whatever it holds
        note, _ = rendered("qa", {"Front": "F", "Answer": text})
        if note is not None:
            shown = [KINDS[part[1:-1].split(" ")[0]] for part in Shape(note.fields["Answer"]).of() if part[1:-1].split(" ")[0] in KINDS]
            assert list(of(blocks(text))) == shown, text
