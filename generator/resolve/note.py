"""Puts values in place of references: a Note and its results in, a Resolved note out.

In: a note's Markdown with `[[ expression | format ]]` and `![[run]]`, and what its runs gave. Out: the same Markdown, line
for line, with HTML, TeX or plain text in place of each reference and without what needs a missing one, its claims judged, and what
a numeric note wants typed, a choice note offers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

from generator.notes import Judged, Note, Option, Resolved, Run, Text, folded
from generator.problems import Problem, nearest
from generator.resolve.claims import judge
from generator.resolve.expression import CASE, NO_RUN, Scope, Value, read_by
from generator.resolve.formats import Format, bare, check, converted, digits_of, last_place, parse_format, written
from generator.resolve.media import MEDIA
from generator.resolve.names import names_in, used
from generator.resolve.options import leading, options
from generator.resolve.premises import plain, premises, says
from generator.resolve.quantity import ExpressionError, Quantity, QuantityError, UnitError, unit_text
from generator.resolve.references import Bracket, Reference, marks, references
from generator.resolve.told import result_told
from generator.resolve.variation import Choice, middle, vary, widened
from generator.resolve.withheld import Kept, kept, marked, unmarked, waits
from generator.text.blocks import BEFORE, HIDE
from kernels.record import Number, Result

FIGURE = "\ue000figure:{}\ue001"  # what render puts a drawing in place of
INSTEAD = "before: series, in a sketch, is what its front lacks"
STAND_IN = "1"  # for a value that is missing, in a block that is left out


def resolve(note: Note, find: Callable[[Run], Result | None], problems: list[Problem], notices: list[Problem] | None = None) -> Resolved | None:
    """The note with every reference replaced and every claim judged; None where that added to `problems`.

    find: the Result of a run, None where its measurement is missing. notices: takes what is worth saying and no
    error, such as the verdict of an open claim whose measurement has come.
    """
    before = len(problems)
    wanted = used(note)
    results = {alias: find(note.runs[alias]) for alias in wanted}
    scope = Scope.of(note.runs, results, note.case)
    asked = _Question(note, scope)
    filled = {name: _filled(text, scope, asked, problems, _padded(note, name)) for name, text in note.fields.items()}
    judged = [claim for one in note.claims if (claim := judge(one, scope, problems, [] if notices is None else notices))]
    expected = _expected(note, filled, problems) if note.type == "numeric" else None
    offered = _offered(note, filled, problems) if note.type == "choice" else ()
    answering = _answering(note, filled)
    unsaid = _unsaid([one for one in answering if one.is_number], note, scope, asked) if len(problems) == before else []
    if note.type in ("numeric", "choice"):
        problems += unsaid
    if len(problems) > before:
        return None
    left = {name: kept(Text(field.text, note.fields[name].place), field.missing) for name, field in filled.items()}
    shown = [item for name, field in filled.items() for item in field.shown if item.number in left[name].numbers]
    measured = [r for r in results.values() if r is not None and r.kind == "measurement"]
    return Resolved(
        note=note,
        fields={name: field.text for name, field in left.items() if field.text},
        results=results,
        claims=tuple(judged),
        expected=expected,
        device=next((str(r.made["device_class"]) for r in measured if r.made.get("device_class")), None),
        waits=_waits(filled, left, judged, scope),
        withheld=waits(note, left),
        values={item.reference.source: _recorded(item.value.content) for item in shown if item.is_number},
        unsaid=tuple(unsaid),
        told=tuple(dict.fromkeys(r for shown in answering if (r := result_told(shown.reference.expression, note.runs, scope.kernels)))),
        left_out={name: tuple(block.text for block in field.left_out) for name, field in left.items() if field.left_out},
        unseen=_unseen(filled, left, judged, wanted),
        measured=_measured(note, filled),
        options=offered,
    )


def _waits(filled: Mapping[str, _Field], left: Mapping[str, Kept], judged: Iterable[Judged], scope: Scope) -> Mapping[str, int]:
    """The runs whose results are missing, each with the number of blocks and claims that are left out for it."""
    found = Counter[str]()
    for name, field in left.items():
        for block in field.left_out:
            found.update({alias for number in block.needs for alias in filled[name].missing[number]})
    for claim in judged:
        if claim.verdict is None:
            found.update({alias for e in claim.claim.expressions for alias in names_in(e, scope.runs) if scope.results.get(alias) is None})
    return dict(sorted(found.items()))


def _unseen(filled: Mapping[str, _Field], left: Mapping[str, Kept], judged: Iterable[Judged], wanted: Iterable[str]) -> tuple[str, ...]:
    """The runs that only what is left out names."""
    shown = (e for claim in judged if claim.verdict is not None for e in claim.claim.expressions)
    told = (field.named[number] for name, field in filled.items() for number in left[name].numbers)
    seen = {alias for expression in (*shown, *told) for alias in names_in(expression, wanted)}
    return tuple(alias for alias in wanted if alias not in seen)


def _measured(note: Note, filled: Mapping[str, _Field]) -> tuple[str, ...]:
    """The measurements without which the note would be withheld, whether they are recorded or not."""
    found: set[str] = set()
    for name, field in filled.items():
        if field.measured and waits(note, {name: kept(Text(field.text, note.fields[name].place), field.measured)}):
            found.update(*field.measured.values())
    return tuple(sorted(found))


class _Question:
    """What the reader of the front knows: its words with their values, and what the author says that they stand for."""

    def __init__(self, note: Note, scope: Scope):
        self.note, self.scope = note, scope

    @cached_property
    def text(self) -> str:
        fields = (self.note.fields[name] for name in self.note.asked if name in self.note.fields)
        return plain(" ".join(unmarked(_filled(text, self.scope, None, []).text) for text in fields))

    def says(self, aliases: Iterable[str], parameter: str, value: Any, words: bool = True) -> bool:
        """words: whether "one" counts as a 1."""
        assumed = [word for alias in aliases for word in self.note.assumes.get(f"{alias}.{parameter}", ())]
        return says(self.text, value, words=words) or any(folded(word) in folded(self.text) for word in assumed)


# ------------------------------------------------------------------------------------------- filling in

_GIVEN = re.compile(rf"{CASE}\.\w+")  # what an author gave and no kernel made


@dataclass(frozen=True)
class _Shown:
    """A reference with its value. number: which of its field's it is."""

    reference: Reference
    value: Value
    format: Format
    number: int = 0

    @property
    def is_number(self) -> bool:
        return isinstance(self.value.content, Quantity) and not self.value.missing

    @property
    def text(self) -> str:
        medium, content = MEDIA[self.reference.medium], self.value.content
        if self.value.missing:
            return STAND_IN
        told = written(content, self.format, medium.style) if isinstance(content, Quantity) else medium.word(content)
        if isinstance(content, Quantity) and self.reference.medium == "alt":
            told = medium.word(told)
        return told if _GIVEN.fullmatch(self.reference.expression) and not self.format.padded else medium.value.format(told)

    def printed(self, content: Any) -> str:
        """What it would read with another content."""
        return written(content, self.format) if isinstance(content, Quantity) else str(content)


@dataclass(frozen=True)
class _Field:
    """A field with its values, each marked with its number.

    named: what each reference names, by its number. missing: of those that are stand-ins, the runs that lack a result; measured: of
    those that tell what was or will be measured, the runs.
    """

    text: str
    shown: tuple[_Shown, ...]
    named: Mapping[int, str]
    missing: Mapping[int, tuple[str, ...]]
    measured: Mapping[int, tuple[str, ...]]


def _filled(text: Text, scope: Scope, asked: _Question | None, problems: list[Problem], padded: Container[int] = ()) -> _Field:
    """The field with its values. asked: what the front says, so that a free choice may stand there; None where no choice is judged.

    padded: where the references begin that show all their digits, zeros too: what a learner types, and options, which must look alike.
    """
    pieces: list[str] = []
    shown: list[_Shown] = []
    position, found = 0, marks(text, problems)
    named = [mark for mark in found if isinstance(mark, Reference)]
    missing: dict[int, tuple[str, ...]] = {}
    measured: dict[int, tuple[str, ...]] = {}
    for number, mark in enumerate(found):
        pieces.append(text.text[position : mark.start])
        position = mark.end
        if isinstance(mark, Bracket):
            pieces.append("[[")
            continue
        try:
            if mark.figure:
                piece, lacks = _figure(mark, scope), tuple(alias for alias in (mark.expression,) if scope.results.get(alias) is None)
            else:
                one = _value(mark, scope, asked, named)
                shown.append(replace(one, number=number, format=replace(one.format, padded=mark.start in padded)))
                piece, lacks = shown[-1].text, shown[-1].value.missing
            pieces.append(marked(piece, number))
            if lacks:
                missing[number] = lacks
            if told := _measurements(mark, scope):
                measured[number] = told
        except ExpressionError as error:
            shown_as = f"{'!' * mark.figure}[[{mark.source}]]"
            problems.append(_link(mark, scope) or Problem(mark.place, f"{shown_as}: {error}", error.hint))
    whole = "".join([*pieces, text.text[position:]]) if pieces else text.text
    names = {number: mark.runs for number, mark in enumerate(found) if isinstance(mark, Reference)}
    return _Field(whole, tuple(shown), names, missing, measured)


_PAGE = re.compile(
    r"(?!(?i:none|true|false|not)\b)[^\W\d][\w '’:?!,&-]*(?:/[\w '’:?!,&-]+)*(?:#[^|]*)?|#[^|]+"
)  # a page's name, with folders and a heading


def _link(reference: Reference, scope: Scope) -> Problem | None:
    """What is wrong with a reference that reads as Obsidian's link to a page, and names no run."""
    name = reference.expression
    if reference.figure or not _PAGE.fullmatch(name) or names_in(name, scope.runs) or _is_format(reference.format):
        return None
    told = f"[[{reference.source}]]: unknown run {name!r}; as a link to a page, which is Obsidian's, it leads nowhere on a card"
    near = f"{nearest(name, scope.runs)}; ".removeprefix("; ")
    return Problem(reference.place, told, f"{near}[[run.output | unit]] shows a number, and a page's name stands without brackets")


def _is_format(text: str) -> bool:
    try:
        return bool(text) and parse_format(text) is not None
    except UnitError:
        return False


def _measurements(reference: Reference, scope: Scope) -> tuple[str, ...]:
    """The measurements that a reference tells a result of."""
    paths = [(reference.expression, "")] if reference.figure else [path for path in read_by(reference.expression) if len(path) == 2]
    measured = [alias for alias, kernel in scope.kernels.items() if kernel.kind == "measurement"]
    return tuple(dict.fromkeys(a for a, output in paths if a in measured and (reference.figure or output in scope.kernels[a].outputs)))


def _figure(reference: Reference, scope: Scope) -> str:
    alias = reference.expression
    if alias not in scope.runs:
        raise ExpressionError(f"a figure is a run's, and {alias!r} is none", nearest(alias, scope.runs) or NO_RUN)
    if not scope.kernels[alias].has_figure:
        raise ExpressionError(f"{scope.kernels[alias].name} has no figure")
    word = next((word for word in (BEFORE, HIDE) if word in reference.format), "")
    beside, _, part = map(str.strip, reference.format.partition(word)) if word else (reference.format, "", "")
    beside = beside.removesuffix("|").rstrip()
    if word and not part:
        what = "that the front lacks" if word == BEFORE else "to hide"
        raise ExpressionError(f"{word} says nothing {what}", f"write {word} series, or the name of one series or label")
    if beside and (beside not in scope.runs or scope.kernels[beside].kind != "measurement"):
        measured = [name for name, kernel in scope.kernels.items() if kernel.kind == "measurement"]
        raise ExpressionError(f"beside a figure stands the run of a measurement, and {beside!r} is none", nearest(beside, measured) or INSTEAD)
    if beside and not scope.kernels[alias].draws_measured:
        raise ExpressionError(f"the figure of {scope.kernels[alias].name} draws no measured points", f"write ![[{alias}]]")
    return FIGURE.format("|".join([alias, *[beside] * bool(beside and scope.results.get(beside)), *[f"{word} {part}"] * bool(word)]))


def _value(reference: Reference, scope: Scope, asked: _Question | None, field: Sequence[Reference]) -> _Shown:
    varied = vary(reference.expression, scope)
    form, content = parse_format(reference.format), varied.value.content
    if isinstance(content, bool):
        raise ExpressionError("a truth value is no text", "hold it as a claim, or write 'a' if … else 'b'")
    if isinstance(content, str) and reference.format:
        told = "; of a case, what is no parameter of its runs is text" if reference.expression.startswith(f"{CASE}.") else ""
        raise ExpressionError("text takes no format", f"leave the bar out{told}")
    if isinstance(content, Quantity):
        check(content.powers, form)
    wide = form.rounding in ("range", "sign")  # speaks of every choice that its own paragraph does not fix
    named = {one.expression for one in field if not wide or one.paragraph == reference.paragraph}
    given = [end.choice for end in varied.ends if asked and _given(end.choice, asked, named, scope)]
    if wide:
        return _Shown(reference, widened(varied, given), form)
    shown = _Shown(reference, varied.value, form)
    if asked and not varied.value.missing and isinstance(content, Quantity):
        for end in varied.ends:
            if end.choice not in given and (moved := _moved(content, middle(end.draws), form)):
                raise ExpressionError(*_choice(end.choice, shown, moved))
    return shown


def _given(choice: Choice, asked: _Question, named: Container[str], scope: Scope) -> bool:
    """Whether the reader is told of a choice: by its value in the same field, whichever run of the kernel tells it, or on the front."""
    common = isinstance(choice.was, (int, float)) and abs(choice.was) <= 2  # every front has a "one" and a "both"
    same = [a for a, run in scope.runs.items() if run.kernel == choice.kernel and run.parameters[choice.parameter] == choice.was]
    mine = [CASE] * (scope.case.get(choice.parameter, (None,))[0] == choice.was)
    return any(f"{alias}.{choice.parameter}" in named for alias in (*same, *mine)) or asked.says(same, choice.parameter, choice.was, words=not common)


def _moved(content: Quantity, at: Any, form: Format) -> str:
    """The value at the end of a choice as a message has it, where it differs by more than one in the last digit that is printed; else ""."""
    if not isinstance(at, Quantity):
        return "another word"
    digits = digits_of(content, form) or form.digits or 3
    off = abs(converted(at, form) - converted(content, form))
    within = not off if form.rounding == "exact" or form.name == "count" else off <= last_place(Decimal(float(converted(content, form))), digits)
    return "" if within else f"{float(converted(at, form)):.3g}"


def _choice(choice: Choice, shown: _Shown, moved: str) -> tuple[str, str]:
    alias, name = choice.aliases[0], choice.parameter
    return (
        f"{choice.kernel}'s {name} is a free choice that moves it: {shown.printed(shown.value.content)} at {choice.was}, {moved} at {choice.value}",
        f"write [[{alias}.{name}]] in the same field, give its value on the front, or print a range",
    )


def _recorded(number: Quantity) -> Number:
    return Number(number.value, "" if number.pure else unit_text(number.powers))


# -------------------------------------------------------------------------------------------- premises


def _unsaid(answering: Sequence[_Shown], note: Note, scope: Scope, asked: _Question) -> list[Problem]:
    """The parameters that move the numbers of the answer and that the front does not say."""
    found: dict[tuple[str, str], Problem] = {}
    for shown in answering:
        if shown.format.rounding not in ("range", "sign"):
            for premise in premises(shown.reference.expression, scope, shown.printed):
                alias, name = premise.alias, premise.parameter
                if not asked.says([a for a in note.runs if note.runs[a].parameters.get(name) == premise.value], name, premise.value):
                    message = f"the answer rests on {alias}.{name}, which the front does not say: {premise.text} at {premise.value}"
                    hint = f'name the value there, or assumes: {{{alias}.{name}: "the words that say it"}}'
                    found.setdefault(
                        (name, str(premise.value)), Problem(shown.reference.place, f"{message}, {premise.changed} at {premise.other}", hint)
                    )
    return list(found.values())


def _answering(note: Note, filled: Mapping[str, _Field]) -> list[_Shown]:
    """The numbers that answer, missing ones too: a numeric or choice note's, and those in another's first sentence."""
    answer = note.fields.get(note.answer)
    if answer is None:
        return []
    end = len(answer.text) if note.type in ("numeric", "choice") else _first_sentence(answer)
    return [one for one in filled[note.answer].shown if one.reference.start < end and isinstance(one.value.content, Quantity)]


_SENTENCE = re.compile(r"\n[ \t]*\n|[.!?][\"'”’)*_]*(?=\s|$)")


def _first_sentence(text: Text) -> int:
    """Where it ends."""
    blank = text.text
    for mark in references(text, []):
        blank = blank[: mark.start] + "_" * (mark.end - mark.start) + blank[mark.end :]
    end = _SENTENCE.search(blank, len(blank) - len(blank.lstrip()))
    return end.end() if end else len(blank)


def _padded(note: Note, name: str) -> Container[int]:
    """Where the references begin that show all their digits."""
    if name == "Answer" and note.type in ("numeric", "choice"):
        return range(len(note.fields[name].text))
    return [one.start for one in leading(note.fields[name])] if name == "Mistakes" and note.type == "choice" else ()


def _offered(note: Note, filled: Mapping[str, _Field], problems: list[Problem]) -> tuple[Option, ...]:
    """What a choice note offers; nothing where a value is missing, for which it is withheld."""
    answer, mistakes = (filled.get(name) for name in ("Answer", "Mistakes"))
    if answer is None or mistakes is None:
        return ()  # read has said so
    return options(note, answer.shown, mistakes.shown, unmarked(mistakes.text), problems)


# --------------------------------------------------------------------------------------- numeric notes

_DIGITS = re.compile(r"\b(?:digits?|figures?|decimals?|places?|whole|integers?|exact(?:ly)?|nearest|round(?:ed)?)\b", re.IGNORECASE)
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_ASKED = re.compile(rf"\b(\d+|{'|'.join(_NUMBERS)}) (?:significant )?(?:digits?|figures?)\b", re.IGNORECASE)
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
    """What a learner types: the number of the answer's only reference as the card shows it, "" while it is not measured."""
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
    if form.rounding == "exact" or (form.name == "count" and form.digits is None):
        return
    digits, number = form.digits or 3, item.value.content
    if isinstance(number, Quantity) and not item.value.missing:
        digits = min(digits, digits_of(number, form) or digits)
    asked = {_NUMBERS.index(word) + 1 if word in _NUMBERS else int(word) for word in map(str.lower, _ASKED.findall(question))}
    if form.name != "count" and not _DIGITS.search(question):
        message = f"the answer has {digits} significant digits, which the question does not say"
        problems.append(Problem(place, message, f"such as: to {digits} significant digits"))
    elif asked and digits not in asked:
        message = f"the question asks for {max(asked)} digits, and the answer has {digits}"
        problems.append(Problem(place, message, "both must say the same number: who types what is asked would be told that it is wrong"))
