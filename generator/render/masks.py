"""The masks of an occlusion note: what of its picture is hidden, each with its number, its shape and its hint.

In: what `hide:` names, the list under `## Masks`, and the parts that a figure has. Out: Masks, and the fields that Anki's own note type reads
them from: the shapes, and as clozes what each hides, with its hint. What names no part, or no shape, is a problem at its line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from html import unescape
from typing import TYPE_CHECKING, NamedTuple

from generator.notes import Text, folded
from generator.problems import Problem, nearest
from generator.resolve.media import MEDIA
from generator.text import cloze

if TYPE_CHECKING:
    from generator.render.figures import Figure
    from kernels.anatomy import Part

KINDS = {"labels": "label", "series": "series", "cells": "cell", "bars": "bar"}
AXES = {"axis x": "x axis", "axis y": "y axis"}  # as a whole
SHAPES = {"rect": "left top width height", "ellipse": "left top width height", "polygon": "x y, x y, x y"}
ITEM = "1. name: hint"
DRAWN = "1. name (rect 0.1 0.2 0.3 0.05): hint"
MARGIN = 2.0  # CSS pixels around a part, which its outline and a rounded coordinate may need


class Mask(NamedTuple):
    """number: of the card that asks for it, which others may share. shape, numbers: as Anki has them, fractions of the picture.

    shown: what it hides as Markdown, for the back; hint: Markdown for the front, "" where there is none.
    """

    number: int
    name: str
    shown: str
    hint: str
    shape: str
    numbers: tuple[float, ...]
    offset: int


class _Item(NamedTuple):
    number: int
    words: str
    offset: int


def of_picture(text: Text, problems: list[Problem]) -> list[Mask]:
    """The masks that are drawn by hand in the list."""
    masks = []
    for item in _items(text, DRAWN, problems):
        found = _SHAPE.fullmatch(item.words)
        if found is None:
            told = f"{_short(item.words)} gives no shape, and the picture is the author's own"
            problems.append(Problem(text.at(item.offset), told, f"write {DRAWN}; fractions of the picture, from its left and top"))
        elif found["shape"] not in SHAPES:
            problems.append(Problem(text.at(item.offset), f"unknown shape {found['shape']!r}", nearest(found["shape"], SHAPES)))
        elif (numbers := _fractions(found["shape"], found["numbers"])) is None:
            what = f"{found['shape']} {found['numbers'].strip()} is no shape in the picture"
            hint = f"write {found['shape']} {SHAPES[found['shape']]}, each from 0 to 1, all of it inside"
            problems.append(Problem(text.at(item.offset), what, hint))
        else:
            name = found["name"].strip()
            masks.append(Mask(item.number, _plain(name), name, (found["hint"] or "").strip(), found["shape"], numbers, item.offset))
    return masks


def of_figure(hide: Text, text: Text | None, figure: Figure, problems: list[Problem]) -> list[Mask]:
    """The masks of a figure's parts. hide: kinds or names; text: the list, which may name some of these."""
    chosen, size = _chosen(hide, _with_axes(figure.parts), problems), (figure.width, figure.height)
    if text is None:
        return _alike([_mask(number, part, "", size, 0) for number, part in enumerate(chosen, 1)], chosen, figure.parts)
    masks, hidden, known = [], [], {folded(part.name): part for part in reversed(chosen)}
    for item in _items(text, ITEM, problems) if chosen else ():
        name, hint = _named(item.words, known)
        if part := known.get(folded(name)):
            masks.append(_mask(item.number, part, hint, size, item.offset))
            hidden.append(part)
        else:
            told = f"{_short(name)} is no part of the figure that {hide.text!r} hides"
            problems.append(Problem(text.at(item.offset), told, nearest(name, {part.name for part in chosen})))
    return _alike(masks, hidden, figure.parts)


def judged(masks: Sequence[Mask], text: Text | None, problems: list[Problem]) -> bool:
    """Whether no part is hidden twice, by the list."""
    first: dict[str, Mask] = {}
    before = len(problems)
    for mask in masks:
        if (other := first.setdefault(folded(mask.name), mask)) is not mask and text:
            problems.append(Problem(text.at(mask.offset), f"{mask.name!r} is hidden twice", f"the first is on line {text.at(other.offset).line}"))
    return len(problems) == before


def names(masks: Iterable[Mask]) -> Mapping[int, str]:
    """Each number with the names of what it hides, as the lock compares them."""
    found: dict[int, list[str]] = {}
    for mask in masks:
        found.setdefault(mask.number, []).append(mask.name)
    return {number: " / ".join(found[number]) for number in sorted(found)}


def shapes(masks: Iterable[Mask], alone: bool) -> str:
    """The field from which Anki draws the masks, its marks as those of clozes. alone: whether the others are seen where one is asked for."""
    return "".join(f"{cloze.OPEN}{mask.number}{cloze.OPENED}{_drawn(mask)}{':oi=1' * (not alone)}{cloze.CLOSE}<br>" for mask in masks)


def asked(masks: Sequence[Mask]) -> str:
    """Markdown that has a cloze for each number, with what is hidden and with the hint, a line for each, in the order of the list."""
    lines = []
    for number in dict.fromkeys(mask.number for mask in masks):
        own = [mask for mask in masks if mask.number == number]
        hints = dict.fromkeys(mask.hint for mask in own if mask.hint)
        lines.append(f"{{{{c{number}::{' · '.join(dict.fromkeys(mask.shown for mask in own))}::{' · '.join(hints) or '?'}}}}}")
    return "\n".join(lines)


# ------------------------------------------------------------------------------------------------ the list

_LINE = re.compile(r"^(?P<number>[0-9]{1,3})[.)][ \t]+(?P<words>\S.*?)[ \t]*$", re.MULTILINE)
_SHAPE = re.compile(r"(?P<name>[^()]*?\S)[ \t]*\([ \t]*(?P<shape>[a-z]+)[ \t]+(?P<numbers>[^()]*)\)[ \t]*(?::[ \t]*(?P<hint>.*))?")


def _items(text: Text, like: str, problems: list[Problem]) -> list[_Item]:
    found = []
    for match in re.finditer(r"^.*\S.*$", text.text, re.MULTILINE):
        item = _LINE.match(text.text, match.start())
        if item is None:
            told = f"{_short(match[0].strip())} is no mask; they are a list by numbers, each on one line"
            problems.append(Problem(text.at(match.start()), told, f"write {like}; each number is a card of its own, for ever"))
        elif not 1 <= int(item["number"]) <= cloze.HIGHEST:
            problems.append(Problem(text.at(match.start()), f"mask number {item['number']} makes no card", f"numbers go from 1 to {cloze.HIGHEST}"))
        else:
            found.append(_Item(int(item["number"]), item["words"], match.start()))
    return found


def _named(words: str, known: Iterable[str]) -> tuple[str, str]:
    """The name and the hint of an item. A name may hold a colon, where a part has it."""
    for name in sorted(known, key=len, reverse=True):
        match = re.match(rf"{re.escape(name)}[ \t]*(?::[ \t]*(.*)|$)".replace(r"\ ", r"\s+"), words, re.IGNORECASE)
        if match:
            return name, (match[1] or "").strip()
    name, _, hint = words.partition(": ")
    return name.strip(), hint.strip()


def _fractions(shape: str, written: str) -> tuple[float, ...] | None:
    """The numbers of a shape, None where they make none inside the picture."""
    try:
        numbers = tuple(float(word) for word in written.replace(",", " ").split())
    except ValueError:
        return None
    if not all(0 <= number <= 1 for number in numbers):
        return None
    if shape == "polygon":
        return numbers if len(numbers) >= 6 and len(numbers) % 2 == 0 else None
    if len(numbers) != 4 or not numbers[2] or not numbers[3] or numbers[0] + numbers[2] > 1 + 1e-9 or numbers[1] + numbers[3] > 1 + 1e-9:
        return None
    return numbers


# ------------------------------------------------------------------------------------------ parts of a figure


def _with_axes(parts: Sequence[Part]) -> list[Part]:
    """The parts, and each axis as a whole: its title and all that its ticks say."""
    from kernels.anatomy import Part

    found = list(parts)
    for letter in "xy":
        of_it = [part for part in parts if part.kind == "axis" and part.name.startswith(f"{letter} ")]
        if of_it:
            left, top = (min(part.box[side] for part in of_it) for side in (0, 1))
            right, bottom = (max(part.box[side] + part.box[side + 2] for part in of_it) for side in (0, 1))
            titles = [part.text for part in of_it if part.name == f"{letter} title"]
            ticks = [part.text for part in of_it if part.name != f"{letter} title"]
            text = ", ".join([*titles, *[f"{ticks[0]} to {ticks[-1]}"] * (len(ticks) > 1)]) or ticks[0]
            found.append(Part("axis", f"{letter} axis", text, (left, top, right - left, bottom - top)))
    return found


def _chosen(hide: Text, parts: Sequence[Part], problems: list[Problem]) -> list[Part]:
    """The parts of the kinds and names that are asked for, in the figure's order."""
    words, chosen = [word.strip() for word in hide.text.split(",")], dict[int, None]()
    at = 0
    while at < len(words):
        for end in range(len(words), at, -1):  # a name may hold a comma
            name = ", ".join(words[at:end])
            if of_it := _called(name, parts):
                chosen |= dict.fromkeys(of_it)
                at = end
                break
        else:
            has = [word for word in (*KINDS, *AXES) if _called(word, parts)]
            told = f"the figure has no {words[at]}" if words[at] in (*KINDS, *AXES) else f"hide: {words[at]!r} is no part of the figure"
            hint = nearest(words[at], {*has, *(part.name for part in parts if part.kind != "axis")})
            problems.append(Problem(hide.place, told, hint))
            at += 1
    return [parts[number] for number in sorted(chosen)]


def _called(name: str, parts: Sequence[Part]) -> list[int]:
    """Which parts a word means: all of a kind, or the first of a name."""
    if name in KINDS:
        return [number for number, part in enumerate(parts) if part.kind == KINDS[name]]
    return [number for number, part in enumerate(parts) if folded(part.name) == folded(AXES.get(name, name))][:1]


def _mask(number: int, part: Part, hint: str, size: tuple[int, int], offset: int) -> Mask:
    left, top, width, height = part.box
    right, bottom = left + width, top + height
    x, y = (MARGIN / side if side else 0.0 for side in size)
    left, top, right, bottom = max(left - x, 0.0), max(top - y, 0.0), min(right + x, 1.0), min(bottom + y, 1.0)
    shown = MEDIA["text"].word(part.text or part.name)
    return Mask(number, part.name, shown, hint, "rect", (left, top, right - left, bottom - top), offset)


def _alike(masks: Sequence[Mask], hidden: Sequence[Part], parts: Sequence[Part]) -> list[Mask]:
    """The masks of labels that begin, or end, below one another made as wide as the widest: a word's length tells which word it is.

    Not where one would then lie on another label. hidden: the part under each mask.
    """
    found, seen = list(masks), [part for part in parts if part.kind in ("label", "axis") and part not in hidden]
    for side in (0, 1):
        groups: dict[float, list[int]] = {}
        for at, part in enumerate(hidden):
            if part.kind == "label" and found[at] == masks[at]:
                groups.setdefault(round(part.box[0] + part.box[2] * side, 3), []).append(at)
        for group in groups.values():
            left = min(masks[at].numbers[0] for at in group)
            wide = max(masks[at].numbers[0] + masks[at].numbers[2] for at in group) - left
            boxes = {at: (left, masks[at].numbers[1], wide, masks[at].numbers[3]) for at in group}
            more = (part for at, box in boxes.items() for part in seen if _meet(box, part.box) and not _meet(masks[at].numbers, part.box))
            if len(group) > 1 and not any(more):
                found = [mask._replace(numbers=boxes.get(at, mask.numbers)) for at, mask in enumerate(found)]
    return found


def _meet(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(one[side] < other[side] + other[side + 2] and other[side] < one[side] + one[side + 2] for side in (0, 1))


# ---------------------------------------------------------------------------------------------- Anki's text


def _drawn(mask: Mask) -> str:
    """ "image-occlusion:rect:left=.1:top=.2:width=.3:height=.1"; edges are rounded away from what is hidden."""
    if mask.shape == "polygon":
        points = list(zip(mask.numbers[::2], mask.numbers[1::2]))
        given = {"left": min(x for x, _ in points), "top": min(y for _, y in points)}
        at = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
        return f"image-occlusion:polygon:left={_number(given['left'])}:top={_number(given['top'])}:points={at}"
    left, top, width, height = mask.numbers
    x, y = (math.floor(side * 1e4 + 1e-6) / 1e4 for side in (left, top))
    wide, high = (math.ceil((end - start) * 1e4 - 1e-6) / 1e4 for start, end in ((x, left + width), (y, top + height)))
    sides = {"width": wide, "height": high} if mask.shape == "rect" else {"rx": wide / 2, "ry": high / 2}
    return ":".join(["image-occlusion", mask.shape, *(f"{side}={_number(value)}" for side, value in {"left": x, "top": y, **sides}.items())])


def _number(value: float) -> str:
    """Four digits behind the point, and nothing before it, as Anki writes them."""
    return f"{value:.5f}".rstrip("0").rstrip(".").removeprefix("0") or "0"


def _plain(markdown: str) -> str:
    return " ".join(unescape(re.sub(r"<[^<>]*>", "", markdown)).split())


def _short(words: str) -> str:
    return repr(words if len(words) <= 60 else words[:57] + "...")
