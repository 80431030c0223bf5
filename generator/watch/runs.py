"""Executes what the cards wait for, one run after another, in a process beside the server.

In: the runs that are due, whenever they change. Out: records, which the server sees as it sees every file, and what failed. A run
that was tried is not tried again until it, or its kernel, is another one.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from generator.keep.order import Order
from generator.keep.stamp import PACKAGE
from generator.notes import Run, call
from generator.problems import Place, Problem
from generator.resolve.wanted import Wanted, lines
from kernels.key import code_of

# Not -m, which looks in the working folder first, where a deck has a folder of that name:
START = """
import sys; sys.path[0] = sys.argv.pop(1)
from kernels.worker import end_with; end_with(int(sys.argv.pop(1)))
from kernels.__main__ import main; sys.exit(main())
"""


class _Case(NamedTuple):
    """A run as it stands: another one once a parameter, or the source that its numbers depend on, has changed."""

    name: str
    line: str
    call: str
    place: Place


class Background:
    """A thread that executes runs. tell: hears which run is being executed, and which failed."""

    def __init__(self, order: Order, tell: Callable[[str, Sequence[Problem]], None]):
        self._order, self._tell = order, tell
        self._news = threading.Condition()
        self._due: dict[str, _Case] = {}
        self._devices: Sequence[str] = ()
        self._tried: dict[str, Problem | None] = {}
        self._running: tuple[_Case, subprocess.Popen[str]] | None = None
        self._ended = False
        self._life = os.pipe()  # whose other end closes with this process, however it ends
        self._thread = threading.Thread(target=self._work, daemon=True)

    def want(self, due: Sequence[Wanted], devices: Sequence[str]) -> None:
        """These are the runs now, and the devices to measure on. One that is being executed and is not among them is killed."""
        with self._news:
            self._due, self._devices = {case.name: case for case in map(_case, due)}, devices
            self._tried = {name: problem for name, problem in self._tried.items() if name in self._due}
            if self._running and self._running[0].name not in self._due:
                self._kill()
            self._news.notify_all()
            if self._thread.ident is None:  # not before: the first build may use several processes
                self._thread.start()
        self._say()

    def end(self) -> None:
        """Kills what is being executed, and executes nothing more."""
        with self._news:
            self._ended = True
            self._kill()
            self._news.notify_all()

    def _work(self) -> None:
        while running := self._start():
            self._say()
            case, process = running
            said = process.communicate(case.line)[1]
            with self._news:
                if self._running:  # else it was killed, and may be wanted again
                    self._tried[case.name] = _problem(case, said) if process.returncode else None
                self._running = None
            self._say()

    def _start(self) -> tuple[_Case, subprocess.Popen[str]] | None:
        """The next run, begun as soon as there is one; None at the end."""
        with self._news:
            self._news.wait_for(lambda: self._ended or self._due.keys() - self._tried.keys())
            if self._ended:
                return None
            case = next(case for name, case in self._due.items() if name not in self._tried)
            asked = ["record", "-", *_options(self._order, self._devices)]
            command = [sys.executable, "-c", START, os.path.dirname(PACKAGE), str(self._life[0]), *asked]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "pass_fds": self._life[:1]}
            self._running = case, subprocess.Popen(command, text=True, start_new_session=True, **pipes)  # type: ignore[call-overload]
            return self._running

    def _kill(self) -> None:
        if self._running:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._running[1].pid, signal.SIGKILL)  # its worker sees that it is gone, and ends
            self._running = None

    def _say(self) -> None:
        with self._news:
            running = self._running[0].call if self._running else ""
            failed = [problem for problem in self._tried.values() if problem]
        self._tell(running, failed)


def _options(order: Order, devices: Sequence[str]) -> list[str]:
    """As the Makefile has them: a personal deck's records stay under the build."""
    deck = ["--deck", str(order.cards)]
    if not order.published:
        return [*deck, "--device", "this", "--records", str(order.roots[0])]
    return [*deck, "--device", ",".join(devices)]


def _case(run: Wanted) -> _Case:
    path, _, number = run["cards"][0].rpartition(":")
    place = Place(path, int(number))
    line = next(iter(lines([run])))
    name = json.dumps([run["kernel"], run["parameters"], code_of(run["kernel"])], sort_keys=True)
    return _Case(name, line, call(Run("", run["kernel"], run["parameters"], place)), place)


def _problem(case: _Case, said: str) -> Problem:
    """What a run that failed said on its way: its reason stands behind "failed:", else in the last line."""
    found = re.search(r" failed: (.*?)(?: \(wanted by .*\))?$", said, re.MULTILINE)
    why = found[1] if found else said.strip().rpartition("\n")[2] or "it ended without a word"
    return Problem(case.place, f"{case.call} failed: {why}", "it is tried again once it, or its kernel, is changed")
