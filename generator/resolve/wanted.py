"""Which runs the cards ask for that a kernel must execute: traces, simulations, measurements. Closed forms the build evaluates itself.

In: runs. Out: each once, with the places of the cards that ask for it; as lines of JSON they are what `python -m kernels record -` reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from generator.notes import Run

Wanted = Mapping[str, Any]  # kernel, parameters, kind, fresh, cards


def entry(run: Run, fresh: bool) -> Wanted:
    """fresh: whether a record of today's code is there."""
    from kernels.remote import find

    kind = find(run.kernel).kind
    return {"kernel": run.kernel, "parameters": dict(run.parameters), "kind": kind, "fresh": fresh, "cards": [str(run.place)]}


def merged(entries: Iterable[Wanted]) -> list[Wanted]:
    """Each case once, with all of its cards, sorted."""
    cases: dict[tuple[str, str], Wanted] = {}
    for one in entries:
        case = cases.setdefault((one["kernel"], json.dumps(one["parameters"], sort_keys=True)), {**one, "cards": []})
        case["cards"].extend(card for card in one["cards"] if card not in case["cards"])
    for case in cases.values():
        case["cards"].sort(key=_place)
    return [case for _, case in sorted(cases.items())]


def due(entries: Iterable[Wanted], gpu: bool, fresh: bool = False) -> list[Wanted]:
    """Those that this machine has to execute: without a fresh record (fresh: all), and measurements only where there is a GPU.

    A CPU is measured when somebody asks for it (`make records`), not by a build, which may not have the machine to itself.
    """
    return [run for run in entries if (fresh or not run["fresh"]) and (gpu or run["kind"] != "measurement")]


def lines(entries: Iterable[Wanted]) -> Iterator[str]:
    return (json.dumps(one, ensure_ascii=False) for one in entries)


def _place(card: str) -> tuple[str, int]:
    path, _, line = card.rpartition(":")
    return path, int(line)
