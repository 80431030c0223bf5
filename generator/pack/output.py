"""How what comes out reaches the disk: whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO


def write(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes a file under another name and renames it, so that a build that fails leaves the last good one."""
    with writing(path) as file:
        file.write(content)


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """The same for what is written piece by piece: the file is there once the block ends well."""
    name = os.fspath(path)
    part = f"{name}.part"
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    try:
        with open(part, "wb") as file:
            yield file
        os.replace(part, name)
    except OSError as error:
        if error.filename in (None, part):  # of what is written itself, on a full disk say, Python names no file
            error.filename = name
        raise
    finally:
        with suppress(FileNotFoundError):
            os.unlink(part)


def write_media(folder: str | os.PathLike[str], sizes: Mapping[str, int], content: Callable[[str], bytes]) -> list[str]:
    """Makes the folder hold exactly these files, and returns their paths. A name holds its content's hash, so that one of the right size is right."""
    home = os.fspath(folder)
    os.makedirs(home, exist_ok=True)
    with os.scandir(home) as entries:
        there = {entry.name: entry.stat().st_size for entry in entries}
    for name in there.keys() - sizes.keys():
        os.unlink(os.path.join(home, name))
    for name, size in sizes.items():
        if there.get(name) != size:
            write(os.path.join(home, name), content(name))
    return [os.path.join(home, name) for name in sorted(sizes)]
