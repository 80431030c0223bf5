"""Numbers that keep their units through arithmetic.

In: values in SI base units, with the units that kernels declare. Out: Quantities, or an error that names both units.
Apart from formats.py because nothing here rounds.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from generator.problems import nearest
from kernels import units
from kernels.units import PURE, Powers, multiplied, raised

LARGEST_BITS = 4096  # an integer beyond it is a slip (9**9**9), not a number for a card


class ExpressionError(ValueError):
    """An expression that its author must change: what is wrong, and as hint what would be right."""

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.hint = hint


class QuantityError(ExpressionError):
    """What this value does not allow, and another would: an infinite result, a count that is not whole."""


class UnitError(QuantityError):
    """Units that do not fit, whatever the values."""


class Undecided(ExpressionError):
    """A comparison that a bound does not decide: the true number may lie on either side."""


# ---------------------------------------------------------------------------------------------- units


@units.remembering
def parse_unit(text: str, more: tuple[str, ...] = ()) -> tuple[Fraction, Powers]:
    """The size and powers of "GB", "TFLOP/s", "1/s", "kg*m/s^2" or "". Raises UnitError for an unknown part. more: what else could be meant."""
    try:
        return units.parsed(text)
    except units.UnknownUnit as error:
        name = str(error)
        if name in units.CELSIUS:
            raise UnitError(f"{name} stands alone, as a format of kelvins", "a difference of temperatures, or what is per kelvin, is in K") from error
        raise UnitError(f"unknown unit {name!r}", unit_hint(name, more)) from error


def unit_hint(name: str, more: Iterable[str] = ()) -> str:
    """The nearest units to a misspelt one, among them those that differ by capitals alone."""
    if "(" in name:
        return "behind the bar stand a unit and digits, such as GB 2; a function stands before it, such as round(run.output)"
    known = [*more, *units.CELSIUS, *units.names()]
    same = [k for k in known if k.casefold() == name.casefold()]
    if same:
        return f"did you mean {' or '.join(same)}?"
    return nearest(name, known) or "such as GB, TB/s, ms, kg, m/s, EUR, percent, times, count; deck.yml declares others under units:"


def unit_text(powers: Powers) -> str:
    """The base unit as a person writes it: "B/s", "1/s"; "a pure number" where there is none."""
    return units.text(powers) or "a pure number"


# ------------------------------------------------------------------------------------------ arithmetic


@dataclass(frozen=True, eq=False)
class Quantity:
    """A number in base units. Integers stay exact; a quotient of integers that comes out whole is one again.

    spread: the 20th and 80th percentile of a measurement, the 10th and 90th of a simulation; it outlives arithmetic with exact numbers only.
    side: "upper" where the true number is this or smaller, "lower" or larger, "either" where bounds of both kinds met.
    Adding or comparing unlike units raises UnitError; a plain number is a quantity without unit.
    """

    value: int | float
    powers: Powers = PURE
    spread: tuple[float, float] | None = None
    side: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.value, int) and self.value.bit_length() > LARGEST_BITS:
            raise QuantityError("the number grows too large")
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise QuantityError("the number is not finite")

    @property
    def pure(self) -> bool:
        return self.powers == PURE

    def __add__(self, other: Any) -> Quantity:
        return _like("add", operator.add, self, other)

    def __radd__(self, other: Any) -> Quantity:
        return _like("add", operator.add, other, self)

    def __sub__(self, other: Any) -> Quantity:
        return _like("subtract", operator.sub, self, other)

    def __rsub__(self, other: Any) -> Quantity:
        return _like("subtract", operator.sub, other, self)

    def __mod__(self, other: Any) -> Quantity:
        return _like("take the remainder of", operator.mod, self, other)

    def __rmod__(self, other: Any) -> Quantity:
        return _like("take the remainder of", operator.mod, other, self)

    def __mul__(self, other: Any) -> Quantity:
        return _combined(operator.mul, self, other, +1)

    def __rmul__(self, other: Any) -> Quantity:
        return _combined(operator.mul, other, self, +1)

    def __truediv__(self, other: Any) -> Quantity:
        return _combined(_divided, self, other, -1)

    def __rtruediv__(self, other: Any) -> Quantity:
        return _combined(_divided, other, self, -1)

    def __floordiv__(self, other: Any) -> Quantity:
        return _combined(operator.floordiv, self, other, -1)

    def __rfloordiv__(self, other: Any) -> Quantity:
        return _combined(operator.floordiv, other, self, -1)

    def __pow__(self, other: Any) -> Quantity:
        return _powers(self, quantity(other))

    def __rpow__(self, other: Any) -> Quantity:
        return _powers(quantity(other), self)

    def __neg__(self) -> Quantity:
        return Quantity(-self.value, self.powers, self.spread and (-self.spread[1], -self.spread[0]), FLIPPED[self.side])

    def __pos__(self) -> Quantity:
        return self

    def __abs__(self) -> Quantity:
        return self if self.value >= 0 else -self

    def __round__(self, digits: int | None = None) -> Quantity:
        return Quantity(round(self.value, digits), self.powers, None, self.side)

    def __ceil__(self) -> Quantity:
        return Quantity(math.ceil(self.value), self.powers, None, self.side)

    def __floor__(self) -> Quantity:
        return Quantity(math.floor(self.value), self.powers, None, self.side)

    def __lt__(self, other: Any) -> bool:
        return _compared(operator.lt, self, other)

    def __le__(self, other: Any) -> bool:
        return _compared(operator.le, self, other)

    def __gt__(self, other: Any) -> bool:
        return _compared(operator.gt, self, other)

    def __ge__(self, other: Any) -> bool:
        return _compared(operator.ge, self, other)

    def __eq__(self, other: object) -> bool:
        return _compared(operator.eq, self, other)

    def __ne__(self, other: object) -> bool:
        return _compared(operator.ne, self, other)

    def __hash__(self) -> int:
        return hash((self.value, self.powers))

    def __bool__(self) -> bool:
        raise QuantityError("a number is not a condition: compare it with something")


def quantity(value: Any) -> Quantity:
    """A plain number as a quantity without unit; a quantity as it is. Raises QuantityError for anything else."""
    if isinstance(value, Quantity):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise QuantityError(f"{value!r} is not a number")
    return Quantity(value)


def _like(verb: str, operation: Callable, left: Any, right: Any) -> Quantity:
    a, b = quantity(left), quantity(right)
    if a.powers != b.powers:
        raise UnitError(f"cannot {verb} {unit_text(a.powers)} and {unit_text(b.powers)}")
    side = joined(a.side, FLIPPED[b.side] if operation is operator.sub else b.side, certain=operation is not operator.mod)
    return Quantity(operation(a.value, b.value), a.powers, _spread(operation, a, b), side)


def _combined(operation: Callable, left: Any, right: Any, sign: int) -> Quantity:
    a, b = quantity(left), quantity(right)
    first, second = (FLIPPED[x.side] if y.value < 0 else x.side for x, y in ((a, b), (b, a)))
    side = joined(first, second if sign > 0 else FLIPPED[second])
    return Quantity(operation(a.value, b.value), multiplied(a.powers, b.powers, sign), _spread(operation, a, b), side)


FLIPPED = {"": "", "upper": "lower", "lower": "upper", "either": "either"}


def joined(*sides: str, certain: bool = True) -> str:
    """The side on which what grows with all of these numbers is bounded."""
    met = set(filter(None, sides))
    return "" if not met else met.pop() if len(met) == 1 and certain else "either"


def _spread(operation: Callable, a: Quantity, b: Quantity) -> tuple[float, float] | None:
    if (a.spread is None) == (b.spread is None):
        return None
    ends = [operation(e, b.value) for e in a.spread] if a.spread else [operation(a.value, e) for e in b.spread or ()]
    return (min(ends), max(ends))


def _divided(a: float, b: float) -> int | float:
    if isinstance(a, int) and isinstance(b, int) and b and a % b == 0:
        return a // b
    return a / b


def _powers(base: Quantity, power: Quantity) -> Quantity:
    if not power.pure:
        raise UnitError(f"an exponent must be a pure number, not {unit_text(power.powers)}")
    if not base.pure and not isinstance(power.value, int):
        raise UnitError(f"{unit_text(base.powers)} takes whole exponents only")
    if isinstance(base.value, int) and isinstance(power.value, int) and base.value.bit_length() * abs(power.value) > LARGEST_BITS:
        raise QuantityError("the number grows too large")
    result = base.value**power.value
    if isinstance(result, complex):
        raise QuantityError("a root of a negative number")
    side = base.side if power.value >= 0 else FLIPPED[base.side]
    powers = raised(base.powers, int(power.value)) if not base.pure else PURE
    return Quantity(result, powers, None, "either" if power.side or (base.side and base.value < 0) else side)


def _compared(operation: Callable[[Any, Any], bool], left: Quantity, right: Any) -> bool:
    other = quantity(right)
    if left.powers != other.powers:
        raise UnitError(f"cannot compare {unit_text(left.powers)} with {unit_text(other.powers)}")
    result = operation(left.value, other.value)
    side = joined(left.side, FLIPPED[other.side])  # of what is left of the difference
    if side and not stays(operation, result, side, left.value, other.value):
        raise undecided(f"{left.value:.3g}", side)
    return result


def undecided(number: str, side: str) -> Undecided:
    words = {"upper": "an upper bound", "lower": "a lower bound"}.get(side, "a bound")
    return Undecided(f"{number} is only {words}, which does not decide this", "a bound refutes and supports in its own direction only")


def stays(operation: Callable[[Any, Any], bool], result: bool, side: str, left: float, right: float) -> bool:
    """Whether the result holds wherever the true number lies on its side of the bound."""
    if operation in (operator.lt, operator.le):
        return side == ("upper" if result else "lower")
    if operation in (operator.gt, operator.ge):
        return side == ("lower" if result else "upper")
    return result is (operation is operator.ne) and (left < right if side == "upper" else left > right if side == "lower" else False)
