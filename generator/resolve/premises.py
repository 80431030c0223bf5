"""Which premises a number rests on, and whether the card's front says them.

In: the references of an answer, the note's Scope, and the question as it reads. Out: the parameters that move the answer and are not said.
Found by perturbation: each parameter of the formulas behind the answer is changed by itself, and where what the card prints changes, it is a premise.
"""

from __future__ import annotations

import functools
import html
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from generator.resolve.expression import Scope, evaluate, read_by
from generator.resolve.quantity import ExpressionError
from kernels import units
from kernels.parameters import Parameter
from kernels.results import KernelError

MOST_CHOICES = 6  # of a parameter that are tried
CLOSE = 0.006  # relative: 0.33 says a third, 70 billion does not say 68.98


class Premise(NamedTuple):
    """A parameter that moves what is printed: with `value` it is `text`, with `other` it would be `changed`."""

    alias: str
    parameter: str
    value: Any
    text: str
    other: Any
    changed: str


def premises(expression: str, scope: Scope, printed: Callable[[Any], str]) -> Iterator[Premise]:
    """The parameters of the formulas behind an expression that move what is printed; runs that share a value are changed together."""
    used = dict.fromkeys(alias for alias, *rest in read_by(expression) if rest and scope.results.get(alias) is not None)
    formulas = [alias for alias in used if scope.kernels[alias].evaluated]
    if not any(rest and rest[0] in scope.kernels[alias].outputs for alias, *rest in read_by(expression) if alias in used):
        return  # it tells a parameter and computes nothing
    text, done = printed(evaluate(expression, scope).content), set()
    for alias in formulas:
        for name, parameter in scope.kernels[alias].parameters.items():
            value = scope.runs[alias].parameters[name]
            if (name, value) in done:
                continue
            done.add((name, value))
            together = [a for a in formulas if scope.runs[a].parameters.get(name) == value and type(scope.runs[a].parameters[name]) is type(value)]
            for other in others(parameter, value):
                changed = _printed_with(expression, scope, together, name, other, printed)
                if changed is not None and changed != text:
                    yield Premise(alias, name, value, text, other, changed)
                    break


def _printed_with(expression: str, scope: Scope, aliases: Sequence[str], name: str, other: Any, printed: Callable[[Any], str]) -> str | None:
    try:
        return printed(evaluate(expression, scope.with_parameter(aliases, name, other)).content)
    except (KernelError, ExpressionError, ArithmeticError):
        return None  # a combination that the kernel refuses tells nothing


def others(parameter: Parameter, value: Any) -> Iterator[Any]:
    """Values that the parameter could have had instead: other choices, the double, the half, one more."""
    if parameter.choices:
        yield from [choice for choice in parameter.choices if choice != value][:MOST_CHOICES]
    elif parameter.type is bool:
        yield not value
    elif parameter.type is int:
        yield from dict.fromkeys(other for other in (2 * value, value // 2, value + 1, value - 1) if other != value)
    elif parameter.type is float:
        yield from (2 * value, value / 2) if value else (0.1, 1.0)
        yield (1 + value) / 2  # of a share, whose double may be none


# --------------------------------------------------------------------------------------------- what a text says


def says(text: str, value: Any, bare: bool = False, words: bool = True) -> bool:
    """Whether a text names a value: a number in any of its usual ways (70B, 70 billion, eight, 12 %), a name in any spelling (Llama 2 70B).

    bare: 10 GB says 10 too. words: "one" says 1.
    """
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return _letters(value) in _letters(text)
    numbers = _said(text, bare, words)
    return any(math.isclose(abs(value), number, rel_tol=CLOSE, abs_tol=0) or value == number == 0 for number in numbers)


@functools.lru_cache(64)
def _said(text: str, bare: bool, words: bool) -> tuple[float, ...]:
    """The numbers of a text, which is asked for each of its premises."""
    return tuple(_numbers(_ROUNDING.sub(" ", text), bare, words))  # "to two digits" is no premise


_ROUNDING = re.compile(r"\b[\w-]+ (?:significant )?(?:digits?|figures?|decimals?|(?:decimal )?places?)\b", re.IGNORECASE)


def plain(text: str) -> str:
    """A filled field without tags and entities, with ordinary spaces."""
    text = re.sub(r"\\text\{([^}]*)\}|\\[,;:! ]|\{,\}", lambda m: m[1] or ("" if m[0] == "{,}" else " "), text)
    text = html.unescape(re.sub(r"<sup>(.*?)</sup>", r"^\1", re.sub(r"<(?!sup|/sup)[^<>]*>", "", text)))
    return re.sub(r"[\u2009\u202f\u00a0]", " ", text)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", text.lower())


_COUNTED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_WORDS = {
    **{word: number for number, word in enumerate(_COUNTED)},
    **{"no": 0, "single": 1, "once": 1, "twice": 2, "pair": 2, "both": 2, "double": 2},  # noqa: PIE800
    **{"dozen": 12, "sixteen": 16, "twenty": 20, "fifty": 50, "hundred": 100, "thousand": 1000, "million": 1e6},  # noqa: PIE800
    **{"half": 0.5, "halves": 0.5, "third": 1 / 3, "quarter": 0.25, "tenth": 0.1},  # noqa: PIE800
}
_SCALES: Mapping[str, tuple[float, ...]] = {
    "k": (1e3, 1024),
    "m": (1e6, 2**20),
    "b": (1e9,),
    "t": (1e12,),
    "g": (1e9, 2**30),
    "bn": (1e9,),
    "hundred": (100,),
    "thousand": (1e3,),
    "million": (1e6,),
    "billion": (1e9,),
    "trillion": (1e12,),
    "%": (0.01,),
    "percent": (0.01,),
    "points": (0.01,),
    "bit": (1, 0.125),
    "bits": (1, 0.125),
    "µs": (1e-6,),
    "minutes": (60,),
    "hours": (3600,),
    "seconds": (1,),
    "microseconds": (1e-6,),
}
_NUMBER = re.compile(
    r"(?<![A-Za-z\d])(?<!\d\.)(?P<n>\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?)(?:\s*(?:×|\\times|\*)\s*10\s*\^?\{?(?P<p>[-\u2212]?\d+)\}?)?(?:\s*/\s*(?P<d>\d+))?[\s-]?(?P<u>(?:°?[A-Za-zµμΩ%/]|\^-?\d|[²³])+)?",
)


def _numbers(text: str, bare: bool, words: bool) -> Iterator[float]:
    """Every number that the text may be taken to say; without its unit where that is a count's, or where `bare` ones count."""
    yield from map(float, re.findall(r"\b(?:bf|fp|u?int|nf)(\d+)\b", text.lower()))  # bf16 says its bits
    for match in re.finditer(r"[a-z]+", text.lower() if words else ""):
        if match[0] in _WORDS:
            yield _WORDS[match[0]]
    for match in re.finditer(r"([a-z]+)[ -](?:hundred|thousand|million|billion|trillion)", text.lower()):
        if (head := match[1]) in _WORDS:
            yield _WORDS[head] * _SCALES[match[0][len(head) + 1 :]][0]
    for match in _NUMBER.finditer(text):
        number = float(match["n"].replace(",", ""))
        if match["p"]:
            number *= 10.0 ** int(match["p"].replace("\u2212", "-"))
        if match["d"] and float(match["d"]):
            yield number / float(match["d"])
        if match["u"] in units.CELSIUS:
            yield number + float(units.ICE)
        joined = bool(match["u"]) and match[0][-len(match["u"]) - 1].isdigit()
        scales = (1e9,) if joined and match["u"] == "B" else tuple(_scales(match["u"] or ""))  # 70B are billions, 70 B bytes
        yield from (number * scale for scale in scales)
        if bare or not scales or 1.0 in scales:
            yield number


def _scales(unit: str) -> Iterator[float]:
    yield from _SCALES.get(unit.lower(), ())
    for name in (unit, unit.rstrip("s")):
        with suppress(units.UnknownUnit):
            yield from [float(units.parsed(name)[0])] * bool(name)
