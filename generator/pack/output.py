"""How what comes out reaches the disk: whole or not at all, and each file as it is to be."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

from kernels import files
from kernels.parts import is_part, sweep, write, writing

__all__ = ["write", "write_media", "writing"]


def write_media(folder: str | os.PathLike[str], sizes: Mapping[str, int], content: Callable[[str], bytes], sound: Collection[str] = ()) -> list[str]:
    """Makes the folder hold exactly these files, and returns their paths. sound: paths of what needs no look."""
    home = os.fspath(folder)
    os.makedirs(home, exist_ok=True)
    sweep(home)
    for name in set(os.listdir(home)) - sizes.keys():
        if not is_part(name):
            os.unlink(os.path.join(home, name))
    paths = [os.path.join(home, name) for name in sorted(sizes)]
    for name, path in zip(sorted(sizes), paths):
        if path not in sound and _read(path) != content(name):
            write(path, content(name))
    return paths


def _read(path: str) -> bytes | None:
    with suppress(OSError):
        return files.read(path)
    return None
