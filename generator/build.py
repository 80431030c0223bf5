"""The steps in their order: cards read, values resolved, notes rendered; and which runs a kernel still has to execute.

In: the folder of cards and where records lie. Out: a Built, or every problem of every file at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from generator.keep.cache import Cache
from generator.look.notetypes import NoteType, note_types
from generator.notes import Deck, Rendered, Resolved
from generator.problems import DeckError, Problem
from generator.read.folder import survey
from generator.resolve.beside import beside
from generator.resolve.note import resolve
from generator.resolve.results import Store, results_for
from generator.resolve.wanted import wanted
from kernels import declare
from kernels.declare import Kernel, KernelError
from kernels.record import RECORDS, load


@dataclass(frozen=True)
class Built:
    """A deck with its notes rendered, in reading order. notices: what the author may now write (verdicts of open claims)."""

    deck: Deck
    rendered: tuple[Rendered, ...]
    notices: tuple[Problem, ...]
    roots: tuple[Path, ...]


def build(cards: Path, cache: Cache, devices: Sequence[str] | None = None, roots: Sequence[Path] = (RECORDS,)) -> Built:
    """Reads, resolves and renders all notes. devices: in place of deck.yml's. Raises DeckError with every problem."""
    deck, found = survey(cards)
    problems, notices = list(found), list[Problem]()
    store, types = Store(deck.devices if devices is None else devices, roots), note_types()
    rendered = []
    for note in deck.notes:
        before = len(problems)
        chosen = results_for(note, store, problems)
        if len(problems) > before:
            continue
        resolved = resolve(note, chosen.find, problems, notices)
        if resolved is not None:
            resolved = replace(resolved, beside=beside(note, store))
            made = cache.rendered(resolved, partial(_render, resolved, types, cache, problems))
            rendered += [made] if made else []
    if problems:
        cache.keep()
        raise DeckError(problems)
    return Built(deck, tuple(rendered), tuple(sorted(set(notices))), tuple(roots))


def _render(resolved: Resolved, types: Mapping[str, NoteType], cache: Cache, problems: list[Problem]) -> Rendered | None:
    """Imports what renders only when something has to be rendered: an idle build never pays for it."""
    from generator.render import figures
    from generator.render.note import render

    return render(resolved, types, lambda result: cache.figure(result, figures.figure), problems)


def due(
    deck: Deck, roots: Sequence[Path] = (RECORDS,), gpu: bool = False, fresh: bool = False, devices: Sequence[str] | None = None
) -> Iterator[str]:
    """The lines of `wanted` that a kernel has to execute here: all with `fresh`, else those without a fresh record.

    gpu: whether this machine may measure. Measurements are due only there, and only if no quoted device has a fresh record.
    """
    from generator.resolve.wanted import lines

    quoted = tuple(deck.devices if devices is None else devices)
    for run, line in zip(wanted(deck), lines(deck), strict=True):
        kernel = declare.find(run.kernel)
        if kernel.kind == "measurement" and not gpu:
            continue
        classes = quoted if kernel.kind == "measurement" else (None,)
        if fresh or not any(_fresh(kernel, run.parameters, device, root) for device in classes for root in roots):
            yield line


def _fresh(kernel: Kernel, parameters: Mapping[str, Any], device: str | None, root: Path) -> bool:
    try:
        result = load(kernel, parameters, device, root)
    except KernelError:
        return False
    return result is not None and not result.stale
