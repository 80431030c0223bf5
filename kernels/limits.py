"""How long a worker may run: CPU time, which a busy machine does not stretch, and a far longer wait for what hangs without using any."""

from __future__ import annotations

import os
import queue
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 10.0  # seconds waited for each second of CPU time that a run may use
LEAST_WAIT = 300.0  # seconds that every run may take by the clock, but for those that are made while somebody waits
LOOKS = 1.0  # seconds between looks at a worker that has not answered


class LimitReached(Exception):
    """The worker reached a limit; the message says which."""


def wait(answers: queue.SimpleQueue[T], worker: int, limit: float, least: float = LEAST_WAIT) -> T:
    """The next answer of a worker. Raises LimitReached; the worker then still runs.

    limit: seconds of CPU time from now on, counted as `cpu_seconds` does. Besides, the worker may take ten times as long by the clock, and
    `least` seconds in any case; where there is no /proc, that is the only limit.
    """
    longest = max(PATIENCE * limit, least)
    end, pause, before = monotonic() + longest, min(limit, LOOKS), None
    while True:
        try:
            return answers.get(timeout=pause)
        except queue.Empty:
            used = cpu_seconds(worker)
            before = max(0.0, used - pause) if before is None else before
        if used - before > limit:
            raise LimitReached(f"it used more than its limit of {limit:g} s of CPU time and was killed")
        if monotonic() > end:
            raise LimitReached(f"it did not end within {longest:g} s, of which it used {used - before:.1f} s of CPU time, and was killed")


def cpu_seconds(worker: int) -> float:
    """The CPU time of a process and its descendants: of each that of its busiest thread, and that of its children that have ended.

    So a run on many cores counts as long as it would take by the clock of an idle machine, and not longer on more cores.
    """
    above, counted = parents(), {worker}
    while more := {process for process, parent in above.items() if parent in counted} - counted:
        counted |= more
    return sum(map(_of_process, counted)) / os.sysconf("SC_CLK_TCK") if above else 0.0


def parents() -> Mapping[int, int]:
    """The parent of each process; nothing where there is no /proc."""
    found = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit():
            try:
                found[int(name)] = int(_fields(Path("/proc", name, "stat"))[1])
            except (OSError, IndexError, ValueError):  # it is gone meanwhile
                pass
    return found


def _of_process(process: int) -> int:
    """In clock ticks; 0 for one that is gone meanwhile."""
    folder = Path("/proc", str(process))
    try:
        threads = [_times(thread / "stat") for thread in (folder / "task").iterdir()]
        ended = sum(_times(folder / "stat")[2:])
    except (OSError, ValueError):
        return 0
    return max((user + system for user, system, *_ in threads), default=0) + ended


def _times(stat: Path) -> tuple[int, ...]:
    """User and system time, and the same of children waited for: fields 14 to 17 of a stat file."""
    return tuple(map(int, _fields(stat)[11:15]))


def _fields(stat: Path) -> list[str]:
    """The fields from the third on, behind the second, which may hold blanks."""
    return stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
