"""Media that lie beside Markdown: found by a path from the file, or anywhere in the folder by their name alone, as Obsidian does."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

from generator.problems import DeckError, Place, Problem
from generator.read.media import LARGEST
from kernels import files


class Files:
    """Calls as `Haul.media` does. folder: where the file lies; root: of all that may be named. Raises DeckError for a link that leads out of it."""

    def __init__(self, folder: Path, root: Path | None = None):
        self.folder, self.root = folder, root or folder

    def __call__(self, name: str) -> bytes | None:
        unquoted = unquote(name)
        paths = [self.folder / name, self.folder / unquoted, self.root / name, self.root / unquoted]
        for path in (path for path in paths if Path(os.path.normpath(path)).is_relative_to(os.path.normpath(self.root))):
            if (content := self._content(path)) is not None:
                return content
        found = self._by_name.get(unquoted.rpartition("/")[2].lower())
        return self._content(found) if found else None

    def _content(self, path: Path) -> bytes | None:
        content = _content(path)
        if content is not None and leads_out(path, self.root):
            raise DeckError([outside(path)])
        return content

    @cached_property
    def _by_name(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                found.setdefault(name.lower(), Path(folder, name))
        return found


def leads_out(path: Path, root: Path) -> bool:
    """Whether links on the way to a path below `root` lead to where it is not."""
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def outside(path: Path) -> Problem:
    return Problem(Place(path.as_posix()), "this link leads out of the folder that is imported", "put a copy in its place")


def _content(path: Path) -> bytes | None:
    try:
        return files.read(path, LARGEST)
    except (OSError, ValueError):  # not there, no file, too large, or no name
        return None
