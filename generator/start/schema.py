"""`schema`: JSON schemas by which an editor completes and underlines deck.yml, sources.yml, type.yml and the front matter.

In: the folder of cards, whose tags, questions and kernels they name. Out: a file for each, in draft 7, which editors know. Keys, words and
patterns are the tables that read/ checks by; what one file alone cannot say (an id that stands elsewhere, a name given twice) is left to `check`.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.look.template import ANKIS_OWN
from generator.notes import FAMILY, JINJA_WORDS, RULES, VERDICTS, Question, SourceClaim, Topic
from generator.pack.output import write
from generator.read import deckfile, families, frontmatter, looks
from generator.read.deckfile import Settings
from generator.read.folder import frame, home_at

if TYPE_CHECKING:
    from kernels.declare import Kernel
    from kernels.parameters import Parameter

Schema = dict[str, Any]
DRAFT = "http://json-schema.org/draft-07/schema#"
LARGEST_ID = 2**53 - 1  # what JSON holds exactly


def schemas(cards: Path, into: Path) -> str:
    """Writes the schemas of a deck; what was written, and which kernels could not be asked."""
    around = frame(cards)
    kernels, lost = _kernels(cards)
    made = {
        "deck": deck(),
        "sources": sources(),
        "note-type": note_type(),
        "front-matter": front_matter(around.settings, around.topics, kernels),
    }
    for name, schema in made.items():
        write(into / f"{name}.json", (json.dumps({"$schema": DRAFT, **schema}, ensure_ascii=False, indent=1) + "\n").encode())
    return "".join(f"{line}\n" for line in [*((into / f"{name}.json").as_posix() for name in made), *lost])


def _kernels(cards: Path) -> tuple[dict[str, Kernel | None], list[str]]:
    """The kernels that the deck may name, its own too; None for one that cannot be imported, with what is wrong with it."""
    from kernels import home
    from kernels.catalogue import names
    from kernels.remote import find
    from kernels.results import KernelError

    home.use(home_at(cards))
    found: dict[str, Kernel | None] = {}
    lost = []
    for name in names():
        try:
            found[name] = find(name)
        except KernelError as error:
            found[name] = None
            lost.append(f"the parameters of {name} are not in them: {error}")
    return found, lost


# ------------------------------------------------------------------------------------- values as read/yaml.py takes them


def _text(**more: Any) -> Schema:
    """A scalar, numbers too, that is not empty."""
    return {"type": ["string", "number", "boolean"], "pattern": r"\S", **more}


def _one_of(words: Mapping[str, str] | Iterable[str]) -> Schema:
    """One of these words, each with what it means where that is known."""
    told = {"enumDescriptions": list(words.values())} if isinstance(words, Mapping) else {}
    return {"enum": list(words), **told}


def _whole(pattern: re.Pattern[str]) -> str:
    return f"^(?:{pattern.pattern})$"


def _like(pattern: re.Pattern[str], **more: Any) -> Schema:
    return _text(pattern=_whole(pattern), **more)


def _list(item: Schema, **more: Any) -> Schema:
    """A list; nothing at all is an empty one."""
    return {"type": ["array", "null"], "items": item, **more}


def _keys(table: Mapping[str, str], shapes: Mapping[str, Schema], required: Iterable[str] = (), **more: Any) -> Schema:
    """A mapping with the keys of a table of read/; nothing at all is an empty one where no key is required."""
    needed = list(required)
    properties = {key: {"description": means, **shapes[key]} for key, means in table.items()}
    return {
        "type": "object" if needed else ["object", "null"],
        "properties": properties,
        "required": needed,
        "additionalProperties": False,
        **more,
    }


def _by_name(value: Schema, name: Schema | None = None) -> Schema:
    """A mapping whose keys are names of the author's own."""
    return {"type": ["object", "null"], "additionalProperties": value, **({"propertyNames": name} if name else {})}


_LINE = _text()
_ADDRESS: Schema = {"type": "string", "pattern": r"^\s*https?://"}
_ID = {"pattern": _whole(frontmatter.ID)}
_DAY: Schema = {"type": "string", "pattern": _whole(frontmatter.DAY)}
_LETTER = r"[^\s\x00-@\[-`{-\x7f]"  # ASCII alone is told apart: JavaScript's \w, which editors ask, knows no other letters
_NUMBER = r"^[1-9][0-9]*$"


# ---------------------------------------------------------------------------------------- deck.yml and sources.yml


def deck() -> Schema:
    """Of deck.yml."""
    name = _text(**{"not": {"type": "string", "pattern": r"(^|::)\s*(::|$)"}})
    tag = _like(deckfile.TAG)
    shapes = {
        **dict.fromkeys(deckfile.KEYS, _LINE),
        "name": name,
        "id": {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
        "slug": _like(deckfile.NAME, **{"not": {"const": "collection"}}),
        "source": _ADDRESS,
        "showcase": _list(_LINE, uniqueItems=True, maxItems=deckfile.MOST_SHOWN),
        "devices": {"type": "array", "items": _like(deckfile.NAME, **{"not": {"const": "rehearsal"}}), "minItems": 1, "uniqueItems": True},
        "subdecks": _by_name(
            _keys(deckfile.SUBDECK, {"name": name, "topics": _list(_LINE, uniqueItems=True)}, ("name",)),
            {"pattern": _whole(deckfile.NAME), "not": {"enum": list(deckfile.APART)}},
        ),
        "tags": {"type": ["array", "object", "null"], "items": tag, "propertyNames": tag, "uniqueItems": True},
        "look": _one_of(["own"]),
        "study": _keys(
            deckfile.STUDY,
            {
                key: {"type": "number" if key == "retention" else "integer", "minimum": least, "maximum": most}
                for key, (least, most) in deckfile.BOUNDS.items()
            },
        ),
        "units": _list({"type": ["string", "boolean"], "pattern": rf"^{_LETTER}+$"}, uniqueItems=True),
    }
    return _keys(deckfile.KEYS, shapes, deckfile.REQUIRED, title="deck.yml")


def sources() -> Schema:
    """Of sources.yml."""
    said = _keys(deckfile.SAID, {"check": _one_of(deckfile.CHECKS), "says": _LINE, "left_out": _LINE}, ("check", "says"))
    shapes = {
        **dict.fromkeys(("area", "title", "document"), _LINE),
        "link": _ADDRESS,
        "whole": {"type": "boolean"},
        "questions": _by_name(_LINE, {"pattern": _NUMBER}),
        "claims": _by_name(said, {"pattern": _NUMBER}),
    }
    topic = _keys(deckfile.TOPIC, shapes, ("area", "title"))
    return {**_by_name(topic, {"pattern": _whole(deckfile.NAME)}), "title": "sources.yml"}


def note_type() -> Schema:
    """Of type.yml in a folder of the deck's look."""
    id = {"type": "integer", "minimum": looks.WHOLE.start, "maximum": looks.WHOLE.stop - 1}
    name = _text(pattern=r'^\s*(?![#/^\s])[^:{}"]+$', **{"not": {"enum": list(ANKIS_OWN)}})
    field = _keys(looks.FIELD, {"name": name, "id": id}, ("name",))
    template = _keys(looks.TEMPLATE, {**dict.fromkeys(looks.TEMPLATE, _LINE), "id": id}, ("name", "front", "back"))
    shapes = {
        **dict.fromkeys(("name", "main"), _LINE),
        **dict.fromkeys(("required", "sections", "switches"), _list(_LINE)),
        "occlusion": {"type": "array", "items": _LINE, "minItems": 4, "maxItems": 5},
        "number": {"type": "integer", "minimum": looks.OURS, "maximum": looks.SPAN - 1},
        "id": {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
        "kind": _one_of(looks.KINDS),
        "heading": {"anyOf": [_LINE, {"type": "null"}]},
        "fields": _list({"anyOf": [name, field]}, maxItems=looks.MOST),
        "templates": {"type": "array", "items": template, "minItems": 1, "maxItems": looks.MOST},
    }
    cloze = {
        "if": {"properties": {"kind": {"const": "cloze"}}},
        "then": {"properties": {"templates": {"maxItems": 1}}},
        "else": {"not": {"required": ["occlusion"]}},
    }
    return _keys(looks.KEYS, shapes, looks.REQUIRED, title="type.yml", **{"not": {"required": ["number", "id"]}, "allOf": [cloze]})


# -------------------------------------------------------------------------------------------------- front matter

_RESERVED = "|".join(sorted(JINJA_WORDS | set(keyword.kwlist)))
_ALIAS = rf"^(?!(?:{_RESERVED})$){_LETTER}(?:{_LETTER}|[0-9_])*$"


def front_matter(settings: Settings, topics: Mapping[str, Topic] | None, kernels: Mapping[str, Kernel | None]) -> Schema:
    """Of the front matter of a file of cards: the tags that deck.yml lists, the questions and claims of sources.yml, the kernels."""
    tags = _list({"$ref": "#/definitions/tag"}, uniqueItems=True)
    question = {"$ref": "#/definitions/question"}
    shapes = {
        "tags": tags,
        "tagged": _by_name(tags, _ID),
        "answers": _by_name({"anyOf": [question, _list(question, uniqueItems=True)]}, _ID),
        "runs": _by_name({}, {"pattern": _ALIAS}),
        "families": _by_name(_family(), _ID),
        "assumes": _by_name({"anyOf": [_LINE, {"type": "array", "items": _LINE}]}, {"pattern": r"^[^.]+\.[^.]+$"}),
        "claims": _list({"$ref": "#/definitions/claim"}),
        "retired": _by_name(_LINE, _ID),
        "guids": _by_name(_LINE, _ID),
        "review_by": {"anyOf": [_DAY, {**_by_name(_DAY, _ID), "type": "object"}]},
        "waive": _by_name(_keys(RULES, dict.fromkeys(RULES, _LINE)), _ID),
    }
    whole, part = ({"properties": {"runs": _by_name({"$ref": f"#/definitions/{run}"})}} for run in ("run", "part"))
    return {
        **_keys(frontmatter.KEYS, shapes, title="front matter of cards"),
        "if": {"required": ["families"]},
        "then": part,
        "else": whole,
        "definitions": {
            "tag": _like(deckfile.TAG) if settings.tags is None else {"anyOf": [_one_of(settings.tags), _text(pattern=f"^{FAMILY}")]},
            "question": _numbered(topics, "questions"),
            "claim": _claim(topics),
            "run": _run(kernels),
            "part": _run(kernels, whole=False),
        },
    }


def _numbered(topics: Mapping[str, Topic] | None, what: str) -> Schema:
    """topic/number of what sources.yml has, with its words."""
    if topics is None:
        return {"type": "string", "pattern": r".+/[1-9][0-9]*$"}
    found: Iterator[tuple[Topic, Question | SourceClaim]] = ((topic, one) for topic in topics.values() for one in getattr(topic, what))
    return _one_of({f"{topic.id}/{one.number}": one.text if isinstance(one, Question) else one.says for topic, one in found})


def _family() -> Schema:
    case = {**_by_name(_LINE, {"pattern": _ALIAS}), "type": "object", "minProperties": 1}
    cases = {"type": "object", "additionalProperties": case, "propertyNames": {"pattern": _whole(families.SLUG)}, "minProperties": 1}
    shapes = {"runs": _list(_LINE), "for": {"anyOf": [cases, {"type": "array", "items": case, "minItems": 1}]}}
    return _keys(families.KEYS, shapes, ("for",))


def _claim(topics: Mapping[str, Topic] | None) -> Schema:
    def needs(*there: str, without: Iterable[str] = ()) -> Schema:
        barred = [{"required": [key]} for key in without]
        return {"required": list(there), **({"not": {"anyOf": barred}} if barred else {})}

    def exactly(table: Mapping[str, str], *names: str) -> Schema:
        chosen = {name: table[name] for name in names or table}
        return _keys(chosen, dict.fromkeys(chosen, _LINE), chosen)

    under, threshold = exactly(frontmatter.UNDER), exactly(frontmatter.THRESHOLD)
    shapes = {
        **dict.fromkeys(frontmatter.WORDS, _LINE),
        "note": _like(frontmatter.ID),
        "source": _numbered(topics, "claims"),
        "verdict": _one_of(VERDICTS),
        "about": _one_of([frontmatter.ONE_DRAW]),
        "tolerance": {"type": "number", "minimum": 0, "exclusiveMaximum": 1, "default": frontmatter.TOLERANCE},
        "under": {"type": "object"},
        "threshold": {"anyOf": [threshold, {"type": "array", "items": threshold}]},
        "decided": exactly(frontmatter.DECIDED),
    }
    misleading = {"properties": {"verdict": {"const": "misleading"}}}
    rules = [
        {"oneOf": [needs("source", without=["says"]), needs("says", without=["source"])]},
        {
            "oneOf": [
                needs("value", "computed", without=["holds", "decided"]),
                needs("holds", without=["decided", "value", "computed", "tolerance"]),
                needs("decided", without=["holds", "value", "computed", "tolerance"]),
            ]
        },
        {"if": misleading, "then": needs("under"), "else": {"not": needs("under")}},
        {
            "if": needs("decided"),
            "then": {"properties": {"under": exactly(frontmatter.UNDER, "text"), "verdict": {"not": {"const": "open"}}}},
            "else": {"properties": {"under": under}},
        },
    ]
    return _keys(frontmatter.CLAIM_KEYS, shapes, ("verdict",), allOf=rules)


# ---------------------------------------------------------------------------------------------------------- runs


def _run(kernels: Mapping[str, Kernel | None], whole: bool = True) -> Schema:
    """A kernel's name, and then the parameters that it has. whole: those too that it must be given, which beside families a case may give."""
    told = {name: _told(kernel) if kernel else "" for name, kernel in kernels.items()}
    return {
        "type": "object",
        "properties": {"kernel": _one_of(told)},
        "required": ["kernel"],
        "allOf": [
            {"if": {"properties": {"kernel": {"const": name}}, "required": ["kernel"]}, "then": _given(kernel, whole)}
            for name, kernel in kernels.items()
            if kernel
        ],
    }


def _told(kernel: Kernel) -> str:
    """What the kernel does and what it gives, for whoever looks at its name."""
    outputs = ((name, unit if isinstance(unit, str) else f"{unit.unit or 'number'} over {unit.x}") for name, unit in kernel.outputs.items())
    return f"{kernel.summary}\n\n{kernel.kind}; gives " + ", ".join(f"{name} ({unit or 'number'})" for name, unit in outputs)


def _given(kernel: Kernel, whole: bool) -> Schema:
    parameters = {name: _parameter(parameter) for name, parameter in kernel.parameters.items()}
    return {
        "description": _told(kernel),
        "properties": {"kernel": {"description": _told(kernel)}, **parameters},
        "required": [name for name, parameter in kernel.parameters.items() if parameter.required and whole],
        "additionalProperties": False,
    }


_TYPES = {int: "integer", float: "number", str: "string", bool: "boolean"}


def _parameter(parameter: Parameter) -> Schema:
    """As kernels/parameters.py takes a value: its type, which may be written as 70e9 where it is whole, its choices and its range."""
    from kernels.listing import allowed

    schema: Schema = {"type": _TYPES[parameter.type], "description": allowed(parameter)}
    limits = {"minimum": parameter.bound.low, "maximum": parameter.bound.high}
    schema |= {key: limit for key, limit in limits.items() if limit is not None}
    if parameter.choices:
        schema["enum"] = list(parameter.choices)
    return schema if parameter.required else {**schema, "default": parameter.default}
