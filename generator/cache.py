"""What an unchanged note and an unchanged figure cost nothing by: rendered HTML and drawn SVG, kept by the hash of all that made them.

Disposable: delete build/cache and the next build is slower and gives the same bytes. Entries that a build did not ask for
are dropped when it is saved.
"""

from __future__ import annotations

import functools
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from generator.figures import SHOWN, Figure
from generator.notes import Rendered, Resolved
from generator.resolve import FIGURE
from generator.stamp import GENERATOR, LIBRARIES, hash_of_file, version_of
from kernels.key import PACKAGE, files_of
from kernels.record import Result


class Cache:
    """Pieces of JSON by key, in one SQLite file. `path` None: nothing is kept."""

    def __init__(self, path: Path | None):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._file = _opened(path)
        self._asked: set[str] = set()

    def rendered(self, resolved: Resolved, make: Callable[[], Rendered | None]) -> Rendered | None:
        """The note as rendered before from the same values, or by `make` now; None (problems) is not kept."""
        key = _key("note", _seen_by_render(resolved))
        kept = self._get(key)
        if kept is not None:
            media = {name: self._media(name) for name in kept["media"]}
            if all(content is not None for content in media.values()):
                self._asked.update(_figures_in(resolved))
                clozes = {int(number): text for number, text in kept["clozes"].items()}
                note = resolved.note
                return Rendered(note.id, note.type, note.deck, note.tags, kept["fields"], media, tuple(kept["cards"]), clozes, resolved)  # type: ignore[arg-type]
        made = make()
        if made is not None:
            for name, content in made.media.items():
                self._put(f"media:{name}", content)
            self._put(
                key,
                _json({"fields": dict(made.fields), "media": list(made.media), "cards": list(made.cards), "clozes": dict(made.clozes)}),
            )
        return made

    def figure(self, result: Result, make: Callable[[Result], Figure]) -> Figure:
        """The figure as drawn before from the same result, or by `make` now."""
        key = _key("figure", _seen_by_figure(result))
        kept = self._get(key)
        if kept is not None:
            return Figure(kept["light"].encode(), kept["dark"].encode(), kept["alt"], kept["width"], kept["height"])
        made = make(result)
        self._put(key, _json({**asdict(made), "light": made.light.decode(), "dark": made.dark.decode()}))
        return made

    def save(self) -> None:
        """Keeps what this build asked for and drops the rest."""
        with suppress(sqlite3.DatabaseError):
            known = {key for (key,) in self._file.execute("select key from piece")}
            self._file.executemany("delete from piece where key = ?", [(key,) for key in sorted(known - self._asked)])
            self._file.commit()
        self._file.close()

    def keep(self) -> None:
        """Keeps what was made so far and drops nothing: for a build that its author's mistakes ended."""
        with suppress(sqlite3.DatabaseError):
            self._file.commit()
        self._file.close()

    def _get(self, key: str) -> Any:
        content = self._bytes(key)
        try:
            return None if content is None else json.loads(content)
        except ValueError:
            return None

    def _media(self, name: str) -> bytes | None:
        return self._bytes(f"media:{name}")

    def _bytes(self, key: str) -> bytes | None:
        self._asked.add(key)
        try:
            row = self._file.execute("select content from piece where key = ?", (key,)).fetchone()
        except sqlite3.DatabaseError:  # damaged, or another build is writing: it is only a cache
            return None
        return row[0] if row and isinstance(row[0], bytes) else None

    def _put(self, key: str, content: bytes) -> None:
        self._asked.add(key)
        with suppress(sqlite3.DatabaseError):
            self._file.execute("insert or replace into piece values (?, ?)", (key, content))


def _opened(path: Path | None) -> sqlite3.Connection:
    """The cache's database; one that cannot be read is thrown away, for it is only a cache."""
    file = sqlite3.connect(path or ":memory:", timeout=1)
    try:
        file.execute("create table if not exists piece (key text primary key, content blob)")
        if file.execute("pragma quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("damaged")
    except sqlite3.OperationalError:  # another build is writing
        file.close()
        return _opened(None)
    except sqlite3.DatabaseError:
        file.close()
        assert path is not None
        path.unlink()
        return _opened(path)
    return file


def _seen_by_render(resolved: Resolved) -> Any:
    """All that render looks at, and the bytes of the files that it reads."""
    note = resolved.note
    claims = [[j.claim.says, j.claim.under, j.claim.computed, j.claim.holds, j.verdict, j.shown, j.factor] for j in resolved.claims]
    results = {alias: None if result is None else _seen_by_figure(result) for alias, result in resolved.results.items()}
    made = {alias: [r.kind, r.made.get("device"), r.made.get("device_class")] for alias, r in resolved.results.items() if r is not None}
    source = {name: text.text for name, text in note.fields.items()}
    head = [note.id, note.type, note.deck, note.tags, source, str(note.directory)]
    rest = [resolved.expected, resolved.device, resolved.missing, [[device, dict(texts)] for device, texts in resolved.beside]]
    return [head, dict(resolved.fields), results, made, claims, rest, _images(resolved)]


def _images(resolved: Resolved) -> Sequence[str]:
    """The hash of every image in reach of a note that shows any: those under cards/."""
    if not any("![" in text.text.replace("![[", "") for text in resolved.note.fields.values()):
        return ()
    return _pictures(resolved.note.directory.parent)


@functools.cache
def _pictures(cards: Path) -> Sequence[str]:
    files = sorted(path for path in cards.rglob("*") if path.suffix[1:].lower() in SHOWN and path.is_file())
    return [f"{path.relative_to(cards).as_posix()} {_file_hash(path)}" for path in files]


def _figures_in(resolved: Resolved) -> Iterator[str]:
    """The keys of the figures that a note shows: kept for the day on which its text changes."""
    shown = "".join(resolved.fields.values())
    return (_key("figure", _seen_by_figure(result)) for alias, result in resolved.results.items() if result and FIGURE.format(alias) in shown)


def _seen_by_figure(result: Result) -> Any:
    return [result.kernel, dict(result.parameters), {name: asdict(output) for name, output in result.outputs.items()}, _drawing_code(result.kernel)]


@functools.cache
def _drawing_code(kernel: str) -> Sequence[str]:
    return [_file_hash(path) for path in files_of(kernel)]


@functools.cache
def _file_hash(path: Path) -> str:
    return hash_of_file(path)


@functools.cache
def _world() -> str:
    """The hash of the code that renders and draws, and of the versions of the libraries under it."""
    files = sorted(path for pattern in ("*.py", "look/**/*") for path in GENERATOR.glob(pattern) if path.is_file())
    hashes = [_file_hash(path) for path in (*files, PACKAGE / "plot.py")]
    return hashlib.sha256("\n".join([*hashes, *map(version_of, LIBRARIES)]).encode()).hexdigest()


def _key(kind: str, content: Any) -> str:
    return f"{kind}:{hashlib.sha256(_json([_world(), content])).hexdigest()}"


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be part of a key")
