"""What a person sees while runs execute: the recording's events in, lines or a bar on standard error out."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from kernels.recording import Done, Report, Run


@contextlib.contextmanager
def reporting() -> Iterator[Report]:
    """Progress on standard error: a bar where rich is installed and a person looks, plain lines elsewhere."""
    if sys.stderr.isatty():
        try:
            from rich.console import Console
            from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
        except ImportError:
            pass
        else:
            columns = (SpinnerColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
            with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
                yield _Bar(progress)
            return
    lines = _Lines()
    try:
        yield lines
    finally:
        if lines.open:  # it was stopped
            print(file=sys.stderr)


class _Lines(Report):
    """[3/12] norm_bandwidth rows=8192 ... 2.1 s"""

    def __init__(self) -> None:
        self.open = ""

    def start(self, number: int, total: int, run: Run) -> None:
        self.open = f"[{number}/{total}] {run} ... "
        print(self.open, end="", file=sys.stderr, flush=True)

    def end(self, done: Done) -> None:
        text = _ended(done, head="" if self.open else f"{done.run}: ")
        self.open = ""
        if text:
            print(text, file=sys.stderr, flush=True)


class _Bar(Report):
    def __init__(self, progress: Any) -> None:
        self.progress, self.task, self.open = progress, None, ""

    def start(self, number: int, total: int, run: Run) -> None:
        if self.task is None:
            self.task = self.progress.add_task("", total=total)
        self.open = f"[{number}/{total}] {run} ... "
        self.progress.update(self.task, description=str(run), completed=number - 1)

    def end(self, done: Done) -> None:
        text = _ended(done, head=self.open or f"{done.run}: ")
        self.open = ""
        if text:
            self.progress.console.print(text, markup=False, highlight=False, soft_wrap=True)


def _ended(done: Done, head: str) -> str:
    """How a run ended, in a line, and for a failure the cards that wait for it and the end of what it printed."""
    if done.state == "fresh":
        return ""
    if done.state == "skipped":
        return f"{head}skipped: {done.message}"
    if done.state == "failed":
        cards = f" (wanted by {', '.join(done.run.cards)})" if done.run.cards else ""
        return f"{head}failed: {done.message}{cards}{indented(done.log)}"
    return f"{head}{done.seconds:.1f} s{', differs' if done.state == 'differs' else ''}"


def indented(log: str) -> str:
    """A worker's log as it stands below a message, each line on a new one behind a bar."""
    return "".join(f"\n    | {line}" for line in log.splitlines())
