"""Records from many GPUs and hosts: runs out to the workers of a dask.distributed cluster, one a GPU, and results back.

In: runs, and where the workers are. Out: records, written as they come, and what became of each run. JSON text alone crosses: the other
side finds `introduce` and `execute` by their names in its own checkout, and starts processes for a run as a lab by itself does. A worker
is handed a run when it is free for one, so that one that dies costs what it had in hand and no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import json
import logging
import os
import platform
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernels import home, lab, units
from kernels.demand import Device
from kernels.key import PACKAGE, code_of
from kernels.machine import commit
from kernels.record import RECORDS, from_json, parsed, sealed, to_json
from kernels.recording import Done, Outcome, Report, Run, Write, is_fresh, written
from kernels.remote import find
from kernels.results import KernelError

PATIENCE = 60.0  # seconds for a worker to come (back), where one is waited for
VISIBLE = "CUDA_VISIBLE_DEVICES"  # which ROCm reads too
HOST = r"([^:=,]+)(?::([^:=,]+))?(?:=([1-9]\d*))?"  # of an ssh: cluster, with the place of its checkout and how many of its GPUs to use
STARTED = {"memory_limit": 0, "resources": {"GPU": 1}}  # of a worker that we start; memory is used by its runs, which are processes of their own


@dataclass(frozen=True)
class Worker:
    """A worker as it introduced itself. place: its number among those of its host, and its GPU's, unless it came with one GPU of its own."""

    address: str
    host: str
    place: int
    devices: tuple[Device, ...] = ()
    wrong: str = ""  # why it gets no runs

    def __str__(self) -> str:
        return f"{self.host}:{self.place}" + (f" ({self.devices[0].device_class})" if self.devices else "")

    def device(self, device_class: str) -> Device | None:
        return next((one for one in self.devices if one.device_class == device_class), None)

    def obstacle(self, run: Run, device_class: str | None) -> str:
        """Why it cannot take a run, a measurement on its device of this class; empty where it can."""
        if self.wrong or device_class is None:
            return self.wrong
        device = self.device(device_class)
        return run.kernel.obstacle(run.parameters, device) if device else f"it has no {device_class}"


@dataclass(frozen=True)
class Job:
    """A run to be executed. device_class, where: of a measurement's device, the latter torch's word for it."""

    run: Run
    device_class: str | None = None
    where: str = ""


def record_runs(
    runs: Sequence[Run],
    cluster: str,
    *,
    dry: bool = False,
    fresh: bool = False,
    device: str = "this",
    root: Path = RECORDS,
    known: Sequence[Path] = (),
    timeout: float | None = None,
    write: Write | None = None,
    report: Report | None = None,
    say: Callable[[str], None] = print,
) -> Outcome:
    """As `recording.record_runs`, by workers elsewhere: of a measurement, one record for each class that is asked for and there.

    cluster: tcp://HOST:PORT of a scheduler, ssh:HOST,HOST or local:N. device: classes, or "this" for what each worker would measure on.
    dry: says who would take what, and executes nothing. say: hears who gets which run, and who gets none and why.
    Raises KernelError where there are no workers, RunError where their scheduler is lost.
    """
    report, write = report or Report(), write or functools.partial(written, root=root)
    with _client(cluster) as client:
        crew = Crew(client, runs, say)
        done, jobs = _sorted_out(runs, crew.now(), () if device == "this" else tuple(device.split(",")), fresh, (root, *known))
        for one in done:
            report.end(one)
        if dry:
            _planned(jobs, crew.workers, say)
        else:
            for one in _executed(client, crew, jobs, timeout, write, say):
                report.end(one)
                done.append(one)
    return Outcome(tuple(done))


def _sorted_out(
    runs: Sequence[Run], workers: Sequence[Worker], named: Sequence[str], fresh: bool, roots: Sequence[Path]
) -> tuple[list[Done], list[Job]]:
    """What becomes of the runs that need no execution or cannot have one, and the others in the order in which to hand them out:
    first what wants a host for itself, then what wants a GPU, then what anybody takes."""
    done, jobs = [], []
    for run in runs:
        classes = _classes(run, workers, named) if run.kernel.kind == "measurement" else (None,)
        if not classes:
            done.append(Done(run, "skipped", "no worker has a device that it can be measured on"))
        for one in classes:
            able = [worker for worker in workers if not worker.obstacle(run, one)]
            if not fresh and any(is_fresh(run, one, root) for root in roots):
                done.append(Done(run, "fresh"))
            elif able:
                device = able[0].device(one) if one else None
                jobs.append(Job(run, one, device.where if device else ""))
            else:
                near = next((worker for worker in workers if one is None or worker.device(one)), None)
                done.append(Done(run, "skipped", near.obstacle(run, one) if near else f"no worker {f'has {one}' if one else 'is left'}"))
    return done, sorted(jobs, key=lambda job: ("cpu", "cuda", "").index(job.where))


def _classes(run: Run, workers: Iterable[Worker], named: Sequence[str]) -> Sequence[str | None]:
    """The device classes to measure on: those named, or of each worker that of the first of its devices that can."""
    if named:
        return named
    able = (next((d.device_class for d in worker.devices if not worker.obstacle(run, d.device_class)), None) for worker in workers)
    return list(dict.fromkeys(filter(None, able)))


def _planned(jobs: Iterable[Job], workers: Sequence[Worker], say: Callable[[str], None]) -> None:
    """Says who would take what if all runs took as long."""
    given = dict.fromkeys(workers, 0)
    for job in jobs:
        worker = min((one for one in workers if not one.obstacle(job.run, job.device_class)), key=lambda one: given[one])
        given[worker] += 1
        say(f"{worker} ← {job.run}")


def _executed(client: Any, crew: Crew, jobs: Iterable[Job], timeout: float | None, write: Write, say: Callable[[str], None]) -> Iterator[Done]:
    """What became of each job, as it ends. A worker has one at a time, and one that measures on its CPU has its host for itself."""
    from distributed import CancelledError, TimeoutError, wait

    waiting, flying, last = list(jobs), dict[Any, tuple[Worker, Job, float]](), time.monotonic()
    while waiting or flying:
        there, now = crew.now(), time.monotonic()
        for future, (worker, job, start) in list(flying.items()):
            last = now
            if worker not in there:
                future.cancel()
                yield Done(job.run, "failed", f"its worker, {worker}, died or was lost", seconds=now - start)
            elif future.done():
                yield _ended(future, worker, job, write, now - start)
            else:
                continue
            del flying[future]
        for worker in there:
            if given := _next(worker, waiting, [(other, job) for other, job, _ in flying.values()]):
                waiting.remove(given)
                say(f"{worker} ← {given.run}")
                flying[_sent(client, worker, given, timeout)] = worker, given, time.monotonic()
        if flying:
            with contextlib.suppress(TimeoutError, CancelledError):
                wait(list(flying), timeout=1, return_when="FIRST_COMPLETED")
        elif waiting and now - last > PATIENCE:
            yield from (Done(job.run, "failed", "no worker that could take it is left") for job in waiting)
            return
        elif waiting:
            time.sleep(0.2)


def _next(worker: Worker, waiting: Iterable[Job], flying: Sequence[tuple[Worker, Job]]) -> Job | None:
    """What a worker may take now, if anything. On a host, nothing but measurements on other GPUs runs beside a measurement on one."""
    if any(other == worker for other, _ in flying):
        return None
    beside = {job.where for other, job in flying if other.host == worker.host}
    fitting = (job for job in waiting if not beside or beside == {job.where} != {"cpu"})
    return next((job for job in fitting if not worker.obstacle(job.run, job.device_class)), None)


def _sent(client: Any, worker: Worker, job: Job, timeout: float | None) -> Any:
    kernel = job.run.kernel.name
    asked = {"kernel": kernel, "parameters": dict(job.run.parameters), "code": code_of(kernel), "device": job.device_class, "timeout": timeout}
    resources = {"GPU": 1} if job.where == "cuda" else None  # two people's measurements on one GPU wait for one another
    return client.submit(execute, json.dumps(asked), workers=[worker.address], resources=resources, pure=False)


def _ended(future: Any, worker: Worker, job: Job, write: Write, seconds: float) -> Done:
    try:
        answer = json.loads(future.result(timeout=PATIENCE))
    except Exception as error:  # whatever distributed says of a future that was lost, or of a function that the other side could not load
        return Done(job.run, "failed", f"{worker} gave no answer: {type(error).__name__}: {error}", seconds=seconds)
    if "error" in answer:
        return Done(job.run, "failed", f"{answer['error']} (on {worker})", answer["log"], seconds)
    try:
        record = parsed(answer["record"])
    except KernelError as error:  # it was changed on its way, or that side is of another version
        return Done(job.run, "failed", f"{worker} gave no record: {error}", seconds=seconds)
    result = from_json(record)
    return Done(job.run, write(job.run, result, record["code"]), seconds=seconds, result=result)


class Crew:
    """The workers that are there: each is asked who it is when it comes, and gets no runs where its code is not the code here."""

    def __init__(self, client: Any, runs: Iterable[Run], say: Callable[[str], None]) -> None:
        self.client, self.say = client, say
        self.workers: tuple[Worker, ...] = ()
        self.commit, self.code = commit(), {name: code_of(name) for name in sorted({run.kernel.name for run in runs})}

    def now(self) -> tuple[Worker, ...]:
        """Those that are there now, in the order in which they came. Raises RunError where nobody is left to ask."""
        try:
            if self.client.status != "running":
                raise OSError("lost")
            there = self.client.nthreads()  # asks the scheduler itself; what scheduler_info gives may have been replaced meanwhile, without workers
        except OSError as error:
            raise lab.RunError("the workers' scheduler is gone; what is recorded stays") from error
        kept = [worker for worker in self.workers if worker.address in there]
        places: dict[str, int] = {}
        for address in sorted(there.keys() - {worker.address for worker in kept}):
            taken = {worker.place for worker in kept if _machine(worker.address) == _machine(address)}
            taken |= {place for other, place in places.items() if _machine(other) == _machine(address)}
            places[address] = next(place for place in itertools.count() if place not in taken)
        self.workers = (*kept, *self._introduced(places)) if places else tuple(kept)
        return self.workers

    def _introduced(self, places: Mapping[str, int]) -> Iterator[Worker]:
        asked = json.dumps({"places": places, "kernels": list(self.code), "own": home.own(), "units": units.declared()})
        answers = self.client.run(introduce, asked, workers=list(places), on_error="return")
        for address, place in places.items():
            answer = answers.get(address)
            if isinstance(answer, str):
                said = json.loads(answer)
                devices = tuple(Device(**{**one, "formats": tuple(one["formats"])}) for one in said["devices"])
                worker = Worker(address, said["host"], place, devices, said["wrong"] or self._other_code(said))
            else:
                worker = Worker(address, _machine(address), place, wrong=f"{type(answer).__name__}: {answer}")
            if worker.wrong:
                self.say(f"{worker} gets no runs: {worker.wrong}")
            yield worker

    def _other_code(self, said: Mapping[str, Any]) -> str:
        """How a worker's code differs from the code here; the digests tell what is not committed."""
        there, here = (one.removesuffix("+dirty") or "none" for one in (said["commit"], self.commit))
        if there != here:
            return f"its checkout is at commit {there}, this one at {here}"
        pairs = [(said["code"][name], code) for name, code in self.code.items()]
        files = sorted({file for theirs, mine in pairs for file in theirs.keys() | mine.keys() if theirs.get(file) != mine.get(file)})
        return f"its {', '.join(files[:3])}{' and more' * (len(files) > 3)} is not as here" if files else ""


def _machine(address: str) -> str:
    """tcp://10.0.0.1 of tcp://10.0.0.1:40001."""
    return address.rpartition(":")[0]


@contextlib.contextmanager
def _client(cluster: str) -> Iterator[Any]:
    """A client of the cluster's scheduler; workers that were started for it end with it."""
    try:
        import distributed
    except ImportError as error:
        raise KernelError(f"--cluster needs dask.distributed, which is not installed here ({error}): pip install warpdeck[cluster]") from error
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what is lost is said by the runs
    with contextlib.ExitStack() as stack:
        try:
            target, count = _started(cluster, stack)
            client = stack.enter_context(distributed.Client(target, timeout=30))
            client.wait_for_workers(count, timeout=PATIENCE)
        except KernelError:
            raise
        except Exception as error:  # of sockets, of ssh, of a scheduler that speaks another version
            hint = " (each host needs its checkout, and warpdeck[cluster] installed)" if cluster.startswith("ssh:") else ""
            raise KernelError(f"--cluster {cluster}: {type(error).__name__}: {error}{hint}") from error
        yield client


def _started(cluster: str, stack: contextlib.ExitStack) -> tuple[Any, int]:
    """What a client connects to, started where it is for us to start, and how many workers are to be there at least."""
    from distributed import LocalCluster, SSHCluster

    kind, _, rest = cluster.partition(":")
    if rest.startswith("//"):
        return cluster, 1
    if kind == "local" and rest.isdecimal() and int(rest):
        options = {"dashboard_address": None, "scheduler_kwargs": {"dashboard_address": "127.0.0.1:0"}, "silence_logs": logging.ERROR}
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # which the workers inherit: Ctrl-C is for us, and we end them
        try:
            return stack.enter_context(LocalCluster(n_workers=int(rest), threads_per_worker=1, **options, **STARTED)), int(rest)
        finally:
            signal.signal(signal.SIGINT, before)
    if kind == "ssh" and re.fullmatch(rf"{HOST}(,{HOST})*", rest):
        hosts = [(host, _python(checkout)) for host, checkout, count in re.findall(HOST, rest) for _ in range(int(count or 1))]
        names, pythons = zip(hosts[0], *hosts)  # the first has the scheduler too
        worker, scheduler = {"nthreads": 1, "dashboard": False, **STARTED}, {"port": 0, "dashboard": False}
        ssh = SSHCluster(list(names), remote_python=list(pythons), worker_options=worker, scheduler_options=scheduler, silence_logs=logging.ERROR)
        return stack.enter_context(ssh), len(hosts)
    raise KernelError(f"--cluster is {cluster!r}, but must be tcp://HOST:PORT, ssh:HOST[:CHECKOUT][=GPUS],... or local:N")


def _python(checkout: str) -> str:
    """The command of a host's Python with our code: of that checkout, or else by the paths that both have here."""
    root, python = (checkout, f"{checkout}/.venv/bin/python") if checkout else (str(PACKAGE.parent), sys.executable)
    return f"PYTHONPATH={shlex.quote(root)} {shlex.quote(python)}"


# What follows runs in a worker.


async def introduce(text: str, dask_worker: Any) -> str:
    """Who it is, in a thread of its own, since the worker has to answer its scheduler meanwhile."""
    return await asyncio.to_thread(_introduced, json.loads(text), dask_worker.address, dask_worker.state.total_resources)


def _introduced(asked: Mapping[str, Any], address: str, resources: Mapping[str, float]) -> str:
    """Takes the GPU of its place among those visible, unless it was started with one, and says what it has."""
    visible = os.environ.get(VISIBLE)
    mine = [] if visible is None else visible.split(",")
    if len(mine) != 1:
        place = asked["places"][address]
        os.environ[VISIBLE] = str(place) if visible is None else "".join(mine[place : place + 1])
    devices, wrong = [], ""
    try:
        devices = [vars(one) for one in lab.devices() if one.where == "cpu" or resources.get("GPU", 0) >= 1]
    except KernelError as error:
        wrong = str(error)
    home.take(asked["own"], asked["units"])  # by the path that it has here; where it lies elsewhere, the codes differ
    code = {name: code_of(name) for name in asked["kernels"]}
    return json.dumps({"host": platform.node(), "commit": commit(), "code": code, "devices": devices, "wrong": wrong})


def execute(text: str) -> str:
    """A record's text, as a lab by itself would make it, or the error and its log."""
    asked = json.loads(text)
    try:
        kernel, code = find(asked["kernel"]), code_of(asked["kernel"])
        if code != asked["code"]:
            raise KernelError(f"the code of {kernel.name} has changed, there or here, since the worker came")
        with _as_alone() if kernel.kind == "measurement" else contextlib.nullcontext():
            result = lab.run(kernel, asked["parameters"], device=asked["device"], timeout=asked["timeout"])
    except KernelError as error:
        return json.dumps({"error": str(error), "log": error.log if isinstance(error, lab.RunError) else ""})
    return json.dumps({"record": json.dumps(sealed(to_json(result, code)))})


@contextlib.contextmanager
def _as_alone() -> Iterator[None]:
    """Without what a worker's nanny sets for many workers on a host (one thread, memory given back at once), which would be measured too."""
    import dask.config

    names = dask.config.get("distributed.nanny.pre-spawn-environ", {})
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)
