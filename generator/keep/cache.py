"""What was made before, by the key of all that made it: pieces of bytes in one SQLite file.

Disposable: delete build/cache and the next build is slower and gives the same bytes. A build's pieces are kept all together
when it ends well, so that one that is interrupted leaves none. Each lies beside a digest of its key and its bytes, which is checked
before anything looks into it: of what a disk or a hand spoilt, nothing is used.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
ROOM = 2  # a cache this many times the size that it had when it was last swept is swept again
LEAST = 2_000_000  # bytes that are never worth a sweep
MANY = 500  # pieces that are fetched together
SPOILT = "a piece of it is not what was put there"
LOST = "a piece of it is gone"
SWEPT = 1024  # bytes: the unit of the size after the last sweep, in the file's user_version


class Damaged(Exception):
    """The cache's file lost what it held, and why: delete it and make everything again."""


class Cache:
    """Pieces by key. path None: nothing outlives the process. reads_only: for a process that makes pieces for another one to keep."""

    def __init__(self, path: Path | None = None, reads_only: bool = False):
        self.made: dict[str, bytes] = {}  # what was put where nothing is written
        self._reads_only = reads_only
        self._asked: set[str] = set()
        self.closed = False
        self.path, self._file, self.spoilt = (path, _reading(path), "") if reads_only else _writing(path)

    def get(self, key: str) -> bytes | None:
        """A piece, as it was put; None where there is none, or only a spoilt one."""
        self._asked.add(key)
        if key in self.made:
            return self.made[key]
        try:
            row = self._file.execute("select content, digest from piece where key = ?", (key,)).fetchone()
        except sqlite3.DatabaseError as error:
            self.spoilt = str(error)
            return None
        if row and not _sound(key, *row):
            self.spoilt = SPOILT
            return None
        return row and row[0]

    def need(self, key: str) -> bytes:
        """A piece that was put, or that a kept one says is there."""
        content = self.get(key)
        if content is None:
            raise Damaged(LOST)
        return content

    def needed(self, keys: Sequence[str]) -> Iterator[bytes]:
        """Pieces that were put, in the order of their keys, some hundred at a time."""
        for start in range(0, len(keys), MANY):
            some = keys[start : start + MANY]
            self._asked.update(some)
            try:
                rows = self._file.execute(f"select key, content, digest from piece where key in ({','.join('?' * len(some))})", some)
                found = {name: content for name, content, digest in rows if _sound(name, content, digest)}
                yield from [self.made.get(name) or found[name] for name in some]
            except sqlite3.DatabaseError as error:
                raise Damaged(str(error)) from error
            except KeyError as error:
                raise Damaged(LOST) from error

    def put(self, key: str, content: bytes) -> None:
        if self._reads_only:
            self.made[key] = content
            return
        self._asked.add(key)
        try:
            self._file.execute("insert or replace into piece values (?, ?, ?)", (key, content, _digest(key, content)))
        except sqlite3.DatabaseError as error:  # the disk is full, say
            raise Damaged(str(error)) from error

    def kept(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The piece of this key, as it was made before or by `make` now."""
        content = self.get(key)
        if content is None:
            content = make()
            self.put(key, content)
        return content

    def save(self, live: Callable[[], Iterable[str]] | None = None) -> None:
        """Keeps what was put. live: the keys that the deck as it stands needs, asked for when it is time to sweep out the others."""
        try:
            swept = SWEPT * self._pragma("user_version")
            if live and not swept:  # a first build: nothing is old
                self._file.execute(f"pragma user_version = {max(self._size(), LEAST) // SWEPT}")
            elif live and self._size() > ROOM * swept:
                self._file.execute("create temp table live (key text primary key)")
                self._file.executemany("insert or ignore into live values (?)", ((key,) for key in {*live(), *self._asked}))
                self._file.execute("delete from piece where key not in (select key from live)")
                self._file.commit()
                self._file.execute("vacuum")
                self._file.execute(f"pragma user_version = {max(self._size(), LEAST) // SWEPT}")
            self._file.commit()
        except sqlite3.DatabaseError as error:
            raise Damaged(str(error)) from error

    def close(self) -> None:
        """Leaves. What was put and not saved is forgotten."""
        self.closed = True
        self._file.close()

    def delete(self) -> None:
        """Leaves, and takes the file away."""
        self.close()
        _unlink(self.path)

    def _size(self) -> int:
        return self._pragma("page_count") * self._pragma("page_size")

    def _pragma(self, name: str) -> int:
        return self._file.execute(f"pragma {name}").fetchone()[0]


def with_cache(path: Path | None, work: Callable[[Cache], T]) -> T:
    """The work, done with the cache of earlier builds; without one where that turns out to be damaged, which is told."""
    cache = Cache(path)
    try:
        return work(cache)
    except Damaged as damage:
        cache.spoilt = str(damage)
        cache.delete()
        return work(Cache())
    finally:
        cache.close()
        if cache.spoilt:
            print(f"{path}: {cache.spoilt}; it is made anew", file=sys.stderr)


def key(kind: str, *content: Any) -> str:
    """A key for a piece of one kind that depends on nothing but this content."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return f"{kind}:{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:32]}"


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else vars(value)


def _digest(key: str, content: bytes) -> bytes:
    digest = hashlib.sha256(content)
    digest.update(key.encode())
    return digest.digest()[:16]


def _sound(key: str, content: Any, digest: Any) -> bool:
    """Whether these bytes were put under this key."""
    return isinstance(content, bytes) and _digest(key, content) == digest


def _writing(path: Path | None, spoilt: str = "") -> tuple[Path | None, sqlite3.Connection, str]:
    """The cache's database, with nobody else writing it, and what was wrong with the file, if anything was.

    Beside a build that writes it, a cache in memory. A file that cannot be read is thrown away.
    """
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    file = sqlite3.connect(path or ":memory:", timeout=0.1)
    try:
        file.execute("pragma page_size = 16384")  # notes have some thousand bytes: with smaller pages most would lie in several
        file.execute("pragma journal_mode = wal")  # so that the processes of one build can read beside it
        file.execute("pragma synchronous = off")
        file.execute("create table if not exists piece (key text primary key, content blob, digest blob)")
        file.execute("select key, content, digest from piece limit 0")  # an older version's table is none of ours
        file.execute("begin immediate")
    except sqlite3.DatabaseError as error:
        file.close()
        if "locked" in str(error) or spoilt:  # a file that stays damaged when it is new is another matter
            return _writing(None, spoilt)
        _unlink(path)
        return _writing(path, spoilt if "no such column" in str(error) else str(error))
    return path, file, spoilt


def _reading(path: Path | None) -> sqlite3.Connection:
    """The cache's database as it stood when its writer opened it; an empty one where it cannot be read."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro" if path else ":memory:", timeout=0.1, uri=True)


def _unlink(path: Path | None) -> None:
    for suffix in ("", "-wal", "-shm") if path else ():
        with suppress(FileNotFoundError):
            os.unlink(f"{path}{suffix}")
