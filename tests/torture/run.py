"""Mistreats decks until the time is over: `python tests/torture/run.py [MINUTES] [--seed N] [--only KIND]`.

Each kind of mistreatment takes a seed and an empty folder, and tells what misbehaved. Kinds take turns; two seeds run at a time. A fault is
printed with its kind and seed, which repeat it, and its folder is kept.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent), str(Path(__file__).parent.parent.parent)]
KINDS = ("mutating", "damaging", "interrupting", "calculating", "releasing")
OLDEST = ("anki==2.1.36", "protobuf<3.21")  # the oldest Anki that installs and imports our packages under Python 3.11


def attempt(kind: str, seed: int, keep: Path) -> list[str]:
    """One seed of one kind; the folder stays where something misbehaved."""
    folder = Path(tempfile.mkdtemp(prefix=f"{kind}-{seed}-", dir=keep))
    try:
        found = importlib.import_module(kind).attempt(seed, folder)
    except Exception as error:  # of a learner's Anki that died, say
        found = [f"{type(error).__name__}: {error}"]
    if not found:
        shutil.rmtree(folder)
    return found


def oldest_anki(folder: Path) -> str:
    """A Python that has it, "" where it does not install here."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    done = subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *OLDEST], capture_output=True, text=True)
    if done.returncode or subprocess.run([python, "-c", "import anki.collection"], capture_output=True).returncode:
        print(f"{OLDEST[0]} does not install here: learners have the newest Anki alone", flush=True)
        return ""
    return python


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("minutes", nargs="?", default=60, type=float)
    parser.add_argument("--seed", default=0, type=int, help="the first one")
    parser.add_argument("--only", choices=KINDS, help="one kind alone")
    asked = parser.parse_args()
    until, seed, tried, faults = time.monotonic() + 60 * asked.minutes, asked.seed, Counter(), Counter()
    keep = Path(tempfile.mkdtemp(prefix="torture-"))
    if asked.only in (None, "releasing") and (python := oldest_anki(keep / "oldest-anki")):
        os.environ["OLDEST_ANKI"] = python
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        while time.monotonic() < until:
            tasks = {
                (kind, number): pool.submit(attempt, kind, number, keep)
                for kind in ([asked.only] if asked.only else KINDS)
                for number in range(seed, seed + 10)
            }
            for (kind, number), task in tasks.items():
                tried[kind] += 1
                for fault in task.result():
                    faults[kind] += 1
                    print(f"{kind} --seed {number}: {fault}", flush=True)
            seed += 10
    print("; ".join(f"{kind}: {tried[kind]} tried, {faults[kind]} faults" for kind in tried), f"(kept in {keep})" if faults else "")
    return min(sum(faults.values()), 1)


if __name__ == "__main__":
    sys.exit(main())
