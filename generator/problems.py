"""What an author got wrong: a place, a sentence, and what to do. Problems are collected and shown all at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import NamedTuple


class Place(NamedTuple):
    """Where something stands: a path as shown to a person, and a line from 1."""

    path: str
    line: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class Problem(NamedTuple):
    place: Place
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class DeckError(Exception):
    """The author's problems, all of them, sorted by place. Shown without a traceback. warnings: what stands beside them, where a program asks."""

    def __init__(self, problems: Iterable[Problem], warnings: Iterable[Problem] = ()):
        self.problems, self.warnings = tuple(sorted(set(problems))), tuple(warnings)
        super().__init__("\n".join(map(str, self.problems)))


def nearest(name: str, known: Iterable[str]) -> str:
    """The hint for an unknown name: the nearest known ones, and all of them where they are few."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=2, cutoff=0.6)
    parts = [f"did you mean {' or '.join(close)}?"] if close else []
    if known and len(known) <= 16:
        parts.append(f"known: {', '.join(known)}")
    return " ".join(parts)
