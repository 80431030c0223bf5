"""What a command is asked for: where the cards lie and where what is built goes; and so all that a build reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from generator.keep import stamp
from generator.keep.files import LOCK, Files, hash_of
from generator.keep.stamp import Stamp
from kernels.files import can_write
from kernels.gpu import may_have_gpu
from kernels.home import DECK, RECORDS, Home, home_of
from kernels.parts import sweep


class Order:
    """Where the cards lie and where what is built goes.

    quoting: "published" (deck.yml's devices), "this" (those of the machine at hand) or "rehearsal" (times that mean nothing, to look at); the
    records and the lock of the last two stay under the build.
    """

    def __init__(self, cards: Path, build: Path, quoting: str = "published", jobs: int = 1):
        self.cards, self.build, self.quoting, self.jobs = cards, build, quoting, jobs
        self._home: tuple[list[Any], Home] | None = None

    @property
    def published(self) -> bool:
        return self.quoting == "published"

    @cached_property
    def devices(self) -> tuple[str, ...] | None:
        """The device classes to quote; None: deck.yml's."""
        if self.published:
            return None
        from kernels.lab import REHEARSAL, devices

        return tuple(device.device_class for device in devices()) if self.quoting == "this" else (REHEARSAL,)

    @property
    def home(self) -> Home:
        """What the deck has of its own, as deck.yml says now."""
        return self._at_home()[1]

    def _at_home(self) -> tuple[list[Any], Home]:
        """What tells which deck.yml it was, and what that one says: as the last build read it, where that was the same; YAML takes longer."""
        known = [os.path.abspath(self.cards), hash_of(os.path.join(self.cards, DECK))]
        if self._home is None or self._home[0] != known:
            kept = self.before.home if self.before else []
            self._home = known, _decoded(*kept[2:]) if kept[:2] == known else _read(self.cards)
        return self._home

    @property
    def roots(self) -> tuple[Path, ...]:
        if self.published:
            return (self.home.records,)
        return ((self.build if self.quoting == "this" else self.build / "rehearsal") / "records", self.home.records)

    @property
    def folders(self) -> tuple[str, ...]:
        """All that a build reads: the cards, the deck's own kernels, the records, our code and the laboratory's."""
        return stamp.folders(self.cards, self.home, self.roots)

    @property
    def lock(self) -> Path:
        return (self.cards if self.published else self.build) / LOCK

    @property
    def stamp(self) -> Path:
        return self._kept(".json")

    @property
    def cache(self) -> Path | None:
        """None where nothing can be kept, on a disk that only reads, say."""
        path = self._kept(".sqlite")
        return path if can_write(path) else None

    @cached_property
    def circumstances(self) -> list[str]:
        return stamp.circumstances(self.devices, may_have_gpu())

    @cached_property
    def before(self) -> Stamp | None:
        """The stamp of the last build."""
        return stamp.load(self.stamp)

    @cached_property
    def files(self) -> Files:
        """What lies in the folders, as it is when this is first asked for."""
        return Files(self.folders, self.before.files if self.before else None)

    def sweep(self) -> None:
        """Deletes what builds that were killed left where this one writes."""
        sweep(self.build, self.stamp.parent, self.lock.parent)

    def released(self, deck: int) -> Path:
        """What builds into this folder have seen released of a deck, by its id: a lock of releases alone."""
        return self.build / "released" / f"{deck}.lock"

    def wrote_last(self, path: Path) -> bool:
        """Whether a file is as the last build wrote it."""
        kept = self.before.wrote.get(os.fspath(path)) if self.before else None
        return kept is not None and hash_of(os.fspath(path)) == kept[4]

    def standing(self) -> Stamp | None:
        """The stamp of the last build, if another one would give the same."""
        return stamp.standing(self.stamp, self.before, self.files, self.circumstances)

    def _kept(self, suffix: str) -> Path:
        return self.build / "cache" / f"{self.quoting}{suffix}"

    def stamped(self, files: Files, wrote: Mapping[Path, str | None], said: str, due: Iterable[str], lacking: Iterable[str]) -> Stamp:
        """The stamp of a build that is finished."""
        known, home = self._at_home()
        return stamp.stamp_of(self.circumstances, files, wrote, said, due, lacking, self.before, [*known, *home])


def _read(cards: Path) -> Home:
    """What deck.yml says; of one that is broken, of which the reader tells, as if it said nothing."""
    from kernels.results import KernelError

    try:
        return home_of(cards)
    except KernelError:
        return Home(None, Path(os.path.normpath(cards / RECORDS)))


def _decoded(kernels: str | None, records: str, units: list[str]) -> Home:
    return Home(Path(kernels) if kernels else None, Path(records), tuple(units))
