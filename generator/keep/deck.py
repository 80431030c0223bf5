"""The whole deck: the folder read, each file of cards made or found as it was, what holds between files judged.

In: the folder of cards and where records lie. Out: a Built, or every problem of every file at once.
"""

from __future__ import annotations

import hashlib
import os
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from generator.keep import sheets
from generator.keep.cache import Cache, key
from generator.keep.files import Files
from generator.keep.looks import types_of
from generator.keep.sheets import Circumstances, Kept
from generator.keep.stamp import folders
from generator.keep.topics import topics_of
from generator.look.notetypes import NoteType
from generator.notes import Deck, Entry, Sheet
from generator.pack.package import LEVEL, Contents, deflated
from generator.problems import DeckError, Place, Problem
from generator.read.folder import Frame, Source, check_ids, frame, limited
from generator.resolve.wanted import Wanted, merged
from kernels.home import Home, home_of, keep_in, use
from kernels.parts import without_ctrl_c

WORTH = 8  # files to be made for which a second process pays


class Built(NamedTuple):
    """A deck, each of its files made.

    deck: without its notes, which are the entries of the sheets. cache: holds their text and media. code: the hash of what made them.
    """

    deck: Deck
    types: Mapping[str, NoteType]
    sheets: tuple[Sheet, ...]
    cache: Cache
    code: str

    @property
    def entries(self) -> list[Entry]:
        """The notes in reading order."""
        return [entry for sheet in self.sheets for entry in sheet.entries]

    @property
    def withheld(self) -> list[Entry]:
        """The notes that wait for a result, and are not packed, in reading order."""
        return [entry for sheet in self.sheets for entry in sheet.withheld]

    @property
    def notices(self) -> list[Problem]:
        """What the author may now write: verdicts of open claims."""
        return sorted({notice for sheet in self.sheets for notice in sheet.notices})

    def texts(self, notes: Sequence[Entry]) -> Iterator[bytes]:
        """The fields of each note as Anki joins them, in UTF-8."""
        return sheets.texts(notes, self.cache)

    def media(self, name: str) -> bytes:
        return self.cache.need(f"media:{name}")

    @property
    def contents(self) -> Contents:
        return Contents(self.texts, self.media, self._deflated)

    def _deflated(self, content: bytes) -> bytes:
        made_by = f"deflated:{LEVEL}:{zlib.ZLIB_RUNTIME_VERSION}:"
        return self.cache.kept(made_by + hashlib.sha256(content).hexdigest()[:32], lambda: deflated(content))


def build(
    cards: Path,
    cache: Cache,
    devices: Sequence[str] | None = None,
    roots: Sequence[Path] = (),
    files: Files | None = None,
    circumstances: Sequence[str] = (),
    jobs: int = 1,
    only: Sequence[Path] = (),
    home: Home | None = None,
) -> Built:
    """Reads, resolves and renders what changed since the cache was saved. Raises DeckError with every problem.

    devices: in place of deck.yml's. files: what lies in `stamp.folders`. circumstances: what the deck depends on besides them. jobs: processes.
    only: these files of cards alone, where there are any. home, roots: what the deck has of its own, and the records that count, if not as
    deck.yml says.
    """
    under = circumstances_of(cards, cache, devices, roots, files, circumstances, home)
    if only:
        under = under._replace(around=under.around._replace(sources=_chosen(under.around, only)))
    built, problems = sound(under, cache, jobs)
    if problems:
        if not under.files.moved():
            cache.save()  # the sound files need not be made again
        raise DeckError(limited(problems))
    return built


def sound(
    under: Circumstances, cache: Cache, jobs: int = 1, known: dict[str, Kept] | None = None, pause: Callable[[], None] = lambda: None
) -> tuple[Built, list[Problem]]:
    """The deck without the files that have problems; and every problem, those of the folder among them.

    known: as `sheets.kept` has it. pause: called after each file; what it raises ends the work.
    """
    around, outcomes = under.around, []
    for outcome in _made(around.sources, under, cache, jobs, known):
        outcomes.append(outcome)
        pause()
    problems = [*around.problems, *(problem for _, found in outcomes for problem in found)]
    problems += check_ids({sheet.path: (sheet.ids, sheet.retired) for sheet, _ in outcomes})
    done = tuple(sheet for sheet, found in outcomes if not found)
    problems += _check_guids(entry for sheet in done for entry in (*sheet.entries, *sheet.withheld))
    retired = {id: reason for sheet in done for id, (reason, _) in sheet.retired.items()}
    deck = around.deck((), retired, [warning for sheet in done for warning in sheet.warnings])
    return Built(deck, around.types, done, cache, under.code), problems


def _check_guids(entries: Iterable[Entry]) -> Iterator[Problem]:
    """A problem for each note that another one's GUID was given to: Anki would take the two for one."""
    first: dict[str, Entry] = {}
    for entry in entries:
        if (other := first.setdefault(entry.guid, entry)) is not entry and other.id != entry.id:  # of one id, which is told already
            yield Problem(entry.place, f"the GUID {entry.guid!r} is taken", f"by the note at {other.place}")


def _chosen(around: Frame, only: Sequence[Path]) -> tuple[Source, ...]:
    lie = {source.path.resolve(): source for source in around.sources}
    unknown = [path for path in only if path.resolve() not in lie]
    if unknown:
        raise DeckError([Problem(Place(path.as_posix()), "this is no file of cards of the deck", f"they lie in {around.shown}/") for path in unknown])
    return tuple(lie[path.resolve()] for path in only)


def wanted_runs(
    cards: Path,
    cache: Cache,
    devices: Sequence[str] | None = None,
    roots: Sequence[Path] = (),
    files: Files | None = None,
    circumstances: Sequence[str] = (),
    home: Home | None = None,
) -> list[Wanted]:
    """The runs that a kernel has to execute, each once. Raises DeckError as reading does."""
    under = circumstances_of(cards, cache, devices, roots, files, circumstances, home)
    outcomes = [sheets.wanted(source, under, cache) for source in under.around.sources]
    problems = [*under.around.problems, *(problem for _, found in outcomes for problem in found)]
    if problems:
        raise DeckError(limited(problems))
    return merged(run for found, _ in outcomes for run in found)


def circumstances_of(
    cards: Path,
    cache: Cache,
    devices: Sequence[str] | None,
    roots: Sequence[Path],
    files: Files | None,
    circumstances: Sequence[str],
    home: Home | None = None,
) -> Circumstances:
    """What all files of the deck share. From here on this process has the deck's own kernels and units at hand."""
    home = home or home_of(cards)
    use(home)
    roots = tuple(roots) or (home.records,)
    files = files or Files(folders(cards, home, roots))
    code = sheets.code(files, [*circumstances, *home.units])
    _keep_in(cache, code)
    around = frame(cards, partial(types_of, cache, files, code), lambda text, path: topics_of(text, path, cache, code))
    around = around._replace(problems=(*around.problems, *_clashes(home)))
    return Circumstances(around, tuple(around.settings.devices if devices is None else devices), roots, files, code, home).and_shared()


def _keep_in(cache: Cache, code: str) -> None:
    """Lets the cache have what kernels declare and formulas give, which a process that asks for neither need not know."""

    def keep(about: Sequence[Any], make: Callable[[], bytes]) -> bytes:
        return make() if cache.closed else cache.kept(key(*about, code), make)

    keep_in(keep)


def _clashes(home: Home) -> Iterator[Problem]:
    """Names of the deck's own kernels that stand for another file as well."""
    if home.kernels is None or not home.kernels.is_dir():
        return
    from kernels import catalogue

    for path, message in catalogue.clashes().items():
        if path.is_relative_to(home.kernels):
            yield Problem(Place(os.path.relpath(path)), message)


# ---------------------------------------------------------------------------------------- one process or several


def _made(
    sources: Sequence[Source], under: Circumstances, cache: Cache, jobs: int, known: dict[str, Kept] | None
) -> Iterator[tuple[Sheet, tuple[Problem, ...]]]:
    """What each file came to, in order."""
    found = {source.shown: sheets.kept(source, under, cache, known) for source in sources}
    due = [source for source in sources if found[source.shown] is None]
    made = _by_many(due, under, cache, jobs) if jobs > 1 and len(due) >= WORTH else (sheets.made(source, under, cache) for source in due)
    for source in sources:
        sheet = found[source.shown]
        yield (sheet, ()) if sheet else next(made)


def _by_many(due: Sequence[Source], under: Circumstances, cache: Cache, jobs: int) -> Iterator[tuple[Sheet, tuple[Problem, ...]]]:
    """The same by several processes. Each makes whole files; this one alone writes the cache."""
    import multiprocessing

    with without_ctrl_c():
        pool = multiprocessing.Pool(min(jobs, len(due)), _begin, (under, cache.path))
    with pool:
        for outcome, pieces, spoilt in pool.imap(_work, due):
            for name, content in pieces.items():
                cache.put(name, content)
            cache.spoilt = cache.spoilt or spoilt
            yield outcome


def _begin(under: Circumstances, path: Path | None) -> None:
    global _beside
    threading.Thread(target=_end_with_the_build, daemon=True).start()
    use(under.home)
    _beside = under, Cache(path, reads_only=True)
    _keep_in(_beside[1], under.code)


def _end_with_the_build() -> None:
    """A pool's process waits for ever for one that was killed."""
    from multiprocessing import connection, parent_process

    parent = parent_process()
    if parent:
        connection.wait([parent.sentinel])
        os._exit(1)


def _work(source: Source) -> tuple[tuple[Sheet, tuple[Problem, ...]], dict[str, bytes], str]:
    under, cache = _beside
    outcome, pieces = sheets.made(source, under, cache), dict(cache.made)
    cache.made.clear()
    return outcome, pieces, cache.spoilt


_beside: tuple[Circumstances, Cache]  # of a process that helps
