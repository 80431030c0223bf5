"""What an author got wrong: a place, a sentence, and what to do. Problems are collected and shown all at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import NamedTuple


class Place(NamedTuple):
    """Where something stands: a path as shown to a person, and a line from 1."""

    path: str
    line: int = 1

    def __str__(self) -> str:
        return f"{visible(self.path)}:{self.line}"


class Problem(NamedTuple):
    place: Place
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {visible(self.message)}" + (f" ({visible(self.hint)})" if self.hint else "")


class DeckError(Exception):
    """The author's problems, all of them, sorted by place. Shown without a traceback. warnings: what stands beside them, where a program asks."""

    def __init__(self, problems: Iterable[Problem], warnings: Iterable[Problem] = ()):
        self.problems, self.warnings = tuple(sorted(set(problems))), tuple(warnings)
        super().__init__("\n".join(map(str, self.problems)))


# Control characters, halves of pairs, private ones, and those that cannot be seen: some turn what follows round, some hide what stands there.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ud800-\uf8ff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)


def visible(text: str, lines: bool = False) -> str:
    """The text as a terminal may get it: what cannot be seen, or steers the terminal, as an escape. lines: its line breaks and tabs stay."""
    if text.isprintable():
        return text
    return _INVISIBLE.sub(lambda found: found[0] if lines and found[0] in "\n\t" else _escaped(found[0]), text)


def _escaped(character: str) -> str:
    """As JSON and Python have it."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


LONGEST_NAME, MOST_NAMES = 100, 3000  # past which nobody looks for what is near: it would take a second for each name


def nearest(name: str, known: Iterable[str]) -> str:
    """The hint for an unknown name: the nearest known ones, and all of them where they are few."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=2, cutoff=0.6) if len(name) <= LONGEST_NAME and len(known) <= MOST_NAMES else []
    parts = [f"did you mean {' or '.join(close)}?"] if close else []
    if known and len(known) <= 16:
        parts.append(f"known: {', '.join(known)}")
    return " ".join(parts)
