"""Whether a build would change anything: the hash of all that it reads, kept beside the hashes of all that it wrote.

In: the folders that a build reads. Out: what an unchanged build has to say, or None where one has to be made. An idle
build thus costs the reading of some hundred small files, however many notes they make. Disposable, as the cache is.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from generator.pack.package import write
from kernels.key import PACKAGE

GENERATOR = Path(__file__).parent.parent
LIBRARIES = ("genanki", "jinja2", "markdown", "matplotlib", "pygments", "pyyaml")  # what is built depends on them as on our code
LOCK = "deck.lock"  # read and written: it counts as written


@dataclass(frozen=True)
class Stamp:
    """A finished build. read: the hash of what went in; wrote: path -> hash; said: the summary; due: runs to execute here."""

    read: str
    wrote: dict[str, str]
    said: str
    due: list[str]


def hash_of_all(cards: Path, roots: Sequence[Path], *circumstances: object) -> str:
    """The hash of the cards (but for their lock), the records, our code and the libraries that a build is made by."""
    files = {file for folder in (cards, *roots, GENERATOR, PACKAGE) for file in _files(folder)}  # the published records lie in PACKAGE
    lines = [f"{file.as_posix()} {hash_of_file(file)}" for file in sorted(files) if file.name != LOCK]
    lines += [platform.python_version(), *map(version_of, LIBRARIES), *map(str, circumstances)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def standing(path: Path, read: str) -> Stamp | None:
    """The stamp in this file, if the same was read and everything that was written then is still there."""
    try:
        stamp = Stamp(**json.loads(path.read_bytes()))
        same = stamp.read == read and all(hash_of_file(Path(name)) == content for name, content in stamp.wrote.items())
    except (OSError, ValueError, TypeError, AttributeError):  # none, half a one, or another version's
        return None
    return stamp if same else None


def keep(path: Path, read: str, wrote: Iterable[Path], said: str, due: Iterable[str]) -> None:
    """Writes the stamp of a build that is finished."""
    stamp = Stamp(read, {file.as_posix(): hash_of_file(file) for file in wrote}, said, list(due))
    write(path, json.dumps(asdict(stamp), ensure_ascii=False).encode())


def hash_of_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def version_of(library: str) -> str:
    try:
        return f"{library} {version(library)}"
    except PackageNotFoundError:
        return f"{library} absent"


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
