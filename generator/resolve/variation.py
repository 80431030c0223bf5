"""What an expression gives over the draws of its simulations, and at the ends of the choices that nobody fixed.

In: an expression and the Scope of a note. Out: its value with the band of the draws, each draw's, and those at each end.
An expression is evaluated draw by draw, so that the band of a ratio is that of the ratios.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from generator.resolve.expression import Scope, Value, evaluate, read_by
from generator.resolve.quantity import ExpressionError, Quantity, joined
from kernels import units
from kernels.draws import SAME, one, percentiles
from kernels.results import Curve, Number


class Choice(NamedTuple):
    """A free parameter at an end of its range, and the runs of a note that share it."""

    kernel: str
    parameter: str
    value: Any
    was: Any
    aliases: tuple[str, ...]
    unit: str

    def shown(self, value: Any) -> str:
        """One of its values as a card says it: "400 TFLOP/s"."""
        if isinstance(value, str):
            return value
        sizes = () if units.counts(self.unit) else units.sizes(self.unit)
        size, name = next((size for size in sizes if abs(value) >= size[0]), (1, ""))
        return f"{value / size:g}\N{NO-BREAK SPACE}{name}" if name else f"{value:g}"


class AtEnd(NamedTuple):
    """What the expression gives there, draw by draw."""

    choice: Choice
    draws: tuple[Any, ...]


class Varied(NamedTuple):
    """value: the median, with the 10th and 90th percentile as spread; draws: one content a draw, a single one where none moves it."""

    value: Value
    draws: tuple[Any, ...]
    ends: tuple[AtEnd, ...]


def vary(text: str, scope: Scope) -> Varied:
    """Evaluates an expression over everything that its runs recorded. Raises ExpressionError as `evaluate` does."""
    value = evaluate(text, scope)
    if value.missing:
        return Varied(value, (value.content,), ())
    draws = _over(text, scope)
    ends = tuple(AtEnd(choice, _over(text, _at_end(scope, choice))) for choice in _choices(text, scope))
    return Varied(Value(middle(draws)), draws, ends)


def middle(draws: Sequence[Any]) -> Any:
    """The median of contents with their band; the content itself where all agree."""
    first = draws[0]
    if len(draws) == 1 or not isinstance(first, Quantity):
        return first  # of truth values too: who asks for one looks at the draws
    if all(math.isclose(content.value, first.value, rel_tol=SAME) for content in draws):
        return first
    low, value, high = percentiles([content.value for content in draws])
    return Quantity(value, first.powers, (low, high), joined(*(content.side for content in draws)))


def _over(text: str, scope: Scope) -> tuple[Any, ...]:
    drawn = _drawn(text, scope)
    if not drawn:
        return (evaluate(text, scope).content,)
    number = max(result.draws for alias in drawn if (result := scope.results[alias]))
    contents = tuple(evaluate(text, _at_draw(scope, drawn, draw)).content for draw in range(number))
    if isinstance(contents[0], str) and len(set(contents)) > 1:
        raise ExpressionError(f"the text differs from draw to draw: {', '.join(sorted(set(contents)))}", "print a range")
    return contents


def _drawn(text: str, scope: Scope) -> dict[str, dict[str, Number | Curve]]:
    """By run, the outputs that the expression reads and that the seed moves."""
    found: dict[str, dict[str, Number | Curve]] = {}
    for alias, *rest in read_by(text):
        result = scope.results.get(alias)
        if result is not None and rest and (output := result.outputs.get(rest[0])) and _moves(output):
            found.setdefault(alias, {})[rest[0]] = output
    return found


def _moves(output: Number | Curve) -> bool:
    if isinstance(output, Curve):
        return any(point is not None and point.draws for line in output.lines.values() for point in line)
    return bool(output.draws)


def _at_draw(scope: Scope, drawn: Mapping[str, Mapping[str, Number | Curve]], draw: int) -> Scope:
    """The scope of one draw; of a run with fewer, they begin again."""
    results = dict(scope.results)
    for alias, outputs in drawn.items():
        if result := scope.results[alias]:
            results[alias] = replace(result, outputs={**result.outputs, **one(outputs, draw)})
    return replace(scope, results=results)


def _choices(text: str, scope: Scope) -> Iterator[Choice]:
    """The ends of the free parameters behind an expression. One that the note sets differently in two runs is what it compares, and no choice."""
    used = dict.fromkeys(alias for alias, *rest in read_by(text) if rest and scope.results.get(alias) is not None)
    told = set()
    for alias in used:
        result = scope.results[alias]
        for end in result.ends if result else ():
            kernel, value = scope.runs[alias].kernel, scope.runs[alias].parameters[end.parameter]
            together = tuple(a for a in used if scope.runs[a].kernel == kernel)
            if (kernel, end.parameter, end.value) in told or any(scope.runs[a].parameters[end.parameter] != value for a in together):
                continue
            told.add((kernel, end.parameter, end.value))
            yield Choice(kernel, end.parameter, end.value, value, together, scope.kernels[alias].parameters[end.parameter].bound.unit)


def _at_end(scope: Scope, choice: Choice) -> Scope:
    runs, results = dict(scope.runs), dict(scope.results)
    for alias in choice.aliases:
        result, run = scope.results[alias], scope.runs[alias]
        end = next((e for e in result.ends if (e.parameter, e.value) == (choice.parameter, choice.value)), None) if result else None
        if result and end:
            runs[alias] = run._replace(parameters={**run.parameters, choice.parameter: choice.value})
            results[alias] = replace(result, outputs=end.outputs, draws=scope.kernels[alias].draws_at_ends, ends=())
    return replace(scope, runs=runs, results=results, case=scope.case_with(choice.parameter, choice.was, choice.value))


def widened(varied: Varied, named: Sequence[Choice]) -> Value:
    """The value with the band of the draws at all ends too, but for those of choices that are named."""
    content = varied.value.content
    if not isinstance(content, Quantity):
        return varied.value
    low, high = content.spread or (content.value, content.value)
    for end in varied.ends:
        if end.choice not in named and isinstance(at := middle(end.draws), Quantity):
            below, above = at.spread or (at.value, at.value)
            low, high = min(low, below), max(high, above)
    return Value(replace(content, spread=(low, high)))
