"""What is left of a text reads as it did: random Markdown, of which some words need what is missing."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from generator.notes import Text
from generator.problems import Place
from generator.render.prose import prose
from generator.resolve.withheld import Kept, kept, marked, unmarked

SEEDS = range(400)


class _Author:
    """Writes Markdown in which every word is another one; a few of them are marked as missing."""

    def __init__(self, seed: int):
        self.chance = random.Random(seed)
        self.missing: set[int] = set()
        self.words = 0
        self.paths: dict[str, str] = {}

    def word(self, path: str) -> str:
        """path: the elements that it is to stand in."""
        self.words += 1
        word = f"w{self.words}w"
        self.paths[word] = path.strip()
        if self.chance.random() < 0.12:
            self.missing.add(self.words)
            return marked(word, self.words)
        return word

    def paragraph(self, path: str = "") -> list[str]:
        ends = self.chance.choice((".", ".", ":"))
        return [*(self.word(path) for _ in range(self.chance.randint(0, 2))), f"{self.word(path)} *{self.word(f'{path} em')}*{ends}"]

    def table(self, path: str = "") -> list[str]:
        width, height = self.chance.randint(1, 4), self.chance.randint(1, 4)
        homes = [f"{path} div table thead tr th", *[f"{path} div table tbody tr td"] * height]
        rows = [[self.word(home) for _ in range(width)] for home in homes]
        rows[1:1] = [[self.chance.choice(("---", ":-:", "--:"))] * width]
        return [f"| {' | '.join(row)} |" for row in rows]

    def items(self, path: str = "", deep: int = 0) -> list[str]:
        signs, loose = self.chance.choice((("-",), ("*",), ("1.", "2.", "3.", "4."))), self.chance.random() < 0.3
        lines: list[str] = []
        for number in range(self.chance.randint(1, 4)):
            sign = signs[number % len(signs)]
            home = f"{path} {'ol' if len(signs) > 1 else 'ul'} li"
            inside = self.paragraph(home)
            if deep < 2 and self.chance.random() < 0.4:
                inside += [*([""] if self.chance.random() < 0.3 else []), *self.items(home, deep + 1)]
            if self.chance.random() < 0.2:
                inside += ["", *self.chance.choice((self.paragraph, self.table))(home)]
            lines += [""] * (loose and number > 0)
            lines += [f"{sign if n == 0 else ' ' * len(sign)} {line}" if line else "" for n, line in enumerate(inside)]
        return lines

    def quotation(self) -> list[str]:
        inside = [*self.paragraph("blockquote"), "", *self.chance.choice((self.paragraph, self.table))("blockquote")]
        return [f"> {line}".rstrip() for line in inside]

    def text(self) -> str:
        kinds = (self.paragraph, self.paragraph, self.table, self.items, self.quotation, lambda: ["---"])
        lines: list[str] = []
        for _ in range(self.chance.randint(1, 6)):
            lines += [*([""] if lines else []), *self.chance.choice(kinds)()]
        return "\n".join(lines)


class _Paths(HTMLParser):
    """Word -> the elements that it stands in; without paragraphs, since a list may be tight or loose."""

    def __init__(self, html: str):
        super().__init__()
        self.open: list[str] = []
        self.found: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        if tag not in ("hr", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.found.update(dict.fromkeys(re.findall(r"w\d+w", data), " ".join(tag for tag in self.open if tag != "p")))


Case = tuple[str, set[int], dict[str, str], Kept]


def cases() -> Iterator[Case]:
    for seed in SEEDS:
        author = _Author(seed)
        text = author.text()
        yield text, author.missing, author.paths, kept(Text(text, Place("x.md", 1)), author.missing)


def rendered(text: str) -> str:
    return prose(re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL))


@pytest.fixture(scope="module")
def made() -> list[Case]:
    return list(cases())


def test_every_word_is_shown_or_left_out(made):
    assert sum(bool(missing) for _, missing, _, _ in made) > 200
    for text, missing, _, left in made:
        words, gone = (set(re.findall(r"w\d+w", part)) for part in (text, " ".join(block.text.text for block in left.left_out)))
        shown = set(_Paths(rendered(left.text)).found)
        assert shown == words - gone, text
        assert {f"w{number}w" for number in missing} <= gone, text
        assert not left.text or left.text.count("\n") == text.count("\n")


def test_what_stays_stands_where_it_stood(made):
    for text, _, paths, left in made:
        assert _Paths(rendered(unmarked(text))).found == paths
        shown = _Paths(rendered(left.text)).found
        assert shown == {word: paths[word] for word in shown}, f"{unmarked(text)}\n====\n{left.text}"


def test_nothing_goes_where_nothing_is_missing(made):
    for text, _, _, _ in made:
        assert kept(Text(text, Place("x.md", 1)), {10**6}).text == unmarked(text)
