"""HTML of Anki's editor as Markdown of ours: what Markdown can say becomes Markdown, what it cannot stays HTML if a card may have it.

In: a field. Out: Markdown, the HTML that it has to show, and what of the field is lost. Three forms, each plainer than the one before; whoever
asks tries them in turn until the card shows what the field showed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape
from typing import Any, Literal, NamedTuple

from bs4 import BeautifulSoup, Comment, NavigableString, Tag
from markdownify import MarkdownConverter

from generator.read.html import VOID, WIDTH
from generator.text.media import kind_of
from generator.text.safe import ATTRIBUTES, ELEMENTS, style_without

Form = Literal["markdown", "html", "text"]
FORMS: tuple[Form, ...] = ("markdown", "html", "text")

_HELD, _KEPT = "\ue010", "\ue011"  # around the number of a piece that no converter may see
_PIECE = re.compile(f"{_HELD}([0-9]+){_KEPT}")
_LINE, _BREAK = "\ue012", "\ue013"  # where a line of the editor begins or ends; a <br>
_BLOCKS = ("[document]", "blockquote", "br", "center", "dd", "div", "dl", "dt", "hr", "li", "ol", "p", "pre", "table", "ul")
_CODE = {"code", "pre"}
_RENAMED = {"acronym": "abbr", "strike": "del", "s": "del", "tt": "code"}
_NOT_CARRIED = {
    **dict.fromkeys(("script", "noscript"), "a script"),
    **dict.fromkeys(("style", "link"), "a style sheet inside a field"),
    **dict.fromkeys(("iframe", "object", "embed", "applet", "frame"), "a page inside the card"),
    **dict.fromkeys(("form", "input", "button", "textarea", "select"), "a form"),
    **dict.fromkeys(("svg", "canvas", "math"), "a drawing inside a field"),
}
_TEX = re.compile(
    r"\\\((?P<inline>.+?)\\\)|\\\[(?P<display>.+?)\\\]|\[\$\](?P<old>.+?)\[/\$\]|\[\$\$\](?P<older>.+?)\[/\$\$\]"
    r"|\[latex\](?P<latex>.+?)\[/latex\]|<anki-mathjax(?P<block>[^<>]*)>(?P<editor>.*?)</anki-mathjax>",
    re.DOTALL | re.IGNORECASE,
)
_SOUND = re.compile(r"\[sound:([^\[\]]+)\]")
_REMOTE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:|//")
_SIZES = {"1": "x-small", "2": "small", "3": "medium", "4": "large", "5": "x-large", "6": "xx-large", "7": "xxx-large"}


class Converted(NamedTuple):
    """A field as Markdown, the HTML that the card then shows, and what cannot come along."""

    text: str
    shows: str
    lost: tuple[str, ...]


def converted(html: str, form: Form, clozes: bool, media: Callable[[str], str | None], line: bool = False) -> Converted:
    """The field in one of the forms. clozes: whether it may hold any. media: the path of a media file as the card names it, None: there is none.

    line: as one line of text, as what is typed has to be.
    """
    lost: list[str] = []
    held = _Held(media, lost)
    html = _SOUND.sub(lambda match: held.media(match[1]), _TEX.sub(held.math, html))
    if not clozes:
        html = re.sub(r"\{\{(?=c[0-9]+::)", lambda _: held.up("{&#123;", "{{"), html)
    # two colons or braces that a comment parts are neither a hint nor the end of a cloze
    html = re.sub(r"([:}])(?:<!--[^<>]*-->)+\1", lambda match: match[1] + held.up(f"&#{ord(match[1])};", match[1]), html)
    soup = BeautifulSoup(html, "html.parser")
    for comment in soup.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    _tidied(soup, held)
    shows = held.down(str(soup), shown=True)
    if form == "markdown":
        text = _lines(_Converter(held).convert_soup(soup))
    elif form == "html":
        text = held.raw(f"<div>{_html(soup, held)}</div>")
    else:
        for tag in soup.find_all(["br", "div", "p", "li", "tr", "td"]):
            tag.insert_before("\n")
        lines = soup.get_text().split("\n")
        text = (" " if line else "<br>\n").join(plain_line(one) for one in lines if one.strip())
        if not line:
            lost.append("formatting that no card may have was left out")
    return Converted(held.down(text).strip(), shows, tuple(dict.fromkeys(lost)))


def is_empty(html: str) -> bool:
    """Whether Anki takes the field for empty."""
    return not re.sub(r"<br ?/?>|</?div>|\s", "", html, flags=re.IGNORECASE)


class _Held:
    """Math, sound and pictures, which stand aside while the rest is converted."""

    def __init__(self, media: Callable[[str], str | None], lost: list[str]):
        self.path_of, self.lost, self.pieces = media, lost, list[tuple[str, str, str]]()

    def up(self, piece: str, shown: str, source: str = "") -> str:
        """Sets a piece aside: as Markdown, as the card shows it, and, of math, as it was."""
        self.pieces.append((piece, shown, source))
        return f"{_HELD}{len(self.pieces) - 1}{_KEPT}"

    def down(self, text: str, shown: bool = False) -> str:
        """The text with the pieces in their places, as Markdown or as the card shows them."""
        return _PIECE.sub(lambda match: self.pieces[int(match[1])][shown], text)

    def as_it_was(self, text: str) -> str:
        """The text of code, in which no formula is set."""
        return _PIECE.sub(lambda match: self.pieces[int(match[1])][2] or match[0], text)

    def raw(self, html: str) -> str:
        """Raw HTML; Markdown finds a picture in it only where it does not begin the line with a block."""
        return f"<wbr>{html}" if any(self.pieces[int(number)][0].startswith("![") for number in _PIECE.findall(html)) else html

    def math(self, match: re.Match[str]) -> str:
        tex = next(group for name, group in match.groupdict().items() if group is not None and name != "block")
        tex = re.sub(r"<br ?/?>|</?div>|&nbsp;", " ", tex, flags=re.IGNORECASE)
        tex = " ".join(unescape(re.sub(r"<!--.*?-->|</?[a-z][^<>]*>", "", tex)).split())
        display = match["display"] is not None or match["older"] is not None or "block" in (match["block"] or "")
        if match["latex"] is not None:
            dollars = re.fullmatch(
                r"(\$\$?)([^$]+)\1|\\\[(.+)\\\]|\\\((.+)\\\)|\\begin\{(?:displaymath|math)\}(.+)\\end\{(?:displaymath|math)\}", tex
            )
            if dollars is None and not tex.startswith("\\begin{"):
                self.lost.append(f"LaTeX that MathJax cannot set became text: {tex[:60]}")
                return self.up(literal(tex), escape(tex))
            display = not dollars or dollars[1] != "$" and dollars[4] is None and "{math}" not in tex
            tex = next(group for group in dollars.groups()[1:] if group is not None) if dollars else tex
        tex = tex.strip()
        if not tex:
            return ""
        written = rf"\[{tex}\]" if display else rf"\({tex}\)"
        bare = "$" not in tex and not re.match(r"[0-9]", match.string[match.end() :])
        return self.up((f"$${tex}$$" if display else f"${tex}$") if bare else written, escape(written), unescape(match[0]))

    def media(self, name: str, alt: str = "", width: str = "") -> str:
        """A media file in our form: a picture, a sound or a film. width: of a picture, as we write it."""
        name = unescape(name).strip()
        if _REMOTE.match(name):
            self.lost.append(f"{name} is remote, and is linked to instead of shown")
            if name.startswith(("http://", "https://")) and not re.search(r"[\s<>()\[\]]", name):
                return self.up(f"[{literal(alt or name)}]({name})", f'<a href="{escape(name)}">{escape(alt or name)}</a>')
            return self.up(literal(alt or name), escape(alt or name))
        path = self.path_of(name)
        if path is None:
            self.lost.append(f"{name} was left out: it is not there, or no medium that a card can show")
            return self.up(literal(alt or name), escape(alt or name))
        shown = re.sub(r"[\[\]\s]+", " ", alt).strip() or re.sub(r"[\[\]\s_-]+", " ", name.rpartition(".")[0]).strip() or "picture"
        is_image = kind_of(path) == "image"
        return self.up(f"![{literal(shown)}]({path}){width if is_image else ''}", "<img>" if is_image else "")


# ------------------------------------------------------------------------------------- what a card may have


def _tidied(soup: BeautifulSoup, held: _Held) -> None:
    """Takes away what cannot come along, and gives elements of old their names of today."""
    for tag in list(soup.find_all(True)):
        if tag.decomposed:
            continue
        name = _RENAMED.get(tag.name, tag.name)
        if name in _NOT_CARRIED:
            held.lost.append(f"{_NOT_CARRIED[name]} was left out")
            tag.decompose()
        elif name == "img":
            width = f"{{width={tag.get('width')}}}"
            if tag.has_attr("height") or tag.has_attr("style") or (tag.has_attr("width") and not WIDTH.fullmatch(width)):
                held.lost.append(f"the size of {tag.get('src')} was left out")
            tag.replace_with(held.media(str(tag.get("src", "")), str(tag.get("alt", "")), width if WIDTH.fullmatch(width) else ""))
        elif name in ("audio", "video"):
            source = tag.get("src") or (tag.source and tag.source.get("src")) or ""
            tag.replace_with(held.media(str(source)))
        elif name == "font":
            properties = (("color", tag.get("color")), ("font-family", tag.get("face")), ("font-size", _SIZES.get(str(tag.get("size")))))
            style = "; ".join(f"{name}: {value}" for name, value in properties if value)
            style = style_without(style)[0]
            tag.name, tag.attrs = "span", {"style": style} if style else {}
            if not tag.attrs:
                tag.unwrap()
        elif name == "big":
            tag.name, tag.attrs = "span", {"style": "font-size: larger"}
        elif re.fullmatch("h[1-6]", name):
            held.lost.append("a heading became bold text")
            tag.name, tag.attrs = "p", {}
            inner = soup.new_tag("b")
            inner.extend(list(tag.children))
            tag.append(inner)
        elif name == "a" and not re.match(r"(?:https?|mailto):", str(tag.get("href", "")).strip(), re.IGNORECASE):
            if tag.get("href"):
                held.lost.append(f"a link to {str(tag['href'])[:60]} became text")
            tag.unwrap()
        elif name not in ELEMENTS:
            tag.unwrap()
        else:
            tag.name = name
            tag.attrs = {key: value for key, value in tag.attrs.items() if _may_stand(tag, key, value, held)}
            if "style" in tag.attrs:
                tag["style"] = style_without(str(tag["style"]))[0]
            if name == "span" and not tag.attrs:
                tag.unwrap()
    soup.smooth()
    for text in soup.find_all(string=True):
        if text.find_parent(["code", "pre"]):
            text.replace_with(held.as_it_was(str(text)))
        else:
            text.replace_with(re.sub(r"[ \t\r\n]+", " ", text))


def _may_stand(tag: Tag, name: str, value: Any, held: _Held) -> bool:
    value = " ".join(value) if isinstance(value, list) else str(value)
    if name == "style":
        kept, refused = style_without(value)
        if refused:
            held.lost.append(f"the style {refused[:60]!r} was left out")
        return bool(kept)
    if name.startswith("on"):
        held.lost.append(f"the handler {name} was left out")
        return False
    return name in ATTRIBUTES or (name == "href" and tag.name == "a") or name.startswith(("aria-", "data-"))


def _html(node: Any, held: _Held) -> str:
    """The element's content as raw HTML on one line, which Markdown leaves alone."""
    parts = []
    for child in node.children:
        if isinstance(child, NavigableString):
            breaks = "&#10;" if child.find_parent("pre") else " "
            parts.append(re.sub(r"\r\n?|\n", breaks, _entities(str(child))))
        elif child.name in VOID:
            parts.append(_opening(child))
        else:
            parts.append(f"{_opening(child)}{_html(child, held)}</{child.name}>")
    return "".join(parts)


def _opening(tag: Tag) -> str:
    values = {name: " ".join(value) if isinstance(value, list) else str(value) for name, value in tag.attrs.items()}
    return f"<{tag.name}{''.join(f' {name}={chr(34)}{_attribute(value)}{chr(34)}' for name, value in values.items())}>"


def _attribute(value: str) -> str:
    return re.sub(r"[$`\\*_]|\[(?=\[)", lambda match: f"&#{ord(match[0])};", escape(" ".join(value.split())))


# Without these no mark of read/habits.py is there, and nothing is struck.
_HABITS = r"(?<==)=|(?<=~)~|~(?=\S[^\n]*~)|(?<=[\w)])\^(?=[^\s^]+\^)|(?<=%)%|\[(?=[\^!]|.\](?:\s|\Z))|(?<=\^)\["


def _entities(text: str) -> str:
    """Text inside raw HTML: nothing in it begins math, code, a reference or an escape."""
    text = re.sub(rf"[$`\\*_]|\[(?=\[)|(?<=\])[(:\[]|(?<=!)\[|{_HABITS}", lambda match: f"&#{ord(match[0])};", escape(text, quote=False))
    return text


def plain_line(text: str) -> str:
    """A line of text in Markdown that begins no list and underlines no heading."""
    return re.sub(r"\A[-+=:]|(?<=\A[0-9])[.)]|\A[0-9]{2,9}[.)]", lambda match: f"{match[0][:-1]}&#{ord(match[0][-1])};", literal(text))


def literal(text: str) -> str:
    """Text in Markdown of which nothing is markup."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"[\\`$*_#|~^\[\]!]|(?<==)=|(?<=%)%", lambda match: f"&#{ord(match[0])};", text)
    return " ".join(text.split())


# ------------------------------------------------------------------------------------------------ Markdown


class _Converter(MarkdownConverter):
    """markdownify, in the dialect of our cards."""

    def __init__(self, held: _Held):
        super().__init__(bullets="-", strip_document=None, strip_pre="strip_one", autolinks=False)
        self.held = held

    def escape(self, text: str, parent_tags: set[str]) -> str:
        text = text.replace("\\", "\\\\")
        text = re.sub(r"&(?=#?\w+;)", "&amp;", text)
        text = re.sub(r"<(?=[!?/A-Za-z])", "&lt;", text).replace("`", "\\`").replace("$", "\\$")
        text = re.sub(r"\*", r"\\*", text)
        text = re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", text)
        text = re.sub(r"\[(?=\[)|(?<=!)\[|(?<=\])\[", "&#91;", text)
        text = re.sub(_HABITS, lambda match: f"&#{ord(match[0])};", text)
        text = re.sub(r"(?<=\])[(:]", lambda match: f"&#{ord(match[0])};", text)
        if {"td", "th"} & parent_tags:
            text = text.replace("|", r"\|")
        return text

    def process_text(self, el: Any, parent_tags: set[str] | None = None) -> str:
        text = super().process_text(el, parent_tags)
        before = el.previous_sibling
        begins = el.parent.name in _BLOCKS if before is None else isinstance(before, Tag) and before.name in _BLOCKS
        return _STARTS.sub(lambda match: match[1] + _escaped(match[2]), text) if begins and not _CODE & (parent_tags or set()) else text

    def convert_br(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return "<br>" if "_inline" in parent_tags else _BREAK

    def convert_div(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if "_inline" in parent_tags:
            return f"{text.strip()}<br>" if el.next_sibling else text.strip()
        if not el.attrs:
            return f"{_LINE}{text}{_LINE}"
        return f"\n\n{self._raw(el)}\n\n"

    convert_center = convert_div

    def _emphasis(self, el: Tag, text: str, parent_tags: set[str], mark: str) -> str:
        found = re.fullmatch(f"([ {_LINE}{_BREAK}]*)(.*?)([ {_LINE}{_BREAK}]*)", text, re.DOTALL)
        assert found is not None
        if not found[2] or "\n\n" in found[2] or _LINE in found[2]:
            return self.convert_span(el, text, parent_tags) if found[2] else text
        return f"{found[1]}{mark}{found[2]}{mark}{found[3]}"

    def convert_b(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._emphasis(el, text, parent_tags, "**")

    def convert_i(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._emphasis(el, text, parent_tags, "*")

    convert_strong, convert_em = convert_b, convert_i

    def convert_del(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        whole = el.attrs or "~" in text or "del" in parent_tags
        return self.convert_span(el, text, parent_tags) if whole else self._emphasis(el, text, parent_tags, "~~")

    def convert_blockquote(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return super().convert_blockquote(el, _lines(text), parent_tags)

    def convert_li(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return super().convert_li(el, _lines(text), parent_tags)

    def convert_span(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if "\n\n" in text or _LINE in text:
            return f"\n\n{self.held.raw(f'<div>{self._raw(el)}</div>')}\n\n"
        return f"{_opening(el)}{text}</{el.name}>" if text else ""

    def convert_code(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if "pre" in parent_tags:
            return text
        if el.find(True) or "\n" in text or _HELD in text:
            return self._raw(el)
        return super().convert_code(el, text, parent_tags)

    def convert_pre(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if "_inline" in parent_tags or "li" in parent_tags or _HELD in el.get_text():
            return f"\n\n{self._raw(el)}\n\n"
        classes = " ".join(" ".join(one.get_attribute_list("class")) for one in (el, *el.find_all("code")) if one.has_attr("class"))
        named = re.search(r"\b(?:lang|language)-([\w+#-]+)", classes)
        for line in el.find_all("br"):
            line.replace_with("\n")
        code = el.get_text().replace("\r\n", "\n").strip("\n")
        ticks = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", code))])
        return f"\n\n{ticks}{named[1] if named else ''}\n{code}\n{ticks}\n\n"

    def convert_table(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        first, *rest = el.find_all("tr") or [el]
        headed = first.find("th") and not first.find("td") and not any(row.find("th") for row in rest)
        simple = not el.find(["table", "ul", "ol", "pre", "blockquote"]) and not el.select_one("[colspan], [rowspan]")
        if headed and simple and "li" not in parent_tags:
            return super().convert_table(el, text, parent_tags)
        return f"\n\n{self._raw(el)}\n\n"

    def _raw(self, el: Tag) -> str:
        return self.held.raw(f"{_opening(el)}{_html(el, self.held)}</{el.name}>")

    def _block(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"\n\n{self._raw(el)}\n\n"

    convert_dl = convert_details = convert_figure = convert_caption = _block

    convert_abbr = convert_bdi = convert_bdo = convert_cite = convert_dfn = convert_ins = convert_mark = convert_q = convert_rp = convert_span
    convert_rt = convert_ruby = convert_small = convert_sub = convert_sup = convert_time = convert_u = convert_var = convert_span

    def convert_kbd(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return self._raw(el)

    convert_samp = convert_kbd


def _escaped(mark: str) -> str:
    """What begins a list, heading or quotation at a line's start, so that it does not."""
    return "&gt;" if mark == ">" else f"{mark[:-1]}\\{mark[-1]}"


_RUN = re.compile(f"[ \t\n{_LINE}{_BREAK}]*[\n{_LINE}{_BREAK}][ \t\n{_LINE}{_BREAK}]*")
_STARTS = re.compile(r"\A(\s*)(#|[-+](?=\s|\Z)|>|(?<![0-9])[0-9]{1,9}[.)](?=\s|\Z)|:(?=\s)|=(?=[=]*\s*\Z)|-(?=[- ]*\Z)|~(?=~~)|\|)")


def _lines(text: str) -> str:
    """The editor's lines as lines of Markdown: an empty one ends a paragraph."""

    def broken(match: re.Match[str]) -> str:
        run = re.sub(r"[ \t]", "", match.group())
        if _LINE not in run and _BREAK not in run:
            return match.group()
        return "\n\n" if "\n\n" in run or _BREAK in run[1:] else "<br>\n"

    text = text.strip(f" \t\n{_LINE}{_BREAK}")
    return _RUN.sub(broken, text)
