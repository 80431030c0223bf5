"""Keeps the records up to date: the wanted runs in, records written, and for each run what became of it.

Also the judge of whether two results of one case agree, which decides if a rerun keeps recorded values and what verify reports.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from kernels import lab, worker
from kernels.catalogue import names
from kernels.declare import Kernel
from kernels.draws import SAME, together
from kernels.draws import one as one_draw
from kernels.key import code_of
from kernels.machine import versions
from kernels.parameters import nearest
from kernels.record import RECORDS, from_json, load, parsed, path_of, paths, read, save, stale
from kernels.remote import Remote, find
from kernels.results import Curve, KernelError, Number, Result

State = Literal["fresh", "recorded", "kept", "skipped", "failed", "agrees", "differs"]
NOISE = 0.05  # what two measurements of one number may differ by at least, as a share of it: clocks, temperature, another card of the class


@dataclass(frozen=True)
class Run:
    """A kernel with its bound parameters, and the cards ("cards/x.md:12") that want it."""

    kernel: Kernel
    parameters: Mapping[str, Any]
    cards: tuple[str, ...] = ()

    def __str__(self) -> str:
        declared = self.kernel.parameters
        shown = [f"{n}={v}" for n, v in self.parameters.items() if declared[n].required or v != declared[n].default]
        return " ".join([self.kernel.name, *shown])


@dataclass(frozen=True)
class Done:
    """What became of a run. record: fresh, recorded, kept (made again, values as they were), skipped, failed.
    verify: agrees, differs, skipped, failed."""

    run: Run
    state: State
    message: str = ""  # why it was skipped or failed, what differs
    log: str = ""  # the end of what a failed worker printed
    seconds: float = 0.0
    result: Result | None = None  # of what was executed


@dataclass(frozen=True)
class Outcome:
    done: tuple[Done, ...]
    wrong: tuple[str, ...] = ()  # record files that verify could make nothing of

    def of(self, *states: State) -> tuple[Done, ...]:
        return tuple(d for d in self.done if d.state in states)

    @property
    def good(self) -> bool:
        return not self.wrong and not self.of("failed", "differs")


class Report:
    """Hears how it goes; this one keeps silent."""

    def start(self, number: int, total: int, run: Run) -> None: ...

    def end(self, done: Done) -> None: ...


Write = Callable[[Run, Result, Mapping[str, str]], State]  # what takes a result, made by that code, in


def read_runs(lines: Iterable[str], name: str) -> tuple[Run, ...]:
    """The runs of a file of JSON objects, one a line: {"kernel": ..., "parameters": {...}, "cards": [...]}, other keys ignored.

    Equal runs are merged, formulas and predictions left out, since they need no record. Raises KernelError that names every bad line.
    """
    cards: dict[tuple[str, str], list[str]] = {}
    runs: dict[tuple[str, str], Run] = {}
    wrong = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            run = _run_of(line)
        except KernelError as error:
            wrong.append(f"{name}:{number}: {error}")
            continue
        case = (run.kernel.name, json.dumps(run.parameters, sort_keys=True))
        runs.setdefault(case, run)
        cards.setdefault(case, []).extend(card for card in run.cards if card not in cards.get(case, []))
    if wrong:
        raise KernelError("\n".join(wrong))
    return tuple(replace(run, cards=tuple(cards[case])) for case, run in runs.items() if not run.kernel.evaluated)


def _run_of(line: str) -> Run:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise KernelError(f"this is not JSON: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("kernel"), str):
        raise KernelError('a run is an object with a "kernel"')
    parameters, cards = data.get("parameters", {}), data.get("cards", [])
    if not isinstance(parameters, dict) or not isinstance(cards, list):
        raise KernelError('"parameters" must be an object and "cards" a list')
    kernel = find(data["kernel"])
    return Run(kernel, kernel.bind(parameters), tuple(map(str, cards)))


def record_runs(
    runs: Sequence[Run],
    *,
    fresh: bool = False,
    device: str = "this",
    root: Path = RECORDS,
    known: Sequence[Path] = (),
    timeout: float | None = None,
    budget: float | None = None,
    write: Write | None = None,
    report: Report | None = None,
) -> Outcome:
    """Executes the runs whose record is missing or stale and writes it below `root`; a failure stops none of the others.

    fresh: execute all of them. device: the classes that measurements are wanted of, with commas ("h100,h200"), or "this" for
    what is here; those that do not fit this machine are skipped. known: further folders whose fresh records count. budget: seconds
    by the clock; then runs go in the order of cards for each second that they are said to take, and none is begun that would not end in time.
    """
    report, write = report or Report(), write or partial(written, root=root)
    classes, end = () if device == "this" else tuple(device.split(",")), None if budget is None else time.monotonic() + budget
    done = {position: found for position, run in enumerate(runs) if (found := _without_executing(run, classes, fresh, (root, *known)))}
    for found in done.values():
        report.end(found)
    due = [position for position in range(len(runs)) if position not in done]
    if budget is not None:
        due.sort(key=lambda position: -worth(runs[position]))
    for number, position in enumerate(due, 1):
        run = runs[position]
        if end is not None and time.monotonic() + seconds_of(run) > end:
            done[position] = Done(run, "skipped", f"about {seconds_of(run):.0f} s of work, and the budget of {budget:g} s has no more to give")
        else:
            report.start(number, len(due), run)
            done[position] = _recorded(run, classes, write, timeout)
        report.end(done[position])
    return Outcome(tuple(done[position] for position in range(len(runs))))


def seconds_of(run: Run) -> float:
    """What a run takes by the clock, about: that of a measurement as it declares it."""
    return run.kernel.demand.seconds * (lab.PROCESSES if run.kernel.kind == "measurement" else 1)


def worth(run: Run) -> float:
    """Cards that wait for a run, for each second that it takes; what none waits for is worth less than what one does."""
    return (len(run.cards) or 0.01) / seconds_of(run)


def _without_executing(run: Run, named: Sequence[str], fresh: bool, roots: Sequence[Path]) -> Done | None:
    """What becomes of a run that needs no execution or cannot have one here; None where it is to be executed."""
    classes: Sequence[str | None] = (None,)
    obstacle = ""
    if run.kernel.kind == "measurement":
        try:
            here, obstacle = lab.device_for(run.kernel, run.parameters, named)
        except KernelError as error:
            return _failed(run, error)
        classes = [here.device_class] if here else named
    if not fresh and any(is_fresh(run, one, root) for one in classes for root in roots):
        return Done(run, "fresh")
    return Done(run, "skipped", obstacle) if obstacle else None


def is_fresh(run: Run, device_class: str | None, root: Path) -> bool:
    """Whether a run has its record below `root`, a measurement that of this class."""
    result = _loaded(run, device_class, root)
    return result is not None and not result.stale


def _loaded(run: Run, device_class: str | None, root: Path) -> Result | None:
    try:
        return load(run.kernel, run.parameters, device_class, root)
    except KernelError:
        return None  # a file that is no record is replaced by one


def _recorded(run: Run, named: Sequence[str], write: Write, timeout: float | None) -> Done:
    start = time.perf_counter()
    code = code_of(run.kernel.name)  # as it is now, should somebody edit it meanwhile
    try:
        here = lab.device_for(run.kernel, run.parameters, named)[0] if run.kernel.kind == "measurement" else None
        device_class = here.device_class if here else None
        result = lab.run(run.kernel, run.parameters, device=device_class, timeout=timeout)
    except KernelError as error:
        return _failed(run, error, time.perf_counter() - start)
    return Done(run, write(run, result, code), seconds=time.perf_counter() - start, result=result)


def written(run: Run, result: Result, code: Mapping[str, str], root: Path) -> State:
    """Writes the record of a run that was executed, here or elsewhere, by this code; says whether the values are those that it had."""
    before = _loaded(run, result.made.get("device_class"), root)
    keeps = run.kernel.kind in ("simulation", "trace") and before is not None and not differences(run.kernel, before, result)
    save(run.kernel, replace(result, outputs=before.outputs, ends=before.ends) if keeps and before else result, root, code)
    return "kept" if keeps else "recorded"


def take(lines: Iterable[str], name: str, *, root: Path = RECORDS, report: Report | None = None) -> Outcome:
    """Writes records that were made elsewhere: lines of JSON text, as `record --stdout` prints them. One that other code made fails."""
    report, done, wrong = report or Report(), [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            data = parsed(line)
            result, kernel = from_json(data), find(data["kernel"])
            run = Run(kernel, kernel.bind(result.parameters))
        except KernelError as error:
            wrong.append(f"{name}:{number}: this is no record of ours: {error}")
            continue
        reasons = stale(data, kernel, run.parameters)
        state = "failed" if reasons else written(run, result, data["code"], root)
        done.append(Done(run, state, f"it was made by other code: {', '.join(reasons)}" if reasons else "", result=result))
        report.end(done[-1])
    return Outcome(tuple(done), tuple(wrong))


def rehearse(runs: Sequence[Run], root: Path, *, jobs: int = 1, timeout: float | None = None, report: Report | None = None) -> Outcome:
    """Executes measurements as lab.rehearse does, writes their records below root/records and their figures beside, as SVG in root/figures.

    jobs: how many at a time. What fails stops no other.
    """
    report = report or Report()
    done = {}
    with ThreadPoolExecutor(jobs) as pool:
        try:
            waiting = {pool.submit(_rehearsed, run, root, timeout): run for run in runs}
            for future in as_completed(waiting):
                done[id(waiting[future])] = found = future.result()
                report.end(found)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            worker.end_all()
            raise
    return Outcome(tuple(done[id(run)] for run in runs))


def _rehearsed(run: Run, root: Path, timeout: float | None) -> Done:
    start = time.perf_counter()
    try:
        result = lab.rehearse(run.kernel, run.parameters, timeout=timeout)
        path = save(run.kernel, _without_spread(result), root / "records")  # a card would print few digits of times that mean nothing
        if run.kernel.has_figure:
            figure = root / "figures" / f"{run.kernel.name},{path.stem}.svg"
            figure.parent.mkdir(parents=True, exist_ok=True)
            drawer = run.kernel if isinstance(run.kernel, Remote) else find(run.kernel.name)
            figure.write_bytes(drawer.drawn(result).light)
    except KernelError as error:
        return _failed(run, error, time.perf_counter() - start)
    except Exception as error:  # of a figure, say: a rehearsal is there to find it
        return Done(run, "failed", f"{type(error).__name__}: {error}", seconds=time.perf_counter() - start)
    return Done(run, "recorded", seconds=time.perf_counter() - start, result=result)


def _without_spread(result: Result) -> Result:
    def exact(output: Number | Curve) -> Number | Curve:
        if isinstance(output, Number):
            return replace(output, low=None, high=None)
        return replace(output, lines={line: tuple(p and replace(p, low=None, high=None) for p in points) for line, points in output.lines.items()})

    return replace(result, outputs={name: exact(output) for name, output in result.outputs.items()})


def _failed(run: Run, error: KernelError, seconds: float = 0.0) -> Done:
    return Done(run, "failed", str(error), error.log if isinstance(error, lab.RunError) else "", seconds)


@dataclass(frozen=True)
class Again:
    """How much of a simulation verify executes again: a few of its draws, or all; or `first` and the seeds after it in place of the recorded."""

    all: bool = False
    first: int | None = None


def verify(
    wanted: Sequence[str] = (),
    *,
    again: Again = Again(),
    root: Path = RECORDS,
    timeout: float | None = None,
    report: Report | None = None,
) -> Outcome:
    """Executes again what is recorded, of these kernels or of all, and compares; writes nothing.

    Of a simulation, two of the recorded draws and one at an end of each free choice, by their seeds, unless `again` says otherwise.
    Measurements of another device than the one here are skipped. Files that are no record, belong to no kernel, or lie under
    another name than their case's stand in the outcome's `wrong`. Raises KernelError for a name that is no kernel.
    """
    for name in wanted:
        if name not in names():
            raise KernelError(f"unknown kernel {name!r}{nearest(name, names(), label='there are')}")
    report = report or Report()
    recorded, done, wrong = [], [], []
    for path in paths(root):
        if not wanted or path.parent.name in wanted:
            try:
                recorded.append(_recorded_run(path, root))
            except KernelError as error:
                wrong.append(str(error))
    for number, (run, result) in enumerate(recorded, 1):
        report.start(number, len(recorded), run)
        done.append(_verified(run, result, again, timeout))
        report.end(done[-1])
    return Outcome(tuple(done), tuple(wrong))


def _recorded_run(path: Path, root: Path) -> tuple[Run, Result]:
    result = from_json(read(path))
    try:
        kernel = find(result.kernel)
        run = Run(kernel, kernel.bind(result.parameters))
    except KernelError as error:
        raise KernelError(f"{path} is a record of what no longer exists: {error} (delete it, or record it again)") from error
    there = path_of(kernel, run.parameters, result.made.get("device_class") or "unknown", root)
    if there.parent != path.parent:
        raise KernelError(f"{path} lies apart from the other records of {kernel.name}, {there.parent} (move it there, or delete it)")
    if there != path:
        raise KernelError(f"{path} holds the case of {there.name} (its parameters or defaults were changed: delete it, or record it again)")
    return run, result


def _verified(run: Run, recorded: Result, again: Again, timeout: float | None) -> Done:
    start = time.perf_counter()
    there = recorded.made.get("device_class", "unknown") if run.kernel.kind == "measurement" else None
    try:
        if there and there not in [device.device_class for device in lab.devices()]:
            return Done(run, "skipped", f"it was measured on {recorded.made.get('device', there)}, which is not here")
        if other := _other_packages(recorded):
            return Done(run, "skipped", other)
        if there:
            found = differences(run.kernel, recorded, lab.run(run.kernel, run.parameters, device=there, timeout=timeout))
        elif again.first is not None:
            found = _elsewhere(run, recorded, again.first, timeout)
        elif again.all:
            found = differences(run.kernel, recorded, lab.run(run.kernel, run.parameters, timeout=timeout))
        else:
            found = _sampled(run, recorded, timeout)
    except KernelError as error:
        return _failed(run, error, time.perf_counter() - start)
    return Done(run, "differs" if found else "agrees", "\n".join(found), seconds=time.perf_counter() - start)


def _other_packages(recorded: Result) -> str:
    """Which packages of the record are missing or have another version here, and so may give other numbers; "" where none has."""
    before = recorded.made.get("packages", {})
    here = versions(tuple(before))
    if lacking := [name for name in before if not here[name]]:
        return f"it needs {', '.join(lacking)}, not installed here"
    changed = [f"{name} {version} (here {here[name]})" for name, version in before.items() if here[name] != version]
    return f"it was recorded with {', '.join(changed)}" if changed else ""


def _sampled(run: Run, recorded: Result, timeout: float | None) -> tuple[str, ...]:
    """Two draws, chosen by the case, so that each has its own, and one at each end of a free choice."""
    pick = zlib.crc32(str(run).encode())
    seeds = sorted({pick % recorded.draws, (pick + recorded.draws // 2) % recorded.draws})
    ends = [(end, pick % run.kernel.draws_at_ends) for end in recorded.ends]
    cases = [(run.parameters, seed) for seed in seeds] + [({**run.parameters, end.parameter: end.value}, seed) for end, seed in ends]
    expected = [(f"seed {seed}: " * (recorded.draws > 1), recorded.outputs, seed) for seed in seeds]
    expected += [(f"{end.parameter} {end.value}, seed {seed}: ", end.outputs, seed) for end, seed in ends]
    now = lab.drawn(run.kernel, cases, timeout=timeout)
    kernel, found = replace(run.kernel, tolerance=max(run.kernel.tolerance, SAME)), []
    for (where, outputs, seed), result in zip(expected, now):
        then = replace(recorded, outputs=one_draw(outputs, seed), draws=1, ends=())
        found += [where + one for one in differences(kernel, then, replace(result, outputs=_where_recorded(result.outputs, outputs)))]
    return tuple(found)


def _where_recorded(now: Mapping[str, Number | Curve], recorded: Mapping[str, Number | Curve]) -> dict[str, Number | Curve]:
    """The outputs without the points of curves that most draws lacked, which no record keeps."""
    return {name: _masked(output, recorded.get(name)) for name, output in now.items()}


def _masked(now: Number | Curve, recorded: Number | Curve | None) -> Number | Curve:
    if not (isinstance(now, Curve) and isinstance(recorded, Curve) and len(now.x) == len(recorded.x)):
        return now
    nothing = (None,) * len(now.x)
    lines = {line: tuple(p if r else None for p, r in zip(points, recorded.lines.get(line, nothing))) for line, points in now.lines.items()}
    return replace(now, lines=lines)


def _elsewhere(run: Run, recorded: Result, first: int, timeout: float | None) -> tuple[str, ...]:
    """Numbers whose median over other seeds lies outside the recorded 10th to 90th percentile, widened on either side by its own width."""
    seeds = range(first, first + recorded.draws)
    now = together(run.kernel.name, [one.outputs for one in lab.drawn(run.kernel, [(run.parameters, seed) for seed in seeds], timeout=timeout)])
    found = []
    for name, before in recorded.outputs.items():
        after = now.get(name)
        if isinstance(before, Number) and isinstance(after, Number):
            low, high = (before.value if v is None else v for v in (before.low, before.high))
            margin = max(high - low, run.kernel.tolerance * abs(before.value), 0.0 if before.unit else 1e-6)
            if not low - margin <= after.value <= high + margin:
                found.append(f"{name}: {before.value:.6g} ({low:.6g} to {high:.6g}), over the seeds from {first} on {after.value:.6g}")
    return tuple(found)


def differences(kernel: Kernel, recorded: Result, now: Result) -> tuple[str, ...]:
    """Where two results of one case disagree, one sentence an output or line; empty where they agree.

    Simulations agree within the kernel's relative tolerance, 0 being exact. So that what ought to be zero may be 1e-17, it counts
    against at least a thousandth of the line's largest magnitude in a curve, and against at least 1e-6 for a number without unit.
    Measurements agree where the new median lies within the recorded 20th to 80th percentile, widened on either side by its own
    width, by 5 % of the recorded median, or by the kernel's tolerance times it, whichever is most.
    """
    found = list(_unlike(kernel, recorded.outputs, now.outputs))
    ends, there = ({(end.parameter, end.value): end.outputs for end in result.ends} for result in (recorded, now))
    for (parameter, value), outputs in ends.items():
        found += [f"with {parameter} {value}, {one}" for one in _unlike(kernel, outputs, there.get((parameter, value), {}))]
    return (*found, *(f"there is no end with {parameter} {value}" for parameter, value in there.keys() - ends.keys()))


def _unlike(kernel: Kernel, old: Mapping[str, Number | Curve], new: Mapping[str, Number | Curve]) -> Iterator[str]:
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if isinstance(before, Number) and isinstance(after, Number):
            yield from _differing(kernel, name, before.unit, after.unit, [before], [after], 0.0 if before.unit else 1e-6)
        elif isinstance(before, Curve) and isinstance(after, Curve):
            yield from _curve(kernel, name, before, after)
        else:
            yield f"{name} is {'new' if before is None else 'gone' if after is None else 'of another form'}"


def _curve(kernel: Kernel, name: str, before: Curve, after: Curve) -> Iterator[str]:
    if (before.x_name, before.x_unit, set(before.lines), len(before.x)) != (after.x_name, after.x_unit, set(after.lines), len(after.x)):
        yield f"{name} has other lines or points"
        return
    for line in (before.x_name, *before.lines):
        old, new = (tuple(map(Number, c.x)) if line == before.x_name else c.lines[line] for c in (before, after))
        scale = max((abs(point.value) for point in old if point), default=0.0)
        yield from _differing(kernel, f"{name}.{line}", before.unit, after.unit, old, new, scale / 1000)


def _differing(
    kernel: Kernel, what: str, unit: str, new_unit: str, old: Sequence[Number | None], new: Sequence[Number | None], floor: float
) -> Iterator[str]:
    if unit != new_unit:
        yield f"{what} was in {unit or 'no unit'}, now {new_unit or 'none'}"
        return
    off = []
    for before, after in zip(old, new):
        if (before is None) != (after is None):
            off.append(
                (float("inf"), f"{'no value' if before is None else f'{before.value:.6g}'}, now {'none' if after is None else f'{after.value:.6g}'}")
            )
        elif before and after and not _agree(kernel, before, after, floor):
            share = (after.value - before.value) / abs(before.value) if before.value else float("inf")
            spread = "" if before.low is None or before.high is None else f" ({before.low:.6g} to {before.high:.6g})"
            off.append((abs(share), f"{before.value:.10g}{spread}, now {after.value:.10g} {unit}".rstrip() + f" ({share:+.2g} of it)"))
    if off:
        number = f" at {len(off)} of {len(old)} points, the worst" if len(old) > 1 else ""
        yield f"{what}{number}: {max(off)[1]}"


def _agree(kernel: Kernel, before: Number, after: Number, floor: float) -> bool:
    if kernel.kind == "measurement":
        low, high = (before.value if v is None else v for v in (before.low, before.high))
        margin = max(high - low, max(NOISE, kernel.tolerance) * abs(before.value))
        return low - margin <= after.value <= high + margin
    if len(before.draws) != len(after.draws):
        return False
    for one, other in zip((before.value, before.low, before.high, *before.draws), (after.value, after.low, after.high, *after.draws)):
        if (one is None) != (other is None):
            return False
        if one is not None and other is not None and abs(one - other) > kernel.tolerance * max(abs(one), abs(other), floor):
            return False
    return True
