"""The deck as it stands on disk, made again where it changed, in a process that lives on.

In: an Order. Out: one State after another. A file that has a problem keeps the cards that it last gave; where what stands around
the files is broken (deck.yml, a folder), all cards stay as they are.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from generator.keep.cache import Cache, Damaged, with_cache
from generator.keep.deck import Built, circumstances_of, sound
from generator.keep.files import Files, Stat
from generator.keep.order import Order
from generator.keep.sheets import Circumstances, Kept
from generator.keep.shown import looks, shown
from generator.notes import Sheet
from generator.pack import lock
from generator.pack.package import media_of
from generator.problems import DeckError, Place, Problem
from generator.read.folder import limited
from generator.resolve.wanted import due, merged
from generator.show.preview import shell, styles_of, told
from generator.show.report import withheld_entry
from generator.watch import renewal
from generator.watch.board import Board
from generator.watch.runs import Background
from generator.watch.state import State
from kernels.gpu import may_have_gpu

TRIES = 4  # builds of files that change under every one of them, before one is shown all the same
LOOKS = 0.2  # seconds of a build between looks whether it is still worth going on
LOOKED_AT = 32  # notes that are made before the others
CARDS = (".md", ".markdown")  # at such a path stands the problem of one file, and not of what is around the others


class Live:
    """The deck, for any number of threads. now: the clock. restart: starts this program anew, whose code has changed. run: executes what is due."""

    def __init__(self, order: Order, now: Callable[[], int], restart: Callable[[], object], run: bool = False):
        self.order, self._now, self._restart = order, now, restart
        self.board = Board()
        self.media: Mapping[str, bytes] = {}
        self._background = Background(order, self._tell) if run else None
        self._looked: tuple[str, ...] = ()
        self._building = threading.Lock()
        self._files: Files | None = None  # as they were last looked at
        self._built: Mapping[str, Stat] | None = None  # as they were when what is shown was built
        self._outdated: set[str] = set()
        self._known: dict[str, Kept] = {}
        self._good: dict[str, tuple[Sheet, str, list[str]]] = {}  # path -> the sheet that it last gave, what its notes look like, the notes
        self._accepted: set[str] | None = None  # measurements that were missing from the start: no edit made them wait

    def look(self, ids: Sequence[str]) -> None:
        """Somebody looks at these notes: where an edit concerns many, they are shown before the others are made."""
        self._looked = tuple(dict.fromkeys((*ids, *self._looked)))[:LOOKED_AT]

    def end(self) -> None:
        """Kills what is being executed."""
        if self._background:
            self._background.end()

    def _tell(self, running: str, failed: Sequence[Problem]) -> None:
        self.board.show(lambda last: last._replace(running=running, failed=tuple(failed)))

    # ------------------------------------------------------------------------------------------- building

    def refresh(self, jobs: int = 1) -> State:
        """The state of the files as they are when this is called, or later. jobs: processes, where no other thread runs yet."""
        with self._building:
            for left in reversed(range(TRIES)):
                if not self._renew(jobs, last_try=left == 0):
                    break
        return self.board.state

    def _renew(self, jobs: int, last_try: bool) -> bool:
        """Builds and shows if a file changed; whether to look once more, since files changed meanwhile."""
        files = Files(self.order.folders, self._files.table() if self._files else None)
        if files.stats == self._built:
            return False
        changed = _differing(self._files.stats, files.stats) if self._files else set()
        self._files, self._built = files, None
        renewal.forget(changed)
        self._outdated.update(renewal.outdated(changed))
        try:
            make = self._anew() if self._outdated else self._next(files, jobs, last_try)
        except _Moved:
            return True
        if files.moved() and not last_try:
            return True
        self._built = files.stats
        self.board.show(make)
        return False

    def _anew(self) -> Callable[[State], State]:
        """Starts this program again, or says why it would not start."""
        problems = renewal.broken(sorted(self._outdated))
        if not problems:
            self.end()
            self._restart()
        return _with(problems)

    def _next(self, files: Files, jobs: int, last_try: bool) -> Callable[[State], State]:
        """What the next state is, given the last one."""
        pause = _nothing if last_try else _Impatient(files)
        try:
            return with_cache(self.order.cache, lambda cache: self._made(cache, files, jobs, pause))
        except _Moved:
            raise
        except DeckError as error:
            return _with(error.problems)
        except Exception as error:  # a template or a kernel that is half written must not end the server
            if not files.moved():
                traceback.print_exc()
            return _with([_fault(error)])

    def _made(self, cache: Cache, files: Files, jobs: int, pause: Callable[[], None]) -> Callable[[State], State]:
        order = self.order
        try:
            under = circumstances_of(order.cards, cache, order.devices, order.roots, files, order.circumstances, order.home)
            self._show_first(under, cache)
            built, problems = sound(under, cache, jobs, self._known, pause)
            if any(not problem.place.path.endswith(CARDS) for problem in under.around.problems):
                return _with(limited(problems))
            notes, sheets = self._notes(built, self._paths(under), pause)
        except Damaged:
            self._known.clear()  # another cache takes this one's place, and holds nothing that they stand on
            raise
        refused: list[Problem] = []
        entries = [entry for sheet in sheets for entry in sheet.entries]
        withheld = [entry for sheet in sheets for entry in sheet.withheld]
        old, away = lock.load(order.lock, refused), [entry.id for entry in withheld]
        update = lock.update(old, built.deck, entries, built.types, self._now(), order.lock.as_posix(), away)
        if not files.moved():
            cache.save()  # who packs nothing knows not what is old
        around = shell(live=True)
        if self._background:
            self._background.want(due(merged(run for sheet in sheets for run in sheet.wanted), may_have_gpu()), under.devices)
        about: dict[str, Any] = {
            "name": built.deck.name,
            "version": built.deck.version,
            "cards": sum(len(entry.cards) for entry in entries),
            **styles_of(built.types),
            "statuses": told(update.statuses),
            "withheld": tuple(map(withheld_entry, withheld)),
            "waiting": self._waiting(sheets),
            "problems": tuple(limited([*problems, *refused, *update.problems])),
            "page": hashlib.sha256("\0".join(around).encode()).hexdigest()[:16],
        }
        return lambda last: last._replace(notes=notes, **about)

    def _show_first(self, under: Circumstances, cache: Cache) -> None:
        around, looked = under.around, set(self._looked)
        seen = {path for path, (sheet, _, _) in self._good.items() if any(entry.id in looked for entry in sheet.entries)}
        sources = tuple(source for source in around.sources if source.shown in seen)
        built, problems = sound(under._replace(around=around._replace(sources=sources)), cache, known=self._known)
        if sources and not problems:
            notes, _ = self._notes(built, self._paths(under), _nothing)
            self.board.show(lambda last: last._replace(notes=notes, styles=styles_of(built.types)["styles"]))

    def _paths(self, under: Circumstances) -> list[str]:
        """The files whose cards are shown: also those of one that is none any more, a pipe in its place, say, until it goes."""
        paths = [source.shown for source in under.around.sources]
        return [*paths, *sorted({problem.place.path for problem in under.around.problems} & self._good.keys() - set(paths))]

    def _notes(self, built: Built, paths: Sequence[str], pause: Callable[[], None]) -> tuple[dict[str, str], list[Sheet]]:
        """The notes as the page has them, and their sheets: of a file with a problem those of its last good sheet."""
        sheets = {sheet.path: sheet for sheet in built.sheets}
        for path in self._good.keys() - set(paths):
            del self._good[path]
        alike = looks(built)
        for path, sheet in sheets.items():
            found = self._good.get(path)
            if found is None or found[0] is not sheet or found[1] != alike:
                self._good[path] = sheet, alike, shown(sheet, built)
                pause()
        good = [self._good[path] for path in paths if path in self._good]
        names = media_of([entry for sheet, _, _ in good for entry in sheet.entries], built.types)
        self.media = {name: self.media.get(name) or built.media(name) for name in names}
        notes: dict[str, str] = {}
        for sheet, _, texts in good:
            for entry, text in zip(sheet.entries, texts):
                notes.setdefault(entry.id, text)
        return notes, [sheet for sheet, _, _ in good]

    def _waiting(self, sheets: Sequence[Sheet]) -> dict[str, list[str]]:
        """Note id -> the runs that it waits for: simulations, which any machine executes, and measurements that an edit asks for."""
        runs = [run for sheet in sheets for run in sheet.runs if run["state"] in ("missing", "stale")]
        measured = {run["call"] for run in runs if run["kind"] == "measurement"}
        if self._accepted is None:
            self._accepted = measured
        self._accepted &= measured
        waiting: dict[str, list[str]] = {}
        for run in runs:
            for id in run["notes"] if run["call"] not in self._accepted else ():
                waiting.setdefault(id, []).append(run["call"])
        return waiting


class _Moved(Exception):
    """Files changed while a build was under way, so that another one is due."""


class _Impatient:
    """Raises _Moved once files have changed, looking now and then."""

    def __init__(self, files: Files):
        self.files, self.next = files, time.monotonic() + LOOKS

    def __call__(self) -> None:
        if time.monotonic() > self.next:
            if self.files.moved():
                raise _Moved
            self.next = time.monotonic() + LOOKS


def _nothing() -> None:
    """What a build that nothing ends does between two files."""


def _differing(old: Mapping[str, Stat], new: Mapping[str, Stat]) -> set[str]:
    return {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}


def _with(problems: Sequence[Problem]) -> Callable[[State], State]:
    return lambda last: last._replace(problems=tuple(problems))


def _fault(error: Exception) -> Problem:
    """An error that is nobody's card: at its own place where it has one, else at the last line of ours, or of a kernel's, that it came through."""
    path, line = getattr(error, "filename", None), getattr(error, "lineno", None)
    if not path or not line:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if renewal.is_ours(frame.filename)]
        path, line = (ours or frames)[-1].filename, (ours or frames)[-1].lineno
    return Problem(Place(os.path.relpath(path), line or 1), f"{type(error).__name__}: {error}", "the terminal tells more")
