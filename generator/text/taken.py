"""What the sanitizer took away, in words: for messages alone, since what is packed is what it left.

In: HTML and what the sanitizer made of it. Out: what is missing. Apart from text/safe.py, which most builds have no more of to ask.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from html.parser import HTMLParser

from generator.text.safe import shown, style_without


def lost(html: str, clean: str) -> list[str]:
    """What the sanitizer took away, each as a person names it; nothing where it wrote the same in other words."""
    if html == clean:
        return []
    before, after = _Seen(html), _Seen(clean)
    found = [what for what in before.found - after.found if what[0] != "<" or what.strip("</>") not in _IN_TABLES]
    elements = {what for what in found if what[0] == "<"}
    found = [what for what in found if what[:2] != "</" or f"<{what[2:]}" not in elements]
    gone = [_named(what) for what in found if what[0] == "<" or f"<{what.partition(' ')[0]}>" not in elements]
    if not gone and before.text != after.text:
        gone.append("HTML that reads otherwise than it is written")
    return gone


_IN_TABLES = frozenset(["caption", "col", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"])  # elsewhere they are nothing, to a browser too


class _Seen(HTMLParser):
    """The elements, attributes and words of some HTML, however they are spelt."""

    def __init__(self, html: str):
        super().__init__(convert_charrefs=True)
        self.found: Counter[str] = Counter()
        self.words: list[str] = []
        self.feed(html)
        self.close()
        self.text = "".join("".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[f"<{tag}>"] += 1
        for name, value in attrs:
            self.found[f"{tag} {name}={_plain(value or '')}"] += 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self.found[f"</{tag}>"] += 1

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_comment(self, data: str) -> None:
        self.found["<!-->"] += 1

    def handle_decl(self, decl: str) -> None:
        self.found["<!>"] += 1

    def handle_pi(self, data: str) -> None:
        self.found["<!>"] += 1

    def unknown_decl(self, data: str) -> None:
        self.found["<!>"] += 1


def _plain(value: str) -> str:
    return "".join(value.split())


def _named(what: str) -> str:
    if what[0] == "<":
        return what.replace("<!-->", "a comment <!--").replace("<!>", "a declaration <!")
    element, _, attribute = what.partition(" ")
    name, _, value = attribute.partition("=")
    if name == "style":
        return f"the style {style_without(value)[1]!r} of <{element}>"
    return f"<{element} {name}={value[:60]!r}>" if value else f"<{element} {name}>"


def may_stand(element: str, attribute: str = "", value: str = "") -> bool:
    """Whether a template may have an element, or an attribute of it with this value."""
    tag = f'<{element} {attribute}="{escape(value)}">' if attribute else f"<{element}>"
    return not lost(tag, shown(tag))
