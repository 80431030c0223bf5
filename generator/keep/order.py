"""What a command is asked for: where the cards lie and where what is built goes; and so all that a build reads."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from generator.keep import stamp
from generator.keep.files import LOCK, Files
from generator.keep.stamp import RECORDS, Stamp
from kernels.gpu import may_have_gpu


class Order:
    """Where the cards lie and where what is built goes.

    quoting: "published" (deck.yml's devices), "this" (those of the machine at hand) or "rehearsal" (times that mean nothing, to look at); the
    records and the lock of the last two stay under the build.
    """

    def __init__(self, cards: Path, build: Path, quoting: str = "published", jobs: int = 1):
        self.cards, self.build, self.quoting, self.jobs = cards, build, quoting, jobs

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
    def roots(self) -> tuple[Path, ...]:
        if self.published:
            return (RECORDS,)
        return ((self.build if self.quoting == "this" else self.build / "rehearsal") / "records", RECORDS)

    @property
    def folders(self) -> tuple[str, ...]:
        """All that a build reads: the cards, the records, our code and the laboratory's."""
        return stamp.folders(self.cards, self.roots)

    @property
    def lock(self) -> Path:
        return (self.cards if self.published else self.build) / LOCK

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
        return self.build / "cache" / f"{self.quoting}{suffix}"
