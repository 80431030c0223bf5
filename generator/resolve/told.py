"""Which results a note's answer tells, so that a deck tells each of them once.

In: the expression of a number in an answer, and the runs that it names. Out: its name across notes; and the problems of a deck that repeats itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from generator.notes import Entry, Run
from generator.problems import Problem
from generator.resolve.expression import read_by
from kernels.declare import Kernel


def result_told(expression: str, runs: Mapping[str, Run], kernels: Mapping[str, Kernel]) -> str | None:
    """ "lora.total / GB" as "lora_memory(rank=16).total / GB", whatever a file calls the run; None for what computes nothing."""
    if not any(rest and alias in runs and rest[0] in kernels[alias].outputs for alias, *rest in read_by(expression)):
        return None

    def called(match: re.Match[str]) -> str:
        return _call(runs[match[1]], kernels[match[1]]) if match[1] in runs else match[0]

    return re.sub(r"(?<![\w.])([A-Za-z_]\w*)(?=\.)", called, " ".join(expression.split()))


def _call(run: Run, kernel: Kernel) -> str:
    given = (f"{name}={value}" for name, value in run.parameters.items() if value != kernel.parameters[name].default)
    return f"{run.kernel}({', '.join(given)})"


def told_twice(entries: Iterable[Entry]) -> list[Problem]:
    """A problem for each result that an answer tells after another note's."""
    first: dict[str, Entry] = {}
    problems = []
    for entry in entries:
        for result in entry.told:
            home = first.setdefault(result, entry)
            if home is not entry:
                message = f"the answer of {entry.id!r} tells what that of {home.id!r} does, at {home.place}: {result}"
                problems.append(Problem(entry.place, message, "a result has one home: merge the notes, or ask something else of it here"))
    return problems
