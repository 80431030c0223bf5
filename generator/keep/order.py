"""What a command is asked for: where the cards lie and where what is built goes; and so all that a build reads."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from generator.keep import stamp
from generator.keep.files import LOCK, Files
from generator.keep.stamp import RECORDS, Stamp
from kernels.gpu import may_have_gpu


class Order:
    """Where the cards lie and where what is built goes. this: quote this machine's GPU, and keep its records and lock under the build."""

    def __init__(self, cards: Path, build: Path, this: bool = False, jobs: int = 1):
        self.cards, self.build, self.this, self.jobs = cards, build, this, jobs

    @cached_property
    def devices(self) -> tuple[str, ...] | None:
        """The device classes to quote; None: deck.yml's."""
        if not self.this:
            return None
        from kernels.lab import devices

        return devices()

    @property
    def roots(self) -> tuple[Path, ...]:
        return (self.build / "records", RECORDS) if self.this else (RECORDS,)

    @property
    def folders(self) -> tuple[str, ...]:
        """All that a build reads: the cards, the records, our code and the laboratory's."""
        return stamp.folders(self.cards, self.roots)

    @property
    def lock(self) -> Path:
        return (self.build if self.this else self.cards) / LOCK

    @property
    def stamp(self) -> Path:
        return self._kept(".json")

    @property
    def cache(self) -> Path:
        return self._kept(".sqlite")

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

    def standing(self) -> Stamp | None:
        """The stamp of the last build, if another one would give the same."""
        return stamp.standing(self.stamp, self.before, self.files, self.circumstances)

    def _kept(self, suffix: str) -> Path:
        return self.build / "cache" / f"{'this' if self.this else 'published'}{suffix}"
