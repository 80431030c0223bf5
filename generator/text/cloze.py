"""Anki's cloze deletions: found in the author's text, carried through Markdown, written so that Anki reads what was meant.

In: Markdown with its spans. Out: Cloze values; then marks that Markdown leaves alone; then `{{c1::…}}` in HTML.
Apart, because Anki ends a cloze at the first `}}` and starts its hint at the first `::`, whatever they belong to, so that
braces have to be matched with math and code in view before Markdown runs, and those of others defused after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from generator.text.spans import Span

DEPTH = 3  # Anki 24.11 shows three levels, later ones more
HIGHEST = 500  # Anki gives no card to a higher number

OPEN, OPENED, HINT, CLOSE = "\ue004", "\ue005", "\ue006", "\ue007"  # OPEN, the number, OPENED stand for `{{c1::`
MARKS = OPEN + OPENED + HINT + CLOSE


class ClozeError(ValueError):
    """What is wrong with a cloze, and at which character of the text."""

    def __init__(self, offset: int, message: str, hint: str = ""):
        super().__init__(message)
        self.offset, self.message, self.hint = offset, message, hint


class Cloze(NamedTuple):
    """`{{c1::answer::hint}}`: text[start:end] is all of it, text[inside:stop] the answer; hinted is where `::hint` starts, or None."""

    start: int
    end: int
    number: int
    inside: int
    stop: int
    hinted: int | None


def clozes(text: str, spans: Iterable[Span]) -> tuple[Cloze, ...]:
    """The clozes of a text, in order. Braces are matched, and code, math and tags within a cloze are seen as a whole.

    A cloze may also stand inside code or math; it then ends there, and in code `::` is no hint. Raises ClozeError for one that
    is not closed, empty, badly numbered or nested too deep.
    """
    found: list[Cloze] = []
    stack: list[_Opened] = []
    for index, span in enumerate(spans):
        if span.kind == "html":
            continue
        home = -1 if span.kind == "text" else index
        _scan(text, span, home, stack, found)
        if stack and stack[-1].home == index:
            raise _unclosed(stack[-1], f", and one that opens in {'math' if span.kind == 'math' else 'code'} must close there")
    if stack:
        raise _unclosed(stack[-1], "")
    return tuple(sorted(found))


def by_number(text: str, found: Sequence[Cloze]) -> dict[int, str]:
    """Each cloze number with its answers as the author wrote them."""
    numbers = sorted({cloze.number for cloze in found})
    return {number: " / ".join(text[c.inside : c.stop].strip() for c in found if c.number == number) for number in numbers}


def marked(text: str, start: int, end: int, found: Sequence[Cloze]) -> str:
    """text[start:end] with a mark in place of each `{{c1::`, `::` before a hint, and `}}`."""
    cuts: list[tuple[int, int, str]] = []
    for cloze in found:
        cuts.append((cloze.start, cloze.inside, f"{OPEN}{cloze.number}{OPENED}"))
        cuts.append((cloze.end - 2, cloze.end, CLOSE))
        if cloze.hinted is not None:
            cuts.append((cloze.hinted, cloze.hinted + 2, HINT))
    parts, at = [], start
    for low, high, mark in sorted(cuts):
        if start <= low and high <= end:
            parts += [text[at:low], mark]
            at = high
    return "".join([*parts, text[at:end]])


def in_math(tex: str) -> str:
    """TeX that lies in or around a cloze: every `}}` and `::` pulled apart, as TeX does not mind. Its marks stay."""
    tex = re.sub(rf"\}}(?=[}}{CLOSE}])", "} ", tex)
    return re.sub(rf":(?=[:{HINT}])", ": ", tex)


def in_html(html: str) -> str:
    """HTML with Anki's own syntax in place of the marks, and every other `}}` and `::` inside a cloze defused.

    Raises ClozeError where a cloze opens in one element and closes in another.
    """
    html = re.sub(rf"<p>\s*([{OPEN}][0-9]+{OPENED}|[{HINT}]?[^<{MARKS}]*[{CLOSE}])\s*</p>", r"\1", html)
    parts: list[str] = []
    elements: list[str] = []
    opened: list[tuple[int, str]] = []  # how many elements were open at each cloze's start, and its number
    for piece in re.split(rf"(<!--.*?-->|<[^<>]*>|[{OPEN}][0-9]+{OPENED}|[{HINT}{CLOSE}])", html, flags=re.DOTALL):
        if not piece or piece.startswith("<!--"):
            parts.append(piece)
        elif piece[0] == OPEN:
            opened.append((len(elements), piece[1:-1]))
            parts.append("{{c" + piece[1:-1] + "::")
        elif piece == CLOSE:
            depth, number = opened.pop()
            if depth != len(elements):
                raise _crossing(number)
            parts.append("}}")
        elif piece == HINT:
            parts.append("::")
        elif piece[0] == "<":
            if set(piece) & set(MARKS):
                raise ClozeError(0, "a cloze stands inside a tag, a link's address or an image's text")
            _step(piece, elements)
            if opened and len(elements) < opened[-1][0]:
                raise _crossing(opened[-1][1])
            parts.append(piece.replace("::", ":&#58;").replace("}}", "}&#125;") if opened else piece)
        else:
            parts.append(_defused(piece) if opened else piece)
    return "".join(parts).replace("}" + _GUARD + "}}", "}<!-- -->}}").replace(":" + _GUARD + "::", ":<!-- -->::").replace(_GUARD, "")


class _Opened:
    """A cloze whose end has not come. home: the index of the code or math that it opened in, -1 for text; depth: of braces open in it."""

    def __init__(self, number: int, start: int, inside: int, home: int):
        self.number, self.start, self.inside, self.home = number, start, inside, home
        self.depth, self.hinted = 0, None  # type: tuple[int, int | None]


_ODD = r"\{\{ ?[cC] ?[0-9][0-9, ]*:|\{\{ ?(?:[cC]|[0-9]+)::|(?<!\{)\{[cC][0-9]+::"
_SIGN = re.compile(rf"(?P<open>\{{\{{c(?P<number>[0-9]+)::)|(?P<odd>{_ODD})|(?P<escape>\\.)|(?P<hint>::)|[{{}}]", re.DOTALL)


def _scan(text: str, span: Span, home: int, stack: list[_Opened], found: list[Cloze]) -> None:
    code = span.kind in ("code", "fence")
    at = span.start
    while match := _SIGN.search(text, at, span.end):
        at, sign = match.end(), match.group()
        top = stack[-1] if stack and stack[-1].home == home else None
        if match["open"]:
            stack.append(_opened(match, home, len(stack)))
        elif match["odd"]:
            if not code:
                raise ClozeError(match.start(), f"{match.group()!r} opens no cloze", "write {{c1::text}}, one small c and one number from 1 on")
        elif match["escape"]:
            if code:
                at = match.start() + 1
        elif top is None:
            continue
        elif match["hint"]:
            if not code and top.depth == 0 and top.hinted is None:
                top.hinted = match.start()
        elif sign == "{":
            top.depth += 1
        elif _closes(text, match.start(), span, top.depth):
            at = match.start() + 2
            found.append(_closed(text, stack.pop(), match.start()))
        elif top.depth:
            top.depth -= 1


def _closes(text: str, at: int, span: Span, depth: int) -> bool:
    """Whether the `}` at `at` is the first of a cloze's end. A lone `{` in prose does not keep its cloze open."""
    if not text.startswith("}}", at) or at + 2 > span.end:
        return False
    return depth == 0 or (span.kind == "text" and not text.startswith("}}}", at))


def _opened(match: re.Match[str], home: int, depth: int) -> _Opened:
    number = int(match["number"])
    if not 1 <= number <= HIGHEST:
        raise ClozeError(match.start(), f"cloze number {number} makes no card", f"cloze numbers go from 1 to {HIGHEST}")
    if depth >= DEPTH:
        raise ClozeError(match.start(), f"clozes are nested deeper than {DEPTH}", "older versions of Anki show no more")
    return _Opened(number, match.start(), match.end(), home)


def _closed(text: str, top: _Opened, at: int) -> Cloze:
    stop = at if top.hinted is None else top.hinted
    if not text[top.inside : stop].strip():
        raise ClozeError(top.start, f"cloze c{top.number} hides nothing", f"write what is to be hidden: {{{{c{top.number}::text}}}}")
    return Cloze(top.start, at + 2, top.number, top.inside, stop, top.hinted)


def _unclosed(top: _Opened, why: str) -> ClozeError:
    return ClozeError(top.start, f"cloze c{top.number} is not closed{why}", "close it with }}, and close every { inside it")


def _crossing(number: str) -> ClozeError:
    return ClozeError(
        0, f"cloze c{number} begins in one paragraph, cell, list item or emphasis and ends in another", "use one cloze for each, with the same number"
    )


_VOID = {"br", "hr", "img", "wbr", "input"}
_GUARD = "\ue008"


def _step(tag: str, elements: list[str]) -> None:
    name = re.match(r"</?\s*([a-zA-Z0-9-]+)", tag)
    if name is None or name[1].lower() in _VOID or tag.endswith("/>"):
        return
    if tag.startswith("</"):
        if elements:
            elements.pop()
    else:
        elements.append(name[1].lower())


def _defused(text: str) -> str:
    text = re.sub(r"\}(?=\})", "}<!-- -->", text)
    text = re.sub(r":(?=:)", ":<!-- -->", text)
    return text + _GUARD if text.endswith(("}", ":")) else text


def places(found: Mapping[int, str]) -> tuple[int, ...]:
    """The ordinals of the cards that these clozes make."""
    return tuple(sorted(number - 1 for number in found))
