"""Two texts of a field held against one another word by word, without parting what HTML holds together.

In: sanitized HTML, old and new. Out: both with what differs between `<del>` and `<ins>`, the numbers that stand in one place with their change,
and the pictures that do. Only text is marked, never a tag, so that each side is as well formed as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from html import unescape
from typing import NamedTuple

from kernels import units

TAG = r"<(?:[^<>\"]|\"[^\"]*\")*>"
_NUMBER = r"(?<![\w.])[-\u2212]?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][-+]?\d+)?"
_UNIT = r"(?:\u202f|\xa0|&nbsp;|&#8239;)?(?:%|×|[^\W\d_]+(?:[/·^²³][\w^²³]*)*)"
_TOKEN = re.compile(rf"(?P<tag>{TAG})|(?P<math>\\\(.*?\\\)|\\\[.*?\\\])|(?P<space>\s+)|(?P<number>(?P<value>{_NUMBER})(?P<unit>{_UNIT})?)"
    r"|&#?\w+;|\w+(?:['’-]\w+)*|.", re.DOTALL)  # fmt: skip


class Number(NamedTuple):
    """A number that stands where another one stood. change: in percent of what it was; None where the two cannot be compared, or are percents."""

    was: str
    now: str
    change: float | None

    def __str__(self) -> str:
        return f"{self.was} → {self.now}" + ("" if self.change is None else f" ({percent(self.change)})")


class Marked(NamedTuple):
    """Both texts with what differs marked; numbers and pictures (as tags) that stand in one place and differ."""

    old: str
    new: str
    numbers: tuple[Number, ...]
    pictures: tuple[tuple[str, str], ...]


def percent(change: float) -> str:
    """+1.8 %, with as many digits as tell it from nothing."""
    size = abs(change)
    digits = 0 if size >= 10 else 1 if size >= 0.95 else 2
    sign = "+" if change > 0 else "−"
    return f"{sign}{size:,.{digits}f}\u202f%" if size >= 0.005 else "under 0.01\u202f%"


def marked(old: str, new: str) -> Marked:
    both = [list(_TOKEN.finditer(html)) for html in (old, new)]
    words = [[token for token in tokens if _counts(token)] for tokens in both]
    gone, come, pairs = set[int](), set[int](), list[tuple[re.Match[str], re.Match[str]]]()
    for op, a, b, c, d in _matcher(*([token[0] for token in side] for side in words)).get_opcodes():
        if op != "equal":
            gone |= {token.start() for token in words[0][a:b]}
            come |= {token.start() for token in words[1][c:d]}
            pairs += _placed(words[0][a:b], words[1][c:d])
    numbers = tuple(dict.fromkeys(_number(was, now) for was, now in pairs if was["number"]))
    pictures = tuple((was[0], now[0]) for was, now in pairs if was["tag"])
    return Marked("".join(_written(both[0], gone, "del")), "".join(_written(both[1], come, "ins")), numbers, pictures)


def _matcher(old: Sequence[str], new: Sequence[str]) -> SequenceMatcher[str]:
    return SequenceMatcher(None, old, new, autojunk=False)


def _counts(token: re.Match[str]) -> bool:
    return token[0].startswith("<img") if token["tag"] else not token["space"]


def _placed(old: Sequence[re.Match[str]], new: Sequence[re.Match[str]]) -> Iterator[tuple[re.Match[str], re.Match[str]]]:
    """Numbers and pictures that stand in the same place of what was replaced: where numbers count as alike, they are what is between equal words."""
    keys = [[_kind(token) for token in side] for side in (old, new)]
    for block in _matcher(*keys).get_matching_blocks():
        for was, now in zip(old[block.a : block.a + block.size], new[block.b : block.b + block.size]):
            if (was["number"] or was["tag"]) and was[0] != now[0]:
                yield was, now


def _kind(token: re.Match[str]) -> str:
    if token["tag"]:
        return "\0dark" if 'class="dark"' in token[0] else "\0picture"
    return "\0number" if token["number"] else token[0]


def _number(was: re.Match[str], now: re.Match[str]) -> Number:
    values = [float(token["value"].replace(",", "").replace("\u2212", "-")) for token in (was, now)]
    names = [unescape(token["unit"] or "").strip("\u202f\xa0") for token in (was, now)]
    sizes = [1.0, 1.0] if names[0] == names[1] else _sizes(names)
    change = (
        (values[1] * sizes[1] / (values[0] * sizes[0]) - 1) * 100 if sizes and values[0] and names != ["%", "%"] else None
    )  # percents of percents mislead
    if change is not None and values[0] < 0:
        change = -change
    return Number(unescape(was[0]), unescape(now[0]), change)


def _sizes(names: Sequence[str]) -> list[float]:
    """How large these units are, in one that they share; empty where they share none."""
    try:
        (one, its), (other, others) = (units.parsed(name) for name in names)
    except ValueError:
        return []
    return [float(one), float(other)] if its == others else []


def _written(tokens: Sequence[re.Match[str]], differing: set[int], mark: str) -> Iterator[str]:
    """The text again, each run of differing words in a mark of its own, which ends before a tag."""
    held, spaces = "", ""
    for token in tokens:
        if token["space"] and held:
            spaces += token[0]
        elif token.start() in differing and not token["tag"]:
            held += spaces + token[0]
            spaces = ""
        else:
            yield (f"<{mark}>{held}</{mark}>{spaces}" if held else "") + token[0]
            held = spaces = ""
    yield f"<{mark}>{held}</{mark}>{spaces}" if held else ""
