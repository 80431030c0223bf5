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

from kernels import packages
from kernels.catalogue import names
from kernels.declare import Kernel, find
from kernels.parameters import ENDS, Parameter
from kernels.results import KernelError, Number, Result

ASKED = int(os.environ.get("CORNERS", "0"))
POINTS = ASKED or 40
BUDGET = 10.0 if ASKED else 0.2  # seconds of CPU time for one kernel's points; formulas have none where all points are asked for
PATIENCE = 2.0  # for a point of a formula, which a build waits for
RIGHT = re.compile(r"\b(must|ha(s|ve) to|needs?|takes?|use|give|choose|raise|lower|it has)\b")  # what a refusal says of what would be right
TEXTS = ("", "Grüße, 世界", "the cat sat on the mat that the rat ate")
KERNELS = [name for name in names() if find(name).kind != "measurement"]


@pytest.mark.parametrize("name", KERNELS)
def test_a_point_gives_a_result_or_is_refused_with_what_would_be_right(name):
    kernel = find(name)
    if lacking := packages.absent([*kernel.needs, *["torch"] * (not kernel.evaluated)]):
        pytest.skip(packages.named(lacking))
    chosen = random.Random(name)
    tried = given = 0
    spent = time.process_time()
    for point in points(kernel, chosen):
        if time.process_time() - spent > BUDGET and not (ASKED and kernel.evaluated):
            break
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
    print(f"{tried} points, {given} results")
    assert given, f"{name} refuses every point of its ranges"


def one(kernel: Kernel, point: dict[str, Any], chosen: random.Random) -> Result:
    return kernel.once(seed=chosen.choice((0, 1, 2**32 - 1)), **point) if kernel.kind == "simulation" else kernel(**point)


def patience(kernel: Kernel) -> float:
    """Seconds of CPU time: those of a formula in a build, or some draws' part of what a simulation's draws may take."""
    return PATIENCE if kernel.evaluated else 4 * kernel.timeout / kernel.draws


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
        least = {p.name: max(1, ends(p)[0]) for p in parameters if p.type is int and not p.choices}
        return sorted(found, key=lambda point: sum(point[name] / low for name, low in least.items()))
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


@pytest.mark.parametrize("name", names())
def test_every_number_has_a_range_with_both_ends(name):
    assert all(low <= high for low, high in (ends(p) for p in find(name).parameters.values() if p.type in ENDS and not p.choices))


@pytest.mark.parametrize(
    ("name", "point", "message"),
    [
        ("activation_memory", {"width": 12288, "heads": 96, "layers": 10**9}, "'layers' is 1000000000, but must be at least 1 and at most 100000"),
        ("balance_loss", {"experts": 10**15}, "'experts' is 1000000000000000, but must be at least 2 and at most 1e+06"),
        ("attention_matrix", {"heads": 12, "tokens": 1024, "layers": 10**16}, "at least 1 and at most 1e+15"),
        ("tensor_parallel", {"width": 10**12, "tokens": 1, "gpus": 10**12}, "'gpus' is 1000000000000, but must be at least 2 and at most 100000"),
        ("calibration", {"seed": 2**32}, "'seed' is 4294967296, but must be at least 0 and at most 4.29497e+09"),
        ("calibration", {"seed": 2**64}, "at most 4.29497e+09"),
        ("calibration", {"seed": -1}, "at least 0"),
    ],
)
def test_what_lies_outside_is_refused_with_the_range(name, point, message):
    with pytest.raises(KernelError, match=re.escape(message)):
        find(name)(**point)


@pytest.mark.parametrize(
    ("name", "point", "output", "value"),
    [
        ("selective_risk", {"separation": 0.25}, "coverage", 2.52585e-18),
        ("temperature_softmax", {"temperature": 0.02, "probability": 1e-9}, "pair", 0.0),
        ("weighted_reservoir", {"n": 10, "k": 9, "heavy_items": 5, "weight": 1.0}, "ratio", 1.0),
        ("partial_speedup", {"faster": 6.4e29, "overall": 8.3e23}, "limit", 8.3e23),
        ("conv_stack", {"kernel_size": 3, "layers": 10**15}, "receptive_field", 2e15 + 1),
        ("ddp_overlap", {"size": 1e15, "backward": 1.0, "per_node": 1}, "hidden", 1.0),
    ],
)
def test_what_failed_once_has_its_value(name, point, output, value):
    assert find(name)(**point)[output] == pytest.approx(value, rel=1e-5, abs=0)


@pytest.mark.parametrize("separation", [0.3, 0.5, 1.0])
def test_the_risk_far_out_by_mpmath(separation):
    mpmath = pytest.importorskip("mpmath")
    result = find("selective_risk")(separation=separation, abstention=0.05)
    with mpmath.workdps(60):
        least = mpmath.log(19) / separation
        wrong, right = (mpmath.ncdf(sign * mpmath.mpf(separation) / 2 - least) for sign in (-1, 1))
        assert result["risk"] == pytest.approx(float(wrong / (wrong + right)), rel=1e-9)
        assert result["coverage"] == pytest.approx(float(wrong + right), rel=1e-9)
