"""Runs kernels: a kernel and its parameters in, a Result out.

Every simulation and measurement has a worker process of its own, so that what crashes, hangs or exhausts memory ends
with its worker and becomes a RunError, and the other runs go on. The only place that asks for the GPU.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal

from kernels import library, machine, packages, units
from kernels.declare import Kernel, find
from kernels.demand import Device
from kernels.draws import together
from kernels.gpu import may_have_gpu
from kernels.machine import cpu
from kernels.record import from_json, to_json
from kernels.remote import Remote
from kernels.results import KernelError, Result, RunError
from kernels.worker import Worker

__all__ = ["RunError"]

PROCESSES = 3  # that a measurement is repeated in
REHEARSAL = "rehearsal"  # the device class of what was only rehearsed


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
        return kernel.run(bound, timeout) if isinstance(kernel, Remote) else kernel(**bound)
    limit = kernel.timeout if timeout is None else timeout
    if kernel.kind != "measurement":
        return replace(from_json(_ask(limit, _simulated, kernel.name, bound)), parameters=bound)
    here, obstacle = device_for(kernel, bound, (device,) if device else ())
    if here is None:
        raise RunError(f"{kernel.name} is a measurement: {obstacle}")
    found = [from_json(_ask(limit, _measured, kernel.name, bound, here.where)) for _ in range(processes)]
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
    limit = kernel.timeout if timeout is None else timeout
    result = from_json(_ask(limit, _measured, kernel.name, sizes, "cpu", constants, environment={"TRITON_INTERPRET": "1"}))
    return replace(result, parameters=bound, made={**result.made, "device": "a rehearsal", "device_class": REHEARSAL})


def drawn(kernel: Kernel, cases: Sequence[tuple[Mapping[str, Any], int]], *, timeout: float | None = None) -> list[Result]:
    """Single draws of a simulation, one for each (parameters, seed), all in one worker. Raises as `run` does."""
    bound = [(kernel.bind(parameters), seed) for parameters, seed in cases]
    return [from_json(one) for one in _ask(kernel.timeout if timeout is None else timeout, _drawn, kernel.name, bound)]


def device_for(kernel: Kernel, parameters: Mapping[str, Any], classes: Sequence[str] = ()) -> tuple[Device | None, str]:
    """The device of this machine that can measure a case, of the first of these classes that is here; or none, and why not."""
    here = [device for device in devices() if device.where == "cuda" or kernel.demand.on == "any"]
    if not here:
        return None, "it needs a GPU, and this machine has none that torch can use"
    named = [device for one in classes for device in here if device.device_class == one] if classes else here
    if not named:
        return None, f"it is to be measured on {' or '.join(classes)}; the device here is {here[0].device_class}"
    obstacles = [kernel.obstacle(parameters, device) for device in named]
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
    return _ask(60.0, machine.devices)


def _ask(limit: float, function: Callable[..., Any], *arguments: Any, environment: Mapping[str, str] = MappingProxyType({})) -> Any:
    """What a fresh worker answers, which ends with all that was begun in it. Raises RunError where it reaches a limit, dies, or reports an error."""
    with Worker(environment) as worker:
        try:
            return worker.ask(limit, _with_library, [os.path.abspath(part) for part in library.__path__], units.declared(), function, *arguments)
        except RunError:
            raise
        except KernelError as error:
            raise RunError(str(error)) from error


# ------------------------------------------------------------------------------------------------ in the worker


def _with_library(path: Sequence[str], words: Sequence[str], function: Callable[..., Any], *arguments: Any) -> Any:
    library.__path__[:] = path
    units.declare(words)
    return function(*arguments)


def _simulated(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    kernel = find(name)
    return _executed(kernel, kernel.simulate if kernel.kind == "simulation" else kernel, parameters)


def _drawn(name: str, cases: Sequence[tuple[Mapping[str, Any], int]]) -> list[dict[str, Any]]:
    kernel = find(name)
    return [_executed(kernel, kernel.once, {**parameters, "seed": seed}) for parameters, seed in cases]


def _measured(name: str, parameters: Mapping[str, Any], where: Literal["cuda", "cpu"], constants: Sequence[str] | None = None) -> dict[str, Any]:
    """A measurement on the device; in a rehearsal with the constants of its file that it declares for one."""
    from kernels import timing

    kernel = find(name)
    timing.use(where, rehearsal=constants is not None)
    vars(sys.modules[kernel.function.__module__]).update({name: kernel.demand.rehearsal[name] for name in constants or ()})
    return {**_executed(kernel, kernel, parameters, where), "timings": [timing.samples()]}


def _executed(kernel: Kernel, run: Callable[..., Result], parameters: Mapping[str, Any], where: str = "cpu") -> dict[str, Any]:
    if lacking := packages.absent(kernel.needs):
        raise KernelError(f"{kernel.name} needs {packages.named(lacking)}")
    start = time.perf_counter()
    result = run(**parameters)
    seconds = round(time.perf_counter() - start, 3)
    return to_json(replace(result, made={**machine.describe_machine(kernel.kind, where, kernel.needs, kernel.name), "seconds": seconds}), {})
