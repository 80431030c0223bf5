"""Fills an Anki template as Anki does: fields, sections, cloze deletions, typed answers, {{FrontSide}}.

In: a template and a note's fields. Out: the card's HTML, before the app's MathJax. Apart, so that the preview shows
what Anki would without having Anki; the tests hold it against the real one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from generator.look.template import Field, Section, is_blank, tree


@dataclass(frozen=True)
class Face:
    """One side of one card: what its template is filled from.

    number: of the cloze that this card asks for (1 on other cards). extra: Anki's own names (Deck, Tags, ...).
    """

    fields: Mapping[str, str]
    number: int = 1
    extra: Mapping[str, str] | None = None
    front: str | None = None  # the question's HTML, on the answer side; None on the question side


def card(front: str, back: str, fields: Mapping[str, str], number: int = 1, extra: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Question and answer of one card. Raises ValueError for a template that Anki would refuse, or a filter unknown here."""
    question = fill(front, Face(fields, number, extra))
    return question, fill(back, Face(fields, number, extra, question))


def fill(template: str, face: Face) -> str:
    """One side. A typed answer stays Anki's mark `[[type:Field]]`, which the app replaces: see `typed`."""
    return "".join(_filled(tree(template), face))


def typed(filled: str, fields: Mapping[str, str], answer: bool) -> str:
    """Puts what the app shows for `[[type:Field]]`: a box to type in, on the back the expected text with nothing typed."""

    def shown(match: re.Match) -> str:
        expected = re.sub(r"<[^>]*>", "", fields[match[1].split(":")[-1]]).strip()
        if not answer:
            return '<center><input type="text" id="typeans" aria-label="your answer"></center>'
        return f'<div><code id="typeans">{expected}</code></div>'

    return re.sub(r"\[\[type:(.+?)\]\]", shown, filled)


def masked(filled: str) -> str:
    """Puts boxes where Anki's script draws the masks of a picture, and none where it draws none; of a polygon the box around it."""
    if _CANVAS not in filled:
        return filled
    boxes = "".join(_box(dict(_DATA.findall(shape[0]))) for shape in _MASK.finditer(filled))
    return _CONTAINER.sub(lambda found: f'<div class="masked">{found[1]}{boxes}</div>', filled).replace(_TOGGLE, "")


_CANVAS, _TOGGLE = '<canvas id="image-occlusion-canvas"></canvas>', '<button id="toggle">Toggle Masks</button>'
_CONTAINER = re.compile(rf'<div id="image-occlusion-container">((?:(?!<div).)*?){_CANVAS}\s*</div>(?:\s*<script>.*?</script>)?', re.DOTALL)
_MASK = re.compile(r'<div class="cloze[^<>]*\bdata-shape="[^<>]*>')
_DATA = re.compile(r'(?:data-)?(\w+)="([^"]*)"')
_MARKS = {"cloze": "asks", "cloze-inactive": "covers", "cloze-highlight": "found"}


def _box(data: Mapping[str, str]) -> str:
    """A mask as a box of so many percent of the picture, below as many as are above it."""
    if data["class"] == "cloze-inactive" and data.get("occludeInactive") != "1":
        return ""
    left, top = (float(data.get(side) or 0) for side in ("left", "top"))
    if data["shape"] == "polygon":
        points = [[float(side or 0) for side in point.split(",")] for point in data["points"].split()]
        (left, wide), (top, high) = ((min(sides), max(sides) - min(sides)) for sides in zip(*points))
    elif data["shape"] == "ellipse":
        wide, high = (2 * float(data.get(side) or 0) for side in ("rx", "ry"))
    else:
        wide, high = (float(data.get(side) or 0) for side in ("width", "height"))
    sides = "; ".join(f"{side}: {100 * share:.4g}%" for side, share in (("margin-left", left), ("width", wide), ("height", high)))
    kind = f"{_MARKS[data['class']]}{' ellipse' * (data['shape'] == 'ellipse')}"
    return f'<span class="mask"><span style="height: {100 * top:.4g}%"></span><span class="{kind}" style="{sides}"></span></span>'


# ---------------------------------------------------------------------------------------- the template


def _filled(parts: tuple, face: Face) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, Section):
            if _present(part.name, face) != part.inverted:
                yield from _filled(part.parts, face)
        else:
            yield _field(part, face)


def _present(name: str, face: Face) -> bool:
    if re.fullmatch(r"c\d+", name):
        return int(name[1:]) == face.number
    return not is_blank(_value(name, face))


def _value(name: str, face: Face) -> str:
    if name == "FrontSide":
        return face.front or ""
    if name in face.fields:
        return face.fields[name]
    if face.extra and name in face.extra:
        return face.extra[name]
    raise ValueError(f"the template names {{{{{name}}}}}, which is no field of the type")


def _field(field: Field, face: Face) -> str:
    value = _value(field.name, face)
    if "type" in field.filters:
        return f"[[type:{':'.join(reversed([field.name, *(f for f in field.filters if f != 'type')]))}]]"
    for name in field.filters:
        if name == "cloze":
            value = cloze(value, face.number, answer=face.front is not None)
        elif name == "text":
            value = html.unescape(re.sub(r"<!--.*?-->|<[^>]*>", "", value, flags=re.DOTALL))
        elif name == "hint":
            value = f"<details><summary>{field.name}</summary>{value}</details>" if value.strip() else ""  # Anki's own link runs a script
        elif name in _RUBY:
            value = _RUBY_TEXT.sub(_RUBY[name], value.replace("&nbsp;", " "))
        elif name == "tts":
            value = ""  # heard, not seen
        else:
            raise ValueError(f"the preview does not know the filter {{{{{name}:{field.name}}}}}")
    return value


_RUBY_TEXT = re.compile(r" ?([^ >]+?)\[(.+?)\]")
_RUBY = {"furigana": r"<ruby><rb>\1</rb><rt>\2</rt></ruby>", "kana": r"\2", "kanji": r"\1"}


# ---------------------------------------------------------------------------------------------- clozes


@dataclass
class _Cloze:
    """A cloze while its text is read: its numbers ("c1,2" has two), the texts and clozes inside, its hint."""

    numbers: tuple[int, ...]
    inside: list
    hint: str | None = None


def cloze(text: str, number: int, answer: bool) -> str:
    """The text of card `number`: that cloze is a gap on the question side and stressed on the answer side; "" if there is none."""
    nodes = _cloze_nodes(text)
    if not any(number in found.numbers for found in _clozes(nodes)):
        return ""
    return re.sub(r"(\\[(\[])(.*?)(\\[)\]])", _without_tags, _revealed(nodes, number, answer), flags=re.DOTALL)


def cloze_numbers(text: str) -> tuple[int, ...]:
    """The numbers of the clozes in a text, sorted."""
    return tuple(sorted({number for found in _clozes(_cloze_nodes(text)) for number in found.numbers if number}))


def _cloze_nodes(text: str) -> list:
    stack = [_Cloze((), [])]
    for token in re.split(r"(\{\{c[\d,]+::|\}\})", text):
        opening = re.fullmatch(r"\{\{c([\d,]+)::", token)
        if opening:
            stack.append(_Cloze(tuple(int(n) for n in opening[1].split(",") if n), []))
        elif token == "}}" and len(stack) > 1:
            closed = stack.pop()
            stack[-1].inside.append(closed)
        elif len(stack) > 1 and "::" in token and stack[-1].hint is None:
            before, stack[-1].hint = token.split("::", 1)
            stack[-1].inside.append(before)
        elif token:
            stack[-1].inside.append(token)
    return stack[0].inside  # what was never closed is lost, as it is in Anki


def _clozes(nodes: list) -> Iterator[_Cloze]:
    for node in nodes:
        if isinstance(node, _Cloze):
            yield node
            yield from _clozes(node.inside)


def _revealed(nodes: list, number: int, answer: bool) -> str:
    return "".join(node if isinstance(node, str) else _one(node, number, answer) for node in nodes)


def _one(found: _Cloze, number: int, answer: bool) -> str:
    ordinal = ",".join(map(str, found.numbers))
    inside = _revealed(found.inside, number, answer)
    if inside.startswith(_OCCLUSION):
        return _shape(inside.removeprefix(_OCCLUSION), ordinal, number in found.numbers, answer)
    if number not in found.numbers:
        return f'<span class="cloze-inactive" data-ordinal="{ordinal}">{inside}</span>'
    if answer:
        return f'<span class="cloze" data-ordinal="{ordinal}">{inside}</span>'
    return f'<span class="cloze" data-cloze="{html.escape(inside)}" data-ordinal="{ordinal}">[{"..." if found.hint is None else found.hint}]</span>'


_OCCLUSION = "image-occlusion:"


def _shape(said: str, ordinal: str, asked: bool, answer: bool) -> str:
    """A mask of a picture as Anki hands it to its script."""
    shape, *given = said.split(":")
    kind = "cloze-inactive" if not asked else "cloze-highlight" if answer else "cloze"
    data = {"occludeInactive" if name == "oi" else name: value for name, _, value in (one.partition("=") for one in given)}
    attributes = "".join(f'data-{name}="{html.escape(value)}" ' for name, value in data.items())
    return f'<div class="{kind}" data-ordinal="{ordinal}" data-shape="{html.escape(shape)}" {attributes}></div>'


def _without_tags(math: re.Match) -> str:
    """Anki takes the tags out of math in a cloze field, its own spans too."""
    return math[1] + re.sub(r"<!--.*?-->|<[^>]*>", "", math[2], flags=re.DOTALL) + math[3]
