"""Holds what is said against what was computed.

In: a note's claim and the Scope of its expressions. Out: the claim with its verdict, the computed value as text and by what factor the claim is off.
A verdict holds over every draw and at the ends of every free choice; where it does not, the claim depends, and the card says on what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from generator.notes import VERDICTS, Claim, Judged
from generator.problems import Problem, nearest
from generator.resolve import compared
from generator.resolve.compared import Said, held, said
from generator.resolve.expression import Scope, constants_in, read_by
from generator.resolve.formats import PLAIN, Format, converted, digits_of, parse_format, written
from generator.resolve.names import names_in
from generator.resolve.premises import others, says
from generator.resolve.quantity import ExpressionError, Quantity, Undecided
from generator.resolve.variation import AtEnd, Varied, middle, vary, widened
from kernels.parameters import Parameter
from kernels.results import KernelError

NEARLY_ALL = Fraction(95, 100)  # of the draws suffice for a claim about one draw


def judge(claim: Claim, scope: Scope, problems: list[Problem], notices: list[Problem]) -> Judged | None:
    """The claim with its computed verdict: None as verdict while a measurement is missing, None at all after a problem.

    A stated verdict that differs from the computed one is a problem. An open claim whose measurement has come gets
    the computed verdict and a notice that says what to write.
    """
    if claim.verdict not in VERDICTS:
        problems.append(Problem(claim.place, f"unknown verdict {claim.verdict!r}", nearest(claim.verdict, VERDICTS)))
        return None
    if claim.decided:
        return Judged(claim, claim.verdict, "", "")
    try:
        _refuse_hidden(claim)
        test = _test(claim, scope)
        under = _under(claim, scope)
        verdict = None if test.missing or (under and under.missing) else _verdict(test, under)
        if verdict == "holds":
            _refuse_certain(claim, scope)
    except ExpressionError as error:
        problems.append(Problem(claim.place, f"claim {claim.says!r}: {error}", error.hint))
        return None
    if verdict is None:
        if claim.verdict != "open":
            notices.append(Problem(claim.place, f"claim {claim.says!r}: {claim.verdict} is not verified, its measurement is missing", "make records"))
        return Judged(claim, None, "", "")
    if claim.verdict != verdict and claim.verdict != "open" and _rehearsed(claim, scope):
        return Judged(claim, claim.verdict, test.shown(), "")
    if claim.verdict != verdict:
        measured = any(scope.runs[a] and scope.kernels[a].kind == "measurement" for e in claim.expressions for a in names_in(e, scope.runs))
        found, why = notices if claim.verdict == "open" and measured else problems, _reason(claim, test, under)
        found.append(Problem(claim.place, f"claim {claim.says!r}: verdict is {claim.verdict}, but {why}", f"write verdict: {verdict}"))
        if found is problems:
            return None
    if verdict == "depends":
        return Judged(claim, verdict, test.span(), "")
    return Judged(claim, verdict, test.shown(), "" if verdict == "holds" else test.factor())


def _rehearsed(claim: Claim, scope: Scope) -> bool:
    """Whether a run behind it was only rehearsed, so that what it gave decides nothing."""
    results = (scope.results.get(alias) for e in claim.expressions for alias in names_in(e, scope.runs))
    return any(result is not None and result.made.get("device_class") == "rehearsal" for result in results)


def _verdict(test: Outcome, under: Outcome | None) -> str:
    if test.always:
        return "holds"
    if test.ever:
        return "depends"
    return "misleading" if under and under.always else "wrong"


def _reason(claim: Claim, test: Outcome, under: Outcome | None) -> str:
    what = claim.value if claim.value is not None else claim.holds
    if test.ever and not test.always:
        return f"it is true only in part: {test.span()}"
    outcome = f"{test.shown() or claim.computed or 'what was computed'} {'agrees' if test.always else 'disagrees'} with {what!r}"
    if claim.verdict == "misleading" and not test.always and under is None:
        return f"{outcome}, and no condition is given under which it would hold (under: {{text, computed}})"
    if test.always or under is None:
        return outcome
    return f"{outcome} and the condition under it {'holds' if under.always else 'fails in part' if under.ever else 'fails too'}"


# --------------------------------------------------------------------------- over draws and free choices


@dataclass(frozen=True)
class Outcome:
    """Whether what is said is true of each draw, and at each end of each free choice. claimed: what a number is held against."""

    varied: Varied
    draws: tuple[bool, ...]
    ends: tuple[tuple[AtEnd, tuple[bool, ...]], ...]
    claimed: Said | None
    enough: Fraction = Fraction(1)

    @property
    def missing(self) -> bool:
        return bool(self.varied.value.missing)

    @property
    def always(self) -> bool:
        return all(self._most(draws) for draws in self._groups())

    @property
    def ever(self) -> bool:
        """Whether it is true anywhere, or in more than the few draws that a claim about one draw leaves out."""
        return any(not self._most([not true for true in draws]) for draws in self._groups())

    def _groups(self) -> Iterator[Sequence[bool]]:
        yield self.draws
        yield from (draws for _, draws in self.ends)

    def _most(self, draws: Sequence[bool]) -> bool:
        return sum(draws) >= self.enough * len(draws)

    def shown(self) -> str:
        """The computed number in the claim's unit: with the digits that are certain wherever nobody fixed a choice, or as a range."""
        content = self.varied.value.content
        if self.claimed is None or not isinstance(content, Quantity):
            return ""
        form, wide = self.claimed.format, widened(self.varied, ()).content
        bound = {"upper": "at most ", "lower": "at least "}.get(content.side, "")
        ranging = digits_of(wide, form) in (0, 1) and wide.spread != content.spread or digits_of(content, form) == 0
        return bound + (written(wide, replace(form, rounding="range", digits=None), PLAIN) if ranging else written(content, form, PLAIN))

    def factor(self) -> str:
        """How far the computed number is from the claimed one: "14×", of percentages "11 points"; "" where that says nothing."""
        content = self.varied.value.content
        if (
            self.claimed is None
            or not isinstance(content, Quantity)
            or content.side
            or digits_of(widened(self.varied, ()).content, self.claimed.format) == 0
        ):
            return ""
        number = converted(content, self.claimed.format)
        return compared.factor(number, self.claimed, digits_of(content, self.claimed.format))

    def span(self) -> str:
        """What a claim that is true in part depends on: "from 1.2× to 14×, as the curvature goes from 0.1 to 30"."""
        moved = [end.choice for end, draws in self.ends if set(draws) != set(self.draws)]
        if not moved:
            true = f"true in {sum(self.draws)} of {len(self.draws)} draws"
            return f"{self._from([self.varied.draws])}, {true}" if self.claimed else true
        choice = moved[0]
        at = {choice.was: (self.varied.draws, self.draws)}
        same = [(end, true) for end, true in self.ends if (end.choice.kernel, end.choice.parameter) == (choice.kernel, choice.parameter)]
        at.update({end.choice.value: (end.draws, true) for end, true in same})
        words, values = choice.parameter.replace("_", " "), sorted(at)
        if self.claimed:
            verb = "go" if words.endswith("s") else "goes"
            reach = (
                f"with {words} {' or '.join(values)}"
                if isinstance(choice.was, str)
                else f"as the {words} {verb} from {choice.shown(values[0])} to {choice.shown(values[-1])}"
            )
            return f"{self._from([at[value][0] for value in values])}, {reach}"
        return "; ".join(
            f"{said} with {words} {' and '.join(shown)}"
            for said, outcomes in (("true", {True}), ("true of some draws", {True, False}), ("not true", {False}))
            if (shown := [choice.shown(value) for value in values if set(at[value][1]) == outcomes])
        )

    def _from(self, groups: Sequence[Sequence[Any]]) -> str:
        assert self.claimed
        values = [middle(draws) for draws in groups]
        if len(values) == 1 and values[0].spread:
            values = [replace(values[0], value=end) for end in values[0].spread]
        first, last = values[0], values[-1]  # in the order of what they depend on
        least, most = (choose(values, key=lambda content: content.value) for choose in (min, max))
        falls_or_grows = {first.value, last.value} == {least.value, most.value}
        ends = (first, last) if falls_or_grows else (least, most)
        begin, end = (written(replace(content, spread=None), replace(self.claimed.format, digits=2), PLAIN) for content in ends)
        return f"from {begin} to {end}" if falls_or_grows else f"between {begin} and {end}"


def _outcome(claim: Claim, expression: str, scope: Scope, test: Callable[[Any], bool], claimed: Said | None) -> Outcome:
    varied = vary(expression, scope)
    if varied.value.missing:
        if varied.value.content is not None:
            test(varied.value.content)  # names and units are checked even where the number is a stand-in
        return Outcome(varied, (), (), claimed)
    apart = [end for end in varied.ends if not _named(claim, end.choice.was, claimed)]
    varied = varied._replace(ends=tuple(apart))
    draws = tuple(map(test, varied.draws))
    ends = tuple((end, tuple(map(test, end.draws))) for end in apart)
    return Outcome(varied, draws, ends, claimed, NEARLY_ALL if claim.one_draw else Fraction(1))


def _named(claim: Claim, value: Any, claimed: Said | None) -> bool:
    """Whether the sentence fixes a choice itself; the number that it claims, and those that every sentence has, fix none."""
    if not isinstance(value, str) and (abs(value) <= 2 or (claimed and float(claimed.low) <= value <= float(claimed.high))):
        return False
    return says(claim.says, value)


def _test(claim: Claim, scope: Scope) -> Outcome:
    if claim.holds is not None:
        return _outcome(claim, claim.holds, scope, _condition("holds"), None)
    if claim.value is None or claim.computed is None:
        raise ExpressionError("a claim needs value and computed, or holds", "value: < 10 GB, computed: alias.output")
    claimed = said(claim.value)
    return _outcome(claim, claim.computed, scope, _number(claimed, claim.tolerance), claimed)


def _under(claim: Claim, scope: Scope) -> Outcome | None:
    if claim.under is None:
        return None
    if claim.value is None or isinstance(vary(claim.under[1], scope).value.content, bool):
        return _outcome(claim, claim.under[1], scope, _condition("under"), None)
    claimed = said(claim.value)
    return _outcome(claim, claim.under[1], scope, _number(claimed, claim.tolerance), claimed)


def _condition(what: str) -> Callable[[Any], bool]:
    def test(content: Any) -> bool:
        if not isinstance(content, bool):
            raise ExpressionError(f"`{what}` is a condition, true or false, but gives a value", "compare it: alias.output < 10 * GB")
        return content

    return test


def _number(claimed: Said, tolerance: float) -> Callable[[Any], bool]:
    def test(content: Any) -> bool:
        if not isinstance(content, Quantity):
            raise ExpressionError("a claim's value is compared with a number", "for a condition write `holds` instead of value and computed")
        return held(content, claimed, tolerance)

    return test


# ------------------------------------------------------------------------------------- checks of the check


def _refuse_hidden(claim: Claim) -> None:
    """Raises ExpressionError for a number that decides and that neither the sentence nor a threshold says."""
    told = " ".join([claim.says, *(threshold.value for threshold in claim.thresholds)])
    if claim.value is not None:
        claimed = said(claim.value)
        numbers = [(end, claimed.format) for end in dict.fromkeys((claimed.low, claimed.high))]
    else:
        numbers = [(Fraction(value), parse_format("")) for value in constants_in(claim.holds or "") if value not in (0, 1)]
    for number, form in numbers:
        if not (says(told, float(number), bare=True) or says(told, float((number + form.zero) * form.factor), bare=True)):
            raise ExpressionError(
                f"it is held to {_short(number, form)}, which its sentence does not say",
                f"threshold: {{value: {_short(number, form)}, because: ...}}, which the card shows",
            )


def _short(number: Fraction, form: Format) -> str:
    return f"{float(number):g}{'' if not form.label else f' {form.label}'}"


def _refuse_certain(claim: Claim, scope: Scope) -> None:
    """Raises ExpressionError for a check that nothing could have refuted, as far as formulas tell: it holds whatever their parameters are.

    A number that the sentence states could have been another, so that a value without a comparison is never one.
    """
    if claim.value is not None and not said(claim.value).is_comparison:
        return
    expression = claim.holds if claim.holds is not None else claim.computed or ""
    used = dict.fromkeys(alias for alias, *rest in read_by(expression) if rest)
    if any(not scope.kernels[alias].evaluated for alias in used):
        return
    tried = 0
    for alias in used:
        for name, parameter in scope.kernels[alias].parameters.items():
            value = scope.runs[alias].parameters[name]
            for other in _far(parameter, value):
                for together in {(alias,), tuple(a for a in used if scope.runs[a].parameters.get(name) == value)}:
                    try:
                        outcome = _test(claim, scope.with_parameter(together, name, other))
                    except Undecided:
                        return
                    except (KernelError, ExpressionError, ArithmeticError):
                        continue
                    tried += 1
                    if not outcome.always:
                        return
    if tried:
        message = f"nothing could have refuted it: it holds at all {tried} other values of its runs' parameters"
        raise ExpressionError(message, "test what the sentence says")


def _far(parameter: Parameter, value: Any) -> Iterator[Any]:
    yield from others(parameter, value)
    if parameter.type in (int, float) and not parameter.choices:
        yield from (end for end in (parameter.bound.low, parameter.bound.high) if end is not None)
        yield from (value * factor for factor in (10, 100, 1000, 10**6))
        yield from (parameter.type(value / factor) for factor in (10, 100, 1000, 10**6))
