"""Puts values in place of references: a Note and its results in, a Resolved note out.

In: a note's Markdown with `[[ expression | format ]]` and `![[run]]`, and what its runs gave. Out: the same Markdown, line
for line, with HTML, TeX or plain text in place of each reference, its claims judged, and what a numeric note wants typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from generator.notes import Note, Resolved, Run, Text
from generator.problems import Problem, nearest
from generator.resolve.claims import judge
from generator.resolve.expression import NO_RUN, Scope, Value, evaluate
from generator.resolve.formats import Format, bare, check, parse_format, written
from generator.resolve.media import MEDIA
from generator.resolve.names import used
from generator.resolve.quantity import ExpressionError, Quantity, QuantityError, unit_text
from generator.resolve.references import Bracket, Reference, marks, references
from kernels.record import Number, Result

FIGURE = "\ue000figure:{}\ue001"  # what render puts a drawing in place of


def resolve(note: Note, find: Callable[[Run], Result | None], problems: list[Problem], notices: list[Problem] | None = None) -> Resolved | None:
    """The note with every reference replaced and every claim judged; None where that added to `problems`.

    find: the Result of a run, None where its measurement is missing. notices: takes what is worth saying and no
    error, such as the verdict of an open claim whose measurement has come.
    """
    before = len(problems)
    wanted = used(note)
    results = {alias: find(note.runs[alias]) for alias in wanted}
    scope = Scope.of(note.runs, results)
    filled = {name: _filled(text, scope, problems) for name, text in note.fields.items()}
    judged = [judge(claim, scope, problems, [] if notices is None else notices) for claim in note.claims]
    expected = _expected(note, filled, problems) if note.type == "numeric" else None
    if len(problems) > before:
        return None
    shown = [item for field in filled.values() for item in field.shown]
    measured = [r for r in results.values() if r is not None and r.kind == "measurement"]
    return Resolved(
        note=note,
        fields={name: field.text for name, field in filled.items()},
        results=results,
        claims=tuple(claim for claim in judged if claim is not None),
        expected=expected,
        device=next((str(r.made["device_class"]) for r in measured if r.made.get("device_class")), None),
        missing=tuple(alias for alias in wanted if results[alias] is None),
        values={item.reference.source: _recorded(item.value.content) for item in shown if item.is_number},
    )


# ------------------------------------------------------------------------------------------- filling in


@dataclass(frozen=True)
class _Shown:
    """A reference with its value."""

    reference: Reference
    value: Value
    format: Format

    @property
    def is_number(self) -> bool:
        return isinstance(self.value.content, Quantity) and not self.value.missing

    @property
    def text(self) -> str:
        medium, content = MEDIA[self.reference.medium], self.value.content
        if self.value.missing:
            return medium.unmeasured
        return medium.value.format(written(content, self.format, medium.style) if isinstance(content, Quantity) else medium.word(content))


@dataclass(frozen=True)
class _Field:
    text: str
    shown: tuple[_Shown, ...]


def _filled(text: Text, scope: Scope, problems: list[Problem]) -> _Field:
    pieces: list[str] = []
    shown: list[_Shown] = []
    position = 0
    for mark in marks(text, problems):
        pieces.append(text.text[position : mark.start])
        position = mark.end
        if isinstance(mark, Bracket):
            pieces.append("[[")
            continue
        try:
            if mark.figure:
                pieces.append(_figure(mark, scope))
            else:
                shown.append(_value(mark, scope))
                pieces.append(shown[-1].text)
        except ExpressionError as error:
            problems.append(Problem(mark.place, f"{'!' * mark.figure}[[{mark.source}]]: {error}", error.hint))
    return _Field("".join([*pieces, text.text[position:]]) if pieces else text.text, tuple(shown))


def _figure(reference: Reference, scope: Scope) -> str:
    alias = reference.expression
    if alias not in scope.runs:
        raise ExpressionError(f"a figure is a run's, and {alias!r} is none", nearest(alias, scope.runs) or NO_RUN)
    if reference.format:
        raise ExpressionError("a figure has no format", f"write ![[{alias}]]")
    if scope.kernels[alias].draw is None:
        raise ExpressionError(f"{scope.kernels[alias].name} has no figure")
    return FIGURE.format(alias)


def _value(reference: Reference, scope: Scope) -> _Shown:
    value = evaluate(reference.expression, scope)
    form = parse_format(reference.format)
    if isinstance(value.content, bool):
        raise ExpressionError("a truth value is no text", "hold it as a claim, or write 'a' if … else 'b'")
    if isinstance(value.content, str) and reference.format:
        raise ExpressionError("text takes no format", "leave the bar out")
    if isinstance(value.content, Quantity):
        check(value.content.exponents, form)
    return _Shown(reference, value, form)


def _recorded(number: Quantity) -> Number:
    return Number(number.value, "" if number.pure else unit_text(number.exponents))


# --------------------------------------------------------------------------------------- numeric notes

_DIGITS = re.compile(r"\b(?:digits?|figures?|decimals?|places?|whole|integers?|exact(?:ly)?|nearest|round(?:ed)?)\b", re.IGNORECASE)
_ALSO = {  # other words for a format's unit
    "percent": ("%",),
    "points": ("percentage points",),
    "times": ("×", "factor", "ratio"),
    "B": ("bytes",),
    "us": ("µs", "microseconds"),
    "ms": ("milliseconds",),
    "s": ("seconds",),
    "h": ("hours",),
    "min": ("minutes",),
    "token": ("tokens",),
}


def _expected(note: Note, filled: Mapping[str, _Field], problems: list[Problem]) -> str:
    """What a learner types: the bare rounded number of the answer's only reference, "" while it is not measured."""
    answer = note.fields.get("Answer")
    if answer is None:
        return ""  # read has said so
    asked = [r for r in references(answer, []) if not r.figure]
    if len(asked) != 1:
        message = f"the answer of a numeric note has exactly one reference, not {len(asked)}"
        problems.append(Problem(answer.place, message, "what leads to it goes under ## Working"))
        return ""
    if not filled["Answer"].shown:
        return ""  # its reference was faulty, which is said already
    item = filled["Answer"].shown[0]
    question = " ".join(note.fields[name].text for name in ("Front", "Given") if name in note.fields)
    _check_question(question, item, note, problems)
    if item.value.missing:
        return ""
    if not isinstance(item.value.content, Quantity):
        problems.append(Problem(item.reference.place, "the answer of a numeric note is a number, not text"))
        return ""
    try:
        return bare(item.value.content, item.format)
    except QuantityError as error:
        problems.append(Problem(item.reference.place, str(error), error.hint))
        return ""


def _check_question(question: str, item: _Shown, note: Note, problems: list[Problem]) -> None:
    form = item.format
    names = (form.name, form.label, *_ALSO.get(form.name, ()))
    stated = any(re.search(rf"(?<![\w/]){re.escape(name)}(?![\w/])", question) for name in names if name)
    place = note.fields["Front"].place if "Front" in note.fields else note.place
    if form.label and not stated:
        message = f"the answer is in {form.name}, which the question does not say"
        problems.append(Problem(place, message, "state the unit in the front or in what is given"))
    if not form.exact and form.name != "count" and not _DIGITS.search(question):
        digits = form.digits or 3
        message = f"the answer has {digits} significant digits, which the question does not say"
        problems.append(Problem(place, message, f"such as: to {digits} significant digits"))
