"""What is read from a disk, by the laboratory and by the compiler: a file's content, or an OSError that names it, and never a wait.

Apart from `open`, because that waits for ever at a pipe, reads a device without end, and takes a folder's name for a mistake of ours.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import IO

_NO_FILE = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}


def opened(path: str | os.PathLike[str], most: int | None = None) -> IO[bytes]:
    """A file, open to be read. most: bytes that it may have."""
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, f"it is {_NO_FILE.get(stat.S_IFMT(found.st_mode), 'something else')} and no file", os.fspath(path))
    if most is not None and found.st_size > most:
        raise OSError(errno.EFBIG, f"it has {found.st_size / 1e6:.1f} MB, and at most {most / 1e6:g} are read", os.fspath(path))
    return open(path, "rb")


def read(path: str | os.PathLike[str], most: int | None = None) -> bytes:
    """All that a file holds."""
    with opened(path, most) as file:
        return file.read()


def is_there(path: str | os.PathLike[str]) -> bool:
    """Whether a file is there, or something else in its place, a broken link say, of which reading then tells."""
    return os.path.lexists(path)


def can_write(path: str | os.PathLike[str]) -> bool:
    """Whether a file can be kept there; its folder and an empty file are made."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.lexists(path) and not os.path.isfile(path):
            return False
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o666))
    except OSError:
        return False
    return True
