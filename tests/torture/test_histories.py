"""Some histories of a deck, from edit to lost lock, whose learners have the real Anki. `histories.run` plays any number of others."""

from __future__ import annotations

import shutil
from pathlib import Path

import histories
import pytest

pytest.importorskip("anki", reason="the anki library is not installed")


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
@pytest.mark.parametrize("seed", range(4))
def test_a_history(seed: int, tmp_path: Path):
    assert histories.run(seed, 15, tmp_path / "deck") == []
