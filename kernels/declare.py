"""What a kernel is: a function with typed parameters and declared outputs.

In: a plain function under @kernel. Out: a Kernel, which binds parameters, runs the function and
checks what it gave. Formulas are evaluated here, by whoever asks; this module imports no torch.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import math
import operator
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from kernels.catalogue import LIBRARY, names, place_of
from kernels.draws import together
from kernels.results import AtLeast, Curve, End, KernelError, Number, Result, Side, Spread

Kind = Literal["formula", "simulation", "measurement"]
KINDS: tuple[str, ...] = typing.get_args(Kind)
BASE_UNITS = ("B", "s", "FLOP", "token", "W")  # a unit is "" or these joined: "B/s", "FLOP/B", "1/s"
UNIT = re.compile(rf"(?:1|{'|'.join(BASE_UNITS)})(?:[*/](?:{'|'.join(BASE_UNITS)}))*")


@dataclass(frozen=True)
class Bound:
    """What a parameter may be, inside Annotated: its unit and its inclusive range."""

    unit: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Series:
    """Declares an output that is a curve or several over one x.

    The kernel returns ``{x: [...], "line": [...], ...}``: the key named `x` holds the abscissa, every
    other key one line in `unit`; entries are numbers, Spreads, or None where there is no value.
    """

    x: str
    unit: str = ""
    x_unit: str = ""


class Free:
    """Inside Annotated: the question does not fix this parameter. The ends of what a reasonable person could have chosen, or all choices.

    The docstring names the parameter and says why. A run's record holds the outputs at each end, one parameter at a time.
    """

    def __init__(self, *ends: Any):
        self.ends = ends


@dataclass(frozen=True)
class Upper:
    """Declares an output that bounds the true number from above; it refutes and supports in this direction only."""

    unit: str = ""


@dataclass(frozen=True)
class Lower:
    """Declares an output that bounds the true number from below."""

    unit: str = ""


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


@dataclass(frozen=True, eq=False)
class Kernel:
    """A kernel of the library. Calling it binds, runs and checks: ``training_memory(parameters=70e9) -> Result``.

    A call of a simulation is one draw, that of its argument `seed`; `simulate` makes them all.
    """

    name: str
    kind: Kind
    summary: str
    function: Callable[..., Mapping[str, Any]]
    parameters: Mapping[str, Parameter]
    outputs: Mapping[str, str | Series]
    tolerance: float = 0.0
    needs: tuple[str, ...] = ()
    timeout: float = 120.0
    bounds: Mapping[str, Side] = field(default_factory=dict)
    draws: int = 1
    drawing: dict[str, Callable[[Result, Any], str | None]] = field(default_factory=dict)
    invariants: list[Callable[[Result], bool]] = field(default_factory=list)

    def __call__(self, **given: Any) -> Result:
        if self.kind == "simulation":
            return self.once(**given)
        bound = self.bind(given)
        ends = () if self.kind != "formula" else self._ends(bound, lambda at: self._drawn(at, 0))
        return Result(self.name, self.kind, bound, self._drawn(bound, 0), ends=ends)

    def once(self, seed: int = 0, **given: Any) -> Result:
        """One draw of a simulation; one that draws nothing gives the same whatever the seed."""
        bound = self.bind(given)
        return Result(self.name, self.kind, bound, self._drawn(bound, seed))

    def simulate(self, first: int = 0, **given: Any) -> Result:
        """All draws of a case, with the seeds from `first` on, and a quarter of them at each end of each free choice."""
        bound = self.bind(given)

        def over(parameters: Mapping[str, Any], draws: int) -> dict[str, Number | Curve]:
            return together(self.name, [self._drawn(parameters, seed) for seed in range(first, first + draws)])

        ends = self._ends(bound, lambda at: over(at, self.draws_at_ends))
        return Result(self.name, self.kind, bound, over(bound, self.draws), draws=self.draws, ends=ends)

    @property
    def takes_seed(self) -> bool:
        return self.kind == "simulation" and "seed" in inspect.signature(self.function).parameters

    @property
    def draws_at_ends(self) -> int:
        return max(min(2, self.draws), self.draws // 4)

    def _ends(self, bound: Mapping[str, Any], run: Callable[[Mapping[str, Any]], Mapping[str, Number | Curve]]) -> tuple[End, ...]:
        wanted = ((p.name, value) for p in self.parameters.values() for value in p.free if value != bound[p.name])
        return tuple(End(name, value, run({**bound, name: value})) for name, value in wanted)

    def _drawn(self, bound: Mapping[str, Any], seed: int) -> dict[str, Number | Curve]:
        outputs = self.checked(self.function(**bound, **({"seed": seed} if self.takes_seed else {})))
        result = Result(self.name, self.kind, bound, outputs)
        for holds in self.invariants:
            if not holds(result):
                which = f" with seed {seed}" * self.takes_seed
                raise KernelError(f"{self.name}{which} breaks its invariant {holds.__name__}: {inspect.getdoc(holds)} (at {dict(bound)})")
        return outputs

    def invariant(self, holds: Callable[[Result], bool]) -> Callable[[Result], bool]:
        """Marks `holds(result)` as what must be true of every draw; its docstring says what. A run that breaks it gives no result."""
        if not inspect.getdoc(holds):
            raise KernelError(f"{self.name}: the invariant {holds.__name__} has no docstring that says what must hold")
        self.invariants.append(holds)
        return holds

    @property
    def area(self) -> str:
        """The folder of the library that its file lies in; empty where it lies in none."""
        package, _, inner = self.function.__module__.partition(f"{LIBRARY}.")
        return "" if package else inner.rpartition(".")[0]

    def figure(self, draw: Callable[[Result, Any], str | None]) -> Callable[[Result, Any], str | None]:
        """Marks `draw(result, ax)` as the kernel's figure; it may use nothing but the result. It may return the alt text."""
        self.drawing["draw"] = draw
        return draw

    @property
    def draw(self) -> Callable[[Result, Any], str | None] | None:
        return self.drawing.get("draw")

    def bind(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters, in declared order, defaults filled in, each of its declared type and in range.

        Raises KernelError for an unknown, missing, mistyped or out-of-range parameter.
        """
        for name in given:
            if name == "seed" and self.takes_seed:
                raise KernelError(f"{self.name} has no parameter 'seed': a record of it holds {self.draws} draws")
            if name not in self.parameters:
                raise KernelError(f"{self.name} has no parameter {name!r}{nearest(name, self.parameters)}")
        bound = {}
        for name, parameter in self.parameters.items():
            if name in given:
                bound[name] = typed(self.name, parameter, given[name])
            elif parameter.required:
                raise KernelError(f"{self.name} needs a value for its parameter {name!r}")
            else:
                bound[name] = parameter.default
        return bound

    def checked(self, returned: Mapping[str, Any]) -> dict[str, Number | Curve]:
        """What the function returned, with its declared units. Raises KernelError for missing, extra or non-finite outputs."""
        if not isinstance(returned, Mapping):
            raise KernelError(f"{self.name} returned {type(returned).__name__}, but must return a dict of its outputs")
        missing = [name for name in self.outputs if name not in returned]
        extra = [str(name) for name in returned if name not in self.outputs]
        if missing or extra:
            wrong = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has undeclared {', '.join(extra)}"] * bool(extra)
            raise KernelError(f"what {self.name} returned {' and '.join(wrong)} (it declares: {', '.join(self.outputs)})")
        return {name: self._output(name, declared, returned[name]) for name, declared in self.outputs.items()}

    def _output(self, name: str, declared: str | Series, value: Any) -> Number | Curve:
        what = f"{self.name}.{name}"
        if isinstance(declared, str):
            return _number(what, value, declared, self.bounds.get(name, ""))
        if not isinstance(value, Mapping) or declared.x not in value or len(value) < 2:
            has = sorted(map(str, value)) if isinstance(value, Mapping) else type(value).__name__
            raise KernelError(f"{what} must be a dict of {declared.x!r} and at least one line, but is {has}")
        x = tuple(_plain(f"{what}.{declared.x}", v) for v in value[declared.x])
        if not x:
            raise KernelError(f"{what} has no points")
        lines = {}
        for line, points in value.items():
            if line == declared.x:
                continue
            points = list(points)
            if len(points) != len(x):
                raise KernelError(f"{what}.{line} has {len(points)} points for {len(x)} of {declared.x!r}")
            lines[line] = tuple(None if p is None else _number(f"{what}.{line}", p, declared.unit) for p in points)
        return Curve(declared.x, declared.x_unit, declared.unit, x, lines)


def kernel(
    *,
    kind: Kind,
    outputs: Mapping[str, str | Series | Upper | Lower],
    tolerance: float = 0.0,
    needs: tuple[str, ...] = (),
    timeout: float = 300.0,
    draws: int = 16,
) -> Callable[[Callable[..., Mapping[str, Any]]], Kernel]:
    """Declares the decorated function as a kernel.

    kind: "formula" (closed form, exact), "simulation" (seeded torch, agrees everywhere within the relative
    `tolerance`) or "measurement" (times or memory of a named GPU; `tolerance` widens what a second measurement
    may differ by, see lab.verify). outputs: name -> unit, or a Series.
    needs: packages beyond torch that a run imports (("triton",)).
    timeout: seconds of CPU time that a run may use; of each of its processes the busiest thread counts, so that neither other jobs
    nor the number of cores matter. What hangs without using any is killed after ten times as long, and not before five minutes.
    Parameters are the function's annotated keyword arguments: int, float, str, bool or Literal, with a
    Bound inside Annotated where a unit or a range belongs to them.
    """

    def declare(function: Callable[..., Mapping[str, Any]]) -> Kernel:
        name = function.__name__
        if kind not in KINDS:
            raise KernelError(f"{name}: unknown kind {kind!r}{nearest(kind, KINDS)}")
        if not outputs:
            raise KernelError(f"{name} declares no outputs")
        for output, declared in outputs.items():
            for unit in (declared,) if isinstance(declared, str) else (declared.unit, getattr(declared, "x_unit", "")):
                _check_unit(f"{name}.{output}", unit)
        if not 0 <= tolerance < 1 or (tolerance and kind == "formula"):
            raise KernelError(f"{name}: the tolerance {tolerance!r} must be at least 0 and below 1, and a formula has none")
        if not 0 < timeout < math.inf:
            raise KernelError(f"{name}: the timeout {timeout!r} must be a number of seconds")
        document = inspect.getdoc(function) or inspect.cleandoc(function.__globals__.get("__doc__") or "")
        summary = " ".join(document.split("\n\n")[0].split())
        parameters = _parameters(function)
        seeded = kind == "simulation" and parameters.pop("seed", None) is not None
        if seeded and draws < 5:
            raise KernelError(f"{name}: {draws} draws are too few to tell a spread (at least 5)")
        for parameter in parameters.values():
            if parameter.free and parameter.name not in document:
                raise KernelError(f"{name}: the docstring does not say why {parameter.name!r} is free from {_listed(parameter.free)}")
        bounds: dict[str, Side] = {output: _SIDES[type(d)] for output, d in outputs.items() if type(d) in _SIDES}
        units = {output: d if isinstance(d, (str, Series)) else d.unit for output, d in outputs.items()}
        return Kernel(name, kind, summary, function, parameters, units, tolerance, tuple(needs), timeout, bounds, draws if seeded else 1)

    return declare


_SIDES: Mapping[type, Side] = {Upper: "upper", Lower: "lower"}


def find(name: str) -> Kernel:
    """The kernel of that name: the attribute `name` of name.py in the library. Raises KernelError if there is none, or two."""
    place = None if name.startswith("_") else place_of(name)
    if place is None:
        raise KernelError(f"unknown kernel {name!r}{nearest(name, names(), label='there are')}")
    try:
        module = importlib.import_module(place.module)
    except (ImportError, SyntaxError) as error:
        raise KernelError(f"{place} cannot be imported: {error}") from error
    found = getattr(module, name, None)
    if not isinstance(found, Kernel):
        raise KernelError(f"{place} declares no kernel named {name!r}")
    return found


def nearest(name: str, known: typing.Iterable[str], label: str = "it has", listed: str = "") -> str:
    """A hint for a message: the nearest known names and, where they are few, all of them."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=2, cutoff=0.6)
    parts = [f"did you mean {' or '.join(repr(c) for c in close)}?"] if close else []
    if listed or len(known) <= 24:
        parts.append(f"{label}: {listed or ', '.join(sorted(known))}")
    return f" ({' '.join(parts)})" if parts else ""


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
        raise KernelError(f"{what} is {value!r}, but must be of type {wanted.__name__}")
    if isinstance(value, float) and not math.isfinite(value):
        raise KernelError(f"{what} is {value!r}, but must be finite")
    if parameter.choices and value not in parameter.choices:
        allowed = ", ".join(map(str, parameter.choices))
        raise KernelError(f"{what} is {value!r}{nearest(str(value), map(str, parameter.choices), label='allowed', listed=allowed)}")
    low, high = parameter.bound.low, parameter.bound.high
    if (low is not None and value < low) or (high is not None and value > high):
        limits = " and ".join(t for t in (f"at least {low:g}" if low is not None else "", f"at most {high:g}" if high is not None else "") if t)
        raise KernelError(f"{what} is {value!r}, but must be {limits}")
    return value


def _parameters(function: Callable[..., Any]) -> dict[str, Parameter]:
    hints = typing.get_type_hints(function, include_extras=True)
    found = {}
    for name, argument in inspect.signature(function).parameters.items():
        what = f"{function.__name__}: parameter {name!r}"
        if argument.kind not in (argument.POSITIONAL_OR_KEYWORD, argument.KEYWORD_ONLY):
            raise KernelError(f"{what} must be an ordinary one, which can be given by its name")
        if name not in hints:
            raise KernelError(f"{what} has no type")
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
        _check_unit(what, bound.unit)
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
        raise KernelError(f"{what} has the default {parameter.default!r}, which is not within {_listed(found)}")
    return found


def _listed(ends: tuple[Any, ...]) -> str:
    return " to ".join(map(str, ends))


def _check_unit(what: str, unit: str) -> None:
    if unit and not UNIT.fullmatch(unit):
        raise KernelError(f"{what}: unknown unit {unit!r}{nearest(unit, BASE_UNITS, label='a unit is empty or joins, as in B/s or 1/s,')}")


def _number(what: str, value: Any, unit: str, bound: Side = "") -> Number:
    if isinstance(value, AtLeast):
        if bound == "upper":
            raise KernelError(f"{what} is declared as an upper bound, and here only a lower one is known")
        return Number(_plain(what, value.value), unit, bound="lower")
    if not isinstance(value, Spread):
        return Number(_plain(what, value), unit, bound=bound)
    middle, low, high = (_plain(what, v) for v in (value.value, value.low, value.high))
    if not low <= middle <= high:
        raise KernelError(f"{what} is {middle:g}, outside its own spread of {low:g} to {high:g}")
    return Number(middle, unit, low, high, bound=bound)


def _plain(what: str, value: Any) -> int | float:
    """A Python number of what may be a numpy or torch scalar, or a tensor of one element; integers stay exact."""
    try:
        number = _exact(value)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise KernelError(f"{what} is of type {type(value).__name__}, not a number: {error}") from error
    if isinstance(number, float) and not math.isfinite(number):
        raise KernelError(f"{what} is {number}, which is not finite")
    return number


def _exact(value: Any) -> int | float:
    if isinstance(value, str):
        raise TypeError("it is text")
    try:
        return int(operator.index(value))
    except TypeError:
        return float(value)
