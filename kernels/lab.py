"""Runs kernels: a kernel and its parameters in, a Result out.

Every simulation and measurement has a worker process of its own, so that what crashes, hangs or exhausts memory ends
with its worker and becomes a RunError, and the other runs go on. The only place that starts workers and asks for the GPU.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, NoReturn

from kernels import library, limits, machine, packages, parts, units
from kernels.declare import Kernel, find
from kernels.demand import Device
from kernels.draws import together
from kernels.gpu import may_have_gpu
from kernels.key import PACKAGE
from kernels.machine import cpu
from kernels.record import from_json, to_json
from kernels.results import KernelError, Result

PROCESSES = 3  # that a measurement is repeated in
REHEARSAL = "rehearsal"  # the device class of what was only rehearsed


class RunError(KernelError):
    """A run that gave no result: the message says why, `log` holds the end of what its worker printed."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


def run(
    kernel: Kernel, parameters: Mapping[str, Any], *, device: str | None = None, timeout: float | None = None, processes: int = PROCESSES
) -> Result:
    """Executes a kernel: a simulation with all its draws, a measurement in several processes. Closed forms are evaluated here; nothing is recorded.

    device: the class that a measurement is meant for; None takes the device at hand, a GPU where there is one. timeout: seconds of CPU
    time, in place of the kernel's own limit (see `limits.wait`). Of a measurement, each number is the median of those of its
    processes, and its spread what lies between these.
    Raises KernelError for wrong parameters, RunError where nothing came out.
    """
    bound = kernel.bind(parameters)
    if kernel.evaluated:
        return kernel(**bound)
    limit = kernel.timeout if timeout is None else timeout
    if kernel.kind != "measurement":
        return replace(from_json(_ask({"kernel": kernel.name, "parameters": bound}, limit)), parameters=bound)
    here, obstacle = device_for(kernel, bound, (device,) if device else ())
    if here is None:
        raise RunError(f"{kernel.name} is a measurement: {obstacle}")
    request = {"kernel": kernel.name, "parameters": bound, "where": here.where}
    found = [from_json(_ask(request, limit)) for _ in range(processes)]
    for result in found:
        if result.made["device_class"] != here.device_class:
            raise RunError(f"it was measured on {result.made['device']}, though the device here was {here.device_class} a moment ago")
    return replace(over_processes(found), parameters=bound)


def over_processes(found: Sequence[Result]) -> Result:
    """The results of one measurement in several processes as one: medians, with the smallest and the largest; timings of them all."""
    outputs = together(found[0].kernel, [result.outputs for result in found])
    seconds = round(sum(result.made["seconds"] for result in found), 3)
    made = {**found[0].made, "processes": len(found), "seconds": seconds}
    return replace(found[0], outputs=outputs, draws=len(found), made=made, timings=tuple(one for result in found for one in result.timings))


def rehearse(kernel: Kernel, parameters: Mapping[str, Any], *, timeout: float | None = None) -> Result:
    """Executes a measurement once, on the CPU, with the sizes that its rehearsal declares: the same lines as on a GPU, for times that mean nothing.

    Its device class is "rehearsal", and its parameters are those given, so that it stands where a card looks for the record.
    """
    bound = kernel.bind(parameters)
    sizes = {**bound, **{name: value for name, value in kernel.demand.rehearsal.items() if name in kernel.parameters}}
    constants = [name for name in kernel.demand.rehearsal if name not in kernel.parameters]
    request = {"kernel": kernel.name, "parameters": sizes, "where": "cpu", "rehearsal": constants}
    result = from_json(_ask(request, kernel.timeout if timeout is None else timeout, {"TRITON_INTERPRET": "1"}))
    return replace(result, parameters=bound, made={**result.made, "device": "a rehearsal", "device_class": REHEARSAL})


def drawn(kernel: Kernel, cases: Sequence[tuple[Mapping[str, Any], int]], *, timeout: float | None = None) -> list[Result]:
    """Single draws of a simulation, one for each (parameters, seed), all in one worker. Raises as `run` does."""
    request = {"kernel": kernel.name, "cases": [(kernel.bind(parameters), seed) for parameters, seed in cases]}
    return [from_json(one) for one in _ask(request, limit=kernel.timeout if timeout is None else timeout)]


def device_for(kernel: Kernel, parameters: Mapping[str, Any], classes: Sequence[str] = ()) -> tuple[Device | None, str]:
    """The device of this machine that can measure a case, of the first of these classes that is here; or none, and why not."""
    here = [device for device in devices() if device.where == "cuda" or kernel.demand.on == "any"]
    if not here:
        return None, "it needs a GPU, and this machine has none that torch can use"
    named = [device for one in classes for device in here if device.device_class == one] if classes else here
    if not named:
        return None, f"it is to be measured on {' or '.join(classes)}; the device here is {here[0].device_class}"
    obstacles = [kernel.demand.obstacle(parameters, device) for device in named]
    return next(((device, "") for device, obstacle in zip(named, obstacles) if not obstacle), (None, obstacles[0]))


def device_class() -> str | None:
    """The class of the GPU that measurements run on here ("h100"), None where there is none."""
    return next((device.device_class for device in devices() if device.where == "cuda"), None)


@functools.cache
def devices() -> tuple[Device, ...]:
    """What this machine can measure on: torch's first GPU, where there is one, and the CPU.

    A GPU is asked for in a worker, since torch takes seconds to load and a CUDA context memory of the GPU.
    """
    if not may_have_gpu() or importlib.util.find_spec("torch") is None:
        return (cpu(),)
    return tuple(Device(**{**one, "formats": tuple(one["formats"])}) for one in _ask({}, limit=60))


START = "import sys; sys.path[0] = sys.argv[1]; from kernels.lab import work; work()"


def _ask(request: Mapping[str, Any], limit: float, environment: Mapping[str, str] = MappingProxyType({})) -> Any:
    """What a fresh worker answers to a request. Raises RunError where it reaches a limit, dies, or reports an error.

    The answer comes in a file, so that whatever a kernel prints cannot garble it. The worker leads its own process group, which
    is killed in any case when this returns; its standard input stays open till then and tells it that the lab still lives.
    """
    with parts.folder("kernels-") as folder:
        path, log = Path(folder, "answer.json"), Path(folder, "log")
        with log.open("wb") as output:
            worker = subprocess.Popen(
                [sys.executable, "-c", START, str(PACKAGE.parent), str(path)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **environment, "PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8"},
                text=True,
            )
        try:
            _workers.add(worker)
            _send(worker, {**request, "library": [os.path.abspath(part) for part in library.__path__], "units": units.declared()})
            code = limits.wait(worker, limit)
        except limits.LimitReached as reached:
            raise RunError(str(reached), _end_of(log)) from None
        finally:
            _kill(worker)
            _workers.discard(worker)
        if not path.exists():
            raise RunError(_death(code), _end_of(log))
        answer = json.loads(path.read_text(encoding="utf-8"))
        if "error" in answer:
            raise RunError(answer["error"], _end_of(log) if answer["unexpected"] else "")
        return answer["answer"]


def _send(worker: subprocess.Popen[str], request: Mapping[str, Any]) -> None:
    assert worker.stdin
    try:
        worker.stdin.write(json.dumps(request) + "\n")
        worker.stdin.flush()
    except BrokenPipeError:
        pass  # it is dead already, which its exit code tells better


_workers: set[subprocess.Popen[str]] = set()


def end() -> None:
    """Kills all workers, whichever threads wait for them."""
    for worker in tuple(_workers):
        _kill(worker)


def _kill(worker: subprocess.Popen[str]) -> None:
    try:
        os.killpg(worker.pid, signal.SIGKILL)  # the group outlives its leader as long as a grandchild is in it
    except (ProcessLookupError, PermissionError):
        pass  # all gone; macOS says so with the second
    worker.wait()
    assert worker.stdin
    try:
        worker.stdin.close()
    except BrokenPipeError:
        pass


def _death(code: int) -> str:
    if code >= 0:
        return f"its worker ended with exit code {code} and without a result"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"its worker was killed by {name}{' (most likely the machine ran out of memory)' if name == 'SIGKILL' else ''}"


def _end_of(log: Path, size: int = 4000) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - size))
        return file.read().decode("utf-8", "replace").strip()


def work() -> None:
    """The worker's side: reads one request from standard input, runs it, writes the answer to the file named as second argument.

    An empty request asks for the devices of this machine.
    Leaves without cleaning up: a GPU library that hangs or crashes at exit is not our run's fault.
    """
    path = Path(sys.argv[2])
    sys.excepthook = functools.partial(_confess, path)
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_die_with_the_lab, daemon=True).start()
    _be_killed_first()
    library.__path__[:] = request["library"]
    units.declare(request["units"])
    if "kernel" not in request:
        _write(path, {"answer": [vars(device) for device in machine.devices()]})
    elif "cases" in request:
        kernel = find(request["kernel"])
        _write(path, {"answer": [_executed(kernel, kernel.once, {**parameters, "seed": seed}) for parameters, seed in request["cases"]]})
    elif "where" in request:
        kernel = find(request["kernel"])
        _write(path, {"answer": _measured(kernel, request)})
    else:
        kernel = find(request["kernel"])
        _write(path, {"answer": _executed(kernel, kernel.simulate if kernel.kind == "simulation" else kernel, request["parameters"])})
    _leave(0)


def _leave(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _measured(kernel: Kernel, request: Mapping[str, Any]) -> dict[str, Any]:
    """A measurement on the device that the request names; in a rehearsal with the constants of its file that it declares for one."""
    from kernels import timing

    constants = request.get("rehearsal")
    timing.use(request["where"], rehearsal=constants is not None)
    vars(sys.modules[kernel.function.__module__]).update({name: kernel.demand.rehearsal[name] for name in constants or ()})
    return {**_executed(kernel, kernel, request["parameters"], request["where"]), "timings": [timing.samples()]}


def _executed(kernel: Kernel, run: Callable[..., Result], parameters: Mapping[str, Any], where: str = "cpu") -> dict[str, Any]:
    if lacking := packages.absent(kernel.needs):
        raise KernelError(f"{kernel.name} needs {packages.named(lacking)}")
    start = time.perf_counter()
    result = run(**parameters)
    seconds = round(time.perf_counter() - start, 3)
    return to_json(replace(result, made={**machine.describe_machine(kernel.kind, where, kernel.needs, kernel.name), "seconds": seconds}), {})


def _confess(path: Path, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The worker's excepthook: an author's error is told as it is, any other with its type and the place in the library."""
    if issubclass(kind, KernelError):
        _write(path, {"error": str(error), "unexpected": False})
    elif isinstance(error, ModuleNotFoundError) and (lacking := packages.absent([error.name or "kernels"])):
        _write(path, {"error": f"it needs {packages.named(lacking)}", "unexpected": False})
    else:
        traceback.print_exception(kind, error, trace)
        folders = tuple(library.__path__)
        places = [f" ({Path(f.filename).name}:{f.lineno})" for f in traceback.extract_tb(trace) if f.filename.startswith(folders)]
        message = str(error).strip().partition("\n")[0]
        _write(path, {"error": f"{kind.__name__}{': ' * bool(message)}{message}{''.join(places[-1:])}", "unexpected": True})
    _leave(1)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, allow_nan=False), encoding="utf-8")
    os.replace(part, path)


def _die_with_the_lab() -> None:
    """Waits for the end of standard input, which comes when the lab's process is gone, however that happened."""
    os.read(0, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _be_killed_first() -> None:
    """Where memory runs out, Linux is to kill this worker and not the lab or the desktop."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    except OSError:
        pass
