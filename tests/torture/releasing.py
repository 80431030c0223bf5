"""Histories of releases, with reverts, merges and lost locks, against learners in the real Anki: the newest one, or the oldest that installs."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import histories

OLDEST = "OLDEST_ANKI"  # the variable that names a Python with it


def attempt(seed: int, folder: Path) -> list[str]:
    """One history. Odd seeds have learners with the oldest Anki where there is one."""
    python = (os.environ.get(OLDEST) if seed % 2 else None) or sys.executable
    return histories.run(seed, random.Random(seed).choice((10, 20, 40)), folder / "deck", python=python)
