"""What a kernel is: a function with typed parameters and declared outputs.

In: a plain function under @kernel. Out: a Kernel, which binds parameters, runs the function and
checks what it gave. Formulas are evaluated here, by whoever asks; this module imports no torch.
"""

from __future__ import annotations

import importlib
import inspect
import math
import operator
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from kernels import packages
from kernels.catalogue import LIBRARY, Place, names, place_of, told
from kernels.demand import Asked, Demand, Device, On, arguments
from kernels.draws import together
from kernels.parameters import SEED, Parameter, check_unit, listed, nearest, parameters_of, typed
from kernels.results import EVALUATED, AtLeast, Curve, End, KernelError, Number, Result, Side, Spread

Kind = Literal["formula", "prediction", "trace", "simulation", "measurement"]
KINDS: tuple[str, ...] = typing.get_args(Kind)
QUICK = 5.0  # seconds of CPU time for what is made while somebody waits: a closed form, a figure


@dataclass(frozen=True)
class Series:
    """Declares an output that is a curve or several over one x.

    The kernel returns ``{x: [...], "line": [...], ...}``: the key named `x` holds the abscissa, every
    other key one line in `unit`; entries are numbers, Spreads, or None where there is no value.
    """

    x: str
    unit: str = ""
    x_unit: str = ""


@dataclass(frozen=True)
class Upper:
    """Declares an output that bounds the true number from above; it refutes and supports in this direction only."""

    unit: str = ""


@dataclass(frozen=True)
class Lower:
    """Declares an output that bounds the true number from below."""

    unit: str = ""


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
    demand: Demand = Demand()
    drawing: dict[str, Callable[..., str | None]] = field(default_factory=dict)
    predicting: dict[str, Callable[[Result], float | None]] = field(default_factory=dict)
    invariants: list[Callable[[Result], bool]] = field(default_factory=list)

    def __call__(self, **given: Any) -> Result:
        if self.kind == "simulation":
            return self.once(**given)
        bound = self.bind(given)
        ends = self._ends(bound, lambda at: self._drawn(at, 0)) if self.evaluated else ()
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
    def evaluated(self) -> bool:
        """Whether the build evaluates it itself: a closed form, which has no record."""
        return self.kind in EVALUATED

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
        try:
            outputs = self.checked(self.function(**bound, **({"seed": typed(self.name, SEED, seed)} if self.takes_seed else {})))
        except ModuleNotFoundError as error:
            if lacking := packages.absent([error.name or LIBRARY]):
                raise KernelError(f"{self.name} needs {packages.named(lacking)}") from error
            raise
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

    @property
    def invariant_names(self) -> tuple[str, ...]:
        return tuple(holds.__name__ for holds in self.invariants)

    def figure(self, draw: Callable[..., str | None]) -> Callable[..., str | None]:
        """Marks `draw(result, ax)` as the kernel's figure; it may use nothing but the result. It may return the alt text.

        A third argument `measured` is the Result of a measurement that belongs beside a prediction, None where there is none.
        """
        self.drawing["draw"] = draw
        return draw

    @property
    def draw(self) -> Callable[..., str | None] | None:
        return self.drawing.get("draw")

    @property
    def has_figure(self) -> bool:
        return self.draw is not None

    @property
    def draws_measured(self) -> bool:
        return self.draw is not None and "measured" in inspect.signature(self.draw).parameters

    def predicted(self, predict: Callable[[Result], float | None]) -> Callable[[Result], float | None]:
        """Marks `predict(result)` as what the data sheet lets expect of a measurement's headline, in its unit; None for a device without one."""
        self.predicting["predict"] = predict
        return predict

    def expected(self, result: Result) -> float | None:
        """What the data sheet lets expect of a measurement's headline; None where it says nothing."""
        predict = self.predicting.get("predict")
        return predict(result) if predict else None

    def obstacle(self, parameters: Mapping[str, Any], device: Device) -> str:
        """Why the device cannot measure a case; empty where it can."""
        return self.demand.obstacle(parameters, device)

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
    timeout: float | None = None,
    draws: int = 16,
    on: On = "gpu",
    memory: Asked = 0,
    capability: Asked = 0.0,
    formats: Asked = (),
    rehearsal: Mapping[str, Any] | None = None,
    headline: str = "",
    share: str = "",
    seconds: float = 20.0,
) -> Callable[[Callable[..., Mapping[str, Any]]], Kernel]:
    """Declares the decorated function as a kernel.

    kind: "formula" (closed form, exact), "prediction" (a formula for a named device, from its data sheet), "trace" (torch on tensors without
    memory, exact), "simulation" (seeded torch, agrees everywhere within the relative `tolerance`) or "measurement" (times or memory of a
    named device; `tolerance` widens what a second measurement may differ by, see recording.verify). outputs: name -> unit, or a Series.
    needs: packages beyond torch that a run imports (("triton",)).
    timeout: seconds of CPU time that a run may use, 300 by itself, and of a closed form, which somebody waits for, 5; of each of its
    processes the busiest thread counts, so that neither other jobs nor the number of cores matter. What hangs without using any is killed
    after ten times as long, and not before five minutes where nobody waits for it.
    on, memory, capability, formats, rehearsal, headline, share, seconds: of a measurement, see demand.Demand.
    Parameters are the function's annotated keyword arguments: int, float, str, bool or Literal, with a
    Bound inside Annotated for a unit and a range; an end of the range that is left open is that of the type, see parameters.ENDS.
    """
    demand = Demand(memory, capability, formats, on, dict(rehearsal or {}), headline, share, seconds)

    def declare(function: Callable[..., Mapping[str, Any]]) -> Kernel:
        name = function.__name__
        if kind not in KINDS:
            raise KernelError(f"{name}: unknown kind {kind!r}{nearest(kind, KINDS)}")
        if not outputs:
            raise KernelError(f"{name} declares no outputs")
        for output, declared in outputs.items():
            for unit in (declared,) if isinstance(declared, str) else (declared.unit, getattr(declared, "x_unit", "")):
                check_unit(f"{name}.{output}", unit)
        if not 0 <= tolerance < 1 or (tolerance and kind in EVALUATED):
            raise KernelError(f"{name}: the tolerance {tolerance!r} must be at least 0 and below 1, and a formula has none")
        limit = timeout if timeout is not None else QUICK if kind in EVALUATED else 300.0
        if not 0 < limit < math.inf:
            raise KernelError(f"{name}: the timeout {timeout!r} must be a number of seconds")
        document = inspect.getdoc(function) or inspect.cleandoc(function.__globals__.get("__doc__") or "")
        summary = " ".join(document.split("\n\n")[0].split())
        parameters = parameters_of(function)
        seeded = kind == "simulation" and parameters.pop("seed", None) is not None
        if seeded and draws < 5:
            raise KernelError(f"{name}: {draws} draws are too few to tell a spread (at least 5)")
        for parameter in parameters.values():
            if parameter.free and parameter.name not in document:
                raise KernelError(f"{name}: the docstring does not say why {parameter.name!r} is free from {listed(parameter.free)}")
        _check_demand(name, kind, demand, function, parameters, outputs)
        bounds: dict[str, Side] = {output: _SIDES[type(d)] for output, d in outputs.items() if type(d) in _SIDES}
        units = {output: d if isinstance(d, (str, Series)) else d.unit for output, d in outputs.items()}
        return Kernel(name, kind, summary, function, parameters, units, tolerance, tuple(needs), limit, bounds, draws if seeded else 1, demand)

    return declare


_SIDES: Mapping[type, Side] = {Upper: "upper", Lower: "lower"}


def _check_demand(
    name: str, kind: Kind, demand: Demand, function: Callable[..., Any], parameters: Mapping[str, Parameter], outputs: Mapping[str, Any]
) -> None:
    """Raises KernelError for a demand that names what is not there."""
    if kind != "measurement" and demand != Demand():
        raise KernelError(f"{name} is a {kind}: only a measurement asks anything of a device")
    for what in ("memory", "capability", "formats"):
        asked = getattr(demand, what)
        for argument in arguments(asked) if callable(asked) else ():
            if argument not in parameters:
                raise KernelError(f"{name}: {what} names {argument!r}{nearest(argument, parameters)}")
    for given, value in demand.rehearsal.items():
        if given in parameters:
            typed(name, parameters[given], value)
        elif given not in function.__globals__:
            raise KernelError(f"{name}: rehearsal names {given!r}, which is neither a parameter nor a constant of its file")
    for output in filter(None, (demand.headline, demand.share)):
        if not isinstance(outputs.get(output), str):
            raise KernelError(f"{name}: {output!r} is to stand in a table, but is no number that it gives{nearest(output, outputs)}")


def located(name: str) -> Place:
    """Where the kernel of that name lies. Raises KernelError if there is none, or two."""
    place = None if name.startswith("_") else place_of(name)
    if place is None:
        raise KernelError(f"unknown kernel {name!r}{nearest(name, names(), label='there are')}")
    return place


def find(name: str) -> Kernel:
    """The kernel of that name: the attribute `name` of name.py in the library. Raises KernelError if there is none, or two.

    This executes the file. What has to outlive what stands in it asks `remote.find`.
    """
    place = located(name)
    try:
        module = importlib.import_module(place.module)
    except KernelError:
        raise
    except BaseException as error:
        lacking = packages.absent([error.name or LIBRARY]) if isinstance(error, ModuleNotFoundError) else []
        why = f"it needs {packages.named(lacking)}" if lacking else told(error)
        raise KernelError(f"{place} cannot be imported: {why}") from error
    found = getattr(module, name, None)
    if not isinstance(found, Kernel):
        raise KernelError(f"{place} declares no kernel named {name!r} (@kernel stands above a function of the file's name)")
    return found


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
