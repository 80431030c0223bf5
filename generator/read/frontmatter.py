"""The front matter of a file of cards: tags, answers, runs, families, claims, retired ids, GUIDs from elsewhere, days of review.

In: its YAML, and what it may name. Out: a FrontMatter. Apart from the notes' text, since all of it is judged entry by entry.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from generator.notes import FAMILY, RULES, VERDICTS, Claim, Decided, Run, Threshold, Topic, Waiver
from generator.problems import DeckError, Place, Problem, nearest
from generator.read import deckfile, yaml
from generator.read.families import Family, families, names
from generator.read.runs import Written, bound, written

# The keys of each mapping with what they mean: the reader checks by these, and so do the schemas that editors take.
KEYS = {
    "tags": "the tags of all notes of the file",
    "tagged": "note id -> tags of that note alone",
    "answers": "note id -> the questions of sources.yml that it answers, as topic/number",
    "runs": "a name of your own -> a kernel and its parameters; [[name.output | unit]] shows what it gives",
    "families": "note id -> the cases that the note is asked of; [[case.key]] shows what a case gives",
    "assumes": "name.parameter of a run -> the words of a front that say it",
    "claims": "what is often said, held against what is computed",
    "retired": "the id of a released note that went -> why",
    "guids": "note id -> the GUID that Anki knows it by already, from elsewhere",
    "review_by": "the day until which what the file says is taken for current, 2027-11-01; or note id -> that day",
    "waive": "note id -> a rule of teaching that the note breaks -> why it does",
}
WORDS = {
    "note": "the id of the note that shows it; may be left out where the file has one",
    "source": "topic/number: the claim of sources.yml that is quoted",
    "says": "a claim in words of your own, in place of source",
    "value": "the claimed number with its unit; also < 10 GB, >= 10 GB, 2..4",
    "computed": "the expression that the value is held against: run.output",
    "holds": "an expression that is true or false, in place of value and computed",
    "verdict": "what comes out",
    "about": "one draw: of a simulation, the claim is about a single one",
}
CLAIM_KEYS = {
    **WORDS,
    "tolerance": "the share by which a plain value may be off; 0.05 is 5 %",
    "under": "of a misleading claim: when it is true",
    "threshold": "a number of the expression that no run made, and where it comes from",
    "decided": "what a source decides, in place of what is computed",
}
DECIDED = {"by": "the source", "at": "where in it", "value": "what it says"}
THRESHOLD = {"value": "the number as it stands in the expression", "because": "where it comes from"}
UNDER = {"text": "the condition, as the card says it", "computed": "the expression under that condition"}
ONE_DRAW = "one draw"
TOLERANCE = 0.05
ID = re.compile(r"[a-z0-9][a-z0-9-]{1,63}")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
ID_RULE = "2 to 64 small letters, digits and hyphens"


Ids = Collection[str] | None  # of the notes of a file; None where one of them bears none that could be understood


class FrontMatter(NamedTuple):
    """answers: note id -> "topic/number"; assumes: "alias.parameter" -> words of a front; claims each name their note.

    tagged: note id -> tags of that note alone. retired: id -> (reason, place). guids: note id -> what Anki knows it by already.
    review_by: note id -> the day by which it is to be reviewed, as 2027-11-01.
    What is said of a family's id is said of each of its notes.
    """

    tags: tuple[str, ...] = ()
    answers: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    runs: Mapping[str, Run] = MappingProxyType({})
    assumes: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    claims: tuple[Claim, ...] = ()
    retired: Mapping[str, tuple[str, Place]] = MappingProxyType({})
    tagged: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    guids: Mapping[str, str] = MappingProxyType({})
    waived: tuple[Waiver, ...] = ()
    families: Mapping[str, Family] = MappingProxyType({})
    review_by: Mapping[str, str] = MappingProxyType({})


class Known(NamedTuple):
    """What a front matter may name; tags: None where any may be used, topics: None where their file is broken."""

    tags: tuple[str, ...] | None
    topics: Mapping[str, Topic] | None


def loaded(text: str, path: str, first_line: int, problems: list[Problem]) -> Mapping[str, yaml.Node] | None:
    """The entries of the front matter by key; None where it cannot be read."""
    try:
        root = yaml.load(text, path, first_line)
    except DeckError as error:
        problems.extend(error.problems)
        return None
    return yaml.mapping(root, "the front matter", problems, KEYS)


def front_matter(
    entries: Mapping[str, yaml.Node], ids: Ids, known: Known, problems: list[Problem], texts: Mapping[str, str] = MappingProxyType({})
) -> FrontMatter:
    """The front matter of a file whose notes have these ids; its mistakes are added to `problems`. texts: of its sound notes, if it has families."""
    asked = written(entries["runs"], problems) if "runs" in entries else {}
    lacking: dict[str, list[Problem]] = {alias: [] if "families" in entries else problems for alias in asked}
    runs = {alias: made for alias, run in asked.items() if (made := bound(run, problems, lacking[alias]))}
    several, all_ids = dict[str, Family](), ids
    if "families" in entries:
        before = len(problems)
        several = families(entries["families"], asked, texts, ids, problems)
        members = {id for family in several.values() for id, _ in family.members}
        ids, all_ids = ({*ids} - several.keys() | members, {*ids, *members}) if ids is not None and len(problems) == before else (None, None)
        if all_ids and all_ids <= texts.keys() | members:  # else who names a run is not known
            problems += [problem for alias, found in lacking.items() if found and _alone(alias, several, texts) for problem in found]
    return FrontMatter(
        tags=_tags(entries["tags"], known.tags, problems) if "tags" in entries else (),
        answers=_answers(entries["answers"], all_ids, known.topics, problems) if "answers" in entries else {},
        runs=runs,
        assumes=_assumes(entries["assumes"], asked, problems) if "assumes" in entries else {},
        claims=_claims(entries["claims"], ids, several, known.topics, problems) if "claims" in entries else (),
        retired=_retired(entries["retired"], ids, problems) if "retired" in entries else {},
        tagged=_tagged(entries["tagged"], all_ids, known.tags, problems) if "tagged" in entries else {},
        guids=_guids(entries["guids"], ids, problems) if "guids" in entries else {},
        waived=tuple(_waived(entries["waive"], all_ids, several, problems)) if "waive" in entries else (),
        families=several,
        review_by=_review_by(entries["review_by"], all_ids, problems) if "review_by" in entries else {},
    )


def _alone(alias: str, several: Mapping[str, Family], texts: Mapping[str, str]) -> bool:
    """Whether a run has to be whole: a note names it to which no case gives what it lacks, or none names it at all."""
    users = [id for id, text in texts.items() if alias in names(text)]
    return not users or any(id not in several or alias not in several[id].runs for id in users)


# ------------------------------------------------------------------------------------------ tags and answers


def _tags(node: yaml.Node, known: tuple[str, ...] | None, problems: list[Problem]) -> tuple[str, ...]:
    tags: list[str] = []
    for item in yaml.sequence(node, "tags", problems):
        tag = yaml.string(item, "a tag", problems)
        if not tag:
            continue
        if not deckfile.is_tag(tag):
            problems.append(Problem(item.place, f"{tag!r} can be no tag", deckfile.TAG_RULE))
        elif known is not None and tag not in known and not tag.startswith(FAMILY):
            hint = "; or ".join(filter(None, (nearest(tag, known), "list it under tags: of deck.yml")))
            problems.append(Problem(item.place, f"unlisted tag {tag!r}", hint))
        elif tag in tags:
            problems.append(Problem(item.place, f"the tag {tag!r} stands twice"))
        else:
            tags.append(tag)
    return tuple(tags)


def _tagged(node: yaml.Node, ids: Ids, known: tuple[str, ...] | None, problems: list[Problem]) -> dict[str, tuple[str, ...]]:
    tagged = {}
    for id, entry in yaml.mapping(node, "tagged", problems).items():
        if ids is not None and id not in ids:
            problems.append(Problem(entry.place, f"tagged names a note {id!r} that this file does not hold", nearest(id, ids)))
        tagged[id] = _tags(entry, known, problems)
    return tagged


def _answers(node: yaml.Node, ids: Ids, topics: Mapping[str, Topic] | None, problems: list[Problem]) -> dict[str, tuple[str, ...]]:
    answers = {}
    for id, entry in yaml.mapping(node, "answers", problems).items():
        if ids is not None and id not in ids:
            problems.append(Problem(entry.place, f"answers names a note {id!r} that this file does not hold", nearest(id, ids)))
        single = not isinstance(entry.value, (tuple, dict)) and entry.value is not None
        items = (entry,) if single else yaml.sequence(entry, f"the answers of {id!r}", problems)
        found: list[str] = []
        for item in items:
            question = yaml.string(item, "an answered question", problems)
            if question in found:
                problems.append(Problem(item.place, f"{id!r} answers {question} twice"))
            elif question and _exists(question, "questions", item.place, topics, problems):
                found.append(question)
        answers[id] = tuple(found)
    return answers


def _exists(reference: str, what: str, place: Place, topics: Mapping[str, Topic] | None, problems: list[Problem]) -> bool:
    """Whether "topic/number" names a question or claim of sources.yml."""
    topic, slash, number = reference.rpartition("/")
    singular = what.removesuffix("s")
    if not slash or not re.fullmatch(r"[1-9][0-9]*", number):
        problems.append(Problem(place, f"{reference!r} names no {singular}", "write topic/number"))
    elif topics is None:
        return True
    elif topic not in topics:
        problems.append(Problem(place, f"unknown topic {topic!r} in {reference!r}", nearest(topic, topics) or "topics stand in sources.yml"))
    elif int(number[:9]) > (count := len(getattr(topics[topic], what))):
        has = f"its {what} are 1 to {count}" if count else f"it has no {what}"
        problems.append(Problem(place, f"unknown {singular} {number} of the topic {topic!r}", has))
    else:
        return True
    return False


# --------------------------------------------------------------------------------------------------- assumptions


def _assumes(node: yaml.Node, runs: Mapping[str, Written], problems: list[Problem]) -> dict[str, tuple[str, ...]]:
    assumes = {}
    for name, entry in yaml.mapping(node, "assumes", problems).items():
        alias, _, parameter = name.partition(".")
        if alias not in runs:
            problems.append(Problem(entry.place, f"assumes names {name!r}, whose run does not stand here", nearest(alias, runs) or "alias.parameter"))
        elif parameter not in (known := runs[alias].kernel.parameters):
            problems.append(Problem(entry.place, f"assumes names {name!r}, which is no parameter of it", nearest(parameter, known)))
        several = entry.value if isinstance(entry.value, tuple) else (entry,)
        assumes[name] = tuple(yaml.string(item, f"the words for {name}", problems) for item in several)
    return assumes


# ------------------------------------------------------------------------- claims, retired, GUIDs, days of review


def _claims(
    node: yaml.Node, ids: Ids, several: Mapping[str, Family], topics: Mapping[str, Topic] | None, problems: list[Problem]
) -> tuple[Claim, ...]:
    return tuple(filter(None, (_claim(item, ids, several, topics, problems) for item in yaml.sequence(node, "claims", problems))))


def _claim(node: yaml.Node, ids: Ids, several: Mapping[str, Family], topics: Mapping[str, Topic] | None, problems: list[Problem]) -> Claim | None:
    before, place = len(problems), node.place
    if not isinstance(node.value, dict):
        problems.append(Problem(place, f"a claim must be a mapping, but is {yaml.kind(node)}", "says:, value:, computed:, verdict:"))
        return None
    given = yaml.mapping(node, "the claim", problems, CLAIM_KEYS, ("verdict",))
    words = {key: " ".join(yaml.string(given[key], key, problems).split()) for key in WORDS if key in given}

    note = words.get("note", "")
    if note in several:
        members = " or ".join(id for id, _ in several[note].members)
        problems.append(Problem(given["note"].place, f"the claim names the family {note!r}, and a claim is one note's", f"name {members}"))
    elif note and ids is not None and note not in ids:
        problems.append(Problem(given["note"].place, f"the claim names a note {note!r} that this file does not hold", nearest(note, ids)))
    elif "note" not in given and ids is not None and len(ids) == 1:
        (note,) = ids
    elif "note" not in given and ids is not None:
        problems.append(Problem(place, "the claim does not say which note it belongs to", "add note: with the id, since the file holds several"))
    says = _says(words, given, place, topics, problems)
    if "about" in given and words["about"] != ONE_DRAW:
        problems.append(Problem(given["about"].place, f"a claim is about {ONE_DRAW!r} or, without the line, about all of them"))

    ways = [key for key in ("decided", "holds", "value") if key in given]
    if len(ways) > 1 or (ways and ways[0] != "value"):
        for key in (*ways[1:], *(key for key in ("computed", "tolerance") if key in given)):
            message = f"the claim has both {ways[0]} and {key}"
            problems.append(Problem(given[key].place, message, "either holds, or value with computed, or decided: {by, at, value}"))
    elif "value" not in given or "computed" not in given:
        lacks = "value and computed" if not {"value", "computed"} & set(given) else "value" if "value" not in given else "computed"
        problems.append(Problem(place, f"the claim lacks {lacks}", "either value with computed, or holds"))

    verdict = words.get("verdict", "")
    if verdict and verdict not in VERDICTS:
        problems.append(Problem(given["verdict"].place, f"unknown verdict {verdict!r}", nearest(verdict, VERDICTS)))
    if verdict == "open" and "decided" in given:
        problems.append(Problem(given["verdict"].place, "the claim is decided and yet open", "write what its source decides"))
    if verdict == "misleading" and "under" not in given:
        problems.append(Problem(place, "a misleading claim must say when it is true", "add under: {text: ..., computed: ...}"))
    if verdict in VERDICTS and verdict != "misleading" and "under" in given:
        problems.append(Problem(given["under"].place, f"under belongs to a misleading claim, and this one's verdict is {verdict}"))
    decided = _decided(given["decided"], problems) if "decided" in given else None
    under = _under(given["under"], problems, decided is None) if "under" in given else None
    tolerance = _tolerance(given["tolerance"], problems) if "tolerance" in given else TOLERANCE
    thresholds = _thresholds(given["threshold"], problems) if "threshold" in given else ()
    if len(problems) > before:
        return None
    value, computed, holds = (words.get(key) for key in ("value", "computed", "holds"))
    return Claim(note, words.get("source"), says, value, computed, holds, tolerance, verdict, under, place, thresholds, decided, "about" in given)


def _says(words: Mapping[str, str], given: Mapping[str, yaml.Node], place: Place, topics: Mapping[str, Topic] | None, problems: list[Problem]) -> str:
    """The sentence: that of sources.yml, word for word, or the author's own."""
    source = words.get("source")
    if source is None:
        if "says" not in given:
            problems.append(Problem(place, "the claim says nothing", "source: topic/number quotes sources.yml; says: is for a sentence of your own"))
        return words.get("says", "")
    if not _exists(source, "claims", given["source"].place, topics, problems) or topics is None:
        return ""
    topic, _, number = source.rpartition("/")
    said = next((" ".join(claim.says.split()) for claim in topics[topic].claims if claim.number == int(number)), "")
    if "says" in given:
        message = "a claim with a source is quoted and cannot be reworded"
        problems.append(Problem(given["says"].place, message, f"take says: away; sources.yml has {said!r}"))
    return said


def _decided(node: yaml.Node, problems: list[Problem]) -> Decided:
    given = yaml.mapping(node, "decided", problems, DECIDED, DECIDED)
    return Decided(*(" ".join(yaml.string(given.get(key), key, problems).split()) for key in DECIDED))


def _thresholds(node: yaml.Node, problems: list[Problem]) -> tuple[Threshold, ...]:
    found = []
    for item in node.value if isinstance(node.value, tuple) else (node,):
        given = yaml.mapping(item, "a threshold", problems, THRESHOLD, THRESHOLD)
        found.append(Threshold(*(" ".join(yaml.string(given.get(key), key, problems).split()) for key in THRESHOLD)))
    return tuple(found)


def _under(node: yaml.Node, problems: list[Problem], computed: bool) -> tuple[str, str]:
    """(text, expression); a claim that a source decides has no expression."""
    names = UNDER if computed else ("text",)
    given = yaml.mapping(node, "under", problems, names, names)
    text, expression = (" ".join(yaml.string(given.get(key), key, problems).split()) if key in given else "" for key in UNDER)
    return text, expression


def _tolerance(node: yaml.Node, problems: list[Problem]) -> float:
    if type(node.value) not in (int, float) or not 0 <= node.value < 1:
        problems.append(Problem(node.place, f"tolerance must be a share from 0 to below 1, but is {yaml.kind(node)}", "0.1 is 10 %"))
        return TOLERANCE
    return float(node.value)


def _retired(node: yaml.Node, ids: Ids, problems: list[Problem]) -> dict[str, tuple[str, Place]]:
    retired = {}
    for id, entry in yaml.mapping(node, "retired", problems).items():
        reason = " ".join(yaml.string(entry, f"the reason why {id!r} is retired", problems).split())
        if not ID.fullmatch(id):
            problems.append(Problem(entry.place, f"the retired id {id!r} is malformed", ID_RULE))
        elif id in (ids or ()):
            problems.append(Problem(entry.place, f"the note {id!r} is retired and yet stands here", "take the note away, or the line"))
        else:
            retired[id] = (reason, entry.place)
    return retired


def _guids(node: yaml.Node, ids: Ids, problems: list[Problem]) -> dict[str, str]:
    """What notes that came from elsewhere are known by; that of a retired note may stay."""
    guids: dict[str, str] = {}
    for id, entry in yaml.mapping(node, "guids", problems).items():
        guid = entry.raw if yaml.string(entry, f"the GUID of {id!r}", problems) else ""
        if not ID.fullmatch(id):
            problems.append(Problem(entry.place, f"guids names {id!r}, which is no id", ID_RULE))
        elif guid and guid in guids.values():
            problems.append(Problem(entry.place, f"the GUID {guid!r} stands twice", "Anki would take the two notes for one"))
        elif guid:
            guids[id] = guid
    return guids


def _review_by(node: yaml.Node, ids: Ids, problems: list[Problem]) -> dict[str, str]:
    """The day of each note: one for all of the file, or each note's own."""
    if not isinstance(node.value, dict):
        return dict.fromkeys(ids or (), _day(node, problems))
    days = {}
    for id, entry in yaml.mapping(node, "review_by", problems).items():
        if ids is not None and id not in ids:
            problems.append(Problem(entry.place, f"review_by names a note {id!r} that this file does not hold", nearest(id, ids)))
        days[id] = _day(entry, problems)
    return days


def _day(node: yaml.Node, problems: list[Problem]) -> str:
    """A day as 2027-11-01, "" where there is none such."""
    from datetime import date

    day = yaml.string(node, "review_by", problems)
    try:
        return date.fromisoformat(day if DAY.fullmatch(day) else "").isoformat()
    except ValueError:
        problems += [Problem(node.place, f"review_by is no day of the calendar: {day!r}", "year, month and day: 2027-11-01")] * bool(day)
        return ""


def _waived(node: yaml.Node, ids: Ids, several: Mapping[str, Family], problems: list[Problem]) -> Iterator[Waiver]:
    """A family's stands for each of its notes."""
    for id, entry in yaml.mapping(node, "waive", problems).items():
        if ids is not None and id not in ids:
            problems.append(Problem(entry.place, f"waive names a note {id!r} that this file does not hold", nearest(id, ids)))
        for rule, reason in yaml.mapping(entry, f"what {id!r} is excused from", problems, like=f"{id}: {{rule: the reason}}").items():
            if rule not in RULES:
                problems.append(Problem(reason.place, f"unknown rule {rule!r}", nearest(rule, RULES)))
            elif yaml.string(reason, f"the reason why {id!r} breaks {rule}", problems):
                yield from (Waiver(note, rule, reason.place) for note in ([one for one, _ in several[id].members] if id in several else [id]))
