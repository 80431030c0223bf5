"""What a page shows, and what a page that shows one state must be told to show a later one.

In: states. Out: the later one's differences as JSON, so that a saved card costs a browser that card.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from generator.problems import Problem

NONE: Mapping[str, Any] = {}


class State(NamedTuple):
    """The deck at one moment.

    notes: id -> the note as the page has it (JSON), in reading order. styles, types: by note type. statuses: note id -> "new" or "changed".
    withheld: the notes that are not shown, since a result is missing. waiting: note id -> the runs that it waits for. problems: of the
    cards, failed: of runs; the cards shown are the last good ones.
    running: the run that is being executed, if any. page: the hash of the page's own template, style and script.
    """

    number: int = 0
    name: str = "No cards yet"
    version: str = ""
    cards: int = 0
    notes: Mapping[str, str] = NONE
    styles: Mapping[str, str] = NONE
    types: Mapping[str, str] = NONE
    statuses: Mapping[str, str] = NONE
    withheld: tuple[Mapping[str, Any], ...] = ()
    waiting: Mapping[str, Sequence[str]] = NONE
    problems: tuple[Problem, ...] = ()
    failed: tuple[Problem, ...] = ()
    running: str = ""
    page: str = ""

    @property
    def about(self) -> dict[str, Any]:
        """All of it but the notes, as plain data."""
        plain = {
            name: getattr(self, name)
            for name in ("name", "version", "cards", "styles", "types", "statuses", "withheld", "waiting", "running", "page")
        }
        return {**plain, **{name: [_plain(problem) for problem in getattr(self, name)] for name in ("problems", "failed")}}


def change(before: State | None, now: State) -> str:
    """What differs, as JSON: all of `about` that does, the notes that do, and the order of ids where it does. before None: everything."""
    was = before.about if before else {}
    about = {name: value for name, value in now.about.items() if name not in was or was[name] != value}
    if before is None or list(before.notes) != list(now.notes):
        about["order"] = list(now.notes)
    notes = [note for id, note in now.notes.items() if before is None or before.notes.get(id) != note]
    return f'{json.dumps(about, ensure_ascii=False)[:-1]}{", " if about else ""}"notes": [{",".join(notes)}]}}'


def _plain(problem: Problem) -> dict[str, str]:
    return {"place": str(problem.place), "message": problem.message, "hint": problem.hint}
