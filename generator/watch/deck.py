"""The deck as it stands on disk, made again where it changed, in a process that lives on.

In: an Order. Out: one State after another. A file that has a problem keeps the cards that it last gave; where what stands around
the files is broken (deck.yml, a folder), all cards stay.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from generator.keep.cache import Cache, Damaged, with_cache
from generator.keep.deck import Built, circumstances_of, sound
from generator.keep.files import Files, Stat
from generator.keep.order import Order
from generator.keep.sheets import Kept, live
from generator.keep.shown import looks, shown
from generator.look.notetypes import note_types
from generator.notes import Sheet
from generator.pack import lock
from generator.problems import DeckError, Place, Problem
from generator.read.folder import limited
from generator.resolve.wanted import due, merged
from generator.show.preview import shell, styles_of, told
from generator.watch import renewal
from generator.watch.runs import Background
from generator.watch.state import State
from kernels.machine import may_have_gpu

TRIES = 4  # builds of files that change under every one of them, before one is shown all the same
REMEMBERED = 16  # states that a page may come back with and be told the difference


class Live:
    """The deck, for any number of threads. now: the clock. restart: starts this program anew, whose code has changed. run: executes what is due."""

    def __init__(self, order: Order, now: Callable[[], int], restart: Callable[[], object], run: bool = False):
        self.order, self._now, self._restart = order, now, restart
        self.media: Mapping[str, bytes] = {}
        self._background = Background(order, self._tell) if run else None
        self._session = secrets.token_hex(4)
        self._states = deque([State()], REMEMBERED)
        self._news = threading.Condition()
        self._building = threading.Lock()
        self._files: Files | None = None  # as they were last looked at
        self._built: Mapping[str, Stat] | None = None  # as they were when what is shown was built
        self._outdated: set[str] = set()
        self._known: dict[str, Kept] = {}
        self._good: dict[str, tuple[Sheet, str, list[str]]] = {}  # path -> the sheet that it last gave, what its notes look like, the notes
        self._accepted: set[str] | None = None  # measurements that were missing from the start: no edit made them wait

    # ------------------------------------------------------------------------------------------- for pages

    @property
    def state(self) -> State:
        return self._states[-1]

    def mark(self, state: State) -> str:
        """What a page names a state by, in this process alone."""
        return f"{self._session}-{state.number}"

    def marked(self, mark: str) -> State | None:
        """The state of that mark, if it is remembered."""
        with self._news:
            return next((state for state in self._states if self.mark(state) == mark), None)

    def after(self, state: State | None, seconds: float) -> State:
        """The newest state, as soon as it is another one, or when the time is over."""
        with self._news:
            self._news.wait_for(lambda: self.state is not state, seconds)
            return self.state

    def end(self) -> None:
        """Kills what is being executed."""
        if self._background:
            self._background.end()

    def _tell(self, running: str, failed: Sequence[Problem]) -> None:
        self._show(lambda last: replace(last, running=running, failed=tuple(failed)))

    def _show(self, make: Callable[[State], State]) -> None:
        with self._news:
            last = self.state
            now = replace(make(last), number=last.number)
            if now != last:
                self._states.append(replace(now, number=last.number + 1))
                self._news.notify_all()

    # ------------------------------------------------------------------------------------------- building

    def refresh(self, jobs: int = 1) -> State:
        """The state of the files as they are when this is called, or later. jobs: processes, where no other thread runs yet."""
        with self._building:
            for left in reversed(range(TRIES)):
                if not self._renew(jobs, last_try=left == 0):
                    break
        return self.state

    def _renew(self, jobs: int, last_try: bool) -> bool:
        """Builds and shows if a file changed; whether to look once more, since files changed meanwhile."""
        files = Files(self.order.folders, self._files.table() if self._files else None)
        if files.stats == self._built:
            return False
        changed = _differing(self._files.stats, files.stats) if self._files else set()
        self._files, self._built = files, None
        renewal.forget(changed)
        self._outdated.update(renewal.outdated(changed))
        make = self._anew() if self._outdated else self._next(files, jobs)
        if files.moved() and not last_try:
            return True
        self._built = files.stats
        self._show(make)
        return False

    def _anew(self) -> Callable[[State], State]:
        """Starts this program again, or says why it would not start."""
        problems = renewal.broken(sorted(self._outdated))
        if not problems:
            self.end()
            self._restart()
        return _with(problems)

    def _next(self, files: Files, jobs: int) -> Callable[[State], State]:
        """What the next state is, given the last one."""
        try:
            return with_cache(self.order.cache, lambda cache: self._made(cache, files, jobs))
        except DeckError as error:
            return _with(error.problems)
        except Exception as error:  # a template or a kernel that is half written must not end the server
            if not files.moved():
                traceback.print_exc()
            return _with([_fault(error)])

    def _made(self, cache: Cache, files: Files, jobs: int) -> Callable[[State], State]:
        order = self.order
        try:
            under = circumstances_of(order.cards, cache, order.devices, order.roots, files, order.circumstances)
            built, problems = sound(under, cache, jobs, known=self._known)
            if under.around.problems:
                return _with(limited(problems))
            notes, sheets = self._notes(built, [source.shown for source in under.around.sources])
        except Damaged:
            self._known.clear()  # another cache takes this one's place, and holds nothing that they stand on
            raise
        refused: list[Problem] = []
        entries = [entry for sheet in sheets for entry in sheet.entries]
        update = lock.update(lock.load(order.lock, refused), built.deck, entries, note_types(), self._now(), order.lock.as_posix())
        if not files.moved():
            cache.save(lambda: live(sheets))
        around = shell(live=True)
        if self._background:
            self._background.want(due(merged(run for sheet in sheets for run in sheet.wanted), may_have_gpu()), under.devices)
        about = {
            "name": built.deck.name,
            "version": built.deck.version,
            "cards": sum(len(entry.cards) for entry in entries),
            **styles_of({type: note_types()[type] for type in sorted({entry.type for entry in entries})}),
            "statuses": told(update.statuses),
            "waiting": self._waiting(sheets),
            "problems": tuple(limited([*problems, *refused, *update.problems])),
            "page": hashlib.sha256("\0".join(vars(around).values()).encode()).hexdigest()[:16],
        }
        return lambda last: replace(last, notes=notes, **about)  # type: ignore[arg-type]

    def _notes(self, built: Built, paths: Sequence[str]) -> tuple[dict[str, str], list[Sheet]]:
        """The notes as the page has them, and their sheets: of a file with a problem those of its last good sheet."""
        sheets = {sheet.path: sheet for sheet in built.sheets}
        for path in self._good.keys() - set(paths):
            del self._good[path]
        alike = looks(built)
        for path, sheet in sheets.items():
            found = self._good.get(path)
            if found is None or found[0] is not sheet or found[1] != alike:
                self._good[path] = sheet, alike, shown(sheet, built)
        good = [self._good[path] for path in paths if path in self._good]
        names = {name for sheet, _, _ in good for entry in sheet.entries for name in entry.media}
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


def _differing(old: Mapping[str, Stat], new: Mapping[str, Stat]) -> set[str]:
    return {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}


def _with(problems: Sequence[Problem]) -> Callable[[State], State]:
    return lambda last: replace(last, problems=tuple(problems))


def _fault(error: Exception) -> Problem:
    """An error that is nobody's card: at its own place where it has one, else at the last line of ours, or of a kernel's, that it came through."""
    path, line = getattr(error, "filename", None), getattr(error, "lineno", None)
    if not path or not line:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if renewal.is_ours(frame.filename)]
        path, line = (ours or frames)[-1].filename, (ours or frames)[-1].lineno
    return Problem(Place(os.path.relpath(path), line or 1), f"{type(error).__name__}: {error}", "the terminal tells more")
