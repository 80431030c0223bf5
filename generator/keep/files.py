"""The files that a build reads, by the hash of their content: a file is read again only where its stat has changed.

In: folders, and what an earlier build knew of them. Out: a hash for each path, "" where there is no file. Imports nothing
heavy: an idle build does little else.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from stat import S_ISDIR
from typing import Any

from kernels.files import opened

LOCK = "deck.lock"  # written by a build: no part of what it reads
SETTLED = 2_000_000_000  # ns: a file written this shortly before it was looked at may change again without its stat telling
HASH = 32  # hexadecimal digits of a SHA-256
Stat = tuple[int, int, int, int]  # mtime and ctime in ns, size, inode


class Files:
    """The files below some folders, as they stood when this was made. known: what `table` of an earlier one gave."""

    def __init__(self, folders: Iterable[str | os.PathLike[str]], known: Mapping[str, Any] | None = None):
        self.at = time.time_ns()
        self.folders = tuple(os.fspath(folder) for folder in folders)
        self.stats = scan(self.folders)
        self._known = known or {}
        self._hashes: dict[str, str] = {}
        self._kernels: dict[str, tuple[Path, ...]] = {}
        self._code: dict[str, Mapping[str, str]] = {}

    def hash(self, path: str | os.PathLike[str]) -> str:
        """The hash of a file's content, "" where there is none. Paths are as the folders' own begin."""
        name = os.fspath(path)
        found = self._hashes.get(name)
        if found is None:
            stat = self.stats.get(name) or self.stats.get(os.path.normpath(name))
            found = self._hashes[name] = (stat and self._trusted(os.path.normpath(name), stat)) or hash_of(name)
        return found

    def of_kernel(self, name: str) -> tuple[Path, ...]:
        """The files of the laboratory that a kernel's numbers depend on."""
        from kernels.key import files_of

        if name not in self._kernels:
            self._kernels[name] = files_of(name)
        return self._kernels[name]

    def code_of_kernel(self, name: str) -> Mapping[str, str]:
        """Their reduced code's digests: what a formula gives with other parameters than the note's, which tells premises, follows from it."""
        from kernels.key import code_of

        if name not in self._code:
            self._code[name] = code_of(name)
        return self._code[name]

    def table(self) -> dict[str, list[Any]]:
        """path -> its stat and its hash, of every file, for the next build; with the time of this one under ""."""
        return {"": [self.at], **{name: [*stat, self.hash(name)] for name, stat in self.stats.items()}}

    def moved(self) -> bool:
        """Whether any of the files was written since this was made, so that what was read may not be what was hashed."""
        return scan(self.folders) != self.stats

    def _trusted(self, name: str, stat: Stat) -> str:
        kept = self._known.get(name)
        return kept[4] if kept and settled(kept, stat, self._known[""][0]) else ""


def scan(folders: Sequence[str]) -> dict[str, Stat]:
    """The stat of every file below the folders, but for hidden ones, compiled Python and the lock."""
    found: dict[str, Stat] = {}
    seen: set[tuple[int, int]] = set()  # folders, so that a link to one above ends
    waiting = [os.path.normpath(folder) for folder in folders]
    for folder in waiting:  # which grows
        try:
            entries = os.scandir(folder)
        except (OSError, ValueError):  # a name that none can have, of which reading tells
            continue
        with entries:
            for entry in entries:
                if entry.name[0] == "." or entry.name in ("__pycache__", LOCK):
                    continue
                try:
                    stat = entry.stat()
                except OSError:  # a broken link, or one that leads to itself: reading tells of it, once somebody looks
                    try:
                        stat = entry.stat(follow_symlinks=False)
                    except OSError:  # gone meanwhile
                        continue
                if not S_ISDIR(stat.st_mode):
                    found[entry.path] = stat_of(stat)
                    continue
                if entry.name.endswith(".md"):  # which should be a file, and is a problem
                    found[entry.path] = 0, 0, 0, stat.st_ino
                if (stat.st_dev, stat.st_ino) not in seen:
                    seen.add((stat.st_dev, stat.st_ino))
                    waiting.append(entry.path)
    return found


def stat_of(stat: os.stat_result) -> Stat:
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino


def stat_of_path(path: str) -> Stat:
    """The stat of a file, zeros where there is none."""
    try:
        return stat_of(os.stat(path))
    except OSError:
        return 0, 0, 0, 0


def settled(kept: Sequence[Any], stat: Stat, at: int) -> bool:
    """Whether a stat alone proves that a file is the one that was hashed at the time `at`."""
    return tuple(kept[:4]) == stat and max(stat[0], stat[1]) < at - SETTLED


def hash_of(path: str) -> str:
    digest = hashlib.sha256()
    try:
        with opened(path) as file:
            while some := file.read(1 << 20):
                digest.update(some)
    except OSError:
        return ""
    return digest.hexdigest()[:HASH]
