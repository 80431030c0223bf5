"""What is not whole yet: files on their way to the disk, and what becomes of them when a process is stopped or killed.

A file is written under a name that is its process's alone, and renamed once it is whole: whatever happens, what lies under its own name
is whole, of several writers that of the last. A process that is stopped takes what is not whole with it. What one that was killed left is
swept later, told from what another process is writing by a lock that the system takes off whoever dies.
"""

from __future__ import annotations

import functools
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows, which lets nobody delete a file that another process has open
    fcntl = None  # type: ignore[assignment]

YOUNG = 60  # seconds: a temporary folder that may be about to be locked
SUFFIX = ".part"  # of files, hidden by the dot before their names
STOPPED = 130  # what a shell has for a program that Ctrl-C ended

_made: set[str] = set()  # files and folders of this process that go when it ends


def write(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes a file, whole or not at all."""
    with writing(path) as file:
        file.write(content)


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """The same for what is written piece by piece: the file is there once the block ends well."""
    with part(os.path.dirname(os.fspath(path))) as (name, file):
        try:
            yield file
            file.close()
            os.replace(name, path)
        except OSError as error:
            if error.filename in (None, name):  # of a full disk, say, Python names no file
                error.filename = os.fspath(path)
            raise


@contextmanager
def part(folder: str | os.PathLike[str]) -> Iterator[tuple[str, IO[bytes]]]:
    """A new file in a folder, to be read and written, and its name, which goes with the block unless it was renamed."""
    home = os.fspath(folder) or "."
    os.makedirs(home, exist_ok=True)
    while True:
        name = os.path.join(home, f".{_name()}{SUFFIX}")
        _made.add(name)
        try:
            with open(name, "x+b") as file, _locked(file.fileno()):
                if os.path.exists(name):  # else another process swept it before it was locked
                    yield name, file
                    return
        finally:
            _remove(name)


@contextmanager
def folder(prefix: str = "warpdeck-") -> Iterator[str]:
    """A new folder among the system's temporary ones, which goes with the block."""
    import tempfile

    home = tempfile.gettempdir()
    _sweep_folders(home, prefix)
    with _folder(os.path.join(home, prefix + _name()), 0o700) as name:
        yield name


@contextmanager
def folder_beside(path: str | os.PathLike[str]) -> Iterator[str]:
    """A new folder beside a path, which goes with the block unless it was renamed."""
    with _folder(os.path.join(os.path.dirname(os.fspath(path)), f".{_name()}{SUFFIX}"), 0o777) as name:
        yield name


@contextmanager
def _folder(name: str, mode: int) -> Iterator[str]:
    _made.add(name)
    try:
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        os.mkdir(name, mode)
        with alone(name):
            yield name
    finally:
        _remove(name)


def _name() -> str:
    return os.urandom(8).hex()


@contextmanager
def alone(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Waits until no other process is in such a block with this folder. Where the folder cannot be locked, nobody waits."""
    os.makedirs(folder, exist_ok=True)
    try:
        file = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folder
        yield
        return
    try:
        _lock(file)
        yield
    finally:
        os.close(file)


def sweep(*folders: str | os.PathLike[str]) -> None:
    """Deletes what processes that were killed left in these folders."""
    for home in folders:
        with suppress(OSError), os.scandir(home) as entries:
            for name in [entry.path for entry in entries if is_part(entry.name)]:
                with suppress(OSError):
                    _sweep(name)


def is_part(name: str) -> bool:
    return name[0] == "." and name.endswith(SUFFIX)


@functools.cache
def _sweep_folders(home: str, prefix: str) -> None:
    """Deletes the temporary folders that processes left that were killed, once for each process, as there may be many others."""
    if fcntl is None:
        return
    with suppress(OSError), os.scandir(home) as entries:
        ours = [entry for entry in entries if re.fullmatch(prefix + "[0-9a-f]{16}", entry.name)]
        for name in [entry.path for entry in ours if entry.stat().st_mtime < time.time() - YOUNG]:
            with suppress(OSError):
                _sweep(name)


def _sweep(name: str) -> None:
    if fcntl is None:
        os.unlink(name)
        return
    file = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(name)
    finally:
        os.close(file)


@contextmanager
def _locked(file: int) -> Iterator[None]:
    """Locks an open file as long as the block, even if it is closed meanwhile, so that it can be renamed."""
    held = os.dup(file) if fcntl else -1
    try:
        _lock(file)
        yield
    finally:
        if fcntl:
            os.close(held)


def _lock(file: int) -> None:
    """Locks an open file until it is closed, or its process dies. On a file system without locks nobody waits, and nothing is swept."""
    if fcntl:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)


def _remove(name: str) -> None:
    with suppress(FileNotFoundError):
        if os.path.isdir(name):
            import shutil

            shutil.rmtree(name)
        else:
            os.unlink(name)
    _made.discard(name)


# ------------------------------------------------------------------------------------------------------- Ctrl-C


def stops(said: str = "stopped") -> None:
    """From now on Ctrl-C ends this process with one line and the status 130, wherever it is, and nothing that is not whole stays."""

    def stop(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            leave(said)
        sys.__excepthook__(kind, error, trace)

    sys.excepthook = stop


@contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Processes and threads that begin in this block never hear of Ctrl-C: this one does, when it is over, and ends them."""
    import signal

    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave(said: str) -> None:
    """Ends this process as Ctrl-C does: its blocks have ended, and what could not end in them ends here."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough
    for child in _children():
        child.kill()
    for name in sorted(_made):
        with suppress(OSError):
            _remove(name)
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    with suppress(OSError, ValueError):
        print(f"\n{said}" if sys.stderr.isatty() else said, file=sys.stderr, flush=True)  # a terminal shows ^C before it
    os._exit(STOPPED)


def _children() -> Iterable[Any]:
    processes = sys.modules.get("multiprocessing")
    return processes.active_children() if processes else ()
