"""The values that pass between the steps, all frozen: what an author wrote, what it resolves to, what is packed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from generator.problems import Place, Problem

if TYPE_CHECKING:
    from kernels.results import Number, Result

# ------------------------------------------------------------------------------- read: what stands in cards/


JINJA_WORDS = {"and", "else", "if", "in", "is", "not", "or", "true", "false", "none", "True", "False", "None"}  # so that no run is called
VERDICTS = ("holds", "wrong", "misleading", "depends", "open")
RULES = {  # of a card that can be learnt, which a note may be excused from
    "yes-or-no": "a front that can be answered yes or no",
    "two-questions": "a front with more than one question mark",
    "long-answer": "a first answer of more than 30 words",
    "long-list": "a list of more than 5 items",
    "many-numbers": "a first answer with more than 4 numbers that the front has not",
    "long-deletion": "a cloze deletion of more than 4 words",
    "many-deletions": "more than 4 cloze numbers",
    "siblings": "a card that shows the answer of another one of its note, or of its file",
    "near-duplicate": "a front that has three quarters of its words in common with another one of the deck",
    "idle-figure": "a figure of which the text names nothing",
    "long-back": "a back of more than two screens of a phone",
}
FAMILY = "family::"  # begins the tag of the notes of a family


def day_of(at: int) -> str:
    """The day of a time in seconds since 1970, in UTC: 2027-11-01."""
    return time.strftime("%Y-%m-%d", time.gmtime(at))


def folded(text: str) -> str:
    """The text for comparing words: small letters, single spaces."""
    return " ".join(text.lower().split())


class Text(NamedTuple):
    """Markdown and where it begins."""

    text: str
    place: Place

    def at(self, offset: int) -> Place:
        """The place of text[offset]."""
        return Place(self.place.path, self.place.line + self.text.count("\n", 0, offset))


class Run(NamedTuple):
    """A kernel with its parameters, bound and complete, under the name that the file's cards use."""

    alias: str
    kernel: str
    parameters: Mapping[str, Any]
    place: Place


def call(run: Run | Result) -> str:
    """kernel(parameter=value, ...), with 70000000000 as 70e9."""
    return f"{run.kernel}({', '.join(f'{name}={_plain(value)}' for name, value in run.parameters.items())})"


def _plain(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        for power in (12, 9, 6):
            if abs(value) >= 10**power and value % 10 ** (power - 3) == 0:
                return f"{value / 10**power:g}e{power}"
        return f"{value:g}" if isinstance(value, float) else str(value)
    return str(value)


class Threshold(NamedTuple):
    """A number that a claim is held to and that its sentence does not say, and why it is that one; the card shows both."""

    value: str
    because: str


class Decided(NamedTuple):
    """Who decided a claim that no kernel can: a source, the place in it, and what it found."""

    by: str
    at: str
    value: str


class Claim(NamedTuple):
    """A sentence to be held against what a kernel computes: one that is said (`source`, quoted), or the author's own.

    Either `value` ("10 GB", "< 10 GB", "2..4") with `computed` (an expression), or `holds` (a boolean expression), or `decided`.
    under: (text, expression) of the condition under which a misleading claim is true. one_draw: it speaks of one draw, so that nearly all suffice.
    """

    note: str
    source: str | None
    says: str
    value: str | None
    computed: str | None
    holds: str | None
    tolerance: float
    verdict: str
    under: tuple[str, str] | None
    place: Place
    thresholds: tuple[Threshold, ...] = ()
    decided: Decided | None = None
    one_draw: bool = False

    @property
    def expressions(self) -> tuple[str, ...]:
        """Those that the claim holds, whichever it has."""
        return tuple(e for e in (self.computed, self.holds, self.under[1] if self.under else None) if e)


class Note(NamedTuple):
    """One note. `fields` holds the author's Markdown by field name: Front (its heading), the type's main field, its sections, its switches.

    asked: the fields that the fronts of its cards show; answer: the one whose first sentence answers, "" where there is none.
    guid: of one that came from elsewhere, what Anki knows it by. review_by: the day by which it is to be reviewed, as 2027-11-01, "" for none.
    family: the id of its family, "" where it has none; case: what its case gives, by key a value and its unit (of text none).
    """

    id: str
    type: str
    deck: str
    topic: str
    tags: tuple[str, ...]
    fields: Mapping[str, Text]
    runs: Mapping[str, Run]
    claims: tuple[Claim, ...]
    answers: tuple[str, ...]
    place: Place
    directory: Path
    assumes: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    asked: tuple[str, ...] = ("Front",)
    answer: str = "Answer"
    guid: str = ""
    family: str = ""
    case: Mapping[str, tuple[Any, str]] = MappingProxyType({})
    review_by: str = ""


class Question(NamedTuple):
    number: int
    text: str


class SourceClaim(NamedTuple):
    number: int
    says: str
    check: str
    left_out: str = ""


class Topic(NamedTuple):
    """A document, or a part of one, with what it asks and claims. document: what it is a part of; link: where it can be read."""

    id: str
    area: str
    title: str
    questions: tuple[Question, ...]
    claims: tuple[SourceClaim, ...]
    whole: bool
    place: Place
    document: str = ""
    link: str = ""


class Study(NamedTuple):
    """The numbers of the preset that goes along with a deck: cards a day, and the share that is to be remembered."""

    new: int = 10
    reviews: int = 200
    retention: float = 0.9


class Deck(NamedTuple):
    """Everything read from cards/, in reading order.

    media: what its style and templates show, name -> size in bytes. showcase: ids of the notes that the page for readers shows, with their places.
    """

    name: str
    id: int
    slug: str
    version: str
    source: str
    description: str
    devices: tuple[str, ...]
    subdecks: Mapping[str, str]
    tags: tuple[str, ...]
    notes: tuple[Note, ...]
    retired: Mapping[str, str]
    topics: Mapping[str, Topic]
    warnings: tuple[Problem, ...]
    root: Path
    media: Mapping[str, int] = MappingProxyType({})
    licence: str = ""
    study: Study = Study()
    showcase: Mapping[str, Place] = MappingProxyType({})


# --------------------------------------------------------------- resolve: every reference has its value


class Judged(NamedTuple):
    """A claim with what was computed. verdict is None where its measurement is missing.

    shown: the computed value as text ("143 GB"), of a claim that depends its span; factor: how far off ("14×"); both may be empty.
    """

    claim: Claim
    verdict: str | None
    shown: str
    factor: str


class Option(NamedTuple):
    """One of the answers that a choice note offers: its value as HTML, and the mistake that gives it, None for the right one."""

    value: str
    mistake: Text | None


class Resolved(NamedTuple):
    """A note whose fields hold values in place of references.

    Figures stay in the text as the private mark `\\ue000figure:alias\\ue001`; `results` has what they draw from (None: not measured).
    Blocks that need a missing result are left out, each line where it was, and so are fields that hold nothing else; left_out has their
    Markdown by field, with stand-ins, waits the runs that they wait for with the number of blocks, unseen the runs that they alone name.
    withheld: whether the note cannot be asked or answered without them; measured: the measurements without which it could not.
    expected: the text that a numeric note wants typed. values: every number shown, in base units, by its reference as written.
    beside: (device, label -> number as HTML), the measured numbers of each device where records of several exist.
    unsaid: premises of the answer's first sentence that the front does not name; told: the results that it tells.
    options: what a choice note offers, the right one first.
    """

    note: Note
    fields: Mapping[str, str]
    results: Mapping[str, Result | None]
    claims: tuple[Judged, ...]
    expected: str | None
    device: str | None
    waits: Mapping[str, int] = MappingProxyType({})
    withheld: bool = False
    values: Mapping[str, Number] = MappingProxyType({})
    beside: tuple[tuple[str, Mapping[str, str]], ...] = ()
    unsaid: tuple[Problem, ...] = ()
    told: tuple[str, ...] = ()
    left_out: Mapping[str, tuple[Text, ...]] = MappingProxyType({})
    unseen: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()


# -------------------------------------------------------------------- render: HTML and media, ready to pack


class Rendered(NamedTuple):
    """A note as it is packed: HTML by Anki field name, and the media files that the HTML names.

    cards: the ordinals of its cards: which templates ask something, of a cloze note its numbers - 1. clozes: number -> source text.
    """

    id: str
    type: str
    deck: str
    tags: tuple[str, ...]
    fields: Mapping[str, str]
    media: Mapping[str, bytes]
    cards: tuple[int, ...]
    clozes: Mapping[int, str]
    resolved: Resolved


# ----------------------------------------------------------- keep: what outlives a build, without the notes' text


class Entry(NamedTuple):
    """A rendered note as lock, package and report know it: everything but its text and its media, which stay in the cache.

    hash: of the note as packed. guid: what Anki knows it by; ids: Anki's numbers of the note and of its cards. media: name -> size in
    bytes. claims: (source, verdict) of each, the verdict "open" where its measurement is missing. told: the results that its answer
    tells. waits: call of a run whose result is missing -> how many blocks are left out for it. review_by: as the note has it. pieces: the
    cache's keys of the note and of the figures and highlighted code in it.
    """

    id: str
    type: str
    deck: str
    tags: tuple[str, ...]
    cards: tuple[int, ...]
    clozes: Mapping[int, str]
    media: Mapping[str, int]
    answers: tuple[str, ...]
    claims: tuple[tuple[str | None, str], ...]
    hash: str
    guid: str
    ids: tuple[int, ...]
    told: tuple[str, ...]
    waits: Mapping[str, int]
    review_by: str
    place: Place
    pieces: tuple[str, ...]

    def is_overdue(self, at: int) -> bool:
        """Whether its day is past at a time in seconds since 1970."""
        return bool(self.review_by) and self.review_by < day_of(at)


class Waiver(NamedTuple):
    """That a note is excused from one of the RULES."""

    note: str
    rule: str
    place: Place


class Sheet(NamedTuple):
    """All that one file of cards came to; of a file that has problems, only which ids it holds.

    withheld: notes that are not packed, since they cannot be asked or answered without a result that is missing. runs: what all of
    them use, each run once, as report.json has it. wanted: the runs that a kernel has to execute, as `wanted` prints them. ids and
    retired: by id, the place (and the reason). typed: numbers that no run made. unsaid: premises of answers that no front names.
    facts: the notes that are packed as report.json has them, one line of JSON each. waived: the rules that notes are excused from.
    """

    path: str
    entries: tuple[Entry, ...] = ()
    withheld: tuple[Entry, ...] = ()
    runs: tuple[Mapping[str, Any], ...] = ()
    wanted: tuple[Mapping[str, Any], ...] = ()
    ids: tuple[tuple[str, Place], ...] = ()
    retired: Mapping[str, tuple[str, Place]] = {}
    warnings: tuple[Problem, ...] = ()
    notices: tuple[Problem, ...] = ()
    typed: tuple[Problem, ...] = ()
    unsaid: tuple[Problem, ...] = ()
    facts: str = ""
    waived: tuple[Waiver, ...] = ()
