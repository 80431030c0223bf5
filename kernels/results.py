"""What a run gives: the numbers and curves of a Result, what a kernel may return in place of a number, and the author's error.

Values that declarations and records share; they know of neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

EVALUATED = ("formula", "prediction")  # kinds of kernels that are closed forms, which whoever asks evaluates


class KernelError(ValueError):
    """Something that the author of a card or of a kernel got wrong; the message says what and what would be right."""


class RunError(KernelError):
    """A run that gave no result: the message says why, `log` holds the end of what its worker printed, and the traceback."""

    def __init__(self, message: str, log: str = ""):
        super().__init__(message)
        self.log = log


@dataclass(frozen=True)
class Spread:
    """A measured number: median with 20th and 80th percentile. Scales and inverts; two Spreads do not mix."""

    value: float
    low: float
    high: float

    def __mul__(self, factor: float) -> Spread:
        return self._mapped(lambda v: v * factor) if _factor(factor) else NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> Spread:
        return self._mapped(lambda v: v / divisor) if _factor(divisor) else NotImplemented

    def __rtruediv__(self, numerator: float) -> Spread:
        return self._mapped(lambda v: numerator / v) if _factor(numerator) else NotImplemented

    def _mapped(self, change: Callable[[float], float]) -> Spread:
        low, high = sorted((change(self.low), change(self.high)))
        return Spread(change(self.value), low, high)

    def __float__(self) -> float:
        return float(self.value)


def _factor(value: object) -> bool:
    return isinstance(value, (int, float))


@dataclass(frozen=True)
class AtLeast:
    """A number that ran into the end of the run: the true one is this or larger."""

    value: float


Side = Literal["", "lower", "upper"]


@dataclass(frozen=True)
class Number:
    """An output, a number in SI base units; exact where it has no spread.

    low, high: the 10th and 90th percentile of its `draws`: of a simulation by seed, of a measurement the medians of its processes (None at
    a point of a curve where a draw has none); of a measurement in a single process the 20th and 80th percentile of its samples.
    bound: "upper" where the true number is this or smaller, "lower" or larger.
    """

    value: int | float
    unit: str = ""
    low: float | None = None
    high: float | None = None
    draws: tuple[int | float | None, ...] = ()
    bound: Side = ""


@dataclass(frozen=True)
class Curve:
    """A series: one or more lines over one x; a point without a value is None."""

    x_name: str
    x_unit: str
    unit: str
    x: tuple[int | float, ...]
    lines: Mapping[str, tuple[Number | None, ...]]

    def values(self, line: str) -> list[float | None]:
        return [None if p is None else p.value for p in self.lines[line]]


@dataclass(frozen=True)
class End:
    """What a run gives with one free choice, `parameter`, at an end of its range, `value`."""

    parameter: str
    value: Any
    outputs: Mapping[str, Number | Curve]


@dataclass(frozen=True)
class Result:
    """What one run gave. `result["name"]` is a plain number or a Curve, as a drawing wants it.

    made: how (empty for formulas): device, device_class, driver, torch, python, utc, commit, seconds.
    stale: why the record no longer counts as made by today's code; empty where it is fresh.
    draws: over how many seeds a simulation went, 1 where no seed moves it; over how many processes a measurement. ends: the same run where a
    free choice is at an end of its range. timings: of a measurement, each number of seconds with its samples and the state of the device.
    """

    kernel: str
    kind: str
    parameters: Mapping[str, Any]
    outputs: Mapping[str, Number | Curve]
    made: Mapping[str, Any] = field(default_factory=dict)
    stale: tuple[str, ...] = ()
    draws: int = 1
    ends: tuple[End, ...] = ()
    timings: tuple[Mapping[str, Any], ...] = ()

    @property
    def evaluated(self) -> bool:
        return self.kind in EVALUATED

    def __getitem__(self, name: str) -> Any:
        output = self.outputs[name]
        return output.value if isinstance(output, Number) else output
