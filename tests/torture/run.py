"""Mistreats decks until the time is over: `python tests/torture/run.py [MINUTES] [--seed N] [--only KIND]`.

Each kind of mistreatment takes a seed and an empty folder, and tells what misbehaved. Kinds take turns; two seeds run at a time. A fault is
printed with its kind and seed, which repeat it, and its folder is kept.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent), str(Path(__file__).parent.parent.parent)]
KINDS = ("mutating", "damaging", "interrupting", "calculating")


def attempt(kind: str, seed: int, keep: Path) -> list[str]:
    """One seed of one kind; the folder stays where something misbehaved."""
    folder = Path(tempfile.mkdtemp(prefix=f"{kind}-{seed}-", dir=keep))
    found = importlib.import_module(kind).attempt(seed, folder)
    if not found:
        shutil.rmtree(folder)
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("minutes", nargs="?", default=60, type=float)
    parser.add_argument("--seed", default=0, type=int, help="the first one")
    parser.add_argument("--only", choices=KINDS, help="one kind alone")
    asked = parser.parse_args()
    until, seed, tried, faults = time.monotonic() + 60 * asked.minutes, asked.seed, Counter(), Counter()
    keep = Path(tempfile.mkdtemp(prefix="torture-"))
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
