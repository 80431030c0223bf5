"""Kernels as whoever asks for them has them: what they declare is here, and whatever executes a line of theirs does so in a worker.

In: a kernel's name. Out: a Kernel whose calls, figures and demands are answered by one worker, which lives on until a run spoils it or
the library changes; so no file of a deck can end, hang or garble the process that asks. A run that fails is not tried again before that.
What was declared and computed is kept where the compiler says (`use`), by all that it was made from: then no worker is asked.
"""

from __future__ import annotations

import contextlib
import dataclasses
import decimal
import gc
import locale
import os
import pickle
import random
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kernels import declare, library, units
from kernels.catalogue import Place
from kernels.declare import QUICK, Kernel
from kernels.demand import Device
from kernels.key import source_of
from kernels.results import KernelError, Result, RunError

if TYPE_CHECKING:
    from kernels.plot import Drawing
    from kernels.worker import Worker

IMPORT = 15.0  # seconds of CPU time that a kernel's file may take to be imported
PREPARING = 120.0  # the same for what is not the kernel's: matplotlib looks for fonts when it is first here
MEMORY = 4 * 2**30  # bytes of a worker's own data
DEATHS = 3  # of a kernel's workers, with values that nobody asked for, after which none is tried any more

Keep = Callable[[Sequence[Any], Callable[[], bytes]], bytes]  # what the parts of a key stand for, as it was made before or is made now


@dataclass(frozen=True, eq=False)
class Remote(Kernel):
    """A kernel that is executed in the worker. source: the digest of its files, words and figures too."""

    home: str = ""
    seeded: bool = False
    draws_figure: str = ""  # "plain", or "measured" where it draws a measurement beside
    invariant_names: tuple[str, ...] = ()
    source: str = ""

    def __call__(self, **given: Any) -> Result:
        return self.run(given)

    def run(self, given: Mapping[str, Any], timeout: float | None = None) -> Result:
        """What it gives with these parameters."""
        return _ask(self.name, timeout or self.timeout, _called, self.name, self.bind(given))

    def kept(self, given: Mapping[str, Any]) -> Result:
        """The same, as it was computed before by the same code, or now."""
        bound = self.bind(given)
        return _unpacked(_keep(("result", self.name, bound, self.source), lambda: pickle.dumps(self.run(bound), 5)))

    def instead(self, given: Mapping[str, Any]) -> Result:
        """The same with values that nobody asked for, to see what they change: where they kill one worker after another, they are let alone."""
        if _deaths.get(self.name, 0) >= DEATHS:
            raise RunError(f"{self.name} died of other values before")
        try:
            return self.run(given)
        except RunError:
            _deaths[self.name] = _deaths.get(self.name, 0) + (_worker is None)
            raise

    def drawn(self, result: Result, measured: Result | None = None) -> Drawing:
        _ask(self.name, PREPARING, _prepared)
        return _ask(self.name, QUICK, _drawn, self.name, result, measured)

    def expected(self, result: Result) -> float | None:
        return _ask(self.name, QUICK, _expected, self.name, result)

    def obstacle(self, parameters: Mapping[str, Any], device: Device) -> str:
        return _ask(self.name, QUICK, _obstacle, self.name, dict(parameters), device)

    @property
    def area(self) -> str:
        return self.home

    @property
    def takes_seed(self) -> bool:
        return self.seeded

    @property
    def has_figure(self) -> bool:
        return bool(self.draws_figure)

    @property
    def draws_measured(self) -> bool:
        return self.draws_figure == "measured"


def find(name: str) -> Remote:
    """The kernel of that name. Raises KernelError if there is none, or two, or its file cannot be imported."""
    _settle()
    place = declare.located(name)
    if name not in _found:
        _found[name] = _declared(name, place)
    found = _found[name]
    if isinstance(found, KernelError):
        raise found.with_traceback(None)
    return found


def _declared(name: str, place: Place) -> Remote | KernelError:
    try:
        source = source_of(name)
        found = _unpacked(_keep(("kernel", name, source), lambda: pickle.dumps(_request(IMPORT, _described, name), 5)))
    except RunError as error:
        return KernelError(f"{place} cannot be imported: {error}")
    except KernelError as error:
        return error
    return dataclasses.replace(found, source=source)


# ---------------------------------------------------------------------------------------------- this process

_lock = threading.RLock()  # of the worker: a server has many threads
_worker: Worker | None = None
_at: tuple[Any, ...] = ()  # the library and the units that all of this is of
_found: dict[str, Remote | KernelError] = {}
_failed: dict[bytes, RunError] = {}  # by the request
_deaths: dict[str, int] = {}
_imported: set[str] = set()  # by the worker


def _at_once(_: Sequence[Any], make: Callable[[], bytes]) -> bytes:
    return make()


_keep: Keep = _at_once


def use(keep: Keep | None) -> None:
    """From now on this keeps what is made, and has what was made before."""
    global _keep
    _keep = keep or _at_once


def forget() -> None:
    """Whoever asks next gets the files as they are."""
    global _worker
    with _lock:
        if _worker:
            _worker.end()
        _worker = None
        for known in (_found, _failed, _deaths, _imported):
            known.clear()


def _settle() -> None:
    global _at
    now = (tuple(map(os.path.abspath, library.__path__)), units.declared())
    if now != _at:
        forget()
        _at = now


def warm() -> None:
    """Loads in the worker what the first figure would wait for."""
    _settle()
    with contextlib.suppress(RunError):
        _request(PREPARING, _prepared)


def _ask(name: str, limit: float, function: Callable[..., Any], *arguments: Any) -> Any:
    """What the worker answers, which has the kernel imported before the time for it begins to run."""
    _settle()
    request = pickle.dumps((function, arguments), 5)
    with _lock:
        if request in _failed:
            raise _failed[request].with_traceback(None)
        try:
            if name not in _imported or _worker is None:
                _request(IMPORT, _described, name)
            return _request(limit, function, *arguments)
        except RunError as error:
            _failed[request] = error
            raise


def _request(limit: float, function: Callable[..., Any], *arguments: Any) -> Any:
    global _worker
    with _lock:
        if _worker is None:
            from kernels.worker import Worker

            _imported.clear()
            _worker = Worker(logged=False, least=0.0)
            _worker.ask(PREPARING, _at_home, *_at)
        try:
            answer = _worker.ask(limit, function, *arguments)
        finally:
            if _worker.ended:
                _worker = None
        if function is _described:
            _imported.add(*arguments)
        return answer


def _unpacked(content: bytes) -> Any:
    from kernels.worker import loaded

    return loaded(content)


def _leave() -> None:
    """In a process that was forked: the worker is the other one's."""
    global _worker, _lock
    _lock = threading.RLock()
    if _worker:
        _worker.leave()
    _worker = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave)


# ------------------------------------------------------------------------------------------------ in the worker


def _at_home(path: Sequence[str], words: Sequence[str]) -> None:
    global _as_before
    gc.set_threshold(100_000)  # as the compiler has it
    library.__path__[:] = path
    units.declare(words)
    _as_before = _AsBefore()
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most), most))


def _described(name: str) -> Remote:
    return without_code(declare.find(name))


def without_code(kernel: Kernel) -> Remote:
    """What a kernel declares, without its functions."""
    shared = {field.name: getattr(kernel, field.name) for field in dataclasses.fields(Kernel)}
    shared |= {"function": _nowhere, "drawing": {}, "predicting": {}, "invariants": []}
    shared |= {"parameters": dict(kernel.parameters), "outputs": dict(kernel.outputs), "bounds": dict(kernel.bounds)}
    rehearsal = {name: value if name in kernel.parameters else None for name, value in kernel.demand.rehearsal.items()}
    shared |= {"demand": dataclasses.replace(kernel.demand, memory=0, capability=0.0, formats=(), rehearsal=rehearsal)}
    figure = "measured" if kernel.draws_measured else "plain" if kernel.has_figure else ""
    return Remote(
        **shared,
        home=kernel.area,
        seeded=kernel.takes_seed,
        draws_figure=figure,
        invariant_names=tuple(holds.__name__ for holds in kernel.invariants),
    )


def _nowhere(**_: Any) -> Mapping[str, Any]:
    raise TypeError("a kernel's function is in the worker")


def _called(name: str, given: Mapping[str, Any]) -> Result:
    with _as_before:
        return declare.find(name)(**given)


def _drawn(name: str, result: Result, measured: Result | None) -> Drawing:
    with _as_before:
        return declare.find(name).drawn(result, measured)


def _expected(name: str, result: Result) -> float | None:
    with _as_before:
        expected = declare.find(name).expected(result)
        return None if expected is None else float(expected)


def _obstacle(name: str, parameters: Mapping[str, Any], device: Device) -> str:
    with _as_before:
        return declare.find(name).obstacle(parameters, device)


def _prepared() -> None:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    Figure().canvas = FigureCanvasSVG(Figure())


_CLOCKS = tuple(getattr(signal, name) for name in ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF") if hasattr(signal, name))


class _AsBefore:
    """What a run changes of its process is for the next one as it was at first."""

    def __init__(self) -> None:
        self.folder, self.environment, self.language = os.getcwd(), dict(os.environ), locale.setlocale(locale.LC_ALL)
        self.bare = _environment().copy()
        self.numbers, self.arithmetic, self.depth = random.getstate(), decimal.getcontext().copy(), sys.getrecursionlimit()
        self.streams, self.path = (sys.stdout, sys.stderr), list(sys.path)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        for clock in _CLOCKS:
            signal.setitimer(clock, 0)
        sys.setrecursionlimit(self.depth)
        sys.stdout, sys.stderr = self.streams
        sys.path[:] = self.path
        os.chdir(self.folder)
        random.setstate(self.numbers)
        decimal.setcontext(self.arithmetic.copy())
        if locale.setlocale(locale.LC_ALL) != self.language:
            locale.setlocale(locale.LC_ALL, self.language)
        if _environment() != self.bare:
            os.environ.clear()
            os.environ.update(self.environment)


def _environment() -> dict[bytes, bytes]:
    return vars(os.environ)["_data"]  # to decode all of it takes longer than most formulas


_as_before: _AsBefore
