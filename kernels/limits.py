"""How long a worker may run: CPU time, which a busy machine does not stretch, and a far longer wait for what hangs without using any."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

PATIENCE = 10.0  # seconds waited for each second of CPU time that a run may use
LEAST_WAIT = 300.0  # seconds that every run may take, whatever its limit


class LimitReached(Exception):
    """The worker reached a limit; the message says which."""


def wait(worker: subprocess.Popen[str], limit: float) -> int:
    """The exit code of a worker that leads its process group. Raises LimitReached; the worker then still runs.

    limit: seconds of CPU time, counted as `cpu_seconds` does. Besides, the worker may take ten times as long by the clock, and at
    least five minutes; where there is no /proc, that is the only limit.
    """
    longest = max(PATIENCE * limit, LEAST_WAIT)
    end, pause = monotonic() + longest, 0.05
    while True:
        try:
            return worker.wait(pause)
        except subprocess.TimeoutExpired:
            pause = min(2 * pause, 1.0)
        used = cpu_seconds(worker.pid)
        if used > limit:
            raise LimitReached(f"it used more than its limit of {limit:g} s of CPU time and was killed")
        if monotonic() > end:
            raise LimitReached(f"it did not end within {longest:g} s, of which it used {used:.1f} s of CPU time, and was killed")


def cpu_seconds(group: int) -> float:
    """The CPU time of a process group: of each process that of its busiest thread, and that of its children that have ended.

    So a run on many cores counts as long as it would take by the clock of an idle machine, and not longer on more cores.
    """
    return sum(_of_process(process) for process in _processes() if _group_of(process) == group) / os.sysconf("SC_CLK_TCK")


def _processes() -> Iterator[int]:
    try:
        yield from (int(name) for name in os.listdir("/proc") if name.isdigit())
    except FileNotFoundError:
        return


def _group_of(process: int) -> int | None:
    try:
        return os.getpgid(process)
    except (ProcessLookupError, PermissionError):
        return None


def _of_process(process: int) -> int:
    """In clock ticks; 0 for one that is gone meanwhile."""
    folder = Path("/proc", str(process))
    try:
        threads = [_times(thread / "stat") for thread in (folder / "task").iterdir()]
        ended = sum(_times(folder / "stat")[2:])
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return max((user + system for user, system, *_ in threads), default=0) + ended


def _times(stat: Path) -> tuple[int, ...]:
    """User and system time, and the same of children waited for: fields 14 to 17 of a stat file, whose second may hold blanks."""
    return tuple(map(int, stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[11:15]))
