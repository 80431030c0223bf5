"""What a value turns into where it stands: HTML in text, TeX in math, plain text in a `computed` fence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from generator.resolve.formats import HTML, PLAIN, TEX, Style


@dataclass(frozen=True)
class Medium:
    """What a value turns into in one part of a text. word: how a text parameter is escaped there, and so is a number in what an image says."""

    style: Style
    value: str
    word: Callable[[str], str]


def _in_markdown(word: str) -> str:
    return "".join(c if c.isalnum() or c in " -." else f"&#{ord(c)};" for c in word)  # nothing in it marks anything up


def _in_tex(word: str) -> str:
    escaped = re.sub(r"([_#$%&{}])", r"\\\1", word)
    return rf"\text{{{escaped}}}"


MEDIA: Mapping[str, Medium] = {
    "text": Medium(HTML, '<span class="num">{}</span>', _in_markdown),
    "alt": Medium(PLAIN, "{}", _in_markdown),
    "math": Medium(TEX, "{}", _in_tex),
    "fence": Medium(PLAIN, "{}", str),
}
