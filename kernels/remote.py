"""Kernels as whoever asks for them has them: what they declare is here, and whatever executes a line of theirs does so in a worker.

In: a kernel's name. Out: a Kernel whose calls, figures and demands are answered by one worker, which lives on until a run spoils it or
the library changes; so no file of a deck can end, hang or garble the process that asks. A run that fails is not tried again before that.
What was declared and computed is kept where the compiler says (`home.keep_in`), by all that it was made from: then no worker is asked.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kernels import declare, defaults, home, library, units
from kernels.catalogue import Place
from kernels.declare import QUICK, Kernel
from kernels.demand import Device
from kernels.key import source_of
from kernels.packed import loaded, packed
from kernels.results import KernelError, Result, RunError

if TYPE_CHECKING:
    from kernels.plot import Drawing
    from kernels.worker import AsBefore, Worker

IMPORT = 15.0  # seconds of CPU time that a kernel's file may take to be imported
PREPARING = 120.0  # the same for what is not the kernel's: matplotlib looks for fonts when it is first here
MEMORY = 4 * 2**30  # bytes of a worker's own data
DEATHS = 3  # of a kernel's workers, with values that nobody asked for, after which none is tried any more


@dataclass(frozen=True, eq=False)
class Remote(Kernel):
    """A kernel that is executed in the worker. source: the digest of its files, words and figures too."""

    shelf: str = ""
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
        return loaded(home.kept(("result", self.name, bound, self.source), lambda: packed(self.run(bound))))

    def instead(self, given: Mapping[str, Any]) -> Result:
        """The same with values that nobody asked for, to see what they change: where they kill one worker after another, they are let alone."""
        bound = self.bind(given)
        found = loaded(home.kept(("instead", self.name, bound, self.source), lambda: packed(self._tried(bound))))
        if isinstance(found, str):
            raise KernelError(found)
        return found

    def _tried(self, bound: Mapping[str, Any]) -> Result | str:
        """What it gives, or why it gives nothing, if that can be told of its values alone."""
        if _deaths.get(self.name, 0) >= DEATHS:
            raise RunError(f"{self.name} died of other values before")
        try:
            return self.run(bound)
        except KernelError as error:
            if _worker is None:
                _deaths[self.name] = _deaths.get(self.name, 0) + 1
                raise
            return str(error)

    def drawn(self, result: Result, measured: Result | None = None, without: str = "", with_parts: bool = False) -> Drawing:
        """The figure of a result, see plot.draw."""
        _ask(self.name, PREPARING, _prepared)
        return _ask(self.name, QUICK, _drawn, self.name, result, measured, without, with_parts)

    def expected(self, result: Result) -> float | None:
        return _ask(self.name, QUICK, _expected, self.name, result)

    def obstacle(self, parameters: Mapping[str, Any], device: Device) -> str:
        return _ask(self.name, QUICK, _obstacle, self.name, dict(parameters), device)

    @property
    def area(self) -> str:
        return self.shelf

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
        found = loaded(home.kept(("kernel", name, source), lambda: packed(_request(IMPORT, _described, name))))
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
    request = packed((function, arguments))
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
    from kernels.worker import AsBefore

    gc.set_threshold(100_000)  # as the compiler has it
    library.__path__[:] = path
    units.declare(words)
    _as_before = AsBefore()
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
        shelf=kernel.area,
        seeded=kernel.takes_seed,
        draws_figure=figure,
        invariant_names=tuple(holds.__name__ for holds in kernel.invariants),
    )


def _nowhere(**_: Any) -> Mapping[str, Any]:
    raise TypeError("a kernel's function is in the worker")


def _called(name: str, given: Mapping[str, Any]) -> Result:
    with _as_before:
        return declare.find(name)(**given)


def _drawn(name: str, result: Result, measured: Result | None, without: str, with_parts: bool) -> Drawing:
    from kernels import plot

    with _as_before:
        return plot.draw(declare.find(name), result, measured, without, with_parts)


def _expected(name: str, result: Result) -> float | None:
    with _as_before:
        expected = declare.find(name).expected(result)
        return None if expected is None else float(expected)


def _obstacle(name: str, parameters: Mapping[str, Any], device: Device) -> str:
    with _as_before:
        return declare.find(name).obstacle(parameters, device)


def _prepared() -> None:
    defaults.load()
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    Figure().canvas = FigureCanvasSVG(Figure())


_as_before: AsBefore
