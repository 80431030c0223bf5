"""Points of a series inside an expression: alias.curve.at(4096), alias.curve["fused"].max, alias.curve[0].

In: a recorded Curve, or its declaration while nobody has measured it. Out: Quantities, or an ExpressionError that names
the points or lines there are. Nothing is ever read between two points: what a card shows was computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from generator.problems import nearest
from generator.resolve.quantity import ExpressionError, Quantity, UnitError, parse_unit, quantity
from kernels.declare import Series
from kernels.record import Curve, Number

POINTS: Mapping[str, Callable[[list[Quantity]], Quantity]] = {"first": lambda p: p[0], "last": lambda p: p[-1], "max": max, "min": min}


def number_of(number: Number) -> Quantity:
    spread = None if number.low is None or number.high is None else (number.low, number.high)
    return Quantity(number.value, parse_unit(number.unit)[1], spread, number.bound)


class Line:
    """One line of a series: at(x), [i], and first, last, max, min of the points that have a value."""

    def __init__(self, curve: Curve, name: str):
        self._curve, self._name = curve, name
        self._points = [None if p is None else number_of(p) for p in curve.lines[name]]

    def __getattr__(self, name: str) -> Quantity:
        if name not in POINTS:
            raise AttributeError(name)
        known = [p for p in self._points if p is not None]
        if not known:
            raise ExpressionError(f"the line {self._name!r} has no value at all")
        return POINTS[name](known)

    def __getitem__(self, index: Any) -> Quantity:
        place = quantity(index)
        if not place.pure or not isinstance(place.value, int) or not -len(self._points) <= place.value < len(self._points):
            raise ExpressionError(f"the series has no point {index!r}", f"0 to {len(self._points) - 1}")
        return self._known(place.value)

    def at(self, x: Any) -> Quantity:
        """The value at x: one of the recorded abscissae, never between two of them."""
        wanted = quantity(x)
        unit = parse_unit(self._curve.x_unit)[1]
        if not wanted.pure and wanted.powers != unit:
            raise UnitError(f"{self._curve.x_name} is in {self._curve.x_unit or 'pure numbers'}", "give x in that unit or without one")
        for place, known in enumerate(self._curve.x):
            if math.isclose(known, wanted.value, rel_tol=1e-9):
                return self._known(place)
        shown = ", ".join(f"{v:,g}" if abs(v) < 1e6 else f"{v:g}" for v in self._curve.x)
        raise ExpressionError(f"no point at {self._curve.x_name} = {wanted.value:g}", f"points: {shown}")

    def _known(self, place: int) -> Quantity:
        point = self._points[place]
        if point is None:
            raise ExpressionError(f"the line {self._name!r} has no value at {self._curve.x_name} = {self._curve.x[place]:g}")
        return point


class Lines:
    """A series: its only line, or one by name: curve["fused"].max, curve.at(4096, "fused")."""

    def __init__(self, curve: Curve):
        self._curve = curve

    def __getattr__(self, name: str) -> Quantity:
        return getattr(self._line(None), name)

    def __getitem__(self, key: Any) -> Any:
        return self._line(key) if isinstance(key, str) else self._line(None)[key]

    def at(self, x: Any, line: str | None = None) -> Quantity:
        return self._line(line).at(x)

    def _line(self, name: str | None) -> Line:
        lines = self._curve.lines
        if name is None and len(lines) == 1:
            name = next(iter(lines))
        if name is None:
            raise ExpressionError("a series of several lines", f"name one, such as series[{min(lines)!r}].max; lines: {', '.join(sorted(lines))}")
        if name not in lines:
            raise ExpressionError(f"the series has no line {name!r}", nearest(name, lines))
        return Line(self._curve, name)


class Unmeasured:
    """Stands in for a series that nobody has measured: every line and point is 1 in its declared unit."""

    def __init__(self, declared: Series):
        self._point = Quantity(1.0, parse_unit(declared.unit)[1], (1.0, 1.0))
        self.first = self.last = self.max = self.min = self._point

    def __getitem__(self, key: Any) -> Any:
        return self if isinstance(key, str) else self._point

    def at(self, x: Any, line: str | None = None) -> Quantity:
        return self._point
