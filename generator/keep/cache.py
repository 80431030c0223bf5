"""What was made before, by the key of all that made it: pieces of bytes in one SQLite file.

Disposable: delete build/cache and the next build is slower and gives the same bytes. A build's pieces are kept all together
when it ends well, so that one that is interrupted leaves none.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
ROOM = 2  # a cache this many times the size that it had when it was last swept is swept again
LEAST = 2_000_000  # bytes that are never worth a sweep
MANY = 500  # pieces that are fetched together
SWEPT = 1024  # bytes: the unit of the size after the last sweep, in the file's user_version


class Damaged(Exception):
    """The cache's file lost what it held: delete it and make everything again."""


class Cache:
    """Pieces by key. path None: nothing outlives the process. reads_only: for a process that makes pieces for another one to keep."""

    def __init__(self, path: Path | None = None, reads_only: bool = False):
        self.made: dict[str, bytes] = {}  # what was put where nothing is written
        self._reads_only = reads_only
        self._asked: set[str] = set()
        self.closed = False
        self.path, self._file = (path, _reading(path)) if reads_only else _writing(path)

    def get(self, key: str) -> bytes | None:
        """A piece, as it was put; None where there is none, or only a spoilt one."""
        self._asked.add(key)
        if key in self.made:
            return self.made[key]
        try:
            row = self._file.execute("select content, sum from piece where key = ?", (key,)).fetchone()
        except sqlite3.DatabaseError:
            return None
        return row[0] if row and isinstance(row[0], bytes) and zlib.crc32(row[0]) == row[1] else None

    def need(self, key: str) -> bytes:
        """A piece that was put, or that a kept one says is there."""
        content = self.get(key)
        if content is None:
            raise Damaged
        return content

    def needed(self, keys: Sequence[str]) -> Iterator[bytes]:
        """Pieces that were put, in the order of their keys, some hundred at a time."""
        for start in range(0, len(keys), MANY):
            some = keys[start : start + MANY]
            self._asked.update(some)
            try:
                rows = self._file.execute(f"select key, content, sum from piece where key in ({','.join('?' * len(some))})", some)
                found = {name: content for name, content, sum in rows if zlib.crc32(content) == sum}
                yield from [self.made.get(name) or found[name] for name in some]
            except (sqlite3.DatabaseError, TypeError, KeyError) as error:
                raise Damaged from error

    def put(self, key: str, content: bytes) -> None:
        if self._reads_only:
            self.made[key] = content
            return
        self._asked.add(key)
        try:
            self._file.execute("insert or replace into piece values (?, ?, ?)", (key, content, zlib.crc32(content)))
        except sqlite3.DatabaseError as error:  # the disk is full, say
            raise Damaged from error

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
            raise Damaged from error

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
    """The work, done with the cache of earlier builds; without one where that turns out to be damaged."""
    cache = Cache(path)
    try:
        return work(cache)
    except Damaged:
        cache.delete()
        return work(Cache())
    finally:
        cache.close()


def key(kind: str, *content: Any) -> str:
    """A key for a piece of one kind that depends on nothing but this content."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return f"{kind}:{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else vars(value)


def _writing(path: Path | None) -> tuple[Path | None, sqlite3.Connection]:
    """The cache's database, with nobody else writing it: beside a build that is, a cache in memory. One that cannot be read is thrown away."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    file = sqlite3.connect(path or ":memory:", timeout=0.1)
    try:
        file.execute("pragma page_size = 16384")  # notes have some thousand bytes: with smaller pages most would lie in several
        file.execute("pragma journal_mode = wal")  # so that the processes of one build can read beside it
        file.execute("pragma synchronous = off")
        file.execute("create table if not exists piece (key text primary key, content blob, sum integer)")
        file.execute("select key, content, sum from piece limit 0")  # an older version's table is none of ours
        file.execute("begin immediate")
    except sqlite3.DatabaseError as error:
        file.close()
        if "locked" in str(error):
            return _writing(None)
        _unlink(path)
        return _writing(path)
    return path, file


def _reading(path: Path | None) -> sqlite3.Connection:
    """The cache's database as it stood when its writer opened it; an empty one where it cannot be read."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro" if path else ":memory:", timeout=0.1, uri=True)


def _unlink(path: Path | None) -> None:
    for suffix in ("", "-wal", "-shm") if path else ():
        with suppress(FileNotFoundError):
            os.unlink(f"{path}{suffix}")
