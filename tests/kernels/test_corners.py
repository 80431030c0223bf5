"""Every kernel but the measurements at the corners of its declared ranges, and at random inside them.

A point gives a finite result that keeps the kernel's invariants, or the kernel refuses it with what would be right; it never raises anything
else, and takes no longer than a build or a record may wait for it. Points are seeded, those of a simulation or a trace come smallest first.
By itself a sample within a little CPU time; with CORNERS=200 in the environment at least so many points of each formula and prediction, and of
simulations and traces as many as ten seconds of CPU time allow (`pytest -rP` says how many).
"""

from __future__ import annotations

import itertools
import math
import os
import random
import re
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kernels.catalogue import names
from kernels.declare import Kernel, find
from kernels.parameters import ENDS, Parameter
from kernels.results import KernelError, Number, Result

ASKED = int(os.environ.get("CORNERS", "0"))
POINTS = ASKED or 40
BUDGET = 10.0 if ASKED else 0.3  # seconds of CPU time for one kernel's points; formulas have none where all points are asked for
PATIENCE = 2.0  # for a point of a formula, which a build waits for
RIGHT = re.compile(r"\b(must|ha(s|ve) to|needs?|takes?|use|give|choose|raise|lower|it has)\b")  # what a refusal says of what would be right
TEXTS = ("", "aab aab", "Grüße, 世界")
KERNELS = [name for name in names() if find(name).kind != "measurement"]


@pytest.mark.parametrize("name", KERNELS)
def test_a_point_gives_a_result_or_is_refused_with_what_would_be_right(name):
    kernel = find(name)
    if not kernel.evaluated:
        pytest.importorskip("torch")
        if kernel.needs:
            pytest.importorskip(kernel.needs[0].replace("-", "_"))
    chosen = random.Random(name)
    tried = given = 0
    spent = time.process_time()
    for point in points(kernel, chosen):
        tried += 1
        try:
            with limited(patience(kernel), f"{name} at {point} takes longer than it may"):
                result = one(kernel, point, chosen)
        except KernelError as error:
            if not refused_by_its_file(error):
                raise AssertionError(f"{name} at {point}: {error}") from error
            assert RIGHT.search(str(error)), f"{name} at {point} does not say what would be right: {error}"
            continue
        except Exception as error:
            raise AssertionError(f"{name} at {point}: {error!r}") from error
        given += 1
        assert_bounds(result)
        if time.process_time() - spent > BUDGET and not (ASKED and kernel.evaluated):
            break
    print(f"{tried} points, {given} results")
    assert given, f"{name} refuses every point of its ranges"


def one(kernel: Kernel, point: dict[str, Any], chosen: random.Random) -> Result:
    return kernel.once(seed=chosen.choice((0, 1, 2**32 - 1)), **point) if kernel.kind == "simulation" else kernel(**point)


def patience(kernel: Kernel) -> float:
    """Seconds of CPU time: those of a formula in a build, or one draw's part of what a record of the case may take."""
    ends = sum(len(parameter.free) for parameter in kernel.parameters.values())
    return PATIENCE if kernel.evaluated else kernel.timeout / (kernel.draws + ends * kernel.draws_at_ends)


def refused_by_its_file(error: KernelError) -> bool:
    """Whether a file of the library raised it, and not the check of what came back."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return "library" in Path(last.filename).parts


def assert_bounds(result: Result) -> None:
    """A prediction's bound by the data sheet is no more than what it expects."""
    if {"time", "expected"} <= set(result.outputs):
        time, expected = result.outputs["time"], result.outputs["expected"]
        assert isinstance(time, Number) and isinstance(expected, Number)
        assert time.value <= expected.value * (1 + 1e-9), result


@contextmanager
def limited(seconds: float, message: str) -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise AssertionError(message)

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def points(kernel: Kernel, chosen: random.Random) -> list[dict[str, Any]]:
    """POINTS of them or more: each parameter at each of its corners, all corners together where they are few, and mixtures at random."""
    parameters = list(kernel.parameters.values())
    usual = {p.name: middle(p) for p in parameters}
    found = [usual, *({**usual, p.name: corner} for p in parameters for corner in corners(p))]
    if math.prod(len(corners(p)) for p in parameters) <= POINTS // 2:
        found += [dict(zip(usual, at)) for at in itertools.product(*map(corners, parameters))]
    while len(found) < POINTS and parameters:
        cornered = chosen.random()
        ways: list[Callable[[Parameter], Any]] = [lambda p: chosen.choice(corners(p)), lambda p: inside(p, chosen), middle]
        found.append({p.name: chosen.choices(ways, (cornered, 0.8 * (1 - cornered), 0.2 * (1 - cornered)))[0](p) for p in parameters})
    if not kernel.evaluated:
        return sorted(found, key=lambda point: math.prod(max(1, value) for value in point.values() if type(value) is int))
    if ASKED:
        return found
    chosen.shuffle(found)
    return found[:POINTS]


def corners(parameter: Parameter) -> list[Any]:
    if parameter.type is bool:
        return [False, True]
    if parameter.choices:
        return list(parameter.choices)
    if parameter.type is str:
        return list(TEXTS)
    low, high = ends(parameter)
    return list(dict.fromkeys([low, high, *parameter.free]))


def middle(parameter: Parameter) -> Any:
    """The default; without one the first choice, or the geometric mean of the ends."""
    if not parameter.required:
        return parameter.default
    if parameter.choices or parameter.type not in ENDS:
        return corners(parameter)[-1]
    low, high = ends(parameter)
    return parameter.type(math.sqrt(low * high) if low > 0 else (low + high) / 2)


def inside(parameter: Parameter, chosen: random.Random) -> Any:
    """Evenly by its logarithm, by itself, or by the logarithm of the distance to an end."""
    if parameter.choices or parameter.type not in ENDS:
        return chosen.choice(corners(parameter))
    low, high = ends(parameter)
    least = 1 if parameter.type is int else min(1e-9, (high - low) * 1e-9)
    away = math.exp(chosen.uniform(math.log(least), math.log(max(least, high - low))))
    sign = chosen.choice((-1, 1))
    ways = [low + away, low + away, high - away, chosen.uniform(low, high), min(max(low, sign * away), high)]
    if low > 0:
        ways += 5 * [math.exp(chosen.uniform(math.log(low), math.log(high)))]
    value = chosen.choice(ways)
    return min(max(low, round(value) if parameter.type is int else value), high)


def ends(parameter: Parameter) -> tuple[Any, Any]:
    low, high = parameter.bound.low, parameter.bound.high
    assert low is not None and high is not None, f"{parameter.name} has no range with both ends"
    return (math.ceil(low), math.floor(high)) if parameter.type is int else (float(low), float(high))
