"""A process that lives on while files change must see what a new one would see.

In: the files that changed. Out: nothing that it remembers of them is left. What it cannot forget is the compiler itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from importlib.util import cache_from_source
from pathlib import Path
from typing import NoReturn

from generator.keep.stamp import GENERATOR, PACKAGE
from generator.problems import Place, Problem
from kernels import catalogue, library, remote


def warm() -> None:
    """Loads what the first edit would wait for: Markdown, math, drawing."""
    for name in ("markdown", "latex2mathml.converter"):
        import_module(name)
    remote.warm()


def forget(changed: Iterable[str]) -> None:
    """Drops what this process holds of these files: the modules of the library. (Note types it keeps by what their files hold.)"""
    modules = [path for path in changed if path.endswith(".py") and any(_below(path, folder) for folder in library.__path__)]
    for path in modules:
        with suppress(OSError):  # two edits of one size within a second look alike to Python's own cache
            os.unlink(cache_from_source(path))
    if modules:
        catalogue.forget()


def outdated(changed: Iterable[str]) -> list[str]:
    """Those of the files that are this program's own code, which only a new process can run."""
    return [path for path in changed if path.endswith(".py") and (_below(path, GENERATOR) or os.path.dirname(path) == PACKAGE)]


def start_again(port: int) -> NoReturn:
    """This program once more in place of itself, at the same address."""
    words = sys.orig_argv[1:]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *words, *(() if words[-2:] == ["--port", str(port)] else ("--port", str(port)))])


def broken(paths: Iterable[str]) -> list[Problem]:
    """What keeps a new process from starting with these files: that one of them is no Python."""
    problems = []
    for path in filter(os.path.exists, paths):
        try:
            compile(Path(path).read_bytes(), path, "exec")
        except (SyntaxError, ValueError) as error:
            place = Place(os.path.relpath(path), getattr(error, "lineno", None) or 1)
            problems.append(Problem(place, f"the compiler: {getattr(error, 'msg', error)}", "it starts again once this is mended"))
    return problems


def is_ours(path: str) -> bool:
    """Whether a file is the compiler's, the laboratory's or a kernel of the deck's own."""
    return any(_below(path, folder) for folder in (GENERATOR, PACKAGE, *library.__path__))


def _below(path: str, folder: str | os.PathLike[str]) -> bool:
    return os.path.abspath(path).startswith(f"{os.path.abspath(folder)}{os.sep}")
