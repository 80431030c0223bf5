"""Which runs the cards ask for that a kernel must execute: simulations and measurements. Formulas the build evaluates itself.

In: a Deck. Out: Runs, each once; as lines of JSON they are what `python -m kernels record -` reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from generator.notes import Deck, Run
from kernels import declare


def wanted(deck: Deck) -> tuple[Run, ...]:
    """The simulations and measurements of the deck, one Run for each kernel with its parameters, sorted by them."""
    return tuple(runs[0] for _, runs in sorted(_by_case(deck).items()))


def lines(deck: Deck) -> Iterator[str]:
    """Each wanted run as one line of JSON: kernel, parameters, kind, and the places of the cards that ask for it."""
    for (kernel, _), runs in sorted(_by_case(deck).items()):
        cards = sorted({run.place for run in runs})
        entry = {
            "kernel": kernel,
            "parameters": dict(runs[0].parameters),
            "kind": declare.find(kernel).kind,
            "cards": [str(place) for place in cards],
        }
        yield json.dumps(entry, ensure_ascii=False)


def _by_case(deck: Deck) -> dict[tuple[str, str], list[Run]]:
    cases: dict[tuple[str, str], list[Run]] = {}
    executed: dict[str, bool] = {}
    for run in {(run.place, run.alias): run for note in deck.notes for run in note.runs.values()}.values():
        if run.kernel not in executed:
            executed[run.kernel] = declare.find(run.kernel).kind != "formula"
        if executed[run.kernel]:
            cases.setdefault((run.kernel, json.dumps(dict(run.parameters), sort_keys=True)), []).append(run)
    return cases
