"""Code to HTML: inline code, and fenced blocks highlighted at build with classes, since cards carry no scripts.

Apart, because clozes may stand inside code: Pygments sees the code without their marks, which go back in after.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from html import escape
from typing import Any

from generator.problems import nearest
from generator.text import cloze

SHORT = 24  # characters of inline code that no line's end parts: they fit a phone's line in a heading
PLAIN = ("text", "plain", "txt")
_MARK = re.compile(rf"{cloze.OPEN}[0-9]+{cloze.OPENED}|[{cloze.MARKS}]")


class LanguageError(ValueError):
    """A code block in a language that Pygments does not know."""

    def __init__(self, language: str):
        from pygments.lexers import get_all_lexers

        super().__init__(f"unknown language {language!r} of a code block")
        self.hint = nearest(language, [alias for lexer in get_all_lexers() for alias in lexer[1]]) or "text leaves it plain"


def inline(source: str, plain: bool = False) -> str:
    """HTML of inline code, its backticks included in `source`; plain: without a class of ours."""
    ticks = len(source) - len(source.lstrip("`"))
    code = " ".join(source[ticks : len(source) - ticks].split("\n"))
    if code.startswith(" ") and code.endswith(" ") and code.strip():
        code = code[1:-1]
    short = ' class="whole"' if not plain and len(_MARK.sub("", code)) <= SHORT else ""
    return f'<code{short} dir="ltr">{escape(code, quote=False)}</code>'


def block(source: str, info: str, highlighted: Callable[[str, str], str]) -> str:
    """HTML of a fenced block, its fence lines included; highlighted where `info` names a language. Raises LanguageError.

    highlighted: `in_colour`, which may remember code that it has seen.
    """
    lines = source.strip("\n").split("\n")
    indent = len(lines[0]) - len(lines[0].lstrip())
    code = "\n".join(line[min(indent, len(line) - len(line.lstrip())) :] for line in lines[1:-1])
    bare = _MARK.sub("", code)
    words = [word.lower() for word in info.split() if word != "computed"]
    html = highlighted(bare, words[0]) if words and words[0] not in PLAIN else escape(bare, quote=False)
    return f'<pre class="code" dir="ltr"><code>{html if bare == code else _remarked(html, code)}</code></pre>'


def in_colour(code: str, language: str) -> str:
    """HTML of code, with Pygments' classes. Raises LanguageError."""
    from pygments import highlight

    html = highlight(code, _lexer(language), _formatter()).removesuffix("\n")
    return html.replace("&quot;", '"').replace("&#39;", "'")  # as the sanitizer prints them


@functools.cache
def _lexer(language: str) -> Any:
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        raise LanguageError(language) from None


@functools.cache
def _formatter() -> Any:
    from pygments.formatters import HtmlFormatter
    from pygments.token import Name, Punctuation, Whitespace

    made = HtmlFormatter(nowrap=True)
    # No style of ours tells these from other code; their spans are a quarter of a code-heavy card, which every step after has to read.
    made.span_element_openers.update(dict.fromkeys((Name, Punctuation, Whitespace), ""))
    return made


def _remarked(html: str, code: str) -> str:
    """Highlighted HTML with the marks of its code put back where they were, each outside of every <span>."""
    due: dict[int, str] = {}  # how many characters of bare code come before -> the marks that stand there
    gone = 0
    for mark in _MARK.finditer(code):
        due[mark.start() - gone] = due.get(mark.start() - gone, "") + mark.group()
        gone += len(mark.group())
    parts: list[str] = []
    tags: list[str] = []
    at = 0
    for piece in [*re.findall(r"<[^<>]+>|&[#A-Za-z0-9]+;|[^<&]", html, re.DOTALL), ""]:
        if piece.startswith("<"):
            if piece.startswith("</"):
                tags.pop()
            else:
                tags.append(piece)
            parts.append(piece)
            continue
        if at in due:
            parts += ["</span>" * len(tags), due[at], *tags]
        parts.append(piece)
        at += 1
    return re.sub(r"<span [^<>]*></span>", "", "".join(parts))
