"""Folders into which decks from elsewhere are imported, and a collection that has studied one."""

from __future__ import annotations

from pathlib import Path

import pytest
from workshop import Done, Workshop


class Elsewhere(Workshop):
    """A workshop whose deck comes from a file."""

    @property
    def package(self) -> Path:
        (package,) = (self.folder / "build").glob("*.apkg")
        return package

    @property
    def cards(self) -> Path:
        return self.folder / "cards"

    def imports(self, *files: Path) -> Done:
        return self.run("import", *map(str, files), "--into", "cards")

    def topics(self) -> dict[str, str]:
        return {path.relative_to(self.cards).as_posix(): path.read_text(encoding="utf-8") for path in sorted(self.cards.rglob("*.md"))}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    (tmp_path / "elsewhere").mkdir()
    return Elsewhere(tmp_path / "elsewhere")
