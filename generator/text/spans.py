"""Where code, math and raw HTML lie in Markdown, so that whoever changes or judges the text leaves them alone.

In: a text. Out: Spans that cover it in order, without gaps. Apart, because reading, resolving and rendering must agree on it.
"""

from __future__ import annotations

import functools
import re
from typing import Literal, NamedTuple

Kind = Literal["text", "code", "fence", "math", "html"]


class Span(NamedTuple):
    """text[start:end] is of one kind, its delimiters included.

    "text"; "code" (inline); "fence" (whole lines with both fence lines, info: what follows the opening fence); "math" ($..$, $$..$$,
    \\(..\\), \\[..\\], \\begin{align}..\\end{align}); "html" (a comment, a tag, or a whole <pre> or <code> element).
    """

    kind: Kind
    start: int
    end: int
    info: str = ""


class SpanError(ValueError):
    """Something that opens at text[offset] and does not close."""

    def __init__(self, offset: int, message: str, hint: str = ""):
        super().__init__(message)
        self.offset, self.message, self.hint = offset, message, hint


@functools.lru_cache(maxsize=256)  # the fields of the note at hand: each step asks for theirs, and they are scanned once
def spans(text: str) -> tuple[Span, ...]:
    """The spans of a text; neighbouring ones may both be "text". Raises SpanError for what does not close.

    Inline code, tags and `$` math end within their paragraph; other math may have line breaks but no blank line; fences and
    comments end where they are closed. A `$` opens math if no space follows, and closes it if no space precedes and no digit
    follows; one that does neither beside a digit is a dollar, as is `\\$`. A `\\[[` is a literal `[[`, never math.
    """
    found, errors = scan(text)
    if errors:
        raise errors[0]
    return found


def scan(text: str) -> tuple[tuple[Span, ...], tuple[SpanError, ...]]:
    """As `spans`, but goes on after an error, with what did not close taken as text."""
    scanner = _Scanner(text)
    found: list[Span] = []
    done = at = 0
    while match := _FIRST.search(text, at):
        span = scanner.span(match.start(), at)
        if isinstance(span, int):
            at = span
            continue
        if done < span.start:
            found.append(Span("text", done, span.start))
        found.append(span)
        done = at = span.end
    if done < len(text):
        found.append(Span("text", done, len(text)))
    return tuple(found), tuple(scanner.errors)


def line_of(text: str, offset: int) -> int:
    """The line, from 1, that text[offset] stands on."""
    return text.count("\n", 0, offset) + 1


_FIRST = re.compile(r"[`~$\\<[](?:(?<!\[)|(?=\[))")  # whatever is no text begins with one of these, but for white space and marks before a fence
_FENCE = re.compile(r"[ \t]*(?:`{3,}|~{3,})[^\n]*")
_QUOTED = re.compile(r"[ \t]*(?:(?:>|[-*+][ \t]|[0-9]{1,9}[.)][ \t])[ \t]*)+(?:`{3,}|~{3,})[^`\n]*$", re.MULTILINE)
_REFERENCE = re.compile(r"\[\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*\]\]")
_OPENS_TAG = re.compile(r"<[!?/A-Za-z]")
_BLANK = re.compile(r"\n[ \t]*(?=\n|\Z)")
_BLOCK = re.compile(r"\n(?=[ \t]*(?:\n|\Z|```|~~~|(?:[-*+]|[0-9]{1,9}[.)])[ \t])|##? )")  # what ends a paragraph, or opens another block
LONG = 1000  # characters within which math that a blank line parts is taken for one
_TICKS = re.compile("`+")
_BEGIN = re.compile(r"\\begin\{([a-zA-Z]+\*?)\}")
_ENVIRONMENTS = """
    align alignat aligned alignedat array Bmatrix bmatrix cases dcases eqnarray equation flalign gather gathered matrix multline
    pmatrix rcases smallmatrix split subarray vmatrix Vmatrix xalignat xxalignat
"""
ENVIRONMENTS = frozenset(_ENVIRONMENTS.split())  # of MathJax, most of them with a star too
_DOLLAR = re.compile(r"\\[\s\S]|\$")
_TEX_ENDS = {"$$": re.compile(r"\\[\s\S]|\$\$"), "\\(": re.compile(r"\\[\s\S]"), "\\[": re.compile(r"\\[\s\S]")}
_TEX_CLOSE = {"$$": "$$", "\\(": "\\)", "\\[": "\\]"}
_TAG = re.compile(r"</?[A-Za-z](?:[^<>\"']|\"[^\"<]*\"|'[^'<]*'){0,2000}>|</?[A-Za-z][^<>]{0,2000}>|<[!?][^<>]{0,2000}>")
_ADDRESS = re.compile(r"<(?:[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*|[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9.-]+)>")  # in angle brackets: a link, no tag
_WHOLE = re.compile(r"<(pre|code|script|style|textarea)\b", re.IGNORECASE)
_NOTE = re.compile(r"^# .*\{[#.]", re.MULTILINE)


class _Scanner:
    """Finds where each opening closes. Remembers what was searched in vain, so that no text is searched twice for one thing."""

    def __init__(self, text: str):
        self.text = text
        self.errors: list[SpanError] = []
        self.ends: dict[re.Pattern[str], int] = {}  # where the current paragraph ends
        self.vain: dict[object, int] = {}  # a closing -> none of it before this offset

    def span(self, start: int, after: int) -> Span | int:
        """The span that opens with the character at `start`, or the offset to go on at where none does. after: where the last one ended."""
        text, sign = self.text, self.text[start]
        if sign in "`~":
            return self._ticks(start, after)
        if sign == "$":
            return self._tex("$$", start) if text.startswith("$$", start) else self._dollar(start)
        if sign == "<":
            return self._html(start) if _OPENS_TAG.match(text, start) else start + 1
        if sign == "[":
            reference = _REFERENCE.match(text, start)
            return reference.end() if reference else start + 1
        escaped = text[start : start + 2]
        if escaped == "\\b" and (begin := _BEGIN.match(text, start)):
            return self._environment(begin)
        if escaped in _TEX_CLOSE and not text.startswith("[[", start + 1):
            return self._tex(escaped, start)
        return start + (3 if text.startswith("[[", start + 1) else 2)

    def _ticks(self, start: int, after: int) -> Span | int:
        """A fence, if nothing but white space stands before it on its line; or inline code."""
        line: int | None = self.text.rfind("\n", after, start) + 1
        if not line:  # no line begins behind `after`; perhaps one begins there
            line = after if after == 0 or self.text[after - 1] == "\n" else None
        if line is not None:
            if fence := _FENCE.match(self.text, line):
                return self._fence(fence)
            if quoted := _QUOTED.match(self.text, line):
                self.errors.append(SpanError(line, "a code fence stands behind a list mark or in a quotation", "put the fence on a line of its own"))
                return quoted.end()
        ticks = _TICKS.match(self.text, start)
        return self._code(start, ticks.end()) if ticks else start + 1

    def _fence(self, match: re.Match[str]) -> Span | int:
        line = match.group().lstrip(" \t")
        start, mark = match.start(), line[0]
        ticks = len(line) - len(line.lstrip(mark))
        info = line[ticks:].strip()
        if mark == "`" and "`" in info:
            begin = match.end() - len(line)
            return self._code(begin, begin + ticks)
        indent = len(match.group().expandtabs(4)) - len(line)  # not that of the line's end
        if self.vain.get((mark, ticks, indent), -1) <= match.end():
            closing = _closing_fence(mark, ticks, indent + 3).search(self.text, match.end())
            if closing:
                return Span("fence", start, closing.end(), info)
            self.vain[mark, ticks, indent] = len(self.text)
        self.errors.append(SpanError(start, f"the code fence {mark * ticks} is not closed", f"close it with {mark * ticks} on a line of its own"))
        following = _NOTE.search(self.text, match.end())  # most likely it was to end within its note
        return Span("fence", start, following.start() if following else len(self.text), info)

    def _code(self, start: int, begin: int) -> Span | int:
        ticks, limit = begin - start, self._end(_BLOCK, start)
        if self.vain.get(ticks, -1) < limit:
            for closing in _TICKS.finditer(self.text, begin, limit):
                if closing.end() - closing.start() == ticks:
                    return Span("code", start, closing.end())
            self.vain[ticks] = limit
        return begin

    def _tex(self, opening: str, start: int) -> Span | int:
        limit, closing = self._end(_BLANK, start), _TEX_CLOSE[opening]
        if self.vain.get(opening, -1) < limit:
            for found in _TEX_ENDS[opening].finditer(self.text, start + 2, limit):
                if found.group() == closing:
                    return Span("math", start, found.end())
            self.vain[opening] = limit
            hint = f"close it with {closing}, with no blank line before"
            self.errors.append(SpanError(start, f"the math {opening} is not closed in its paragraph", hint))
            after = self.text.find(closing, limit, limit + LONG)  # most likely its end, behind a blank line
            return after + 2 if after >= 0 and "\n#" not in self.text[limit:after] else start + 2
        return start + 2

    def _environment(self, begin: re.Match[str]) -> Span | int:
        name, start, depth = begin[1], begin.start(), 0
        if name.removesuffix("*") not in ENVIRONMENTS:
            hint = "a card has Markdown's lists, tables and code, and MathJax's environments of math, such as align, cases and pmatrix"
            self.errors.append(SpanError(start, f"\\begin{{{name}}} begins nothing that a card can show", f"{hint}; in code put it in backticks"))
            return begin.end()
        limit = self._end(_BLANK, start)
        if self.vain.get(name, -1) < limit:
            for found in _boundary(name).finditer(self.text, start, limit):
                depth += 1 if found[1] == "begin" else -1
                if not depth:
                    return Span("math", start, found.end())
            self.vain[name] = limit
        hint = f"close it with \\end{{{name}}}, without a blank line before; in code put it in backticks"
        self.errors.append(SpanError(start, f"the math \\begin{{{name}}} is not closed in its paragraph", hint))
        return begin.end()

    def _dollar(self, start: int) -> Span | int:
        text, limit = self.text, self._end(_BLOCK, start)
        following = text[start + 1 : start + 2]
        if not following or following.isspace():
            return start + 1
        if self.vain.get("$", -1) < limit:
            for found in _DOLLAR.finditer(text, start + 1, limit):
                if found.group() == "$":
                    if not text[found.start() - 1].isspace() and not text[found.end() : found.end() + 1].isdigit():
                        return Span("math", start, found.end())
                    break
            else:
                self.vain["$"] = limit
        if not following.isdigit() and not text[start - 1 : start].isalnum():
            self.errors.append(
                SpanError(start, "the math $ is not closed in its paragraph", r"close it with $ right behind the formula, or write \$ for a dollar")
            )
        return start + 1

    def _html(self, start: int) -> Span | int:
        text = self.text
        if text.startswith("<!--", start):
            if self.vain.get("<!--", -1) < 0:
                end = text.find("-->", start + 2)
                if end >= 0:
                    return Span("html", start, end + 3)
                self.vain["<!--"] = len(text)
                self.errors.append(SpanError(start, "the comment <!-- is not closed", "close it with -->"))
            return start + 4
        if text.startswith("](", start - 2):
            return start + 1  # where a link or an image leads
        tag = _TAG.match(text, start, self._end(_BLANK, start))
        if address := _ADDRESS.match(text, start):
            return address.end()
        if tag is None or ":" in (name := tag.group()[1:].split(None, 1)[0]) or "@" in name:
            return start + 1
        whole = _WHOLE.match(text, start)
        closed = self._closed(whole[1].lower(), start, tag.end()) if whole else None
        return Span("html", start, closed or tag.end())

    def _closed(self, name: str, start: int, begin: int) -> int | None:
        """Where the element ends whose content is no Markdown, unless another of its name begins first."""
        limit = self._end(_BLOCK, start) if name == "code" else len(self.text)
        if self.vain.get(name, -1) >= limit:
            return None
        found = _next_tag(name).search(self.text, begin, limit)
        if found is None:
            self.vain[name] = limit
        return found.end() if found and found.group().startswith("</") else None

    def _end(self, pattern: re.Pattern[str], at: int) -> int:
        """Where the paragraph around `at` ends, by one of the two patterns."""
        if self.ends.get(pattern, -1) <= at:
            found = pattern.search(self.text, at)
            self.ends[pattern] = found.start() + 1 if found else len(self.text)
        return self.ends[pattern]


@functools.cache
def _closing_fence(mark: str, ticks: int, furthest: int) -> re.Pattern[str]:
    return re.compile(rf"\n(?:[ ]{{0,{furthest}}}|[ \t]{{0,{furthest // 4}}}){mark}{{{ticks},}}[ \t]*(?:\n|\Z)")


@functools.cache
def _boundary(name: str) -> re.Pattern[str]:
    return re.compile(rf"\\(begin|end)\{{{re.escape(name)}\}}")


@functools.cache
def _next_tag(name: str) -> re.Pattern[str]:
    return re.compile(rf"</?{name}(?:\s[^<>]*)?>", re.IGNORECASE)
