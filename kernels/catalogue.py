"""Which file of the library holds which kernel: a name in, its Place out. Imports no kernel.

A kernel lies in a folder of the library, its area, or beside the areas. Its name is unique in the whole library and alone finds
it, so that moving its file to another area changes no card and, since the key leaves areas out, makes no record stale. A deck's own
kernels (home.py) count as the library's; tests that lie among them (test_*.py, conftest.py, tests/) are none.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kernels import library
from kernels.results import KernelError

PACKAGE = Path(__file__).parent
LIBRARY = library.__name__


@dataclass(frozen=True)
class Place:
    """Where a kernel, or a module that kernels share (`_name`), lies; as text its path, for messages."""

    area: str  # empty for a file beside the areas
    path: Path

    @property
    def module(self) -> str:
        return ".".join(filter(None, (LIBRARY, self.area, self.path.stem)))

    def __str__(self) -> str:
        return shown(self.path)


def shown(path: Path) -> str:
    """A path for a message: from where this program lies, or from the folder that it was called in."""
    above = next((folder for folder in (PACKAGE.parent, Path.cwd()) if path.is_relative_to(folder)), None)
    return (path.relative_to(above) if above else path).as_posix()


def told(error: BaseException) -> str:
    """ "ZeroDivisionError: division by zero (kernels/foo.py:31)": an error with the last place in a file of the library that it came through."""
    try:
        message = str(error.msg if isinstance(error, SyntaxError) else error).strip().partition("\n")[0]
    except Exception:  # one of the kernel's own may do anything
        message = ""
    folders = tuple(map(os.path.abspath, library.__path__))
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(folders)]
    if isinstance(error, SyntaxError) and (error.filename or "").startswith(folders):
        places.append((error.filename or "", error.lineno))
    where = "".join(f" ({shown(Path(path))}:{line})" for path, line in places[-1:])
    return f"{type(error).__name__}{': ' * bool(message)}{message}{where}"


def names() -> tuple[str, ...]:
    """The names of all kernels, sorted; what begins with an underscore is none."""
    return tuple(sorted(name for name in _listed(*library.__path__).places if not name.startswith("_")))


def place_of(name: str) -> Place | None:
    """Where the library's module of that name lies, None where there is none. Raises KernelError for a name in two places."""
    found = _listed(*library.__path__).places.get(name, ())
    if not found or not all(place.path.is_file() for place in found):  # new, moved or deleted since the folders were read
        _listed.cache_clear()
        importlib.invalidate_caches()
        found = _listed(*library.__path__).places.get(name, ())
    if problem := _doubled(name, found):
        raise KernelError(problem)
    return found[0] if found else None


def clashes() -> dict[Path, str]:
    """By the file that came last, what is wrong with each name that stands for two files, or for a file and an area."""
    places = _listed(*library.__path__).places
    return {found[-1].path: problem for name, found in places.items() if (problem := _doubled(name, found))}


def _doubled(name: str, found: Sequence[Place]) -> str:
    if len(found) > 1:
        return f"the name {name!r} stands for {' and for '.join(map(str, found))}, but is to be one kernel's: rename one of them"
    if found and name in _listed(*library.__path__).areas:
        return f"the name {name!r} stands for {found[0]} and for a folder of kernels: rename one of them"
    return ""


def place_of_module(module: str) -> Place | None:
    """Where the library's module of that dotted name lies, be it with its area or without; None for another name."""
    *package, name = without_area(module).split(".")
    return place_of(name) if ".".join(package) == LIBRARY else None


def without_area(module: str) -> str:
    """A dotted name as if all files of the library lay side by side: kernels.library.x for kernels.library.training.x."""
    outside, _, inside = module.partition(f"{LIBRARY}.")
    area, _, inner = inside.partition(".")
    return module if outside or area not in _listed(*library.__path__).areas else f"{LIBRARY}.{inner}".rstrip(".")


@dataclass(frozen=True)
class _Listing:
    places: Mapping[str, tuple[Place, ...]]
    areas: frozenset[str]


@functools.lru_cache(maxsize=8)
def _listed(*folders: str) -> _Listing:
    """What lies in the folders of the library, read from the disk once a process."""
    places: dict[str, tuple[Place, ...]] = {}
    for folder in dict.fromkeys(Path(folder).absolute() for folder in folders):
        for path in sorted((*folder.glob("*.py"), *folder.glob("*/*.py"))):
            area = "" if path.parent == folder else path.parent.name
            if (
                area != "tests"
                and not path.stem.startswith("test_")
                and path.stem != "conftest"
                and path.stem != "__init__"
                and path.stem.isidentifier()
                and f"_{area}".isidentifier()
            ):  # an editor's copy is no module
                places[path.stem] = (*places.get(path.stem, ()), Place(area, path))
    return _Listing(places, frozenset(place.area for found in places.values() for place in found) - {""})


def forget() -> None:
    """Drops the library's modules from this process, and what was read of its folders: whoever asks next gets the files as they are."""
    _listed.cache_clear()
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name.startswith(f"{LIBRARY}.")]:
        package, _, module = name.rpartition(".")
        del sys.modules[name]
        vars(sys.modules.get(package, library)).pop(module, None)  # `from package import module` looks there first
    if "kernels.remote" in sys.modules:
        sys.modules["kernels.remote"].forget()
