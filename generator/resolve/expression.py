"""The expressions of references and claims: Jinja's, without filters, over a note's runs.

In: an expression's text and a Scope (the note's runs with what they gave). Out: a Quantity, text or truth value,
and which measurements it still lacks. Apart from note.py because it decides what an author may write: names are
checked before anything runs, and everything runs in Jinja's sandbox.
"""

from __future__ import annotations

import functools
import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from generator.gate import characters
from generator.notes import JINJA_WORDS, Run
from generator.problems import nearest
from generator.resolve.quantity import ExpressionError, Quantity, QuantityError, UnitError, joined, parse_unit, quantity
from generator.resolve.series import POINTS, Line, Lines, Unmeasured, number_of
from kernels import remote, units
from kernels.declare import Series
from kernels.record import Curve, Number, Result
from kernels.remote import Remote
from kernels.units import PURE

CASE = "case"  # what names the case of a note that is one of a family
NO_RUN = "name it under `runs:` in the front matter"
LONGEST = 400  # characters; a longer expression belongs into a kernel


@dataclass(frozen=True)
class Scope:
    """What the expressions of one note may name: its runs, their kernels, and their results (None: not measured); what its case gives."""

    runs: Mapping[str, Run]
    kernels: Mapping[str, Remote]
    results: Mapping[str, Result | None]
    case: Mapping[str, tuple[Any, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, runs: Mapping[str, Run], results: Mapping[str, Result | None], case: Mapping[str, tuple[Any, str]] | None = None) -> Scope:
        return cls(runs, {alias: remote.find(run.kernel) for alias, run in runs.items()}, results, case or {})

    def with_parameter(self, aliases: Sequence[str], name: str, value: Any) -> Scope:
        """The same with another value of a parameter in these runs, which are formulas. Raises KernelError where a kernel refuses it."""
        runs, results = dict(self.runs), dict(self.results)
        case = self.case_with(name, runs[aliases[0]].parameters[name], value)
        for alias in aliases:
            runs[alias] = runs[alias]._replace(parameters={**runs[alias].parameters, name: value})
            results[alias] = self.kernels[alias].instead(runs[alias].parameters)
        return Scope(runs, self.kernels, results, case)

    def case_with(self, name: str, was: Any, value: Any) -> Mapping[str, tuple[Any, str]]:
        """What the case gives where a parameter has another value, which it may have given."""
        given = self.case.get(name)
        return {**self.case, name: (value, given[1])} if given and given[0] == was else self.case


@dataclass(frozen=True)
class Value:
    """What an expression gives. missing: aliases whose results it lacks; number is then a stand-in, never to be shown.

    content: a Quantity, a str or a bool; None where a stand-in does not survive the arithmetic (1 / (1 - 1)).
    """

    content: Any
    missing: tuple[str, ...] = ()


def read_by(text: str) -> tuple[Path, ...]:
    """The names that an expression reads, each as its parts: ("full", "total"), ("GB",). Raises ExpressionError for what is none."""
    return _parsed(text).paths


def constants_in(text: str) -> tuple[int | float, ...]:
    """The numbers that stand in an expression as written."""
    return _parsed(text).constants


def evaluate(text: str, scope: Scope) -> Value:
    """The value of an expression. Raises ExpressionError for whatever an author can get wrong in it.

    Where a result is missing, names and units are checked all the same, with 1.0 in each declared unit.
    """
    from jinja2 import TemplateError

    parsed = _parsed(text)
    for path in parsed.paths:
        _check(path, scope)
    missing = tuple(sorted({path[0] for path in parsed.paths if _lacks_result(path, scope)}))
    measures = {path[0]: _unit(path[0]) for path in parsed.paths if len(path) == 1}
    case = {CASE: _Case(scope.case)} if scope.case else {}
    runs = {path[0]: _Names(path[0], scope) for path in parsed.paths if path[0] in scope.runs}
    names: dict[str, Any] = {**measures, **FUNCTIONS, **case, **runs}
    try:
        content = parsed.call(names)
    except (ArithmeticError, ValueError, TypeError, TemplateError) as error:
        if missing and not _certain(error):
            return Value(None, missing)
        raise ExpressionError(_sentence(error), getattr(error, "hint", "")) from error
    if isinstance(content, str) and (wrong := characters.unwanted(content)):
        raise ExpressionError(f"the text holds {characters.named(wrong[0])}", "leave it out")
    if isinstance(content, (str, bool)):
        return Value(content, missing)
    if isinstance(content, (int, float)):
        return Value(quantity(content), missing)
    if isinstance(content, Quantity):
        return Value(content, missing)
    raise ExpressionError(*_no_number(content))


def _certain(error: Exception) -> bool:
    """Whether an error met with stand-ins would also be met with the real numbers."""
    return isinstance(error, UnitError) or (isinstance(error, ExpressionError) and not isinstance(error, QuantityError))


def _sentence(error: Exception) -> str:
    if isinstance(error, ZeroDivisionError):
        return "division by zero"
    return "the number grows too large" if isinstance(error, OverflowError) else str(error)


def _no_number(content: Any) -> tuple[str, str]:
    from jinja2 import Undefined

    if isinstance(content, (Lines, Line)):
        return "a series is not a number", "take a point: .at(x), .first, .last, .max or .min"
    if isinstance(content, _Names):
        return "a run is not a number", "name one of its outputs"
    if content is None or isinstance(content, Undefined):
        return "the expression has no value", "give an `else`"
    return "the expression gives a list, not a number", "sum, min or max of it"


# ------------------------------------------------------------------------------ what an author may write

Path = tuple[str, ...]  # ("full", "total"), ("full", "parameters", "gpus"), or a bare name: ("GB",)


@dataclass(frozen=True)
class _Parsed:
    paths: tuple[Path, ...]
    constants: tuple[int | float, ...]
    call: Callable[[Mapping[str, Any]], Any]


@functools.cache
def _environment() -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Calculator(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            return self.binop_table[operator](quantity(left), quantity(right))

    environment = Calculator(undefined=StrictUndefined)
    for table in (environment.globals, environment.filters, environment.tests):
        table.clear()
    return environment


@functools.cache
def _parsed(text: str) -> _Parsed:
    from jinja2 import TemplateSyntaxError, nodes
    from jinja2.environment import TemplateExpression

    if not text.strip():
        raise ExpressionError("an empty expression", "such as [[ alias.output | GB ]]")
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression of {len(text)} characters", f"at most {LONGEST}; what is longer belongs into a kernel")
    if (plain := _PLAIN.fullmatch(text)) and plain[1] not in JINJA_WORDS:
        alias, name = plain.groups()  # most are as plain as this, and Jinja takes long for a template
        return _Parsed(((alias, name),), (), lambda names: getattr(names[alias], name))
    environment = _environment()
    try:
        tree = _tree(environment, text)
        paths = tuple(dict.fromkeys(_walk(tree)))
        constants = [node.value for node in ([tree] if isinstance(tree, nodes.Const) else tree.find_all(nodes.Const))]  # before Jinja folds them
        template = environment.from_string(nodes.Template([nodes.Assign(nodes.Name("result", "store"), tree, lineno=1)], lineno=1))
        compiled = TemplateExpression(template, undefined_to_none=False)
    except TemplateSyntaxError as error:
        why = error.message.replace("unexpected 'end of template'", "something is missing at its end") if error.message else ""
        hint = next((hint for slip, hint in _SLIPS if re.search(slip, text)), _PLAIN_BRACKETS)
        raise ExpressionError(f"{text.strip()!r} is not an expression: {why}", hint) from error
    except RecursionError as error:
        raise ExpressionError("an expression nested too deeply") from error

    if any(isinstance(value, float) and not math.isfinite(value) for value in constants):
        raise ExpressionError("the number is not finite")
    return _Parsed(paths, tuple(value for value in constants if type(value) in (int, float)), compiled)


_PLAIN = re.compile(r"\s*([a-z]\w*)\.([a-z]\w*)\s*", re.ASCII)

_SLIPS = (  # what others write, and what is written here
    (r"\^", "a power is written 2 ** 10"),
    (r"[×·]|\d\s*x\b|\bx\s*\d", "times is written *"),
    (r"÷", "a quotient is written /"),
    (r"[−–]", "minus is the hyphen -"),
    (r"%\s*$|%\s*[)\]]", "write 0.5, or behind a bar the unit percent"),
    (r"^\s*\d{1,3}(?:,\d{3})+(?!\d)", "a number has no separators: 1000"),
    (r"&&|\|\|", "write `and`, `or`"),
    (r"\?", "write 'a' if … else 'b'"),
    (r"(?<![=<>!])=(?!=)", "equality is written =="),
    (r":", "a bar parts the expression from its unit: [[ alias.output | GB ]]"),
)
_PLAIN_BRACKETS = r"such as [[ alias.output | GB ]]; for two plain brackets write \[["


def _tree(environment: Any, text: str) -> Any:
    from jinja2 import TemplateSyntaxError

    parser = _arithmetic()(environment, text, state="variable")
    tree = parser.parse_expression()
    if not parser.stream.eos:
        left = parser.stream.current
        raise TemplateSyntaxError(f"nothing joins {str(left.value)!r} to what stands before it", left.lineno)
    tree.set_environment(environment)
    return tree


@functools.cache
def _arithmetic() -> Any:
    """Jinja's parser, but for powers: they bind as in Python and in mathematics, to the right, and tighter than a sign before them."""
    from jinja2 import nodes
    from jinja2.parser import Parser

    class Arithmetic(Parser):
        def parse_unary(self, with_filter: bool = True) -> nodes.Expr:
            signed = {"sub": nodes.Neg, "add": nodes.Pos}.get(self.stream.current.type)
            if signed is None:
                return super().parse_unary(with_filter)
            lineno = next(self.stream).lineno
            return signed(self.parse_pow(), lineno=lineno)

        def parse_pow(self) -> nodes.Expr:
            base = self.parse_unary()
            if self.stream.current.type != "pow":
                return base
            lineno = next(self.stream).lineno
            return nodes.Pow(base, self.parse_pow(), lineno=lineno)

    return Arithmetic


_LEAVES = ("Const",)
_INNER = (
    *("Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow", "Neg", "Pos"),
    *("Compare", "Operand", "And", "Or", "Not", "CondExpr", "List", "Tuple"),
)
_REFUSED = {
    "Filter": ("filters have no place in an expression", "a bar is followed by a format; functions: {functions}"),
    "Test": ("`is` tests have no place in an expression", "compare with ==, <, >"),
    "Concat": ("`~` joins text, and an expression gives a number", ""),
    "Dict": ("an expression has no dictionaries", ""),
    "Slice": ("an expression takes one point of a series, no slice", "write alias.series[0] or .at(x)"),
}


def _walk(node: Any) -> Iterable[Path]:
    """The paths that an expression reads. Raises ExpressionError for syntax that has no place in one."""
    kind = type(node).__name__
    if kind in _LEAVES:
        return
    path = _path(node)
    if path:
        yield path
    elif kind == "Call":
        yield from _walk_call(node)
    elif kind == "Getattr":
        if node.attr not in POINTS:
            raise ExpressionError(f"{node.attr!r} is no point of a series", f"of a series: .at(x), .{', .'.join(sorted(POINTS))}")
        yield from _walk(node.node)
    elif kind in (*_INNER, "Getitem"):
        for child in node.iter_child_nodes():
            yield from _walk(child)
    else:
        message, hint = _REFUSED.get(kind, ("this has no place in an expression", "names, numbers, arithmetic, comparisons and {functions}"))
        raise ExpressionError(message, hint.format(functions=", ".join(sorted(FUNCTIONS))))


def _path(node: Any) -> Path:
    """("alias", "output") for a dotted name, () for anything else. A point of a series (.max) is no part of it."""
    kind = type(node).__name__
    if kind == "Name":
        return (node.name,)
    if kind != "Getattr":
        return ()
    if node.attr.startswith("_"):
        raise ExpressionError(f"no name begins with an underscore: {node.attr!r}")
    owner = _path(node.node)
    if len(owner) == 1 or (len(owner) == 2 and owner[1] == "parameters" and node.attr not in ("at", *POINTS)):
        return (*owner, node.attr)
    return ()


def _walk_call(node: Any) -> Iterable[Path]:
    callee = node.node
    if node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise ExpressionError("a call takes plain arguments only")
    if type(callee).__name__ == "Name":
        if callee.name not in FUNCTIONS:
            raise ExpressionError(f"unknown function {callee.name!r}", nearest(callee.name, FUNCTIONS))
        try:
            inspect.signature(FUNCTIONS[callee.name]).bind(*node.args)
        except TypeError as error:
            raise ExpressionError(f"{callee.name} does not take {len(node.args)} arguments") from error
    elif type(callee).__name__ == "Getattr" and callee.attr == "at":
        yield from _walk(callee.node)
    else:
        raise ExpressionError("this cannot be called", f"functions: {', '.join(sorted(FUNCTIONS))}; of a series: .at(x)")
    for argument in node.args:
        yield from _walk(argument)


def _check(path: Path, scope: Scope) -> None:
    alias, *rest = path
    if alias == CASE and alias not in scope.runs:
        _check_case(rest, scope)
        return
    if alias not in scope.runs:
        if not rest and _unit(alias) is not None:
            return
        of = [f"{run}.{alias}" for run, kernel in scope.kernels.items() if alias in kernel.outputs or alias in kernel.parameters]
        near = f"did you mean {' or '.join(of[:2])}?" if of else nearest(alias, scope.runs)
        raise ExpressionError(f"unknown run {alias!r}", near or NO_RUN)
    kernel = scope.kernels[alias]
    if not rest:
        raise ExpressionError(f"{alias!r} is a run of {kernel.name}, not a number", f"outputs: {', '.join(kernel.outputs)}")
    known = {*kernel.outputs, *kernel.parameters}
    if len(rest) == 1 and rest[0] not in known:
        raise ExpressionError(f"{kernel.name} has no output or parameter {rest[0]!r}", nearest(rest[0], known))
    if len(rest) == 2 and "parameters" in known:
        raise ExpressionError(f"`parameters` is a number of {kernel.name}, not a list of names", f"write {alias}.{rest[1]}")
    if len(rest) == 2 and rest[1] not in kernel.parameters:
        raise ExpressionError(f"{kernel.name} has no parameter {rest[1]!r}", nearest(rest[1], kernel.parameters))


def _check_case(rest: Sequence[str], scope: Scope) -> None:
    if not scope.case:
        raise ExpressionError("the note has no cases, since it is no family", "families: {its id: {for: ...}} in the front matter makes it one")
    if not rest:
        raise ExpressionError("a case is not a number", f"it gives {', '.join(scope.case)}")
    if rest[0] not in scope.case:
        raise ExpressionError(f"the case does not give {rest[0]!r}", nearest(rest[0], scope.case))


def _lacks_result(path: Path, scope: Scope) -> bool:
    """Whether it names an output that nobody has made yet: without a record, or with one from before the kernel had that output."""
    alias = path[0]
    if alias not in scope.runs or len(path) != 2 or path[1] not in scope.kernels[alias].outputs:
        return False
    result = scope.results.get(alias)
    return result is None or path[1] not in result.outputs


# --------------------------------------------------------------------------------------- what names mean


class _Names:
    """An alias inside an expression: its outputs and, where no output has the name, its parameters."""

    def __init__(self, alias: str, scope: Scope):
        self._alias, self._scope = alias, scope

    def __getattr__(self, name: str) -> Any:
        kernel, parameters = self._scope.kernels[self._alias], self._scope.runs[self._alias].parameters
        if name in kernel.outputs:
            result = self._scope.results.get(self._alias)
            made = result is not None and name in result.outputs
            return _content(result.outputs[name]) if made and result else _stand_in(kernel.outputs[name])
        if name in kernel.parameters:
            return _parameter(parameters[name], kernel.parameters[name].bound.unit)
        if name == "parameters":
            return {n: _parameter(v, kernel.parameters[n].bound.unit) for n, v in parameters.items()}
        raise AttributeError(name)


class _Case:
    """`case` inside an expression: what it gives in place of parameters, and texts."""

    def __init__(self, given: Mapping[str, tuple[Any, str]]):
        self._given = given

    def __getattr__(self, name: str) -> Any:
        if name not in self._given:
            raise AttributeError(name)
        return _parameter(*self._given[name])


def _parameter(value: Any, unit: str) -> Any:
    return value if isinstance(value, (str, bool)) else Quantity(value, parse_unit(unit)[1])


def _content(output: Number | Curve) -> Any:
    return Lines(output) if isinstance(output, Curve) else number_of(output)


def _stand_in(declared: str | Series) -> Any:
    if isinstance(declared, str):
        return Quantity(1.0, parse_unit(declared)[1], (1.0, 1.0))
    return Unmeasured(declared)


# ------------------------------------------------------------------------------------ functions and units


def _pure(what: str, function: Callable[[float], float]) -> Callable[[Any], Quantity]:
    def apply(x: Any) -> Quantity:
        number = quantity(x)
        if not number.pure:
            raise UnitError(f"{what} takes a pure number", "divide by a unit or by a quantity of the same unit")
        try:
            return Quantity(function(number.value), side=number.side)  # all of them grow
        except ValueError as error:
            raise QuantityError(f"{what} of {number.value:g}") from error

    return apply


def _sqrt(x: Any) -> Quantity:
    number = quantity(x)
    if any(power % 2 for _, power in number.powers):
        raise UnitError("sqrt takes a pure number or a square of units")
    if number.value < 0:
        raise QuantityError("a root of a negative number")
    exact = math.isqrt(number.value) if isinstance(number.value, int) else 0
    powers = tuple((unit, power // 2) for unit, power in number.powers)
    return Quantity(exact if exact * exact == number.value else math.sqrt(number.value), powers, side=number.side)


def _extreme(choose: Callable[..., Quantity]) -> Callable[[list[Quantity]], Quantity]:
    def apply(values: list[Quantity]) -> Quantity:
        sum(values[1:], start=values[0])  # refuses unlike units
        return replace(choose(values, key=lambda one: one.value), side=joined(*(one.side for one in values)))

    return apply


def _several(function: Callable[[list[Quantity]], Quantity]) -> Callable[..., Quantity]:
    def apply(*given: Any) -> Quantity:
        values = [quantity(v) for v in (given[0] if len(given) == 1 and isinstance(given[0], (list, tuple)) else given)]
        if not values:
            raise QuantityError("nothing to choose from or to add")
        return function(values)

    return apply


def _total(values: list[Quantity]) -> Quantity:
    return sum(values[1:], start=values[0])


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "sqrt": _sqrt,
    "log": _pure("log", math.log),
    "log2": _pure("log2", math.log2),
    "log10": _pure("log10", math.log10),
    "exp": _pure("exp", math.exp),
    "min": _several(_extreme(min)),
    "max": _several(_extreme(max)),
    "sum": _several(_total),
    "abs": lambda x: abs(quantity(x)),
    "round": lambda x, digits=0: round(quantity(x), int(quantity(digits).value) or None),
    "ceil": lambda x: math.ceil(quantity(x)),
    "floor": lambda x: math.floor(quantity(x)),
}


def _unit(name: str) -> Quantity | None:
    """10 * GB in a comparison; a function or a run of the same name comes first."""
    size, powers = units.atom(name) or (Fraction(0), PURE)
    return Quantity(int(size) if size.denominator == 1 else float(size), powers) if size and name not in FUNCTIONS else None
