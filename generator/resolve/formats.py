"""How a card writes a quantity: the formats right of a reference's bar, rounding, and the text in each medium.

In: a Quantity and a format such as "GB", "GB 4", "TB/s spread", "percent range", "sign", "count". Out: HTML, TeX or plain text.

A number with a spread has as many digits, three at most, as the spread supports: the last is uncertain by one at most; where the number is
uncertain by more than a quarter of itself, there is none, and a range or a sign is all that can be said of it.
An exact one has three significant digits unless the format says otherwise, half to even, on the decimal text of the value (its
first 15 digits, so that 0.1 + 0.2 is 0.3). A number that rounding left as it was is exact and prints without
trailing zeros (16, 1.5); one that rounding changed keeps them (1.50): they are known. So does one that is typed (16.0), where
the question asks for its digits. Integers without a unit and counts print whole. Below 1e-4 and from 1e15 on a number prints as
a power of ten, unless `exact` was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from generator.resolve.quantity import LARGEST_BITS, Quantity, QuantityError, UnitError, parse_unit, unit_text
from kernels import units
from kernels.units import PURE, Powers

# name -> (factor, what is printed after the number), for pure numbers
_WORDS: dict[str, tuple[Fraction, str]] = {
    "percent": (Fraction(1, 100), "%"),
    "points": (Fraction(1, 100), "percentage points"),
    "times": (Fraction(1), "×"),
    "count": (Fraction(1), ""),
}
_SCALES = {"million": 10**6, "billion": 10**9, "trillion": 10**12}  # alone, or before a unit: "trillion tokens"
_USUAL = """
    B kB MB GB TB KiB MiB GiB TiB bit s ms us min h days FLOP GFLOP TFLOP PFLOP tokens W kW J kWh
    B/s MB/s GB/s TB/s GiB/s FLOP/s GFLOP/s TFLOP/s PFLOP/s FLOP/B FLOP/token tokens/s B/token KiB/token ms/token 1/s J/token
    m km cm mm nm m^2 m^3 l m/s km/h m/s^2 kg g kg/m^3 N Pa kPa MJ eV A mA C V mV Ohm kOhm F H T Wb Hz kHz K mol cd lm lx Bq Gy Sv kat
"""  # what a hint offers


@dataclass(frozen=True)
class Format:
    """A format, understood. factor: the size of its unit in base units; zero: where its scale begins, in them (0 °C is 273.15 K).

    digits: None where the author gave none. padded: whether an exact number has all its digits too, trailing zeros among them.
    """

    name: str
    label: str
    factor: Fraction
    powers: Powers
    zero: Fraction = Fraction(0)
    digits: int | None = None
    rounding: str = ""  # exact, spread, range or sign
    padded: bool = False


@dataclass(frozen=True)
class Style:
    """How one medium writes numbers. suffixes: by format name, where it is not `unit` around the label."""

    group: str
    minus: str
    power: str
    spread: str
    range: str
    unit: str
    suffixes: Mapping[str, str]


HTML = Style(",", "\u2212", "{} × 10<sup>{}</sup>", "{} ({} to {})", "{} to {}", "&#8239;{}", {"percent": "&#8239;%", "times": "×", "count": ""})
TEX = Style(
    "{,}",
    "-",
    r"{}\times10^{{{}}}",
    r"{}\ ({}\text{{ to }}{})",
    r"{}\text{{ to }}{}",
    r"\,\text{{{}}}",
    {"percent": r"\,\%", "times": r"\times", "count": ""},
)
PLAIN = Style(",", "-", "{} × 10^{}", "{} ({} to {})", "{} to {}", " {}", {"percent": " %", "times": "×", "count": ""})


@units.remembering
def parse_format(text: str) -> Format:
    """Understands "GB", "GB 4", "GB exact", "TB/s spread", "percent 2", "million tokens", "4", "". Raises UnitError."""
    words = text.split()
    rounding: list[str] = []
    while words and (words[-1] in ROUNDINGS or words[-1].isdecimal()):
        rounding.append(words.pop())
    counts = [int(word) for word in rounding if word.isdecimal()]
    ways = [word for word in rounding if not word.isdecimal()]
    if len(counts) > 1 or len(ways) > 1 or (counts and {"exact", "sign"} & set(ways)):
        raise UnitError(f"the format {text!r} says twice how to round", "a unit, then significant digits, or exact, range or sign")
    if counts and not 1 <= counts[0] <= 12:
        raise UnitError(f"the format {text!r} asks for {counts[0]} significant digits", "1 to 12, or exact")
    name = " ".join(words)
    if name in units.CELSIUS and "sign" in ways:
        raise UnitError(f"the format {text!r} gives the sign of what has no natural zero", "say it of a difference, in K")
    return Format(name, *_unit_of(name), counts[0] if counts else None, ways[0] if ways else "")


ROUNDINGS = ("exact", "spread", "range", "sign")


def _unit_of(name: str) -> tuple[str, Fraction, Powers, Fraction]:
    if name in _WORDS:
        factor, label = _WORDS[name]
        return label, factor, PURE, Fraction(0)
    words = name.split()
    scale = words.pop(0) if words and words[0] in _SCALES else ""
    if len(words) > 1:
        raise UnitError(f"unknown format {name!r}", "a unit, then significant digits if not three, or exact")
    name = words[0] if words else ""
    if name in units.CELSIUS:
        if scale:
            raise UnitError(f"unknown format {f'{scale} {name}'!r}", f"{name} alone")
        return "°C", Fraction(1), _KELVIN, units.ICE
    factor, powers = parse_unit(name, (*_WORDS, *_SCALES))
    return f"{scale} {units.label(name)}".strip(), factor * _SCALES.get(scale, 1), powers, Fraction(0)


_KELVIN = (("K", 1),)


def fitting(powers: Powers) -> str:
    """The usual formats for a unit, as a hint."""
    known = [*_USUAL.split(), *units.CURRENCIES, *units.declared()]
    names = [*_WORDS, *_SCALES] if powers == PURE else [*(u for u in known if parse_unit(u)[1] == powers), *["°C"] * (powers == _KELVIN)]
    return f"formats that fit: {', '.join(names)}" if names else f"no unit of its own: {unit_text(powers)}"


def check(powers: Powers, form: Format) -> None:
    """Raises UnitError where a quantity of these powers does not convert to the format's unit."""
    if powers == form.powers:
        return
    if not form.name:
        raise UnitError(f"a number in {unit_text(powers)} needs its unit after a bar", fitting(powers))
    raise UnitError(f"{unit_text(powers)} does not convert to {form.name}", fitting(powers))


def converted(number: Quantity, form: Format) -> Fraction:
    """The value in the format's unit, unrounded. Raises UnitError where it does not convert."""
    check(number.powers, form)
    value = _in_unit(number.value, form)
    if abs(value) > _LARGEST and isinstance(number.value, float):
        raise QuantityError(f"in {form.name} the number grows too large")
    return value


_LARGEST = Fraction(10**308)  # near which a float ends


def written(number: Quantity, form: Format, style: Style = PLAIN) -> str:
    """The number with its unit as one medium writes it. Raises UnitError or QuantityError."""
    if form.rounding == "sign":
        return _sign(number, form)
    suffix = style.suffixes[form.name] if form.name in style.suffixes else style.unit.format(form.label) if form.label else ""
    if form.rounding == "range":
        low, high = (_text(_significant(end, form.digits or 2), style, False) for end in _ends(number, form))
        return (low if low == high else style.range.format(low, high)) + suffix
    value, whole = _rounded(number, form)
    exact = form.rounding == "exact"
    if form.rounding != "spread":
        return _text(_trimmed(value) if whole else value, style, exact) + suffix
    step = Decimal(1).scaleb(int(value.as_tuple().exponent))
    ends = (end.quantize(step, context=_WIDE) for end in _ends(number, form))
    return style.spread.format(*(_text(v, style, exact) for v in (value, *ends))) + suffix


def _ends(number: Quantity, form: Format) -> tuple[Decimal, Decimal]:
    if number.spread is None:
        raise QuantityError("there is no spread to show", "what was measured or drawn has one, alone or scaled by exact numbers")
    check(number.powers, form)
    low, high = (_ratio(_in_unit(end, form)) for end in number.spread)
    return low, high


def _sign(number: Quantity, form: Format) -> str:
    """ "more" or "less", where all of the spread agrees: than none, or of a ratio than one."""
    check(number.powers, form)
    than = 1 if form.name == "times" else 0
    low, high = number.spread or (number.value, number.value)
    if low <= than <= high:
        raise QuantityError(f"it is neither more nor less: {band(number, form)}", "say that the draws do not tell")
    return "more" if low > than else "less"


def band(number: Quantity, form: Format) -> str:
    """The spread as a message has it: "0.95 to 1.64×, around 1.24×"."""
    low, high = (_in_unit(end, form) for end in number.spread or (number.value, number.value))
    unit = PLAIN.suffixes.get(form.name, f" {form.label}" if form.label else "")
    return f"{float(low):.3g} to {float(high):.3g}{unit}, around {float(converted(number, form)):.3g}{unit}"


def digits_of(number: Quantity, form: Format) -> int | None:
    """How many significant digits, three at most, the spread supports; None for an exact number."""
    if number.spread is None or number.spread[0] == number.spread[1] == number.value:
        return None
    value = abs(converted(number, form))
    off = max(abs(_in_unit(end, form) - converted(number, form)) for end in number.spread)
    if 4 * off > value:
        return 0
    return next((digits for digits in (3, 2) if off <= last_place(_ratio(value), digits)), 1)


def last_place(value: Decimal, digits: int) -> Fraction:
    """The size of the last of so many significant digits."""
    return Fraction(10) ** (_significant(value, digits).adjusted() - digits + 1)


def bare(number: Quantity, form: Format) -> str:
    """The number as the card shows it, without what nobody types: unit and separators. Raises UnitError or QuantityError.

    With its trailing zeros, which Anki's comparison takes for missing where they are not typed; without them it took them for wrong where
    they are. With separators it would find wrong digits in 10000 typed for 10,000.
    """
    value, whole = _rounded(number, form)
    value = _trimmed(value) if whole else value
    if not _plainly(value):
        raise QuantityError(f"{float(value):g} is no number to type", "choose a unit that makes it 0.0001 or more and less than 1e15")
    return format(value, "f")


def printed(number: Quantity, form: Format) -> tuple[Decimal, Fraction]:
    """The number as it is printed, in the format's unit, and the size of its last digit. Raises UnitError or QuantityError."""
    value, whole = _rounded(number, form)
    if form.rounding == "exact" or (form.name == "count" and form.digits is None) or not value:
        return value, Fraction(10) ** min(int(_trimmed(value).as_tuple().exponent), 0)
    digits = min(form.digits or 3, digits_of(number, form) or 12)
    return value, last_place(value, digits)


_WIDE = Context(prec=LARGEST_BITS, rounding=ROUND_HALF_EVEN)
_RATIO = Context(prec=60, rounding=ROUND_HALF_EVEN)


def _rounded(number: Quantity, form: Format) -> tuple[Decimal, bool]:
    """The value in the format's unit, rounded; and whether rounding left it as it was."""
    value = converted(number, form)
    unrounded_by_default = form.name == "count" or (not form.name and isinstance(number.value, int))
    certain = digits_of(number, form) if form.rounding != "spread" else None
    if certain is not None:
        _refuse(number, form, certain)
        digits = min(form.digits or 3, certain)
        step = last_place(_ratio(value), digits)
        return _significant(_ratio(value), digits).quantize(_ratio(min(step, Fraction(1))), context=_WIDE), False
    if form.rounding == "exact" or (form.digits is None and unrounded_by_default):
        return _whole(value, form), True
    result = _significant(_ratio(value), form.digits or 3)
    if form.padded and value:
        return result.quantize(_ratio(min(last_place(result, form.digits or 3), Fraction(1))), context=_WIDE), False
    return result, result == _ratio(value)


def _refuse(number: Quantity, form: Format, certain: int) -> None:
    """Raises QuantityError where more is asked for than the spread supports."""
    asked = f"{form.name} " if form.name else ""
    instead = f"write | {asked}range, or | {asked}sign"
    if form.rounding == "exact":
        raise QuantityError(f"it is not exact: {band(number, form)}", f"leave out exact, or {instead}")
    if not certain:
        raise QuantityError(f"no digit of it is certain: {band(number, form)}", instead)
    if form.digits and form.digits > certain:
        raise QuantityError(f"{form.digits} digits are asked for, and {certain} certain: {band(number, form)}", f"| {asked}{certain}, or {instead}")


def _whole(value: Fraction, form: Format) -> Decimal:
    result = _ratio(value)
    if value.denominator != 1 and form.name == "count":
        raise QuantityError(f"{float(value):.6g} is not a whole number, as a count is", "or says its digits: count 3")
    if value.denominator != 1 and len(result.normalize(_RATIO).as_tuple().digits) > 12:
        raise QuantityError(f"{float(value):.6g} has no exact text of 12 digits or fewer", "give significant digits instead")
    return result


def _in_unit(value: int | float, form: Format) -> Fraction:
    return Fraction(value if isinstance(value, int) else Decimal(f"{value:.15g}")) / form.factor - form.zero


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
