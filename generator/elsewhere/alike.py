"""Whether two pieces of HTML show the same: what a field showed, and what the Markdown that it became shows.

In: HTML. Out: what is seen of it as a browser parses it, in order. A paragraph, a line of the editor's and a line break are one end of a line,
a narrow space is a space.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from generator.text.safe import cleaned

_END = "\ue01a"  # of a line
_SAME = {"strong": "b", "em": "i", "strike": "del", "s": "del", "tt": "code", "acronym": "abbr"}
_LINES = frozenset(["br", "div", "p", "center", "figure"])  # of these only the ends of lines are seen
_BLOCKS = frozenset(["blockquote", "dd", "dl", "dt", "hr", "li", "ol", "pre", "table", "td", "th", "tr", "ul"])
_NOTHING = frozenset(["font", "span", "tbody", "thead", "tfoot", "colgroup", "col", "wbr"])
_UNSEEN = frozenset(("script", "style"))
_MATH = re.compile(r"\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)


def seen(html: str) -> tuple[str, ...]:
    """Words, marks such as <b> and </b>, "/" for the end of a line, in order."""
    reader = _Reader()
    reader.feed(cleaned(html))
    reader.close()
    text = re.sub(r"\[sound:[^\[\]]*\]", " ", "".join(reader.parts))
    text = _MATH.sub(lambda match: f" ${re.sub(rf'[{_END}]|<[^<>]*>|[ ]|[^ -~]', '', match[1] or match[2])}$ ", text)
    text = re.sub(rf"(?:\s*{_END})+\s*", " / ", f"{_END}{text}{_END}")
    return tuple(re.sub(r" / ((?:</(?:a|abbr|b|code|del|i|small|sub|sup|u)> +)+)(?:/ )?", r" \1/ ", text).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.unseen = self.code = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.unseen += tag in _UNSEEN
        self._mark(tag, f" <{_SAME.get(tag, tag)} {given.get('href') or ''}> " if tag == "a" else f" <{_SAME.get(tag, tag)}> ")
        self.code += tag == "pre"
        if (style := _style(given.get("style"))) and not self.code:
            self.parts.append(f" <{style}> ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("br", "hr", "img"):  # <br></br> and <hr/>, which is both
            return
        self.unseen -= tag in _UNSEEN
        self.code -= tag == "pre"
        self._mark(tag, f" </{_SAME.get(tag, tag)}> ")

    def _mark(self, tag: str, mark: str) -> None:
        if tag in _LINES or tag in _BLOCKS:
            self.parts.append(_END)
        if not (tag in _LINES or tag in _NOTHING or tag in _UNSEEN or self.code):
            self.parts.append(f"{mark}{_END if tag in _BLOCKS else ''}")

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.parts.append(re.sub("[\u202f\u00a0]", " ", data.replace("\n", _END) if self.code else data))


def _style(style: str | None) -> str:
    parts = ("".join(part.split()).lower() for part in (style or "").split(";"))
    return ";".join(sorted(part for part in parts if part and part != "display:block"))
