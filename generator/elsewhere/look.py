"""Note types from elsewhere as folders of a deck's look/: type.yml, templates and style as they were, but for what no card of ours may have.

In: a Kind. Out: the files of its folder, and what is lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from html import unescape
from typing import NamedTuple

from generator.elsewhere.found import Kind
from generator.look.template import ANKIS_OWN, FILTERS
from generator.problems import Place, Problem
from generator.read.looks import FONTS, IN_TAGS, OCCLUSION
from generator.text.media import IMAGES
from generator.text.taken import may_stand

Media = Callable[[str], bytes | None]

_ACTIVE = re.compile(
    r"<(script|iframe|object|embed|style|noscript|audio|video)\b.*?</\1\s*>|<(?:script|iframe|object|embed|link|meta|audio|video|source)\b[^<>]*>",
    re.DOTALL | re.IGNORECASE,
)
_HANDLER = re.compile(r"""\s(on[a-z]+)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s<>"']+)""", re.IGNORECASE)
_SOURCE = re.compile(r"""<img\b[^<>]*?\bsrc\s*=\s*(?:"([^"{}]*)"|'([^'{}]*)'|([^\s"'<>{}]+))[^<>]*>""", re.IGNORECASE)
_SCRIPT_LINK = re.compile(r"""\bhref\s*=\s*(["']?)\s*javascript:[^"'<>]*\1""", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([A-Za-z][\w:-]*)((?:\"[^\"]*\"|'[^']*'|[^<>\"'])*)>")
_ATTRIBUTE = re.compile(r"""\s([\w:-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_INSIDE = frozenset(["caption", "col", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"])  # which no parser takes alone
_IMPORT = re.compile(r"@import\b[^;]*;?", re.IGNORECASE)
_FACE = re.compile(r"@font-face\s*\{[^{}]*\}", re.IGNORECASE)
_URL = re.compile(r"\burl\(\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"')]*))\s*\)", re.IGNORECASE)
_FIELD = re.compile(r"\{\{([^{}]+)\}\}")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_REMOTE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//")


class Shape(NamedTuple):
    """How a note of the type is written: which field its heading fills ("": none), which the text under it, which its sections; what is typed."""

    heading: str
    main: str
    sections: tuple[str, ...]
    typed: frozenset[str]


def shape(kind: Kind, headed: bool = True) -> Shape:
    """headed: whether the first field of every note fits in a heading; a cloze type has what it hides under one."""
    names = list(kind.fields)
    typed = frozenset(match[1] for template in kind.templates for match in re.finditer(r"\{\{[^{}]*type:(?:nc:)?([^{}:]+)\}\}", template.front))
    if kind.cloze:
        main = next((match[1].strip() for match in re.finditer(r"\{\{[^{}]*\bcloze:([^{}:]+)\}\}", kind.templates[0].front)), names[0])
        return Shape("", main, tuple(name for name in names if name != main), typed - {main})
    if headed and "Front" not in names[1:]:
        return Shape(names[0], names[1] if len(names) > 1 else "", tuple(names[2:]), typed)
    return Shape("", names[0], tuple(names[1:]), typed)


def files(key: str, kind: Kind, about: Shape, media: Media) -> tuple[Mapping[str, bytes], list[Problem]]:
    """The files of look/ that make the type, by their paths there, and what is lost."""
    cleaner = _Cleaner(key, kind, media)
    made = {f"{key}/type.yml": _declared(kind, about).encode()}
    for number, template in enumerate(kind.templates):
        for side, text in (("front", template.front), ("back", template.back)):
            made[f"{key}/{_file(number, side)}"] = cleaner.template(text, _file(number, side)).encode()
    made[f"{key}/style.css"] = (cleaner.css(kind.css) or "/* none */\n").encode()
    return {**made, **cleaner.assets}, cleaner.lost


def _file(number: int, side: str) -> str:
    return f"{side}.html" if number == 0 else f"{side}-{number + 1}.html"


def _declared(kind: Kind, about: Shape) -> str:
    """type.yml. JSON's strings are YAML's."""

    def entries(name: str, id: int | None, more: str = "") -> str:
        return f"  - {{name: {_quoted(name)}{'' if id is None else f', id: {id}'}{more}}}"

    lines = [f"name: {_quoted(kind.name)}"]
    if kind.id:
        lines.append(f"id: {kind.id}                 # what learners' Anki knows it by, as are the ids below: for ever")
    lines += [
        f"kind: {'cloze' if kind.cloze else 'basic'}",
        f"heading: {_quoted(about.heading) if about.heading else '# none: a note is headed for its authors alone'}",
    ]
    if about.main:
        lines.append(f"main: {_quoted(about.main)}")
    if about.sections:
        lines.append(f"sections: [{', '.join(map(_quoted, about.sections))}]")
    if kind.occlusion:
        lines.append(f"occlusion: [{', '.join(map(_quoted, kind.occlusion))}]")
    lines += ["fields:", *(entries(name, id) for name, id in kind.fields.items()), "templates:"]
    for number, one in enumerate(kind.templates):
        lines.append(entries(one.name, one.id, f", front: {_file(number, 'front')}, back: {_file(number, 'back')}"))
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    plain = re.fullmatch(r"[A-Za-z][\w ]*\w", text, re.ASCII) and text.lower() not in ("true", "false", "null", "yes", "no", "on", "off")
    return text if plain else json.dumps(text, ensure_ascii=False)


class _Cleaner:
    """Takes out of templates and style what no card of ours may have, and keeps the files that they show."""

    def __init__(self, key: str, kind: Kind, media: Media):
        self.key, self.kind, self.media = key, kind, media
        self.assets: dict[str, bytes] = {}
        self.lost: list[Problem] = []

    def _without(self, file: str, what: str) -> str:
        """What stands in place of something that is left out: nothing."""
        self.lost.append(Problem(Place(f"look/{self.key}/{file}"), f"{what} was left out"))
        return ""

    def template(self, text: str, file: str) -> str:
        kept: list[str] = []

        def keep(match: re.Match[str]) -> str:
            kept.append(match[0])
            return f"\ue010{len(kept) - 1}\ue011"

        def remove(match: re.Match[str]) -> str:
            name = match[1] or match[0].lstrip("<").split()[0].rstrip(">")
            return self._without(file, f"<{name.lower()}>")

        text = OCCLUSION.sub(keep, _COMMENT.sub(lambda match: "" if "<" in match[0][4:] else match[0], text)) if self.kind.occlusion else text
        text = _ACTIVE.sub(remove, text)
        text = _HANDLER.sub(lambda match: self._without(file, f"the handler {match[1]}"), text)
        text = _SCRIPT_LINK.sub(lambda match: self._without(file, "a link that runs a script"), text)
        text = re.sub(r"\[sound:[^\[\]{}]*\]", lambda match: self._without(file, match[0]), text)
        text = _SOURCE.sub(lambda match: self._image(match, file), text)
        text = _TAG.sub(lambda match: self._tag(match, file), text)
        text = _FIELD.sub(lambda match: self._field(match, file), text)
        text = re.sub(r"<(?=[<%#])|(?<=[>%#])>(?=>)", "&lt;", text) if re.search(r"<[<%#]", text) else text
        return re.sub("\ue010([0-9]+)\ue011", lambda match: kept[int(match[1])], text).strip("\n") + "\n"

    def _tag(self, match: re.Match[str], file: str) -> str:
        """A tag without the attributes that no card of ours may have; nothing where it may not have the element."""
        closing, name, attributes = match.groups()
        if not may_stand(name.lower()) and name.lower() not in _INSIDE:
            return "" if closing else self._without(file, f"<{name.lower()}>")

        def kept(one: re.Match[str]) -> str:
            value = next((group for group in one.groups()[1:] if group is not None), "")
            fields = {field.strip() for field in re.findall(r"\{\{\s*([^{}#^/]+)\}\}", one[0])} - {*IN_TAGS}
            named = one[1].lower() == "src" and not _REMOTE.match(value)  # a file that is packed
            if not fields and (named or may_stand(name.lower(), one[1].lower(), _FIELD.sub("", unescape(value)))):
                return one[0]
            return self._without(file, f"{one[1]} of <{name.lower()}>")

        return f"<{closing}{name}{_ATTRIBUTE.sub(kept, attributes)}>"

    def _field(self, match: re.Match[str], file: str) -> str:
        """A field with the filters that Anki has of its own; one that the type lacks goes."""
        name = match[1].strip()
        sign = name[0] if name[0] in "#^/!" else ""
        *filters, field = (part.strip() for part in name.lstrip("#^/!").split(":"))
        if sign == "!" or (field not in self.kind.fields and field not in ANKIS_OWN and not (sign and re.fullmatch(r"c\d+", field))):
            return self._without(file, f"{match[0]}, which names no field of the type,")
        known = [one for one in filters if one.split()[:1] and one.split()[0] in FILTERS]
        if len(known) < len(filters):
            self._without(file, f"the filter of {match[0]}, an add-on's,")
            return f"{{{{{':'.join([*known, field])}}}}}"
        return match[0]

    def _image(self, match: re.Match[str], file: str) -> str:
        name = next(group for group in match.groups() if group is not None)
        return match[0].replace(name, kept) if (kept := self._asset(name, file, IMAGES)) else ""

    def css(self, css: str) -> str:
        css = _IMPORT.sub(lambda match: self._without("style.css", match[0]), css)
        css = _FACE.sub(self._face, css)

        def packed(match: re.Match[str]) -> str:
            name = next((group for group in match.groups() if group is not None), "")
            if name.startswith("#"):
                return match[0]
            kept = self._asset(name, "style.css", (*IMAGES, *FONTS))
            return f'url("{kept}")' if kept else "none"

        return _URL.sub(packed, css)

    def _face(self, match: re.Match[str]) -> str:
        return match[0] if all(map(self._is_kept, _URL.finditer(match[0]))) else self._without("style.css", " ".join(match[0].split()))

    def _is_kept(self, match: re.Match[str]) -> bool:
        name = next((group for group in match.groups() if group is not None), "")
        return not _REMOTE.match(name) and name.lower().endswith(FONTS) and self.media(name) is not None

    def _asset(self, name: str, file: str, suffixes: tuple[str, ...]) -> str | None:
        """The path in look/ of a file that templates or style show."""
        content = None if _REMOTE.match(name) or not name.lower().endswith(suffixes) else self.media(name)
        if content is None:
            what = f"the remote file {name}" if _REMOTE.match(name) else f"the file {name}, which is not there or none that every Anki shows,"
            self._without(file, what)
            return None
        kept = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")
        self.assets[kept] = content
        return kept


def losses(kind: Kind) -> Iterator[str]:
    """What of a note type is lost without a place in its files."""
    main = shape(kind).main
    for name in sorted(
        {match[1].strip() for template in kind.templates for match in re.finditer(r"\{\{[^{}]*\bcloze:([^{}:]+)\}\}", template.front)}
    ):
        if kind.cloze and name != main:
            yield f"the clozes of {name} became text: those of one field make cards"
    if kind.occlusion:
        yield "masks can be changed in Anki only"
