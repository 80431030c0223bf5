"""The rules of a card that can be learnt, each a function with its number: a Lesson in, what is wrong with it and why out.

Here are those alone whose warnings were right four times in five on notes that were judged by hand first (tests/learning).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from generator.learning.lesson import MATH, Lesson, words

ANSWER, ITEMS, NUMBERS, HIDDEN, DELETIONS = 30, 5, 4, 4, 4  # the most words of an answer, items of a list, numbers, words hidden, numbers of clozes
SCREEN = 740  # px of a phone, of which a back may take two


class Finding(NamedTuple):
    """What breaks a rule, and what to do."""

    rule: str
    message: str
    hint: str


def yes_or_no(lesson: Lesson) -> Iterator[Finding]:
    if lesson.type not in ARGUED and lesson.answer and any(map(_asks_whether, _questions(lesson.front))):
        yield Finding("yes-or-no", "the front can be answered yes or no: half of all guesses are right", "ask what decides it, when, or by how much")


def two_questions(lesson: Lesson) -> Iterator[Finding]:
    if (marks := _QUOTED.sub("", lesson.front).count("?")) > 1:
        message = f"the front has {marks} question marks: who knows one answer knows not how to grade the card"
        yield Finding("two-questions", message, "ask one of them, the other in a note of its own")


def long_answer(lesson: Lesson) -> Iterator[Finding]:
    if (count := len(words(_RANGE.sub("1", lesson.answer)))) > ANSWER:
        message = f"the first answer has {count} words: past {ANSWER} nobody says it aloud"
        yield Finding("long-answer", message, "the answer in one sentence, the rest in a paragraph under it")


def long_list(lesson: Lesson) -> Iterator[Finding]:
    if not lesson.deletions and (count := max(lesson.lists, default=0)) > ITEMS:
        message = f"a list has {count} items: past {ITEMS} it is recited, not understood"
        yield Finding("long-list", message, "group them, leave some out, or make a cloze note of them")


def many_numbers(lesson: Lesson) -> Iterator[Finding]:
    new = {*_NUMBER.findall(_RANGE.sub("", lesson.answer))} - {*_NUMBER.findall(lesson.front)}
    if (count := sum(not _YEAR.fullmatch(number) for number in new)) > NUMBERS:
        message = f"the first answer has {count} numbers that the front has not: nobody keeps more than {NUMBERS}"
        yield Finding("many-numbers", message, "keep those that answer, the others in a table under them")


def long_deletion(lesson: Lesson) -> Iterator[Finding]:
    counts = {one.number: count for one in lesson.deletions if (count := len(words(one.text))) > HIDDEN}
    if counts:
        longest = max(counts.values())
        which = " and ".join(f"c{number}" for number in sorted(counts))
        message = f"{which} {'hides' if len(counts) == 1 else 'hide'} up to {longest} words: past {HIDDEN} nobody says the same ones"
        yield Finding("long-deletion", message, "hide the words that decide, or ask it in a note of its own")


def many_deletions(lesson: Lesson) -> Iterator[Finding]:
    if (count := len({one.number for one in lesson.deletions})) > DELETIONS:
        message = f"the text has {count} cloze numbers: past {DELETIONS} it is known by its look, and its cards come for days"
        yield Finding("many-deletions", message, "leave open what is known anyway, or split the note")


def siblings(lesson: Lesson, beside: Sequence[Lesson] = ()) -> Iterator[Finding]:
    """beside: the other notes of its file."""
    said = {one: f" {' '.join(_stems(one.text))} " for one in lesson.deletions}
    for one in lesson.deletions:
        others = [other for other in lesson.deletions if other.number != one.number and said[one] != said[other]]
        if len(said[one]) > SHORT and (other := next((other for other in others if said[one] in said[other]), None)):
            message = f"while c{one.number} is asked, c{other.number} shows its answer {one.text!r}: a sibling gives it away"
            yield Finding("siblings", message, "give both one number, or hide other words")
    telling = {number for number in lesson.computed if _is_telling(number)} - {*words(lesson.front)}
    for note in beside if telling else ():
        if told := telling & {word.strip(".,;:()") for word in words(note.front)}:
            message = f"the front of the note {note.id!r} tells this answer, {min(told)}: a sibling gives it away"
            yield Finding("siblings", message, "say there what the number is made of, or ask here for something else")


def idle_figure(lesson: Lesson) -> Iterator[Finding]:
    if lesson.figures and not content(" ".join(lesson.figures)) & content(f"{lesson.front} {lesson.back}"):
        message = "the text names nothing of what its figure shows: what nobody needs is one more thing to read"
        yield Finding("idle-figure", message, "say what it shows, or leave it out")


def long_back(lesson: Lesson) -> Iterator[Finding]:
    if lesson.height > 2 * SCREEN:
        message = f"the back takes about {lesson.height / SCREEN:.1f} screens of a phone: past two nobody reads to its end"
        yield Finding("long-back", message, "what is deeper goes under ## Depth, which folds")


ALONE: tuple[Callable[[Lesson], Iterator[Finding]], ...] = (
    yes_or_no,
    two_questions,
    long_answer,
    long_list,
    many_numbers,
    long_deletion,
    many_deletions,
    idle_figure,
    long_back,
)


def judged(lessons: Sequence[Lesson]) -> Mapping[str, list[Finding]]:
    """What is wrong with each note of one file, by its id."""
    return {
        lesson.id: [finding for rule in ALONE for finding in rule(lesson)] + [*siblings(lesson, [one for one in lessons if one is not lesson])]
        for lesson in lessons
    }


# ------------------------------------------------------------------------------------------------------- words

ARGUED = ("trap", "numeric", "choice", "typed")  # types whose answer is more than a yes: a trap's has the tempting one beside it
SHORT = 5  # letters with the spaces around them, which stand in many an answer
_QUOTED = re.compile(r"[\"“„«][^\"“”„«»]*[\"”»]")
_AUXILIARY = r"(?:is|are|was|were|do|does|did|can|could|will|would|should|must|may|might|has|have|had)(?:n't)?"
_WHETHER = re.compile(rf"(?:^|[,:;] )(?:(?:and|so|but|then) )?{_AUXILIARY} [\w'’-]+", re.IGNORECASE)
_WHAT = re.compile(r"\b(?:what|which|why|how|when|where|who|whose|whom|or)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_NUMBER = re.compile(r"(?<![\w.,])[−-]?\d(?:[\d,.]*\d)?(?! ?×\d)(?!\d)")
_RANGE = re.compile(r"(?<![\w.,])\d[\d,.]*\S* to (?=\d)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_PART = re.compile(r"[^\W\d_]+|\d(?:[\d.,]*\d)?")
_ENDING = re.compile(r"(?:ies|es|s|ed|e|ing)$")
COMMON = frozenset(
    re.findall(
        r"\w+",
        """
    a about above after again all also an and any are as at be because been before being below between both but by can could did do
    does doing down during each few for from further had has have having he her here hers him his how i if in into is it its itself
    just less let many may might more most much must no nor not now of off on once one only or other our out over own same she should
    since so some such than that the their theirs them then there these they this those though through to too two under until up upon
    us use used very was we were what when where which while who whom why will with within without would yes you your
    """,
    )
)


def content(plain: str) -> set[str]:
    """The words of a text that say something, small and without an ending."""
    return set(_stems(plain)) - COMMON


def _stems(plain: str) -> Iterator[str]:
    """Formulas stay whole, names of code come in their parts."""
    for word in words(plain):
        yield from [word] if MATH in word else (part if part in COMMON else _ENDING.sub("", part) for part in _PART.findall(word.lower()))


def _questions(front: str) -> list[str]:
    """The sentences of a front that ask."""
    return [sentence for sentence in _SENTENCE.split(_QUOTED.sub("", front)) if sentence.endswith("?")]


def _asks_whether(question: str) -> bool:
    return bool(_WHETHER.search(question)) and not _WHAT.search(question)


def _is_telling(number: str) -> bool:
    """Whether a number with its unit is one that no other sentence has by chance: three digits, and not a power of ten."""
    digits = re.sub(r"\D", "", number)
    return len(digits.lstrip("0")) > 2 and len(digits.strip("0")) > 1 and not number[-1].isdigit()
