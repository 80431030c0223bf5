"""Holds what is often said against what was computed.

In: a note's claim and the Scope of its expressions. Out: the claim with its verdict, the computed value as text and by
what factor the claim is off. Apart from note.py because a verdict is not a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from generator.notes import Claim, Judged
from generator.problems import Problem, nearest
from generator.resolve.expression import Scope, Value, evaluate
from generator.resolve.formats import PLAIN, Format, converted, parse_format, written
from generator.resolve.names import names_in
from generator.resolve.quantity import ExpressionError, Quantity

VERDICTS = ("holds", "wrong", "misleading", "open")


def judge(claim: Claim, scope: Scope, problems: list[Problem], notices: list[Problem]) -> Judged | None:
    """The claim with its computed verdict: None as verdict while a measurement is missing, None at all after a problem.

    A stated verdict that differs from the computed one is a problem. An open claim whose measurement has come gets
    the computed verdict and a notice that says what to write.
    """
    try:
        test = _test(claim, scope)
        under = _under(claim, scope, test)
    except ExpressionError as error:
        problems.append(Problem(claim.place, f"claim {claim.says!r}: {error}", error.hint))
        return None
    if claim.verdict not in VERDICTS:
        problems.append(Problem(claim.place, f"unknown verdict {claim.verdict!r}", nearest(claim.verdict, VERDICTS)))
        return None
    if test.missing or (under and under.missing):
        if claim.verdict != "open":
            notices.append(Problem(claim.place, f"claim {claim.says!r}: {claim.verdict} is not verified, its measurement is missing", "make records"))
        return Judged(claim, None, "", "")
    verdict = "holds" if test.holds else "misleading" if under and under.holds else "wrong"
    if claim.verdict != verdict:
        measured = any(scope.runs[a] and scope.kernels[a].kind == "measurement" for e in claim.expressions for a in names_in(e, scope.runs))
        found, said = notices if claim.verdict == "open" and measured else problems, _reason(claim, test, under)
        found.append(Problem(claim.place, f"claim {claim.says!r}: verdict is {claim.verdict}, but {said}", f"write verdict: {verdict}"))
        if found is problems:
            return None
    return Judged(claim, verdict, test.shown, "" if test.holds else test.factor)


def _reason(claim: Claim, test: Outcome, under: Outcome | None) -> str:
    said = claim.value if claim.value is not None else claim.holds
    outcome = f"{test.shown or claim.computed or 'what was computed'} {'agrees' if test.holds else 'disagrees'} with {said!r}"
    if claim.verdict == "misleading" and not test.holds and under is None:
        return f"{outcome}, and no condition is given under which it would hold (under: {{text, computed}})"
    return outcome if test.holds or under is None else f"{outcome} and the condition under it {'holds' if under.holds else 'fails too'}"


# ---------------------------------------------------------------------------------------- what is said


@dataclass(frozen=True)
class Said:
    """A claim's value, understood: a comparison with `low`, or low..high where the sign is ".."; numbers in the format's unit."""

    sign: str
    low: Fraction
    high: Fraction
    format: Format


_NUMBER = r"[-\u2212]?\d(?:[\d,]*\d)?(?:\.\d+)?(?:[eE][-+]?\d+)?"
_VALUE = re.compile(rf"(?P<sign><=|>=|<|>|≤|≥|)\s*(?P<low>{_NUMBER})(?:\s*\.\.\s*(?P<high>{_NUMBER}))?\s*(?P<unit>[^\d\s<>=.,-].*)?")
_SIGNS = {"≤": "<=", "≥": ">="}
_UNITS = {"%": "percent", "×": "times", "x": "times", "bytes": "B", "µs": "us"}


def said(value: str) -> Said:
    """Understands "10 GB", "< 10 GB", ">= 1,120 GB", "2..4", "2..4 GB", "12 %". Raises ExpressionError or UnitError."""
    match = _VALUE.fullmatch(value.strip())
    if not match or (match["sign"] and match["high"]):
        raise ExpressionError(f"{value!r} is no value to compare with", "such as 10 GB, < 10 GB, >= 560 GB, 2..4 GB, 12 %")
    unit = (match["unit"] or "").strip()
    low = _fraction(match["low"])
    high = low if match["high"] is None else _fraction(match["high"])
    if high < low:
        raise ExpressionError(f"{value!r} begins above its end", "write the smaller number first")
    sign = ".." if match["high"] else _SIGNS.get(match["sign"], match["sign"])
    return Said(sign, low, high, parse_format(_UNITS.get(unit, unit)))


def _fraction(text: str) -> Fraction:
    return Fraction(text.replace(",", "").replace("\u2212", "-"))


# --------------------------------------------------------------------------------------- the comparison


@dataclass(frozen=True)
class Outcome:
    """What a comparison gave. shown: the computed value in the claim's unit; factor: how far off it is."""

    holds: bool
    missing: tuple[str, ...] = ()
    shown: str = ""
    factor: str = ""


def _test(claim: Claim, scope: Scope) -> Outcome:
    if claim.holds is not None:
        return _condition(evaluate(claim.holds, scope), "holds")
    if claim.value is None or claim.computed is None:
        raise ExpressionError("a claim needs value and computed, or holds", "value: < 10 GB, computed: alias.output")
    return _against(said(claim.value), evaluate(claim.computed, scope), claim.tolerance)


def _under(claim: Claim, scope: Scope, test: Outcome) -> Outcome | None:
    if claim.under is None:
        return None
    value = evaluate(claim.under[1], scope)
    if claim.value is None or isinstance(value.content, bool):
        return _condition(value, "under")
    return _against(said(claim.value), value, claim.tolerance)


def _condition(value: Value, what: str) -> Outcome:
    if not isinstance(value.content, bool) and not (value.missing and value.content is None):
        raise ExpressionError(f"`{what}` is a condition, true or false, but gives a value", "compare it: alias.output < 10 * GB")
    return Outcome(bool(value.content), value.missing)


def _against(claimed: Said, value: Value, tolerance: float) -> Outcome:
    if value.missing and value.content is None:
        return Outcome(False, value.missing)
    if not isinstance(value.content, Quantity):
        raise ExpressionError("a claim's value is compared with a number", "for a condition write `holds` instead of value and computed")
    number = converted(value.content, claimed.format)  # names and units are checked even where the number is a stand-in
    if value.missing:
        return Outcome(False, value.missing)
    margin = Fraction(str(tolerance)) * abs(claimed.low)
    checks: dict[str, Callable[[], bool]] = {
        "<": lambda: number < claimed.low,
        "<=": lambda: number <= claimed.low,
        ">": lambda: number > claimed.low,
        ">=": lambda: number >= claimed.low,
        "..": lambda: claimed.low <= number <= claimed.high,
        "": lambda: abs(number - claimed.low) <= margin,
    }
    bound = claimed.high if number > claimed.high else claimed.low
    shown, percent = written(value.content, claimed.format, PLAIN), claimed.format.name == "percent"
    return Outcome(checks[claimed.sign](), (), shown, _factor(number, bound, percent))


def _factor(computed: Fraction, claimed: Fraction, percent: bool) -> str:
    """How far the computed number is from the claimed one, in words: "14 times more", "half", "4 % less"; of percentages "11 points less"."""
    if not claimed or computed / claimed <= 0 or computed == claimed:
        return ""
    ratio = computed / claimed
    if Fraction(49, 100) <= ratio <= Fraction(51, 100):
        return "half"
    if Fraction(195, 100) <= ratio <= Fraction(205, 100):
        return "double"
    word = "more" if ratio > 1 else "less"
    if ratio > 2 or ratio < Fraction(1, 2):
        return f"{_short(max(ratio, 1 / ratio))} times {word}"
    if percent:  # "12 % less" of a percentage could mean either
        return f"{_short(abs(computed - claimed))} points {word}"
    return f"{_short(100 * abs(ratio - 1))} % {word}"


def _short(number: Fraction) -> str:
    return written(Quantity(float(number)), parse_format("2"), PLAIN)
