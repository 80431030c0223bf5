"""A process that executes what kernels are made of: a request out, an answer back, and an end that takes along whatever was begun in it.

In: functions of this package with their arguments, one after another. Out: what they return; a RunError where one raises, dies, hangs, or
eats up what it may use. The only place that starts processes for kernels. Nothing here knows what a kernel is.

On Linux a process stands guard over the one that executes: to it comes every process that is left by its own parent, in whatever group
or session, and it kills them all once the executing one has ended, or whoever asked is gone, however that happened. Elsewhere the process
group ends, and what left the group may outlive it.
"""

from __future__ import annotations

import contextlib
import decimal
import locale
import os
import pickle
import queue
import random
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, NoReturn

from kernels import limits, packages
from kernels.catalogue import told
from kernels.packed import loaded, packed
from kernels.results import KernelError, RunError

ROOT = Path(__file__).parents[1]
START = "import sys; sys.path[0] = sys.argv[1]; from kernels.worker import work; work()"
FIXED = {"PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8", "MPLBACKEND": "agg"}
HEAD = 8  # bytes that say how long what follows is
LONGEST = 2**30  # bytes of an answer


_begun: weakref.WeakSet[Worker] = weakref.WeakSet()


def end_all() -> None:
    """Ends all workers, whichever threads wait for their answers."""
    for one in tuple(_begun):
        one.end()


class Worker:
    """The process, as whoever asks has it. logged: what is printed in it belongs to a RunError, and not to the terminal. least: see `limits.wait`."""

    def __init__(self, environment: Mapping[str, str] = MappingProxyType({}), logged: bool = True, least: float = limits.LEAST_WAIT):
        self._least = least
        self._log = tempfile.TemporaryFile() if logged else None  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-c", START, str(ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is for whoever asks
            env={**os.environ, **environment, **FIXED},
        )
        self._answers: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=_receive, args=(self._process.stdout, self._answers), daemon=True).start()
        _begun.add(self)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def ask(self, limit: float, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the function returns there. Raises KernelError as it does, RunError for whatever else goes wrong. A worker that has `ended` by
        then is of no more use. limit: see `limits.wait`."""
        try:
            _send(self._process.stdin, (function, arguments))
            answer = limits.wait(self._answers, self._process.pid, limit, self._least)
            why = _death(self._process) if answer is None else ""
        except limits.LimitReached as reached:
            answer, why = None, str(reached)
        except BaseException:  # Ctrl-C: the answer to come would be taken for that to another question
            self.end()
            raise
        if answer is None:
            self.end()
            raise RunError(why, self._printed())
        try:
            kind, content = loaded(answer)
        except Exception as error:
            self.end()
            raise RunError("its worker gave an answer that makes no sense", self._printed()) from error
        if kind in ("failed, and spent", "last"):
            self.end()
        if kind == "refused":
            raise KernelError(content)
        if kind.startswith("failed"):
            message, trace = content
            raise RunError(message, f"{self._printed()}\n{trace}".strip())
        return content

    @property
    def ended(self) -> bool:
        return self._process.returncode is not None

    def end(self) -> None:
        """Kills the worker, with all that was begun in it."""
        if not self.ended:
            self._kill()
            self._process.wait()
        with contextlib.suppress(OSError):  # what it never read
            self._process.stdin.close()  # type: ignore[union-attr]

    def _kill(self) -> None:
        if sys.platform == "linux":
            self._process.terminate()  # its guard does the rest
        elif hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):  # all gone; macOS says so with the second
                os.killpg(self._process.pid, signal.SIGKILL)  # the group outlives its leader as long as a grandchild is in it
        else:
            self._process.kill()

    def leave(self) -> None:
        """Lets go of it in a process that was forked meanwhile: it is another one's, and is to see when that is gone."""
        null = os.open(os.devnull, os.O_RDWR)
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(null, pipe.fileno(), inheritable=False)  # type: ignore[union-attr]
        os.close(null)

    def _printed(self, size: int = 4000) -> str:
        """The end of what was printed."""
        if self._log is None:
            return ""
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - size))
        return self._log.read().decode("utf-8", "replace").strip()


def _receive(pipe: IO[bytes], answers: queue.SimpleQueue[bytes | None]) -> None:
    """Puts what comes into the queue, and None at the end."""
    with contextlib.suppress(OSError, ValueError, MemoryError), pipe:
        for answer in _messages(pipe):
            answers.put(answer)
    answers.put(None)


def _messages(pipe: IO[bytes]) -> Iterator[bytes]:
    while len(head := pipe.read(HEAD)) == HEAD:
        size = int.from_bytes(head, "big")
        if size > LONGEST:
            return
        content = pipe.read(size)
        if len(content) < size:
            return
        yield content


def _send(pipe: IO[bytes] | None, content: Any) -> None:
    assert pipe
    request = packed(content)
    with contextlib.suppress(OSError):  # it is dead already, which its exit code tells better
        pipe.write(len(request).to_bytes(HEAD, "big") + request)
        pipe.flush()


def _death(process: subprocess.Popen[bytes]) -> str:
    try:
        code = process.wait(5)
    except subprocess.TimeoutExpired:
        return "its worker closed the way by which its answer was to come"
    if code >= 0:
        return f"its worker ended with exit code {code} and without a result"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"its worker was killed by {name}{' (most likely the machine ran out of memory)' if name == 'SIGKILL' else ''}"


# ------------------------------------------------------------------------------------------- in the worker


def work() -> NoReturn:
    """The worker's side: executes requests until nobody can send one any more.

    Whatever is printed goes to standard error, and standard input is empty, so that no kernel can garble an answer or take a request.
    Leaves without cleaning up: a GPU library that hangs or crashes at exit is not our run's fault.
    """
    if sys.platform == "linux":
        _stand_guard()
        _be_killed_first()
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    inbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, inbox), daemon=True).start()
    while True:
        answer = _answer(inbox.get())
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # a kernel may have put anything there
                stream.flush()
        try:
            answers.write(len(answer).to_bytes(HEAD, "big") + answer)
            answers.flush()
        except OSError:  # the kernel closed what is not its own
            os._exit(1)


def _listen(requests: IO[bytes], inbox: queue.SimpleQueue[bytes]) -> None:
    for request in _messages(requests):
        inbox.put(request)
    if hasattr(os, "killpg"):
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


def _answer(request: bytes) -> bytes:
    """The answer to a request, packed: of one that leaves processes or threads behind the last that this worker gives."""
    threads = threading.active_count()
    try:
        function, arguments = pickle.loads(request)
        content = function(*arguments)
        return packed(("answer" if _is_alone(threads) else "last", content))
    except KernelError as error:
        return packed(("refused", str(error)))
    except BaseException as error:
        if isinstance(error, ModuleNotFoundError) and (lacking := packages.absent([error.name or "kernels"])):
            return packed(("refused", f"it needs {packages.named(lacking)}"))
        spent = not isinstance(error, Exception) or isinstance(error, MemoryError) or not _is_alone(threads)
        return packed((f"failed{', and spent' * spent}", (told(error), _traceback(error))))


def _traceback(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))[-4000:].strip()
    except Exception:  # an exception of the kernel's own may do anything
        return ""


def _is_alone(threads: int) -> bool:
    """Whether nothing that a request began goes on: no thread, no process."""
    if threading.active_count() > threads:
        return False
    try:
        while sys.platform == "linux" and os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return sys.platform != "linux"


_CLOCKS = tuple(getattr(signal, name) for name in ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF") if hasattr(signal, name))


class AsBefore:
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


def _be_killed_first() -> None:
    """Where memory runs out, Linux is to kill this process and not whoever asked or the desktop."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def end_with(pipe: int) -> None:
    """Kills the process group of this process once the other end of a pipe is closed."""

    def wait() -> None:
        os.read(pipe, 1)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


# ----------------------------------------------------------------------------------------- the guard, on Linux

SUBREAPER, DEATH_SIGNAL = 36, 1  # of prctl(2)


def _stand_guard() -> None:
    """Goes on in a child, which is killed with all its descendants as soon as this process is told so, or nobody can ask it any more."""
    import ctypes

    prctl, guard, child = ctypes.CDLL(None).prctl, os.getpid(), 0

    def kill(*_: object) -> None:
        if not child:
            os._exit(1)
        with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
            os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGTERM, kill)
    prctl(SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if not child:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        prctl(DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != guard:
            os._exit(1)
        prctl(SUBREAPER, 1, 0, 0, 0)  # so that it sees what its kernels leave behind
        os.setsid()  # a kernel that kills its group does not kill its guard
        return
    os.close(1)
    threading.Thread(target=_until_nobody_asks, args=(kill,), daemon=True).start()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    _sweep()
    _end_likewise(code)


def _until_nobody_asks(kill: Callable[[], None]) -> None:
    import select

    poll = select.poll()
    poll.register(0, 0)  # nothing but that its other end is closed
    poll.poll()
    kill()


def _sweep() -> None:
    """Kills the children of this process, to which theirs come in turn, until there are none."""
    while True:
        for process, parent in limits.parents().items():
            if parent == os.getpid():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(process, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _end_likewise(code: int) -> NoReturn:
    if code < 0:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(abs(code))
