"""What well-known sources say and a computed value refutes, by source.

In: a Built, the claims of whose notes name their sources. Out: Errata: the claims that came out wrong, or true under a condition alone, each as
the card shows it; and how many were held against a computed value. What a paper decided is not among them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from generator.keep.deck import Built
from generator.keep.shown import fields_of
from generator.notes import Entry, Topic
from generator.show.anki_template import cloze
from generator.show.preview import with_mathml
from generator.text.safe import shown

FALSE = ("wrong", "misleading")
_MEDIUM = re.compile(r"<img\b[^<>]*>|\[sound:[^\[\]]*\]")  # which are not told in words


class Erratum(NamedTuple):
    """What a card shows of a claim; and, where that holds no number, what the card asks and answers. All are HTML. note: the card's id."""

    claim: str
    asked: str
    answer: str
    note: str


class Part(NamedTuple):
    """A topic of sources.yml with what it has wrong. link: where it can be read."""

    title: str
    link: str
    errata: tuple[Erratum, ...]


class Source(NamedTuple):
    """A document with its parts. link: of all of it."""

    title: str
    link: str
    parts: tuple[Part, ...]


class Errata(NamedTuple):
    """checked: how many claims were held against a computed value, by verdict; decided: how many others a paper decided."""

    sources: tuple[Source, ...]
    checked: Mapping[str, int]
    decided: int


def errata(built: Built) -> Errata:
    """Of all notes that are packed; sorted by document, and by title in it."""
    checked: Counter[str] = Counter()
    decided = 0
    found: dict[str, list[Erratum]] = {}
    for entry, facts, text in _notes(built):
        claims = [claim for claim in facts["claims"] if claim["verdict"] != "open"]  # the others stand on no card
        for claim, html in zip(claims, _claims(fields_of(entry, text, built)), strict=True):
            if not claim["source"]:
                continue
            if claim["decided"]:
                decided += 1
                continue
            checked[claim["verdict"]] += 1
            if claim["verdict"] in FALSE:
                asked, answer = ("", "") if claim["computed"] else _answer(entry, text, built)
                topic = claim["source"].rpartition("/")[0]
                claimed, asked, answer = (shown(with_mathml(_MEDIUM.sub("", part))) for part in (html, asked, answer))
                found.setdefault(topic, []).append(Erratum(claimed, asked, answer, entry.id))
    return Errata(_by_document(found, built.deck.topics), checked, decided)


def _notes(built: Built) -> Iterator[tuple[Entry, Mapping[str, Any], bytes]]:
    """Each note with a claim, what the report says of it, and its fields."""
    for sheet in built.sheets:
        some = [(entry, line) for entry, line in zip(sheet.entries, sheet.facts.split("\n")) if entry.claims]
        for (entry, line), text in zip(some, built.texts([entry for entry, _ in some])):
            yield entry, json.loads(line), text


def _claims(fields: Mapping[str, str]) -> list[str]:
    """Each claim of the field, as `render` joins them."""
    return re.split(r'\n(?=<div class="claim )', fields["Claims"]) if fields["Claims"] else []


def _answer(entry: Entry, text: bytes, built: Built) -> tuple[str, str]:
    """What a note asks, with what is given, and the first block of its answer."""
    kind, fields = built.types[entry.type], fields_of(entry, text, built)
    whole = cloze(fields[kind.main], entry.cards[0] + 1, answer=True) if kind.kind == "cloze" else fields.get(kind.answer, "")
    first = re.search(r"<(p|ul|ol|table)\b.*?</\1>", whole, re.DOTALL)
    heading = f"<p>{fields[kind.heading]}</p>" if fields.get(kind.heading) else ""
    given = fields[kind.main] if kind.kind == "basic" and kind.main in kind.asked else ""
    return heading + given, first[0] if first else ""


def _by_document(found: Mapping[str, list[Erratum]], topics: Mapping[str, Topic]) -> tuple[Source, ...]:
    documents: dict[str, list[Part]] = {}
    for topic in sorted((topics[id] for id in found), key=lambda topic: topic.title.casefold()):
        documents.setdefault(topic.document or topic.title, []).append(Part(topic.title, topic.link, tuple(found[topic.id])))
    return tuple(_source(title, documents[title]) for title in sorted(documents, key=str.casefold))


def _source(title: str, parts: Sequence[Part]) -> Source:
    """Where all parts lie at one place, that is the document's."""
    links = {part.link for part in parts}
    if len(links) == 1:
        return Source(title, links.pop(), tuple(part._replace(link="") for part in parts))
    return Source(title, "", tuple(parts))
