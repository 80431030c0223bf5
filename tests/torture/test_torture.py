"""A little of each mistreatment, the same seeds each time; `make torture` goes on for an hour with others."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

pytest.importorskip("anki", reason="the anki library is not installed")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are watched as Linux does it")

SEEDS = {"mutating": 10, "calculating": 10, "interrupting": 2, "damaging": 2}  # batches, each of so many seeds: 8


@pytest.mark.parametrize(("kind", "batch"), [(kind, batch) for kind, batches in SEEDS.items() for batch in range(batches)])
def test_nothing_misbehaves(kind: str, batch: int, tmp_path: Path) -> None:
    module, found = importlib.import_module(kind), list[str]()
    for seed in range(8 * batch, 8 * batch + 8):
        folder = tmp_path / str(seed)
        folder.mkdir()
        found += [f"{kind} --seed {seed}: {fault}" for fault in module.attempt(seed, folder)]
    assert not found
