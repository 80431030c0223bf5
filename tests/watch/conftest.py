"""Servers of the small house: one for tests that change nothing, one for each test that does."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from watching import Served, house, serving


@pytest.fixture(scope="session")
def built_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house whose deck was served once, so that its copies begin with what that made."""
    folder = house(tmp_path_factory.mktemp("house"))
    with serving(folder) as served:
        served.page()
    return folder


@pytest.fixture
def home(built_house: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built_house, tmp_path / "a house", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.fixture
def served(home: Path) -> Iterator[Served]:
    with serving(home) as running:
        yield running


@pytest.fixture(scope="module")
def standing(built_house: Path) -> Iterator[Served]:
    with serving(built_house) as running:
        yield running
