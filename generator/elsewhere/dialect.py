"""Other people's Markdown in the dialect of our cards: what other readers take and ours does not is said in another way, or lost by name.

In: Markdown of md2anki or Obsidian. Out: Markdown of ours. Code and math stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape

from generator.read.html import WIDTH
from generator.text.media import kind_of, parted
from generator.text.safe import ELEMENTS, SCHEMES
from generator.text.spans import Span, scan

Media = Callable[[str], str | None]  # the path of a media file as the card names it, None: there is none

_EMBED = re.compile(r"!\[\[([^\[\]|#\n]+)(?:#[^\[\]|\n]*)?(?:\|([^\[\]\n]*))?\]\]")
_WIKI = re.compile(r"(?<![!\\])\[\[([^\[\]|\n]+)(?:\|([^\[\]\n]*))?\]\]")
_IMAGE = re.compile(r"!\[([^\[\]]*)\]\(\s*(?:<([^<>\n]*)>|([^\s()]*(?:\([^\s()]*\)[^\s()]*)*))(?:\s+\"[^\"\n]*\")?\s*\)(\{[^{}\n]*\})?")
_LINK = re.compile(r"(?<!!)\[([^\[\]\n]*)\]\(\s*(?:<([^<>\n]*)>|([^\s()]*(?:\([^\s()]*\)[^\s()]*)*))(?:\s+\"[^\"\n]*\")?\s*\)")
_HTML_IMAGE = re.compile(r"<img\b[^<>]*?\bsrc\s*=\s*[\"']?([^\"'<>\s]+)[^<>]*>", re.IGNORECASE)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$", re.MULTILINE)
_UNDERLINED = re.compile(r"^([^\n#>|*+-][^\n]*)\n {0,3}(?:=+|-{2,})[ \t]*$", re.MULTILINE)
_TASK = re.compile(r"^([ \t]*[-*+][ \t]+)\[([ xX])\] ", re.MULTILINE)
_FOOTNOTE = re.compile(r"\[\^([^\[\]\s]+)\](?!:)")
_FOOTNOTE_TEXT = re.compile(r"^\[\^([^\[\]\s]+)\]:[ \t]*(.*(?:\n[ \t]+\S.*)*)\n?", re.MULTILINE)
_CALLOUT = re.compile(r"^([ \t]*(?:>[ \t]*)+)\[!([\w-]+)\][+-]?[ \t]*(.*)$", re.MULTILINE)
_STRANGE = re.compile(  # Pandoc's and GitHub's, which Obsidian shows as they are
    r"(?<=[\w)])[\^~](?=[^\s^~]+[\^~])|(?<![\w~)])~(?=[^\s~](?:[^\n~]*[^\s~])?~(?![\w~]))|^:(?=[ \t])", re.MULTILINE
)
_REMOTE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:|//")


def adapted(text: str, media: Media, lost: list[str]) -> str:
    """The text in our dialect. media: see Media. lost takes what cannot come along."""
    text = footnotes(re.sub(r"%%.*?%%", "", text.replace("\r\n", "\n"), flags=re.DOTALL))
    found, _ = scan(text)
    parts = []
    for span in found:
        source = text[span.start : span.end]
        if span.kind == "text":
            parts.append(source)
        elif span.kind == "html":
            parts.append(_tag(source, media, lost))
        else:
            parts.append(_kept(source, span))
    held: list[str] = []

    def up(match: re.Match[str]) -> str:
        held.append(match[0])
        return f"\ue010{len(held) - 1}\ue011"

    # code, math and tags stand aside, so that what spans them is seen whole
    whole = "".join(part if span.kind == "text" else up(re.match(r"(?s).*", part)) for part, span in zip(parts, found))  # type: ignore[arg-type]
    whole = _plain(whole, lambda name, alt: up(re.match(r"(?s).*", picture(name, alt, media, lost))), lost)  # type: ignore[arg-type]
    return re.sub("\ue010([0-9]+)\ue011", lambda match: held[int(match[1])], whole).strip()


def footnotes(text: str) -> str:
    """The text with what its footnotes say in parentheses where they are called."""
    notes: dict[str, str] = {}
    text = _FOOTNOTE_TEXT.sub(lambda match: notes.setdefault(match[1], " ".join(match[2].split())) and "", text)
    return _FOOTNOTE.sub(lambda match: f" ({notes[match[1]]})" if match[1] in notes else match[0], text)


def picture(name: str, alt: str, media: Media, lost: list[str]) -> str:
    """A reference to a media file, as our cards write it; its width, in `alt` behind a bar or in braces, stands behind it."""
    name = unescape(name).strip()
    alt, asked = parted(alt)
    width = f"{{width={re.sub('(?<=[0-9])x[0-9]+', '', asked)}}}" if asked else ""
    if _REMOTE.match(name):
        lost.append(f"{name} is remote, and is linked to instead of shown")
        return f"[{alt or 'a picture elsewhere'}]({name})" if name.startswith(("http://", "https://")) else alt
    path = media(name)
    if path is None:
        lost.append(f"{name} was left out: it is not there, or no medium that a card can show")
        return alt or escape(name)
    shown = " ".join(alt.split()) or re.sub(r"[\s_-]+", " ", name.rpartition("/")[2].rpartition(".")[0]).strip() or "picture"
    return f"![{shown}]({path}){width if WIDTH.fullmatch(width) and kind_of(path) == 'image' else ''}"


def _plain(text: str, shown: Callable[[str, str], str], lost: list[str]) -> str:
    def embedded(match: re.Match[str]) -> str:
        if "." not in match[1] or match[1].lower().endswith(".md"):
            lost.append(f"the embedded note {match[1]} became its name")
            return match[1]
        sized = re.fullmatch(r"[0-9]+(?:x[0-9]+)?", (match[2] or "").strip())
        return shown(match[1], f"|{match[2]}" if sized else match[2] or "")

    def linked(match: re.Match[str]) -> str:
        target = match[2] or match[3] or ""
        if target.startswith(tuple(f"{scheme}:" for scheme in SCHEMES)):
            return match[0]
        if target:
            lost.append(f"the link to {target} became text")
        return match[1]

    text = _EMBED.sub(embedded, text)
    text = _WIKI.sub(lambda match: (match[2] or match[1].replace("#", " › ").removeprefix(" › ")).strip(), text)
    text = _IMAGE.sub(lambda match: shown(match[2] or match[3] or "", match[1] + (match[4] if match[4] and parted(match[4])[1] else "")), text)
    text = _LINK.sub(linked, text)
    text = _UNDERLINED.sub(r"**\1**", text)
    text = _HEADING.sub(lambda match: f"\n**{match[1].strip('*')}**\n" if match[1] else "", text)
    text = _CALLOUT.sub(lambda match: f"{match[1]}**{match[3] or match[2].capitalize()}**\n{match[1].rstrip()}", text)
    text = _TASK.sub(lambda match: f"{match[1]}{'☐' if match[2] == ' ' else '☑'} ", text)
    text = re.sub(r"==(?=[^\s=])(.+?)(?<=[^\s=])==", r"<mark>\1</mark>", text)
    text = _STRANGE.sub(lambda match: f"&#{ord(match[0][0])};{match[0][1:]}", text)
    return re.sub(r"(?<!\\)#(?=[^\W\d][\w/-]*)", r"&#35;", text)  # a tag in a sentence


def _kept(source: str, span: Span) -> str:
    if span.kind != "fence":
        return source
    ticks = re.match(r"\s*[`~]+", source)
    assert ticks is not None
    word = re.match(r"\{?=?\.?([\w+#-]+)", span.info)
    return f"{ticks[0]}{word[1] if word else ''}{source[source.index(chr(10)) :]}" if "\n" in source else source


def _tag(source: str, media: Media, lost: list[str]) -> str:
    """A tag if a card may have it."""
    if source.startswith("<!--"):
        return ""
    if image := _HTML_IMAGE.fullmatch(source):
        alt = re.search(r"\balt\s*=\s*\"([^\"]*)\"", source)
        return picture(image[1], alt[1] if alt else "", media, lost)
    name = re.match(r"</?([a-zA-Z0-9-]+)", source)
    if name and name[1].lower() in ("s", "strike"):
        return "~~"
    if name and name[1].lower() in ELEMENTS:
        return re.sub(r"\s*/>$", ">", source)
    if name and not source.startswith("</"):
        lost.append(f"the element <{name[1]}> was left out")
    return "" if name else escape(source)
