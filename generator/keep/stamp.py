"""Whether a build would change anything: what it read and what it wrote, by stat and hash, with what it had to say.

In: the folders that a build reads. Out: what an unchanged build has to say, or None where one has to be made. An idle
build thus costs a look at some hundred files, however many notes they make. Disposable, as the cache is.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from generator.keep.files import HASH, Files, Stat, hash_of, settled, stat_of_path
from generator.pack.output import write
from kernels.files import opened
from kernels.home import Home

GENERATOR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PACKAGE = os.path.join(os.path.dirname(GENERATOR), "kernels")
# What makes the deck as our code does:
LIBRARIES = ("genanki", "jinja2", "latex2mathml", "markdown", "matplotlib", "nh3", "numpy", "pygments", "pyyaml")


class Stamp(NamedTuple):
    """A finished build.

    files: `Files.table` of what was read; wrote: the same of what was written; said: the summary; due: runs to execute; lacking: packages
    that these need and that were not there; home: what the deck had of its own, behind what tells whether it still has (`Order.home`).
    """

    circumstances: list[str]
    files: dict[str, Any]
    wrote: dict[str, Any]
    said: str
    due: list[str]
    lacking: list[str]
    home: list[Any]


def folders(cards: Path, home: Home, roots: Sequence[Path]) -> tuple[str, ...]:
    """All that a build reads: the cards, the deck's own kernels, the roots of records, our code and the laboratory's."""
    return tuple(dict.fromkeys(str(folder) for folder in (cards, home.kernels, *roots, GENERATOR, PACKAGE) if folder))


def circumstances(*more: object) -> list[str]:
    """What a build depends on besides files: Python, the libraries under it, and whatever else the caller names."""
    return [sys.version, *versions(LIBRARIES), *map(str, more)]


def versions(libraries: Iterable[str]) -> list[str]:
    """ "markdown-3.11.3.dist-info" for each library: the folder that an installer leaves beside it (importlib.metadata takes 30 ms)."""
    wanted = set(libraries)
    found: dict[str, str] = {}
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            library = name.partition("-")[0].lower()
            if library in wanted and name.endswith((".dist-info", ".egg-info")):
                found.setdefault(library, name)
    return [found.get(library, library) for library in libraries]


def load(path: str | os.PathLike[str]) -> Stamp | None:
    """The stamp in a file; None where there is none, a damaged one, which is told, or another version's."""
    try:
        with opened(path) as file:
            digest, _, content = file.read().partition(b"\n")
    except OSError:
        return None
    if digest != _digest(content):
        print(f"{path}: what it says of the last build is not what was put there; it is made anew", file=sys.stderr)
        return None
    try:
        stamp = Stamp(**json.loads(content))
        return stamp if stamp.files[""] and stamp.wrote[""] else None
    except (TypeError, LookupError):  # another version's
        return None


def standing(path: str | os.PathLike[str], stamp: Stamp | None, files: Files, circumstances: Sequence[str]) -> Stamp | None:
    """The stamp, which this file holds, if the same was read and everything that was written then is still there.

    What a stat could not prove is hashed, and the stamp written again with the stats of now, so that it can the next time.
    """
    if stamp is None or stamp.circumstances != list(circumstances) or _installed(stamp.lacking):
        return None
    at, read = files.at, files.stats
    wrote = {name: stat_of_path(name) for name in stamp.wrote if name}
    unproven = [*_unproven(read, stamp.files), *_unproven(wrote, stamp.wrote)]
    if len(read) != len(stamp.files) - 1 or any(not kept or hash_of(name) != kept for name, kept in unproven):
        return None
    if unproven:
        with suppress(OSError):  # it can be proven again
            write(path, encoded(stamp._replace(files=_proven(read, stamp.files, at), wrote=_proven(wrote, stamp.wrote, at))))
    return stamp


def proven(stamp: Stamp | None) -> set[str]:
    """The paths of what that build wrote that is still there as it was, as far as a stat can tell."""
    wrote: Mapping[str, Any] = stamp.wrote if stamp else {}
    return {name for name, kept in wrote.items() if name and settled(kept, stat_of_path(name), wrote[""][0])}


def _installed(packages: Sequence[str]) -> bool:
    """Whether any of them is there by now."""
    if not packages:
        return False
    from importlib.util import find_spec

    return any(map(find_spec, packages))


def _proven(stats: Mapping[str, Stat], known: Mapping[str, Any], at: int) -> dict[str, Any]:
    return {"": [at], **{name: [*stat, known[name][4]] for name, stat in stats.items()}}


def _unproven(stats: Mapping[str, Stat], known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The files that must be hashed to know whether they changed, with the hash that they had ("" for a new one)."""
    at = known[""][0]
    for name, stat in stats.items():
        kept = known.get(name)
        if kept is None or not settled(kept, stat, at):
            yield name, kept[4] if kept else ""


def stamp_of(
    circumstances: Sequence[str],
    files: Files,
    wrote: Mapping[Path, str | None],
    said: str,
    due: Iterable[str],
    lacking: Iterable[str],
    before: Stamp | None,
    home: Sequence[Any],
) -> Stamp:
    """The stamp of a build that is finished.

    wrote: the SHA-256 of each file, where it is known. before: the stamp of an earlier build, which may know what was not written again.
    """
    known: Mapping[str, Any] = before.wrote if before else {"": [0]}
    written: dict[str, Any] = {"": [time.time_ns()]}
    for path, digest in wrote.items():
        name = os.fspath(path)
        stat, kept = stat_of_path(name), known.get(name)
        proven = kept[4] if kept and settled(kept, stat, known[""][0]) else ""
        written[name] = [*stat, proven or (digest or "")[:HASH] or hash_of(name)]
    return Stamp(list(circumstances), files.table(), written, said, list(due), list(lacking), list(home))


def encoded(stamp: Stamp) -> bytes:
    content = json.dumps(stamp._asdict(), separators=(",", ":"), default=str).encode()
    return _digest(content) + b"\n" + content


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest()[:HASH].encode()
