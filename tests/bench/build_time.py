"""How long builds take, in CPU seconds and as ratios to the script that one writes by hand. Every build is a process of its own.

    python tests/bench/build_time.py [NOTES] [ROUNDS]          (1000 notes, 5 rounds)

Each round runs everything in turn, so that a machine that grows slower makes all of them slower; a ratio is that of its round, and
the median of the rounds is printed with the least and the most. cold: no cache and no lock. edited: a word of one note.
"""

from __future__ import annotations

import itertools
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import corpus

ROOT = Path(__file__).parent.parent.parent
PYTHON = sys.executable
LARGE = 5_000  # notes from which on the goals of a large deck hold
RATIOS = (  # what is measured, against what, how, and what it must not exceed: small decks, large ones
    ("cold, one core", "cold", "script", "cpu", (1.0, 1.0)),
    ("cold, all cores", "cold-all", "script", "wall", (None, 0.6)),
    ("one note edited", "edited", "script", "cpu", (0.12, 0.04)),
    ("nothing changed, to `python -c pass`", "idle", "pass", "cpu", (4, 5)),
)
OWN = (("cards/, one word edited: deck", "own-deck", 0.5), ("cards/, one word edited: preview", "own-preview", 0.5))
MEMORY = 100  # MiB of the largest process, at 10,000 notes


class Cost(NamedTuple):
    """CPU and wall time in seconds, the largest process in MiB."""

    cpu: float
    wall: float
    memory: float


def run(command: Sequence[str], folder: Path, one_core: bool = False) -> Cost:
    """What a command costs, all of its processes together."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    pin = ["taskset", "-c", str(min(os.sched_getaffinity(0)))] if one_core and shutil.which("taskset") else []
    child = subprocess.Popen([*pin, *command], cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, wall, usage.ru_maxrss / 1024)


def edit(file: Path, words: itertools.count) -> None:
    """Puts a new word into the first paragraph of a file's first note."""
    text = file.read_text(encoding="utf-8")
    at = re.search(r"^# .*\n\n", text, re.MULTILINE).end()
    file.write_text(text[:at] + re.sub(r"^(Edited\d+ )?", f"Edited{next(words)} ", text[at:], count=1), encoding="utf-8")


def measured(notes: int, rounds: int, folder: Path) -> dict[str, list[Cost]]:
    generator = [PYTHON, "-m", "generator"]
    costs: dict[str, list[Cost]] = {}
    words = itertools.count()
    first, own = folder / "cards" / "d0" / "f00000.md", folder / "own"
    for part in ("cards", "kernels/records"):
        shutil.copytree(ROOT / part, own / part)
    note = own / "cards" / "gpu" / "views-and-copies.md"
    for command in ("deck", "preview"):
        run([*generator, command], own)

    def take(name: str, *command: str, at: Path = folder, one_core: bool = False) -> None:
        costs.setdefault(name, []).append(run(command, at, one_core))

    for _ in range(rounds):
        take("pass", PYTHON, "-c", "pass")
        take("script", PYTHON, str(Path(__file__).parent / "plain_genanki.py"), "plain", "plain.apkg", one_core=True)
        for name, jobs in (("cold-all", ()), ("cold", ("--jobs", "1"))):
            shutil.rmtree(folder / "build", ignore_errors=True)
            (folder / "cards" / "deck.lock").unlink(missing_ok=True)
            take(name, *generator, "deck", *jobs, one_core=bool(jobs))
        edit(first, words)
        take("edited", *generator, "deck")
        take("settled", *generator, "deck")  # what was just written has to be hashed once more
        time.sleep(2.5)
        run([*generator, "deck"], folder)
        take("idle", *generator, "deck")
        for command in ("deck", "preview"):
            edit(note, words)
            take(f"own-{command}", *generator, command, at=own)
    return costs


def main() -> None:
    notes, rounds = (int(argument) if argument else default for argument, default in zip([*sys.argv[1:], "", ""], (1000, 5)))
    with tempfile.TemporaryDirectory() as name:
        corpus.write(notes, Path(name))
        costs = measured(notes, rounds, Path(name))
    print(f"{notes:,} notes, {rounds} rounds in turn on {len(os.sched_getaffinity(0))} cores; CPU seconds of all processes together\n")
    print(f"{'':<38}{'seconds':>9}      {'times the script (least, most)':<34}at most")
    for what, of, to, how, goals in RATIOS:
        values = [getattr(one, how) for one in costs[of]]
        ratios = [value / getattr(base, how) for value, base in zip(values, costs[to])]
        times = f"{statistics.median(ratios):.3f} ({min(ratios):.3f}, {max(ratios):.3f})"
        print(f"{what:<38}{statistics.median(values):9.3f} {how:<5}{times:<34}{goals[notes >= LARGE] or '-'}")
    for what, of, goal in OWN:
        print(f"{what:<38}{statistics.median(one.cpu for one in costs[of]):9.3f} {'cpu':<39}{goal} s")
    largest = {name: max(one.memory for one in costs[name]) for name in ("script", "cold", "cold-all", "edited", "idle")}
    print(f"{'largest process, MiB':<38}{max(largest.values()):9.0f} {'':<39}{MEMORY}")
    print("    " + ", ".join(f"{name} {size:.0f}" for name, size in largest.items()))
    print(f"{'the script':<38}{statistics.median(one.cpu for one in costs['script']):9.3f} cpu")


if __name__ == "__main__":
    main()
