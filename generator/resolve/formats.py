"""How a card writes a quantity: the formats right of a reference's bar, rounding, and the text in each medium.

In: a Quantity and a format such as "GB", "GB 4", "TB/s spread", "percent", "count". Out: HTML, TeX or plain text.

Three significant digits unless the format says otherwise, half to even, on the decimal text of the value (its
first 15 digits, so that 0.1 + 0.2 is 0.3). A number that rounding left as it was is exact and prints without
trailing zeros (16, 1.5); one that rounding changed keeps them (1.50): they are known. Integers without a unit and
counts print whole. Below 1e-4 and from 1e15 on a number prints as a power of ten, unless `exact` was asked for.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from generator.resolve.quantity import ATOMS, LARGEST_BITS, PURE, Exponents, Quantity, QuantityError, UnitError, parse_unit, unit_hint, unit_text

# name -> (factor, what is printed after the number), for pure numbers
_WORDS: dict[str, tuple[Fraction, str]] = {
    "percent": (Fraction(1, 100), "%"),
    "points": (Fraction(1, 100), "percentage points"),
    "times": (Fraction(1), "×"),
    "count": (Fraction(1), ""),
}
_SCALES = {"million": 10**6, "billion": 10**9, "trillion": 10**12}  # alone, or before a unit: "trillion tokens"
_LABELS = {"us": "µs"}
_USUAL = """
    B kB MB GB TB KiB MiB GiB TiB bit s ms us min h days FLOP GFLOP TFLOP PFLOP tokens W kW J kWh
    B/s MB/s GB/s TB/s GiB/s FLOP/s GFLOP/s TFLOP/s PFLOP/s FLOP/B FLOP/token tokens/s B/token KiB/token ms/token 1/s J/token
"""  # what a hint offers


@dataclass(frozen=True)
class Format:
    """A format, understood. factor: the size of its unit in base units; digits: None where the author gave none."""

    name: str
    label: str
    factor: Fraction
    exponents: Exponents
    digits: int | None = None
    exact: bool = False
    spread: bool = False


@dataclass(frozen=True)
class Style:
    """How one medium writes numbers. suffixes: by format name, where it is not `unit` around the label."""

    group: str
    minus: str
    power: str
    spread: str
    unit: str
    suffixes: Mapping[str, str]


HTML = Style(",", "\u2212", "{} × 10<sup>{}</sup>", "{} ({} to {})", "&#8239;{}", {"percent": "&#8239;%", "times": "×", "count": ""})
TEX = Style("{,}", "-", r"{}\times10^{{{}}}", r"{}\ ({}\text{{ to }}{})", r"\,\text{{{}}}", {"percent": r"\,\%", "times": r"\times", "count": ""})
PLAIN = Style(",", "-", "{} × 10^{}", "{} ({} to {})", " {}", {"percent": " %", "times": "×", "count": ""})


@functools.cache
def parse_format(text: str) -> Format:
    """Understands "GB", "GB 4", "GB exact", "TB/s spread", "percent 2", "million tokens", "4", "". Raises UnitError."""
    words = text.split()
    rounding: list[str] = []
    while words and (words[-1] in ("exact", "spread") or words[-1].isdecimal()):
        rounding.append(words.pop())
    counts = [int(word) for word in rounding if word.isdecimal()]
    if len(counts) + rounding.count("exact") > 1 or rounding.count("spread") > 1:
        raise UnitError(f"the format {text!r} says twice how to round", "a unit, then significant digits or exact")
    if counts and not 1 <= counts[0] <= 12:
        raise UnitError(f"the format {text!r} asks for {counts[0]} significant digits", "1 to 12, or exact")
    name = " ".join(words)
    return Format(name, *_unit_of(name), counts[0] if counts else None, "exact" in rounding, "spread" in rounding)


def _unit_of(name: str) -> tuple[str, Fraction, Exponents]:
    if name in _WORDS:
        factor, label = _WORDS[name]
        return label, factor, PURE
    words = name.split()
    scale = words.pop(0) if words and words[0] in _SCALES else ""
    if len(words) > 1:
        raise UnitError(f"unknown format {name!r}", "a unit, then significant digits if not three, or exact")
    parts = words[0].split("/") if words else []
    for place, part in enumerate(parts):
        if part not in ATOMS and not (part == "1" and place == 0 and len(parts) > 1):
            raise UnitError(f"unknown unit {part!r}", unit_hint(part, [*_WORDS, *_SCALES]))
    factor, exponents = parse_unit("/".join(parts))
    label = "/".join(_LABELS.get(part, part) for part in parts)
    return f"{scale} {label}".strip(), factor * _SCALES.get(scale, 1), exponents


def fitting(exponents: Exponents) -> str:
    """The usual formats for a unit, as a hint."""
    names = [*_WORDS, *_SCALES] if exponents == PURE else [u for u in _USUAL.split() if parse_unit(u)[1] == exponents]
    return f"formats that fit: {', '.join(names)}" if names else f"no unit of its own: {unit_text(exponents)}"


def check(exponents: Exponents, form: Format) -> None:
    """Raises UnitError where a quantity of these exponents does not convert to the format's unit."""
    if exponents == form.exponents:
        return
    if not form.name:
        raise UnitError(f"a number in {unit_text(exponents)} needs its unit after a bar", fitting(exponents))
    raise UnitError(f"{unit_text(exponents)} does not convert to {form.name}", fitting(exponents))


def converted(number: Quantity, form: Format) -> Fraction:
    """The value in the format's unit, unrounded. Raises UnitError where it does not convert."""
    check(number.exponents, form)
    return _in_unit(number.value, form)


def written(number: Quantity, form: Format, style: Style = PLAIN) -> str:
    """The number with its unit as one medium writes it. Raises UnitError or QuantityError."""
    value, whole = _rounded(number, form)
    suffix = style.suffixes[form.name] if form.name in style.suffixes else style.unit.format(form.label) if form.label else ""
    if not form.spread:
        return _text(_trimmed(value) if whole else value, style, form.exact) + suffix
    if number.spread is None:
        raise QuantityError("there is no spread to show", "a measured output has one, alone or scaled by exact numbers")
    step = Decimal(1).scaleb(int(value.as_tuple().exponent))
    low, high = (_ratio(_in_unit(end, form)).quantize(step, context=_WIDE) for end in number.spread)
    return style.spread.format(*(_text(v, style, form.exact) for v in (value, low, high))) + suffix


def bare(number: Quantity, form: Format) -> str:
    """The rounded number as a learner types it: no unit, separator or trailing zero. Raises UnitError or QuantityError."""
    value = _trimmed(_rounded(number, form)[0])
    if not _plainly(value):
        raise QuantityError(f"{float(value):g} is no number to type", "choose a unit that makes it 0.0001 or more and less than 1e15")
    return format(value, "f")


_WIDE = Context(prec=LARGEST_BITS, rounding=ROUND_HALF_EVEN)
_RATIO = Context(prec=60, rounding=ROUND_HALF_EVEN)


def _rounded(number: Quantity, form: Format) -> tuple[Decimal, bool]:
    """The value in the format's unit, rounded; and whether rounding left it as it was."""
    value = converted(number, form)
    unrounded_by_default = form.name == "count" or (not form.name and isinstance(number.value, int))
    if form.exact or (form.digits is None and unrounded_by_default):
        return _whole(value, form), True
    result = _significant(_ratio(value), form.digits or 3)
    return result, result == _ratio(value)


def _whole(value: Fraction, form: Format) -> Decimal:
    result = _ratio(value)
    if value.denominator != 1 and form.name == "count":
        raise QuantityError(f"{float(value):.6g} is not a whole number, as a count is", "or says its digits: count 3")
    if value.denominator != 1 and len(result.normalize(_RATIO).as_tuple().digits) > 12:
        raise QuantityError(f"{float(value):.6g} has no exact text of 12 digits or fewer", "give significant digits instead")
    return result


def _in_unit(value: int | float, form: Format) -> Fraction:
    return Fraction(value if isinstance(value, int) else Decimal(f"{value:.15g}")) / form.factor


def _ratio(value: Fraction) -> Decimal:
    return Decimal(value.numerator) if value.denominator == 1 else _RATIO.divide(Decimal(value.numerator), Decimal(value.denominator))


def _significant(value: Decimal, digits: int) -> Decimal:
    return Context(prec=digits, rounding=ROUND_HALF_EVEN).plus(value)


def _trimmed(value: Decimal) -> Decimal:
    text = format(value, "f")
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text) if value else Decimal(0)


def _plainly(value: Decimal) -> bool:
    return not value or Decimal("1e-4") <= abs(value) < Decimal("1e15")


def _text(value: Decimal, style: Style, exact: bool) -> str:
    sign = style.minus if value < 0 else ""
    size = abs(value)
    if not exact and not _plainly(size):
        power = size.adjusted()
        shown = _trimmed((_significant(size, 3) if power >= 15 else size).scaleb(-power))
        return sign + style.power.format(shown, f"{style.minus if power < 0 else ''}{abs(power)}")
    before, point, after = format(size, "f").partition(".")
    return sign + f"{int(before):,}".replace(",", style.group) + point + after
