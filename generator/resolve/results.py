"""What the runs of a note gave: formulas evaluated, records loaded, one device chosen for all of a note's measurements.

In: a Note and a Store of records. Out: a Result for each run that the note uses, None where a record is missing.
Apart from note.py because this is where the disk is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator.notes import Note, Run
from generator.problems import Problem
from generator.resolve.names import used
from kernels import remote
from kernels.record import load
from kernels.remote import Remote
from kernels.results import KernelError, Result, RunError


class Store:
    """Records of simulations and measurements, and formulas evaluated; each is read or evaluated once.

    devices: device classes that may be quoted, in order of preference. roots: folders of records; of a case that
    lies in several, the first fresh record counts, else the first.
    """

    def __init__(self, devices: Iterable[str], roots: Sequence[Path]):
        self.devices, self.roots = tuple(devices), tuple(roots)
        self._known: dict[tuple[str, str, str | None], Result | None] = {}

    def result(self, run: Run, device: str | None) -> Result | None:
        """What a run gave, on `device` if it is a measurement; None without a record. Raises KernelError as the kernel does."""
        kernel = remote.find(run.kernel)
        on = device if kernel.kind == "measurement" else None
        key = (run.kernel, json.dumps(dict(run.parameters), sort_keys=True), on)
        if key not in self._known:
            self._known[key] = self._found(kernel, run, on)
        return self._known[key]

    def found(self, run: Run, device: str | None) -> Result | None:
        """The same, with None for a record that cannot be read."""
        try:
            return self.result(run, device)
        except KernelError:
            return None

    def _found(self, kernel: Remote, run: Run, device: str | None) -> Result | None:
        if kernel.evaluated:
            return kernel.kept(run.parameters)
        if kernel.kind == "measurement" and device is None:
            return None
        records = [r for root in self.roots if (r := load(kernel, run.parameters, device, root)) is not None]
        return next((r for r in records if not r.stale), records[0] if records else None)


@dataclass(frozen=True)
class Chosen:
    """The results of one note, by alias, all measurements of one device. find is what resolve asks."""

    results: Mapping[str, Result | None]
    device: str | None

    def find(self, run: Run) -> Result | None:
        return self.results.get(run.alias)


def results_for(note: Note, store: Store, problems: list[Problem]) -> Chosen:
    """What the runs that the note names gave. A formula that refuses its parameters is a problem at the run's place.

    All measurements come from one device: the first that has fresh records of them all, else the first that has
    records of them all, else the one with the most records.
    """
    runs = [note.runs[alias] for alias in used(note)]
    return _on(_device(_measured(runs), store), runs, store, problems)


def measured_on(note: Note, store: Store) -> tuple[Chosen, ...]:
    """The note's results on each quoted device that has records of all its measurements; empty for a note without any."""
    runs = [note.runs[alias] for alias in used(note)]
    measured = _measured(runs)
    chosen = [_on(device, runs, store, []) for device in store.devices] if measured else []
    return tuple(one for one in chosen if all(one.results[run.alias] is not None for run in measured))


def _measured(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if remote.find(run.kernel).kind == "measurement"]


def _on(device: str | None, runs: Sequence[Run], store: Store, problems: list[Problem]) -> Chosen:
    results: dict[str, Result | None] = {}
    for run in runs:
        outcome = _outcome(run, device, store)
        if isinstance(outcome, KernelError):
            problems.append(Problem(run.place, f"{_named(run)} failed: {outcome}" if isinstance(outcome, RunError) else str(outcome)))
        results[run.alias] = None if isinstance(outcome, KernelError) else outcome
    return Chosen(results, device)


def _named(run: Run) -> str:
    """ "the run kv of kernel kv_cache (tokens=0)", with the parameters that are not as they are by themselves."""
    declared = remote.find(run.kernel).parameters
    given = [f"{name}={value}" for name, value in run.parameters.items() if declared[name].required or value != declared[name].default]
    return f"the run {run.alias} of kernel {run.kernel}" + f" ({', '.join(given)})" * bool(given)


def _outcome(run: Run, device: str | None, store: Store) -> Result | KernelError | None:
    try:
        return store.result(run, device)
    except KernelError as error:
        return error


def _device(runs: Sequence[Run], store: Store) -> str | None:
    if not runs or not store.devices:
        return None

    def worth(device: str) -> tuple[int, bool]:
        found = [r for run in runs if (r := _outcome(run, device, store)) is not None]  # a broken record counts, so that it is told of
        return len(found), len(found) == len(runs) and not any(isinstance(r, KernelError) or r.stale for r in found)

    best = max(store.devices, key=worth)  # of equals the first, the preferred one
    return best if worth(best)[0] else None
