"""The parameters of a kernel: what a function's annotations say of them, and values checked against it.

In: a function with typed keyword arguments, and values as cards or command lines give them. Out: Parameters, and values in their types.
"""

from __future__ import annotations

import contextlib
import difflib
import inspect
import math
import re
import typing
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from kernels import units
from kernels.results import KernelError


@dataclass(frozen=True)
class Bound:
    """What a parameter may be, inside Annotated: its unit and its inclusive range. An end that is left open is that of the type, in ENDS."""

    unit: str = ""
    low: float | None = None
    high: float | None = None


# The ends of every number whose declaration leaves them open: integers of which a float holds each one, and room for products of several floats.
ENDS: typing.Mapping[type, tuple[float, float]] = {int: (-(10**15), 10**15), float: (-1e30, 1e30)}


class Free:
    """Inside Annotated: the question does not fix this parameter. The ends of what a reasonable person could have chosen, or all choices.

    The docstring names the parameter and says why. A run's record holds the outputs at each end, one parameter at a time.
    """

    def __init__(self, *ends: Any):
        self.ends = ends


@dataclass(frozen=True)
class Parameter:
    name: str
    type: type
    choices: tuple[Any, ...]
    bound: Bound
    free: tuple[Any, ...]  # the ends of its range where it is a free choice
    default: Any  # inspect.Parameter.empty where the caller must give one

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty


SEED = Parameter("seed", int, (), Bound(low=0, high=2**32 - 1), (), 0)  # more would be one of these again: torch draws from 32 bits of it


def parameters_of(function: Callable[..., Any]) -> dict[str, Parameter]:
    hints = typing.get_type_hints(function, include_extras=True)
    found = {}
    for name, argument in inspect.signature(function).parameters.items():
        what = f"{function.__name__}: parameter {name!r}"
        if argument.kind not in (argument.POSITIONAL_OR_KEYWORD, argument.KEYWORD_ONLY):
            raise KernelError(f"{what} must be an ordinary one, which can be given by its name")
        if name not in hints:
            raise KernelError(f"{what} has no type (write {name}: float, say)")
        hint: Any = hints[name]
        bound, free, choices = Bound(), Free(), tuple[Any, ...]()
        if typing.get_origin(hint) is typing.Annotated:
            hint, *extras = typing.get_args(hint)
            bound = next((e for e in extras if isinstance(e, Bound)), bound)
            free = next((e for e in extras if isinstance(e, Free)), free)
        if typing.get_origin(hint) is Literal:
            choices = typing.get_args(hint)
            hint = type(choices[0]) if len(set(map(type, choices))) == 1 else None
        if hint not in (int, float, str, bool):
            raise KernelError(f"{what} must be int, float, str, bool or a Literal of one of them")
        if hint not in (int, float) and (bound.low, bound.high) != (None, None):
            raise KernelError(f"{what} has a range, which only a number can have")
        check_unit(what, bound.unit)
        if hint in ENDS and not choices:
            low, high = (end if given is None else given for given, end in zip((bound.low, bound.high), ENDS[hint]))
            if low > high:
                raise KernelError(f"{what} has a range from {low:g} to {high:g}, which is empty")
            bound = replace(bound, low=low, high=high)
        parameter = Parameter(name, hint, choices, bound, (), argument.default)
        # The default in the parameter's own type: `rate: float = 1` and rate=1.0 are one case with one key.
        if not parameter.required:
            parameter = replace(parameter, default=typed(function.__name__, parameter, argument.default))
        found[name] = replace(parameter, free=_free(function.__name__, parameter, free.ends))
    return found


def _free(kernel_name: str, parameter: Parameter, ends: tuple[Any, ...]) -> tuple[Any, ...]:
    """The ends of a free choice in the parameter's type; the default lies between them, or is one of them."""
    if not ends:
        return ()
    what = f"{kernel_name}: the free parameter {parameter.name!r}"
    found = tuple(typed(kernel_name, parameter, end) for end in ends)
    if len(set(found)) < 2:
        raise KernelError(f"{what} needs two values at least, the ends of its range")
    if parameter.required:
        raise KernelError(f"{what} needs a default")
    ordered = parameter.type in (int, float) and not parameter.choices
    if not (min(found) <= parameter.default <= max(found) if ordered else parameter.default in found):
        raise KernelError(f"{what} has the default {parameter.default!r}, which is not within {listed(found)}")
    return found


def typed(kernel_name: str, parameter: Parameter, value: Any) -> Any:
    """The value in the parameter's type, checked against its choices and range. Raises KernelError where it does not fit.

    An integral float is an int where one is wanted (70e9), an int a float.
    """
    what = f"{kernel_name}: parameter {parameter.name!r}"
    wanted: Any = parameter.type
    if wanted is int and isinstance(value, float) and value.is_integer():
        value = int(value)
    if wanted is float and type(value) in (int, float):
        try:
            value = float(value) + 0.0  # -0.0 and 0.0 are one case
        except OverflowError:
            value = math.inf
    if type(value) is not wanted:
        raise KernelError(f"{what} is {value!r}, but must be of type {wanted.__name__}{_respelled(parameter, value)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise KernelError(f"{what} is {value!r}, but must be finite")
    if parameter.choices and value not in parameter.choices:
        allowed = ", ".join(map(str, parameter.choices))
        raise KernelError(f"{what} is {value!r}{nearest(str(value), map(str, parameter.choices), label='allowed', listed=allowed)}")
    low, high = parameter.bound.low, parameter.bound.high
    if low is not None and high is not None and not low <= value <= high:
        raise KernelError(f"{what} is {value!r}, but must be at least {low:g} and at most {high:g}")
    return value


NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(nan|inf)", re.ASCII | re.IGNORECASE)
GROUPED = re.compile(r"\d{1,3}([_,'\s]\d{3})+(\.\d+)?", re.ASCII)
SCALED = re.compile(r"(\d+(?:\.\d+)?) ?([kKMBGT])", re.ASCII)  # 70B
SCALES = {"K": 3, "M": 6, "B": 9, "G": 9, "T": 12}
BOOLEANS: typing.Mapping[str, bool] = {"true": True, "false": False}


def read(parameter: Parameter, text: str) -> Any:
    """The text of a command line in the parameter's type, 70e9 as an integer too; or unchanged, which `typed` refuses with the right words."""
    if parameter.type is bool:
        return BOOLEANS.get(text.lower(), text)
    if parameter.type in (int, float) and NUMBER.fullmatch(text):
        return int(text) if parameter.type is int and text.lstrip("+-").isdecimal() and len(text) < 100 else float(text)
    return text


def _respelled(parameter: Parameter, value: Any) -> str:
    """How a text that means a value of the parameter's type is written: with the digits 0 to 9, and nothing between them."""
    if parameter.type is bool:
        return " (write true or false)"
    if not isinstance(value, str) or parameter.type not in (int, float):
        return ""
    plain = "".join(str(unicodedata.decimal(sign, sign)) for sign in value).replace("\N{MINUS SIGN}", "-").strip()
    if scaled := SCALED.fullmatch(plain):
        plain = f"{scaled[1]}e{SCALES[scaled[2].upper()]}"
    elif GROUPED.fullmatch(plain):
        plain = re.sub(r"[_,'\s]", "", plain)
    elif parameter.type is float:
        plain = plain.replace(",", ".")
    with contextlib.suppress(ValueError):
        plain = str(int(plain, 0))  # 0x10, 1_0
    return f" (write {plain})" if NUMBER.fullmatch(plain) else " (write it with the digits 0 to 9)"


def nearest(name: str, known: typing.Iterable[str], label: str = "it has", listed: str = "") -> str:
    """A hint for a message: the nearest known names and, where they are few, all of them."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=2, cutoff=0.6)
    parts = [f"did you mean {' or '.join(repr(c) for c in close)}?"] if close else []
    if listed or len(known) <= 24:
        parts.append(f"{label}: {listed or ', '.join(sorted(known))}")
    return f" ({' '.join(parts)})" if parts else ""


def check_unit(what: str, unit: str) -> None:
    if wrong := units.check(unit):
        raise KernelError(f"{what}: {wrong}")


def listed(ends: tuple[Any, ...]) -> str:
    return " to ".join(map(str, ends))
