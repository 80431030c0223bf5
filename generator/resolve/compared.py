"""What a claim's value says, and whether a number agrees with it.

In: "< 10 GB", "2..4", "12 %", and a Quantity. Out: true or false, and how far apart they are. A bound decides in its own direction only.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from generator.resolve.formats import PLAIN, Format, converted, parse_format, written
from generator.resolve.quantity import ExpressionError, Quantity, stays, undecided


@dataclass(frozen=True)
class Said:
    """A claim's value, understood: a comparison with `low`, or low..high where the sign is ".."; numbers in the format's unit."""

    sign: str
    low: Fraction
    high: Fraction
    format: Format

    @property
    def is_comparison(self) -> bool:
        return self.sign in _OPERATORS


_NUMBER = r"[-\u2212]?\d(?:[\d,]*\d)?(?:\.\d+)?(?:[eE][-+]?\d+)?"
_VALUE = re.compile(rf"(?P<sign><=|>=|<|>|≤|≥|)\s*(?P<low>{_NUMBER})(?:\s*\.\.\s*(?P<high>{_NUMBER}))?\s*(?P<unit>[^\d\s<>=.,-].*)?")
_SIGNS = {"≤": "<=", "≥": ">="}
_UNITS = {"%": "percent", "×": "times", "x": "times", "bytes": "B", "µs": "us"}
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def said(value: str) -> Said:
    """Understands "10 GB", "< 10 GB", ">= 1,120 GB", "2..4", "2..4 GB", "12 %". Raises ExpressionError or UnitError."""
    match = _VALUE.fullmatch(value.strip())
    if not match or (match["sign"] and match["high"]):
        raise ExpressionError(f"{value!r} is no value to compare with", "such as 10 GB, < 10 GB, >= 560 GB, 2..4 GB, 12 %")
    unit = (match["unit"] or "").strip()
    low = _fraction(match["low"])
    high = low if match["high"] is None else _fraction(match["high"])
    if high < low:
        raise ExpressionError(f"{value!r} begins above its end", "write the smaller number first")
    sign = ".." if match["high"] else _SIGNS.get(match["sign"], match["sign"])
    return Said(sign, low, high, parse_format(_UNITS.get(unit, unit)))


def _fraction(text: str) -> Fraction:
    plain = text.replace(",", "").replace("\u2212", "-")
    if not math.isfinite(float(plain)) or (not float(plain) and re.search("[1-9]", plain.lower().partition("e")[0])):
        raise ExpressionError(f"{text} is no number to compare with", "one between 1e-300 and 1e300")
    return Fraction(plain)


def held(number: Quantity, claimed: Said, tolerance: float) -> bool:
    """Whether the number agrees; a plain value allows for the tolerance, a share of it. Raises Undecided where a bound does not tell."""
    value = converted(number, claimed.format)
    if claimed.sign in _OPERATORS:
        compare = _OPERATORS[claimed.sign]
        result = compare(value, claimed.low)
        decided = stays(compare, result, number.side, float(value), float(claimed.low))
    else:
        margin = Fraction(0) if claimed.sign else Fraction(str(tolerance)) * abs(claimed.low)
        low, high = claimed.low - margin, claimed.high + margin
        result = low <= value <= high
        decided = (number.side == "upper" and value < low) or (number.side == "lower" and value > high)
    if number.side and not decided:
        raise undecided(written(Quantity(number.value, number.powers), claimed.format, PLAIN), number.side)
    return result


_SMALLEST, _LARGEST = Fraction(1, 10**300), Fraction(10**300)  # past which a ratio says nothing, and is no float


def factor(computed: Fraction, claimed: Said, digits: int | None) -> str:
    """The computed number over the claimed one, "14×" or "0.62×"; of percentages "11 points above"; "" where a ratio says nothing."""
    said = claimed.high if computed > claimed.high else claimed.low
    if computed == said or not said or not _SMALLEST < computed / said < _LARGEST:
        return ""
    near = abs(computed / said - 1) < Fraction(1, 10)
    form = parse_format(f"times {min(digits or 3, 3 if near else 2)}")
    if claimed.format.name == "percent" and Fraction(1, 2) <= computed / said <= 2:
        gap = written(Quantity(float(abs(computed - said))), parse_format(str(min(digits or 2, 2))), PLAIN)
        return f"{gap} points {'above' if computed > said else 'below'}"
    return written(Quantity(float(computed / said)), form, PLAIN)
