"""The units of numbers: SI with its derived units and prefixes, bytes and bits, what is counted, currencies, and the words that a deck declares.

In: "km/h", "kg*m/s^2", "1/s", "". Out: its size in base units, and their powers. Kernels give base units and what is made of them
without a factor (`check`); cards write any. What is counted, a currency among it, is a base unit of its own and converts to nothing.

A table of our own: pint loads in 290 ms of CPU time where a whole edit takes 150, is four times slower in arithmetic, knows no nearest names,
and would leave bounds, spreads, digits and whole numbers to us all the same.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, TypeVar

T = TypeVar("T")

Powers = tuple[tuple[str, int], ...]  # of base units, in their order: B/s is (("B", 1), ("s", -1))
PURE: Powers = ()
CURRENCIES = ("EUR", "USD", "GBP", "JPY", "CHF")
BASE = ("B", "FLOP", "token", *CURRENCIES, "kg", "m", "s", "A", "K", "mol", "cd")  # and after the first three the words that a deck declares
CELSIUS = ("°C", "degC")  # no unit of a number, which is in kelvins: a way to write one
ICE = Fraction("273.15")  # 0 °C in kelvins

Prefixes = dict[str, int | Fraction]
_LARGE: Prefixes = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}
_BINARY: Prefixes = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}
_PARTS: Prefixes = {**dict.fromkeys("uµμ", Fraction(1, 10**6)), **{p: Fraction(1, 10**n) for p, n in (("m", 3), ("n", 9), ("p", 12), ("f", 15))}}
_METRIC: Prefixes = {**_LARGE, **_PARTS}
_CENTI: Prefixes = {"c": Fraction(1, 100), "d": Fraction(1, 10)}

# name -> (size, of what, prefixes). Of units of one kind the first without a factor is the one that messages use.
_FAMILIES: Mapping[str, tuple[int | Fraction, str, Prefixes]] = {
    "B": (1, "", {**_LARGE, **_BINARY}),
    "bit": (Fraction(1, 8), "B", {**_LARGE, **_BINARY}),
    "FLOP": (1, "", _LARGE),
    "g": (Fraction(1, 1000), "kg", {"": 1, "k": 1000, **_PARTS}),
    "m": (1, "", {"": 1, "k": 1000, **_PARTS, **_CENTI}),
    "s": (1, "", {"": 1, **_PARTS}),
    "A": (1, "", _METRIC),
    "K": (1, "", {"": 1, **_PARTS}),
    "mol": (1, "", {"": 1, **_PARTS}),
    "cd": (1, "", {"": 1, **_PARTS}),
    "N": (1, "kg*m/s^2", _METRIC),
    "J": (1, "kg*m^2/s^2", _METRIC),
    "W": (1, "kg*m^2/s^3", _METRIC),
    "Pa": (1, "kg/m/s^2", {**_METRIC, "h": 100}),
    "V": (1, "kg*m^2/s^3/A", _METRIC),
    "Ohm": (1, "kg*m^2/s^3/A^2", _METRIC),
    "Ω": (1, "kg*m^2/s^3/A^2", _METRIC),
    "C": (1, "A*s", _METRIC),
    "F": (1, "A^2*s^4/kg/m^2", _METRIC),
    "Wb": (1, "kg*m^2/s^2/A", _METRIC),
    "T": (1, "kg/s^2/A", _METRIC),
    "H": (1, "kg*m^2/s^2/A^2", _METRIC),
    "Hz": (1, "1/s", _METRIC),
    "Bq": (1, "1/s", _METRIC),
    "Gy": (1, "m^2/s^2", _METRIC),
    "Sv": (1, "m^2/s^2", _METRIC),
    "kat": (1, "mol/s", _METRIC),
    "lm": (1, "cd", _METRIC),
    "lx": (1, "cd/m^2", _METRIC),
    "l": (Fraction(1, 1000), "m^3", {"": 1, "h": 100, **_PARTS, **_CENTI}),
    "L": (Fraction(1, 1000), "m^3", {"": 1, "h": 100, **_PARTS, **_CENTI}),
    "eV": (Fraction("1.602176634e-19"), "kg*m^2/s^2", _METRIC),
    "Wh": (3600, "kg*m^2/s^2", _METRIC),
    **{name: (seconds, "s", {"": 1}) for name, seconds in (("min", 60), ("h", 3600), ("d", 86400), ("day", 86400), ("days", 86400))},
    **{name: (1, "", {"": 1}) for name in CURRENCIES},
    **{name: (1, "token", {"": 1}) for name in ("token", "tokens")},
}
_NAMED = ("N", "J", "W", "Pa", "V", "Ohm", "C", "F", "Wb", "T", "H")  # what the powers of base units are called where they make one
RESERVED = ("percent", "points", "times", "count", "million", "billion", "trillion", "exact", "spread", "range", "sign")  # words of formats
_NAME = r"[^\W\d_²³]+"
_FACTOR = re.compile(rf"(1|°?{_NAME})(?:\^(-?[1-9]\d?)|([²³]))?")


class UnknownUnit(ValueError):
    """A text with a part that is no unit: its name."""


def declared() -> tuple[str, ...]:
    """The words that the deck at hand declares as counting units."""
    return _declared


def declare(words: Iterable[str]) -> None:
    """From now on these words, and their plurals in -s, are counting units; those of before are none any more."""
    global _declared
    if tuple(words := dict.fromkeys(words)) != _declared:
        _declared = tuple(words)
        for remembers in (atom, parsed, *_forgetting):
            remembers.cache_clear()


_declared: tuple[str, ...] = ()
_forgetting: list[Any] = []  # what else remembers units


def remembering(function: Callable[..., T]) -> Callable[..., T]:
    """Decorates a function of units that may keep its answers for as long as the same words are declared."""
    kept = functools.cache(function)
    _forgetting.append(kept)
    return kept


@functools.cache
def atom(name: str) -> tuple[Fraction, Powers] | None:
    """The size in base units, and their powers, of a unit that stands alone; None for what is none."""
    word = name if name in _declared else name.removesuffix("s")
    return (Fraction(1), ((word, 1),)) if word in _declared else standard(name)


def standard(name: str) -> tuple[Fraction, Powers] | None:
    """The same, of the units that every deck has."""
    for cut in range(3):
        prefix, family = name[:cut], name[cut:]
        if family in _FAMILIES and prefix in _FAMILIES[family][2]:
            size, of, prefixes = _FAMILIES[family]
            return Fraction(prefixes[prefix]) * size, _powers_of(of) if of else ((family, 1),)
    return None


def names() -> list[str]:
    """Every unit that stands alone."""
    every = [prefix + name for name, (_, _, prefixes) in _FAMILIES.items() for prefix in prefixes]
    return [*every, *_declared, *(f"{word}s" for word in _declared)]


def _powers_of(text: str) -> Powers:
    """The powers in a text of base units alone."""
    powers = PURE
    for name, power in _factors(text):
        powers = multiplied(powers, ((name, power),)) if name != "1" else powers
    return powers


@functools.cache
def parsed(text: str) -> tuple[Fraction, Powers]:
    """The size and powers of "GB", "TFLOP/s", "1/s", "kg*m/s^2" or "". Raises UnknownUnit for what is none."""
    size, powers = Fraction(1), PURE
    for name, power in _factors(text):
        if name != "1":
            found = atom(name)
            if found is None:
                raise UnknownUnit(name)
            one, of = found
            size, powers = size * one**power, multiplied(powers, raised(of, power))
    return size, powers


def _factors(text: str) -> list[tuple[str, int]]:
    """The names in a unit with their powers. Raises UnknownUnit for a part that is no name."""
    found = []
    for place, part in enumerate(text.split("/") if text else ()):
        for factor in part.split("*"):
            match = _FACTOR.fullmatch(factor)
            if not match or match[1] == "1" and (place or match.end() > 1):
                raise UnknownUnit(factor or text)
            power = int(match[2] or {"²": 2, "³": 3}.get(match[3], 1))
            found.append((match[1], -power if place else power))
    return found


def multiplied(a: Powers, b: Powers, sign: int = 1) -> Powers:
    """The powers of a product, or with the sign -1 of a quotient."""
    if not b:
        return a
    powers = dict(a)
    for name, power in b:
        powers[name] = powers.get(name, 0) + sign * power
    return tuple((name, powers[name]) for name in sorted(powers, key=_place) if powers[name])


def raised(a: Powers, power: int) -> Powers:
    return tuple((name, one * power) for name, one in a) if power else PURE


def _place(name: str) -> tuple[int, str]:
    return (BASE.index(name), "") if name in BASE else (2, name)


@remembering
def text(powers: Powers) -> str:
    """A unit as a person writes it: "B/s", "1/s", "J/token", "kg/m^3"; "" where there is none."""
    named = [((name, sign),) for name in _NAMED for sign in (1, -1)]
    rests = [multiplied(powers, _powers_of(_FAMILIES[name][1]), -sign) for ((name, sign),) in named]
    best = min(range(len(named)), key=lambda way: _length(rests[way]))
    saved = _length(powers) - _length(rests[best]) - 1
    factors = (*named[best], *rests[best]) if saved > 1 or saved and not rests[best] else powers
    above = "*".join(_written(name, power) for name, power in factors if power > 0)
    below = "".join(f"/{_written(name, -power)}" for name, power in factors if power < 0)
    return (above or "1") + below if powers else ""


def _length(powers: Powers) -> int:
    return sum(abs(power) for _, power in powers)


def _written(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


def label(unit: str) -> str:
    """A unit as it is printed: "µs", "Ω", "N·m", "m/s²"."""
    parts = re.sub(_NAME, lambda match: _label(match[0]), unit.replace("degC", "°C"))
    return re.sub(r"\^(-?\d+)", lambda match: match[1].translate(_RAISED), parts).replace("*", "·")


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _label(name: str) -> str:
    name = f"{name[:-3]}Ω" if name.endswith("Ohm") else name
    return f"µ{name[1:]}" if name[0] in "uμ" and atom(f"µ{name[1:]}") else name


@remembering
def sizes(unit: str) -> tuple[tuple[float, str], ...]:
    """The sizes in which a figure shows numbers of a base unit, the largest first, with what is printed: (1000, "km/s"), (1, "m/s")."""
    head = re.match(rf"{_NAME}(?=$|[/*])", unit)
    name = head[0] if head else ""
    size, of, prefixes = _FAMILIES.get("g" if name == "kg" else name, (1, "", {"": 1}))
    steps = {prefix: float(size * factor) for prefix, factor in prefixes.items() if prefix in ("", *"EPTGMkmµnpf")}
    shown = {factor: f"{prefix}{'g' if name == 'kg' else name}{unit[len(name) :]}" for prefix, factor in steps.items()}
    return tuple((factor, label(shown[factor])) for factor in sorted(shown, reverse=True))


def counts(unit: str) -> bool:
    """Whether a number of it is read as a plain one: how many, or how many a second."""
    return unit.removesuffix("/s") in ("", "token", *_declared) and unit != "/s"


def check(unit: str) -> str:
    """What is wrong with a unit that a kernel declares, with what would be right; "" for a sound one."""
    alone = unit.strip()
    if alone in CELSIUS:
        return f"{unit!r} is no unit of a kernel's numbers (it gives kelvins, K; a card writes them as °C)"
    try:
        size, powers = parsed(unit)
    except UnknownUnit as error:
        known = [name for name in names() if parsed(name)[0] == 1 and name.isascii()]
        same = [name for name in known if name.casefold() == str(error).casefold()] or difflib.get_close_matches(str(error), known, n=2, cutoff=0.6)
        asked = f"did you mean {' or '.join(map(repr, same))}? " if same else ""
        return f"unknown unit {unit!r} ({asked}a unit is empty or joins {', '.join(BASE)} and such as N, J, W, V, as in B/s, kg*m/s^2 or 1/s)"
    return "" if size == 1 else f"the unit {unit!r} is no base unit (a kernel gives {text(powers)}; a card writes it as {unit})"
