"""What many draws of one simulation come to: median, 10th and 90th percentile, and the draws themselves.

In: the outputs of each draw. Out: one set of outputs, or that of a single draw again. Standard library only.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kernels.results import Curve, KernelError, Number, Side

Outputs = Mapping[str, Number | Curve]
DIGITS = 9  # of a draw that is a fraction, as it is kept
SAME = 10.0 ** (1 - DIGITS)  # relative: what keeping no more may change


def together(kernel_name: str, draws: Sequence[Outputs]) -> dict[str, Number | Curve]:
    """The outputs over all draws; what every draw agrees on stays exact. Raises KernelError for a curve whose x depends on the seed."""
    if len(draws) == 1:
        return dict(draws[0])
    return {name: _together(f"{kernel_name}.{name}", [draw[name] for draw in draws]) for name in draws[0]}


def _together(what: str, drawn: Sequence[Number | Curve]) -> Number | Curve:
    numbers = [one for one in drawn if isinstance(one, Number)]
    if len(numbers) == len(drawn):
        return over([one.value for one in numbers], numbers)
    curves = [one for one in drawn if isinstance(one, Curve)]
    first = curves[0]
    if any((curve.x, set(curve.lines)) != (first.x, set(first.lines)) for curve in curves):
        raise KernelError(f"{what} has other points or lines with another seed (choose them without it; None where a draw has no value)")
    return replace(first, lines={line: _line([curve.lines[line] for curve in curves]) for line in first.lines})


def _line(drawn: Sequence[Sequence[Number | None]]) -> tuple[Number | None, ...]:
    points = ([line[place] for line in drawn] for place in range(len(drawn[0])))
    return tuple(_point(point) for point in points)


def _point(drawn: Sequence[Number | None]) -> Number | None:
    """One point of a curve; none where fewer than half of the draws have it."""
    there = [one for one in drawn if one is not None]
    return over([None if one is None else one.value for one in drawn], there) if 2 * len(there) >= len(drawn) else None


def over(values: Sequence[int | float | None], numbers: Sequence[Number]) -> Number:
    """The number that these draws give; `numbers` tell its unit and bound."""
    kept = tuple(float(f"{v:.{DIGITS}g}") if isinstance(v, float) else v for v in values)
    bound: Side = next((one.bound for one in numbers if one.bound), "")
    if all(value == values[0] for value in values):
        return Number(numbers[0].value, numbers[0].unit, bound=bound)
    low, middle, high = percentiles([value for value in kept if value is not None])
    return Number(middle, numbers[0].unit, low, high, kept, bound)


def percentiles(values: Sequence[int | float]) -> tuple[float, int | float, float]:
    """The 10th, 50th and 90th percentile; that of whole numbers in the middle is one of them."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    tenths = statistics.quantiles(values, n=10, method="inclusive")
    whole = all(isinstance(value, int) for value in values)
    middle = statistics.median_low(values) if whole else statistics.median(values)
    return min(tenths[0], middle), middle, max(tenths[8], middle)


def one(outputs: Outputs, draw: int) -> dict[str, Number | Curve]:
    """What the draw of this number gave."""
    found = {name: _one_curve(output, draw) if isinstance(output, Curve) else _one(output, draw) for name, output in outputs.items()}
    return {name: output for name, output in found.items() if output is not None}


def _one_curve(curve: Curve, draw: int) -> Curve:
    lines = {line: tuple(None if point is None else _one(point, draw) for point in points) for line, points in curve.lines.items()}
    return replace(curve, lines=lines)


def _one(number: Number, draw: int) -> Number | None:
    """The number of one draw; None at a point of a curve where it has none."""
    value = number.draws[draw % len(number.draws)] if number.draws else number.value
    return None if value is None else Number(value, number.unit, bound=number.bound)
