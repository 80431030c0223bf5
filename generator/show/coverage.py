"""How much of the source documents the deck covers: questions with a note, claims with a verdict.

In: topics and notes. Out: per topic what is answered, checked, left out and open, and the problems of topics that are marked whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from generator.notes import Entry, SourceClaim, Topic
from generator.problems import Problem


class TopicCoverage(NamedTuple):
    """One topic: numbers of its questions and claims by what became of them. `notes` has the ids that bear on it, sorted."""

    topic: Topic
    answered: tuple[int, ...]
    open_questions: tuple[int, ...]
    checked: tuple[int, ...]
    left_out: tuple[int, ...]
    open_claims: tuple[int, ...]
    notes: tuple[str, ...]

    @property
    def begun(self) -> bool:
        return bool(self.notes or self.topic.whole)

    @property
    def done(self) -> bool:
        return not self.open_questions and not self.open_claims


class Coverage(NamedTuple):
    """Every topic of sources.yml, in its order, and what keeps whole topics from being whole."""

    topics: tuple[TopicCoverage, ...]
    problems: tuple[Problem, ...]

    def totals(self) -> dict[str, int]:
        return {
            "topics": len(self.topics),
            "topics_begun": sum(t.begun for t in self.topics),
            "topics_whole": sum(t.topic.whole for t in self.topics),
            "questions": sum(len(t.topic.questions) for t in self.topics),
            "questions_answered": sum(len(t.answered) for t in self.topics),
            "claims": sum(len(t.topic.claims) for t in self.topics),
            "claims_checked": sum(len(t.checked) for t in self.topics),
            "claims_left_out": sum(len(t.left_out) for t in self.topics),
        }


def coverage(topics: Mapping[str, Topic], notes: Iterable[Entry]) -> Coverage:
    """What the notes cover of the topics.

    A question is covered by a note that answers it, a claim by one that is checked with that `source` or by
    `left_out: reason` in sources.yml; a claim or a note that waits for its measurement counts. Of a topic marked
    `whole`, whatever is open is a problem at the topic.
    """
    answered: defaultdict[str, set[str]] = defaultdict(set)
    checked: defaultdict[str, set[str]] = defaultdict(set)
    for note in notes:
        for question in note.answers:
            answered[question].add(note.id)
        for source, _ in note.claims:
            if source:
                checked[source].add(note.id)
    found = tuple(_covered(topic, answered, checked) for topic in topics.values())
    return Coverage(found, tuple(problem for covered in found if covered.topic.whole for problem in _problems(covered)))


def table(found: Coverage, limit: int | None = 40) -> str:
    """One line for each topic that is begun, those with something open first; past `limit` lines they are only counted."""
    begun = [t for t in found.topics if t.begun]
    rows = [t for t in begun if not t.done] + [t for t in begun if t.done]
    width = max((len(row.topic.id) for row in rows[:limit]), default=0)
    lines = [_line(row, width) for row in rows[:limit]]
    if len(rows) > len(lines):
        lines.append(f"... and {len(rows) - len(lines)} more, {sum(t.done for t in rows[len(lines) :])} of them with nothing open")
    whole = sum(t.topic.whole and t.done for t in begun)
    lines.append(f"topics: {whole} whole, {len(begun) - whole} begun, {len(found.topics) - len(begun)} not begun")
    return "\n".join(lines)


def _covered(topic: Topic, answered: defaultdict[str, set[str]], checked: defaultdict[str, set[str]]) -> TopicCoverage:
    notes: set[str] = set()
    for question in topic.questions:
        notes |= answered.get(f"{topic.id}/{question.number}", set())
    for claim in topic.claims:
        notes |= checked.get(f"{topic.id}/{claim.number}", set())
    has_note = [q.number for q in topic.questions if f"{topic.id}/{q.number}" in answered]
    has_verdict = [c.number for c in topic.claims if f"{topic.id}/{c.number}" in checked]
    left_out = [c.number for c in topic.claims if c.left_out and c.number not in has_verdict]
    return TopicCoverage(
        topic=topic,
        answered=tuple(has_note),
        open_questions=tuple(q.number for q in topic.questions if q.number not in has_note),
        checked=tuple(has_verdict),
        left_out=tuple(left_out),
        open_claims=tuple(c.number for c in topic.claims if c.number not in has_verdict and c.number not in left_out),
        notes=tuple(sorted(notes)),
    )


def _problems(covered: TopicCoverage) -> list[Problem]:
    topic = covered.topic
    claims = {claim.number: claim for claim in topic.claims}
    questions = {question.number: question for question in topic.questions}
    return [
        *(
            Problem(
                topic.place, f'{topic.id} is marked whole, but no note answers question {n} "{_short(questions[n].text)}"', f"answers: {topic.id}/{n}"
            )
            for n in covered.open_questions
        ),
        *(
            Problem(topic.place, f'{topic.id} is marked whole, but claim {n} "{_short(claims[n].says)}" is open', _remedy(topic, claims[n]))
            for n in covered.open_claims
        ),
        *(
            Problem(topic.place, f"{topic.id}: claim {n} is left out, and yet a note checks it", "take left_out away")
            for n in covered.checked
            if claims[n].left_out
        ),
    ]


def _remedy(topic: Topic, claim: SourceClaim) -> str:
    if claim.check in ("formula", "simulation", "measurement"):
        return f"a {claim.check} can judge it: check it in a note with source: {topic.id}/{claim.number}, or give left_out: with the reason"
    return "give left_out: with the reason, or check it in a note"


def _short(text: str, length: int = 60) -> str:
    return text if len(text) <= length else text[:length].rsplit(" ", 1)[0] + " ..."


def _line(row: TopicCoverage, width: int) -> str:
    topic = row.topic
    counts = (
        f"{topic.id:<{width}}  questions {len(row.answered):>2} of {len(topic.questions):<2}  claims {len(row.checked):>2} of {len(topic.claims):<2}"
    )
    counts += f"  {len(row.left_out):>2} left out" if row.left_out else " " * 13
    still = [f"questions {_numbers(row.open_questions)}"] if row.open_questions else []
    still += [f"claims {_numbers(row.open_claims)}"] if row.open_claims else []
    if still:
        return f"{counts}  open: {'; '.join(still)}"
    return f"{counts}  {'whole' if topic.whole else 'nothing open (whole: true may be set)'}"


def _numbers(numbers: tuple[int, ...]) -> str:
    """1, 2, 3, 5 as "1-3, 5"."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ", ".join("-".join(map(str, span)) for span in spans)
