"""Numbers with units that an author typed where a run should have made them.

In: a note. Out: what `make check` lists: a place and the number, no error. A heuristic, with its exceptions here.

Not listed: references, code, math and HTML tags; what is asked and the tempting answer, whose numbers are premises; Source; and
lines that name where the number comes from, by a link or an arXiv id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.notes import Note, Text
from generator.problems import Place, Problem
from generator.resolve.references import references
from generator.text.spans import SpanError, spans

PREMISES = ("Tempting answer", "Source")
# Count as units after a space only: 70B is a model, 8x7B too.
_SPACED = r"B|s|h|W|x|days?|min|m/s|km/h|[kcmµn]m|[kmµ]?g|[kM]?[NJ]|[khM]?Pa|[kMG]?Hz|[kmµ]?[VΩ]|[kMG]?eV|m?mol|m?l|°C|EUR|USD|GBP|JPY|CHF"
_UNITS = (
    r"%|×|[kMGTPE]B(?:/s)?|[KMGTP]iB(?:/s)?|[munµ]s|[kMGTPE]?FLOPs?(?:/s|/B)?|[kMGTPE]?FLOPS|[kMGT]?bit/s|kW|kWh|"
    r"bytes|(?:kilo|mega|giga|tera)bytes|seconds|milliseconds|microseconds|minutes|hours|tokens(?:/s)?|percent|times|million|billion|trillion"
)
_TYPED = re.compile(rf"\d(?<![\w.,/-].)[\d,]*(?:\.\d+)?(?:\s?(?:{_UNITS})|\s(?:{_SPACED})|x)(?![\w/])")
_SOURCED = re.compile(r"\]\(\s*<?https?://|<https?://|\barxiv\b", re.IGNORECASE)


def typed_numbers(note: Note) -> list[Problem]:
    """The numbers with units typed by hand in a note's fields, in order."""
    return [
        Problem(place, f"a number typed by hand: {number}", "let a run make it, or name its source on the line")
        for name, text in note.fields.items()
        if name not in PREMISES and name not in note.asked
        for place, number in _typed(text)
    ]


def _typed(text: Text) -> Iterator[tuple[Place, str]]:
    if not _TYPED.search(text.text):  # nor is there one in less of the text
        return
    sourced = {number for number, line in enumerate(text.text.split("\n")) if _SOURCED.search(line)}
    plain, at, number = _blanked(text), 0, 0
    for match in _TYPED.finditer(plain):
        number, at = number + plain.count("\n", at, match.start()), match.start()
        if number not in sourced:
            yield text.place._replace(line=text.place.line + number), " ".join(match[0].split())


def _blanked(text: Text) -> str:
    """The text with everything that is not prose, references among it, as blanks of the same length."""
    try:
        apart = [(span.start, span.end) for span in spans(text.text) if span.kind != "text"]
    except SpanError:
        return ""  # read has said so
    plain = text.text
    for start, end in [*apart, *((r.start, r.end) for r in references(text, []))]:
        plain = plain[:start] + re.sub(r"[^\n]", " ", plain[start:end]) + plain[end:]
    return plain
