"""What an author's raw HTML, links and images may not do: stay open, run scripts, load things, point to nowhere.

In: Markdown with its spans. Out: Findings by offset, in words that help. Apart from text/safe.py, which has the last word on the finished
field, so that what is overlooked here does no harm.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from collections.abc import Iterable
from html import unescape
from typing import NamedTuple

from generator.problems import nearest
from generator.text.media import PLAYS, kind_of, parted
from generator.text.media import WIDTH as WRITTEN
from generator.text.safe import ATTRIBUTES, ELEMENTS, PREFIXES, SCHEMES, style_without
from generator.text.spans import Span

_LOADING = "src srcset poster data background action formaction xlink:href ping manifest longdesc profile codebase classid"
LOADING = frozenset(_LOADING.split())
VOID = {"br", "col", "hr", "wbr"}
DEEPEST = 30
STRUCK = "of a model it is a token, which goes in backticks: `<s>`; struck text is ~~text~~"
REFUSED = {
    **dict.fromkeys(("s", "strike"), STRUCK),
    "script": "cards carry no scripts",
    "style": "the look is made in generator/look/style.css",
    "link": "the look is made in generator/look/style.css",
    "img": "write ![alt](path)",
    "svg": "save it as a file and write ![alt](path)",
    "math": "write it as $..$",
    **dict.fromkeys(("iframe", "frame", "object", "embed", "applet"), "a card loads nothing"),
    **dict.fromkeys(("audio", "video", "source", "track"), "write ![what is heard](path)"),
    **dict.fromkeys(("form", "input", "button", "textarea", "select", "option"), "a card has no forms"),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "a note's headings are # and ##"),
}


class Finding(NamedTuple):
    """Something wrong at text[offset]."""

    offset: int
    message: str
    hint: str = ""


class Image(NamedTuple):
    """`![alt](path)` or `[sound:path]` in a text: a picture, a sound or a film."""

    offset: int
    path: str


def elements(text: str, spans: Iterable[Span], masked: str = "") -> tuple[tuple[Finding, ...], tuple[tuple[int, int], ...]]:
    """What is wrong with the raw HTML of a text, and the ranges of its outermost elements, from tag to closing tag.

    masked: as `links` takes it; Markdown in what stays as it is written is looked for there.
    """
    found: list[Finding] = []
    stack: list[tuple[str, int]] = []
    ranges: list[tuple[int, int]] = []
    refused: set[str] = set()
    for span in spans:
        if span.kind != "html" or text.startswith("<!--", span.start):
            continue
        for tag in _TAG.finditer(text, span.start, span.end):
            name = _checked(tag, found, refused)
            if name is None or name in VOID:
                continue
            if not tag.group().startswith("</"):
                if len(stack) >= DEEPEST:
                    found.append(Finding(tag.start(), f"raw HTML nested deeper than {DEEPEST} levels", "flatten it"))
                    return tuple(found), tuple(ranges)
                stack.append((name, tag.start()))
            elif name in (opened for opened, _ in stack):
                while stack[-1][0] != name:
                    found.append(_unclosed(*stack.pop()))
                _, start = stack.pop()
                ranges.append((start, tag.end()))
                if name in RAW:
                    found += _read(name, text, masked, start, tag.start())
            else:
                found.append(Finding(tag.start(), f"</{name}> closes nothing", f"take it away, or open <{name}> before"))
    found += [_unclosed(name, start) for name, start in stack]
    return tuple(found), _outermost(ranges)


def links(masked: str, text: str) -> tuple[tuple[Finding, ...], tuple[Image, ...]]:
    """What is wrong with the links, images, sounds and films of a text, and the images and the like that it shows.

    masked: the text with everything but its "text" spans, and with escaped characters, blanked out.
    """
    found: list[Finding] = []
    images: list[Image] = []
    images_close = set()
    for image in _IMAGE.finditer(masked) if "![" in masked else ():
        images_close.add(image.start("close"))
        rest = _DESTINATION.match(masked, image.end()) if image["close"] == "](" else None
        if rest is None:
            written = _AS_WRITTEN.match(text, image.start())
            shown = _short(written.group() if written else image.group())
            hint = (
                "a width stands behind: ![alt](path){width=300}"
                if " =" in text[image.end() : image.end() + 80].partition(")")[0]
                else "/ parts folders"
                if "\\" in shown
                else "a path with spaces stands in <>, and there is no reference style"
            )
            found.append(Finding(image.start(), f"an image must be written ![alt](path), not {shown}", hint))
            continue
        path = text[rest.start("path") : rest.end("path")].strip("<>")
        kind = kind_of(path) or "image"
        alt, asked = parted(text[image.start() + 2 : image.start("close")])
        if asked and (kind != "image" or not _is_width(f"{{width={asked}}}")):
            hint = "|300 in pixels, or {width=50%} behind it; the height follows" if kind == "image" else "only images have a width"
            found.append(Finding(image.start(), f"{asked!r} is no width of the {kind} {path!r}", hint))
        if not alt.strip():
            found.append(Finding(image.start(), f"{'a' if kind != 'image' else 'an'} {kind} without alt text", "say in the brackets what it shows"))
        if (braces := _BRACES.match(masked, rest.end())) and (kind != "image" or not _is_width(braces.group())):
            hint = "{width=200} in pixels, or {width=50%}, right behind it" if kind == "image" else "only images have a width"
            found.append(Finding(image.start(), f"{_short(braces.group())} says nothing of the {kind} {path!r}", hint))
        images.append(Image(image.start(), path))
    for plays in PLAYS.finditer(masked) if "sound:" in masked.lower() else ():
        path = text[plays.start("path") : plays.end("path")]
        if not plays["close"] or not path:
            found.append(Finding(plays.start(), f"{_short(plays.group())} plays nothing", "write [sound:perro.mp3], or ![perro](perro.mp3)"))
        else:
            images.append(Image(plays.start(), path))
    for link in _LINK.finditer(masked) if "](" in masked else ():
        if link.start() not in images_close:
            found += _target(link.start(), text[link.start(1) : link.end(1)])
    for definition in _DEFINITION.finditer(masked) if "]:" in masked else ():
        found += _target(definition.start(), text[definition.start(1) : definition.end(1)])
    for address in _ANGLES.finditer(masked) if "<" in masked else ():
        if ":" in address[1]:
            found += _target(address.start(), address[1])
    for tag in _HALF_TAG.finditer(masked) if "<" in masked else ():
        found.append(Finding(tag.start(), f"the tag {tag.group().split()[0]} has no end", "close it with >, or write &lt; for a literal <"))
    return tuple(found), tuple(images)


# ---------------------------------------------------------------------------------------------------- tags

APART = ("details", "div")  # between such tags, each on a line that holds no text, stands Markdown
RAW = (*APART, "blockquote", "center", "dd", "dl", "dt", "figcaption", "figure", "li", "ol", "p", "table", "td", "th", "tr", "ul")
_ALONE = re.compile(
    r"^[ \t]*(?:(?:</?(?:details|div)\b[^<>\n]*>|<summary\b[^<>\n]*>(?:(?!</summary>)[^\n])*</summary>)[ \t]*)+$", re.IGNORECASE | re.MULTILINE
)
_MARKDOWN = re.compile(r"(\*\*|__|~~)(?=\S)[^\n]{1,200}?(?<=\S)\1|(?<![\w*])\*(?=[^\s*])[^\n*]+(?<=[^\s*])\*(?![\w*])|\]\(|\n[ \t]*[-*+][ \t]")
_TAG = re.compile(r"</?[A-Za-z](?:[^<>\"']|\"[^\"<]*\"|'[^'<]*'){0,2000}>|</?[A-Za-z][^<>]{0,2000}>|<[!?][^<>]{0,2000}>")
_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)(?=[\s/>])")
_ATTRIBUTE = re.compile(r"\s+([A-Za-z_][A-Za-z0-9_.:-]*)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'=<>`]+)))?")


def _checked(tag: re.Match[str], found: list[Finding], refused: set[str]) -> str | None:
    """The name of the element if the tag is well formed and allowed. refused: the names of others that were opened."""
    source, start = tag.group(), tag.start()
    named = _NAME.match(source)
    if named is None:
        found.append(Finding(start, f"{_short(source)} is no tag that a card may have", "write &lt; for a literal <, or put code in backticks"))
        return None
    name = named[1].lower()
    if name not in ELEMENTS:
        if source.startswith("</") and name in refused:
            return None
        refused.add(name)
        hint = REFUSED.get(name) or "; ".join(filter(None, (nearest(name, ELEMENTS), f"to show it, put it in backticks: `{_short(source)}`")))
        found.append(Finding(start, f"{_short(source) if source.startswith('</') else f'<{name}>'} is not allowed on a card", hint))
        return None
    at, end = named.end(), len(source) - (2 if source.endswith("/>") else 1)
    if source.endswith("/>") and name not in VOID:
        found.append(Finding(start, f"<{name}/> does not close the element in HTML", f"write <{name}></{name}>"))
        return None
    while attribute := _ATTRIBUTE.match(source, at, end):
        at = attribute.end()
        value = next((v for v in attribute.groups()[1:] if v is not None), "")
        _check_attribute(name, attribute[1].lower(), value, start, found)
    if source[at:end].strip():
        found.append(Finding(start, f"{_short(source)} is malformed", 'attributes are name="value"; write &lt; for a literal <'))
    return name


def _check_attribute(element: str, name: str, value: str, start: int, found: list[Finding]) -> None:
    if name.startswith("on"):
        found.append(Finding(start, f"<{element}> carries the handler {name}", "cards carry no scripts"))
    elif name in LOADING:
        found.append(Finding(start, f"<{element}> loads something by {name}", "a card loads nothing; images are ![alt](path)"))
    elif name == "href" and element == "a":
        found.extend(_target(start, value))
    elif name == "style" and (refused := style_without(unescape(value))[1]):
        message = f"the style of <{element}> has {_short(refused)!r}, which no card may have"
        found.append(Finding(start, message, "plain properties only, no url(), no place of its own"))
    elif name not in ATTRIBUTES and not name.startswith(PREFIXES):
        found.append(Finding(start, f"<{element}> may not have the attribute {name}", nearest(name, ATTRIBUTES)))


def alone(text: str, at: int) -> bool:
    """Whether the tag at text[at] stands on a line that holds nothing but such as have Markdown between them."""
    lines = _alone(text)
    number = bisect_right(lines, (at, len(text))) - 1
    return number >= 0 and at < lines[number][1]


@functools.lru_cache(maxsize=64)
def _alone(text: str) -> tuple[tuple[int, int], ...]:
    return tuple(line.span() for line in _ALONE.finditer(text))


def _read(name: str, text: str, masked: str, start: int, close: int) -> list[Finding]:
    """What is wrong with a block of HTML as a home of Markdown, which is read between tags that have lines to themselves."""
    apart = [alone(text, at) for at in (start, close)] if name in APART else [False, False]
    if apart[0] != apart[1]:
        return [
            Finding(close if apart[0] else start, f"one of <{name}> and </{name}> has a line to itself, and the other has not", "give each its own")
        ]
    begins = not text[max(text.rfind("\n", max(start - 80, 0), start) + 1, start - 80) : start].strip()
    if apart[0] or not begins or not (inside := _MARKDOWN.search(masked, start, close)):
        return []
    hint = f"give <{name}> and </{name}> lines of their own" if name in APART else "write HTML in it: <b>, <i>, <a href>, <ul>"
    return [Finding(inside.start(), f"Markdown inside <{name}> is not read", hint)]


def _unclosed(name: str, start: int) -> Finding:
    return Finding(start, f"<{name}> is not closed", f"close it with </{name}>, or show it in backticks: `<{name}>`")


def _outermost(ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    outer: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if not outer or start >= outer[-1][1]:
            outer.append((start, end))
    return tuple(outer)


def _short(source: str) -> str:
    source = " ".join(source.split())
    return source if len(source) <= 40 else source[:37] + "..."


# --------------------------------------------------------------------------------------------------- links

_LINK = re.compile(r"\]\(\s*(<[^<>\n]*>|[^\s()]{0,2000})")
_IMAGE = re.compile(r"!\[(?!\[)(?:[^\[\]]|\[\[[^\[\]\n]*\]\]|\[[^\[\]]*\])*(?P<close>\]\(|\]\[|\])")
_AS_WRITTEN = re.compile(r"!\[[^\]]{0,80}\]\S{0,80}")
_DESTINATION = re.compile(r"[ \t]*(?P<path><[^<>\n]*>|(?:[^\s()]|\([^\s()]*\)){1,400})(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?[ \t]*\)")
_BRACES = re.compile(r"(?:[ \t]?\{:?[ \t]*width[ \t]*=|\{(?:[\w-]+[ \t]*=|[.#:]))[^{}\n]*\}")
WIDTH = re.compile(r"\{width=(?P<width>[1-9][0-9]{0,3}(?:px)?|[1-9][0-9]?%|100%)\}")
_WRITTEN = re.compile(rf"[ \t]?{WRITTEN}")
_DEFINITION = re.compile(r"^[ ]{0,3}\[(?!\^)[^\[\]\n]+\]:\s*(\S+)", re.MULTILINE)
_ANGLES = re.compile(r"<([A-Za-z][^<>\s]*)>")
_HALF_TAG = re.compile(
    r"</?(?:" + "|".join(sorted(ELEMENTS | set(REFUSED))) + r")\s+[A-Za-z-]+\s*=|<(?:script|iframe|style|object|embed)\b", re.IGNORECASE
)


def _is_width(braces: str) -> bool:
    written = _WRITTEN.fullmatch(braces)
    return written is not None and WIDTH.fullmatch(f"{{width={written['width']}}}") is not None


def _target(offset: int, target: str) -> list[Finding]:
    address = re.sub(r"[\x00-\x20]", "", unescape(target.strip().strip("<>")))
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", address)
    shown = _short(target.strip().strip("<>"))
    if scheme is None:
        what = "has no address" if not address else f"{shown!r} leads nowhere on a phone"
        return [Finding(offset, f"the link {what}", "write the whole address, https://...")]
    if scheme[1].lower() not in SCHEMES:
        return [Finding(offset, f"the link {shown!r} is a {scheme[1].lower()}: link", f"allowed: {', '.join(SCHEMES)}")]
    return []
