"""The options of a choice note: the right one, and those that the usual mistakes give.

In: the note, and the values of its answer and of its mistakes. Out: Options, the right one first, each as the card shows it. What would let a
learner tell them by their form, or not tell them apart, is a problem.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from typing import Protocol

from generator.notes import Note, Option, Text
from generator.problems import Problem
from generator.resolve.expression import Value
from generator.resolve.formats import Format, digits_of, printed
from generator.resolve.quantity import Quantity, QuantityError
from generator.resolve.references import Reference, references

FEWEST, MOST = 2, 4
_ITEM = re.compile(r"^- +(?=\S)", re.MULTILINE)
SHAPE = "- [[expression | format]]: the sentence that says the mistake"


class Shown(Protocol):
    """A reference with its value and the text in its place, as resolving has it."""

    @property
    def reference(self) -> Reference: ...
    @property
    def value(self) -> Value: ...
    @property
    def format(self) -> Format: ...
    @property
    def text(self) -> str: ...


def leading(text: Text) -> list[Reference]:
    """The references that give wrong options: those that begin the items of the list."""
    starts = {match.end() for match in _ITEM.finditer(text.text)}
    return [one for one in references(text, []) if one.start in starts and not one.figure]


def check_shape(mistakes: Text, problems: list[Problem]) -> bool:
    """Whether it is a list of two to four mistakes, each with its value and a sentence."""
    items = [match.start() for match in _ITEM.finditer(mistakes.text)]
    if not items or items[0] > 0:
        problems.append(Problem(mistakes.place, "the mistakes of a choice note are a list, and nothing else", f"write {SHAPE}"))
        return False
    if not FEWEST <= len(items) <= MOST:
        problems.append(Problem(mistakes.place, f"a choice note has {FEWEST} to {MOST} mistakes, not {len(items)}", "each gives a wrong option"))
        return False
    before, found = len(problems), {one.start: one for one in leading(mistakes)}
    for match, end in zip(_ITEM.finditer(mistakes.text), [*items[1:], len(mistakes.text)]):
        one = found.get(match.end())
        if one is None or not re.match(r":\s+\S", mistakes.text[one.end : end]):
            problems.append(Problem(mistakes.at(match.start()), "a mistake begins with its one value, a colon and a sentence", f"write {SHAPE}"))
        elif outside := re.search(r"\n(?=[^\s])", mistakes.text[one.end : end].rstrip()):
            problems.append(Problem(mistakes.at(one.end + outside.end()), "what belongs to a mistake stands two columns in", f"write {SHAPE}"))
    return len(problems) == before


def options(note: Note, answer: Sequence[Shown], mistakes: Sequence[Shown], filled: str, problems: list[Problem]) -> tuple[Option, ...]:
    """The right option and the wrong ones in the author's order; none where there is a problem, or a value is missing.

    filled: the list of mistakes with values in, line for line as it was written.
    """
    written, right = note.fields.get("Mistakes"), note.fields.get("Answer")
    if written is None or right is None:
        return ()  # read has said so
    asked = [one for one in references(right, []) if not one.figure]
    if len(asked) != 1 or asked[0].medium != "text":
        what = f"exactly one reference, not {len(asked)}" if len(asked) != 1 else "its reference in the text, not in math or code"
        problems.append(Problem(right.place, f"the answer of a choice note has {what}", "what leads to it goes under ## Working"))
    sound = check_shape(written, problems)
    starts = {one.start for one in leading(written)}
    shown = [*answer[:1], *(one for one in mistakes if one.reference.start in starts)]
    if not sound or len(asked) != 1 or len(shown) != 1 + len(starts):
        return ()  # a faulty reference is told of already
    if any(one.value.missing for one in shown):
        return ()
    before = len(problems)
    problems += [Problem(one.reference.place, "an option is a number, not text") for one in shown if not isinstance(one.value.content, Quantity)]
    if len(problems) > before:
        return ()
    try:
        _compare(shown, problems)
        found = tuple(Option(one.text, said) for one, said in zip(shown, [None, *_sentences(written, filled)]))
    except QuantityError:
        return ()  # which was told where it is filled in
    return found if len(problems) == before else ()


def _sentences(written: Text, filled: str) -> list[Text]:
    """What each item says behind its value."""
    lines, sources = filled.split("\n"), written.text.split("\n")
    starts = [number for number, line in enumerate(sources) if _ITEM.match(line)]
    said = []
    for start, end in zip(starts, [*starts[1:], len(lines)]):
        _, _, first = lines[start].partition("</span>:")
        rest = [line.removeprefix("  ") for line in lines[start + 1 : end]]
        said.append(Text("\n".join([first.strip(), *rest]).rstrip(), written.place._replace(line=written.place.line + start)))
    return said


def _compare(shown: Sequence[Shown], problems: list[Problem]) -> None:
    right = shown[0]
    if right.format.rounding in ("range", "sign", "spread"):
        problems.append(Problem(right.reference.place, f"an option is one number, not a {right.format.rounding}", "leave it out, or ask otherwise"))
        return
    for one in shown[1:]:
        if (one.format.name, one.format.rounding) != (right.format.name, right.format.rounding) or _digits(one) != _digits(right):
            message = f"the option is printed as {_form(one)}, and the answer as {_form(right)}"
            problems.append(Problem(one.reference.place, message, "an option that looks otherwise gives the answer away"))
    numbers = [printed(one.value.content, one.format) for one in shown]
    for (first, (low, step)), (second, (high, other)) in combinations(zip(shown, numbers), 2):
        if abs(low - high) <= max(step, other):
            what = "the answer" if first is right else f"the option of line {first.reference.place.line}"
            message = f"the option is {'as' if low == high else 'within one unit of the last digit of'} {what}"
            message += f": {_plain(second)} and {_plain(first)}"
            problems.append(Problem(second.reference.place, message, "a mistake must show in what is printed: more digits, or another mistake"))


def _digits(one: Shown) -> int | None:
    """How many the format shows; None where that follows from the number."""
    if one.format.rounding == "exact" or (one.format.name == "count" and one.format.digits is None):
        return None
    digits = one.format.digits or 3
    return min(digits, digits_of(one.value.content, one.format) or digits)


def _form(one: Shown) -> str:
    digits = _digits(one)
    return ", ".join(filter(None, [one.format.name, one.format.rounding, f"{digits} digits" if digits else ""])) or "a whole number"


def _plain(one: Shown) -> str:
    return re.sub(r"<[^<>]*>", "", one.text).replace("&#8239;", " ")
