"""The two files that say what the deck is: deck.yml (name, id, subdecks, tags, devices) and sources.yml (what the documents ask and claim).

In: their YAML. Out: Settings, and Topics by id. Apart from folder.py, which puts the cards in their order.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from generator.notes import Question, SourceClaim, Study, Topic
from generator.problems import DeckError, Place, Problem, nearest
from generator.read import yaml
from generator.text.safe import in_name
from kernels.home import unfit

CHECKS = ("formula", "simulation", "measurement", "literature", "unverifiable")
# The keys of each mapping with what they mean: whoever reads the files checks them by these, and so do the schemas that editors take.
KEYS = {
    "name": "the deck's name in Anki; :: puts it below another one",
    "id": "drawn at random once; every learner's notes hang on it, so it never changes",
    "slug": "the name of the package: build/<slug>.apkg; else made of the name",
    "version": "of the last release, which writes it",
    "source": "where the deck comes from: a web address",
    "description": "what a learner reads under the deck's name",
    "licence": "under which the deck is handed out: CC BY 4.0, say",
    "study": "the preset of Anki's deck options that goes along, for learners who ask for it on import",
    "showcase": "the ids of the notes that the page for readers shows; else it takes some of each subdeck",
    "devices": "whose measurements may be quoted, the preferred one first",
    "subdecks": "the folders of cards in their order; else each folder is a subdeck of its own name",
    "tags": "the tags that may be used, a list, or each with what it means; else any may",
    "look": "own: the deck's look/style.css takes the place of ours; else it is added",
    "kernels": "the folder of the deck's own kernels, from deck.yml's folder (../kernels)",
    "records": "the folder of the records of runs, from deck.yml's folder (../records)",
    "units": "words that its numbers count, beside the units that are there",
}
REQUIRED = ("name", "id")
SUBDECK = {"name": "the subdeck's name in Anki", "topics": "the files of the folder in reading order, without .md; else they go by name"}
STUDY = {
    "new": "new cards a day, 0 to 9999 (10)",
    "reviews": "reviews a day at most, 0 to 9999 (200)",
    "retention": "the share of reviews that is to be remembered, 0.7 to 0.99 (0.9)",
}
BOUNDS = {"new": (0, 9999), "reviews": (0, 9999), "retention": (0.7, 0.99)}  # Anki's own
TOPIC = {
    "area": "what the document is a part of",
    "title": "the document's title, or its part's",
    "document": "what the topic is a part of, as the page for readers names it",
    "link": "where the document can be read: a web address",
    "whole": "true: the topic is finished, and whatever of it no note takes up is a problem",
    "questions": "what the document asks, numbered from 1; numbers are never reused",
    "claims": "what the document claims, numbered from 1; numbers are never reused",
}
SAID = {
    "check": "how the claim can be checked",
    "says": "the claim, word for word",
    "left_out": "why no card takes it up",
}
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
WEB = ("https://", "http://")
APART = ("look", "media")  # folders beside the cards that hold none
TAG = re.compile(
    r"(?!(?:[Ll][Ee][Ee][Cc][Hh]|[Mm][Aa][Rr][Kk][Ee][Dd])$)(?:(?!::)[^\s,\"'])+(?:::(?:(?!::)[^\s,\"'])+)*"
)  # what Anki keeps as it is written
MOST_SHOWN = 10  # notes on the page for readers
TAG_RULE = "one word, levels joined by ::, without < or Anki's marks, and not marked or leech, which an import takes off"


class Folder(NamedTuple):
    """A folder of cards: its subdeck's name and its topics in reading order, each with the place where it is listed; None: they are not listed."""

    name: str
    topics: Mapping[str, Place] | None
    place: Place


class Settings(NamedTuple):
    """deck.yml. folders: None where every folder is a subdeck; tags: None where any may be used. look: "own" where the deck's style replaces ours."""

    name: str = ""
    id: int = 0
    slug: str = ""
    version: str = ""
    source: str = ""
    description: str = ""
    licence: str = ""
    study: Study = Study()
    showcase: Mapping[str, Place] = MappingProxyType({})
    devices: tuple[str, ...] = ()
    folders: Mapping[str, Folder] | None = None
    tags: tuple[str, ...] | None = None
    kernels: str = ""
    records: str = ""
    units: tuple[str, ...] = ()
    look: str = ""


def settings(text: str, path: str, problems: list[Problem]) -> Settings:
    """What deck.yml says; its mistakes are added to `problems`."""
    root = _loaded(text, path, problems)
    if root is None:
        return Settings()
    entries = yaml.mapping(root, "deck.yml", problems, KEYS, ("name",))

    def words(key: str) -> str:
        return " ".join(yaml.string(entries.get(key), key, problems).split())

    source = words("source")
    if source and not source.startswith(WEB):
        problems.append(Problem(entries["source"].place, f"the source {source!r} is no web address", "https://..."))
    look = words("look")
    if look not in ("", "own"):
        problems.append(Problem(entries["look"].place, f"unknown look {look!r}", "own: the deck's look/style.css in place of ours; else it is added"))
    name = _deck_name(entries["name"].place, words("name"), problems) if "name" in entries else ""
    return Settings(
        name=name,
        id=_id(entries.get("id"), root.place, problems),
        slug=_slug(entries["slug"], problems) if "slug" in entries else slug_of(name),
        version=words("version"),
        source=source,
        description=yaml.string(entries.get("description"), "description", problems),
        licence=words("licence"),
        study=_study(entries["study"], problems) if "study" in entries else Study(),
        showcase=_showcase(entries["showcase"], problems) if "showcase" in entries else {},
        devices=_devices(entries.get("devices"), problems),
        folders=_folders(entries["subdecks"], problems) if "subdecks" in entries else None,
        tags=_tags(entries["tags"], problems) if "tags" in entries else None,
        look=look,
        kernels=_kernels(entries.get("kernels"), problems),
        records=yaml.string(entries.get("records"), "records", problems),
        units=_units(entries["units"], problems) if "units" in entries else (),
    )


def topics(text: str, path: str, problems: list[Problem]) -> dict[str, Topic] | None:
    """The topics of sources.yml by id, in its order; None where the file is broken. Its mistakes are added to `problems`."""
    root = _loaded(text, path, problems)
    if root is None:
        return None
    return {id: _topic(id, node, problems) for id, node in yaml.mapping(root, "sources.yml", problems).items()}


# ------------------------------------------------------------------------------------------------- deck.yml


def _loaded(text: str, path: str, problems: list[Problem]) -> yaml.Node | None:
    try:
        return yaml.load(text, path)
    except DeckError as error:
        problems.extend(error.problems)
        return None


def _deck_name(place: Place, name: str, problems: list[Problem]) -> str:
    parts = [part.strip() for part in name.split("::")]
    if found := in_name(name):
        hint = "a template shows names as they are: no HTML, and none of Anki's marks"
        problems.append(Problem(place, f"the deck name {name!r} holds {found!r}", hint))
    if name and not all(parts):
        problems.append(Problem(place, f"the deck name {name!r} has an empty part", "parts are joined by ::"))
    return "::".join(parts)


def _id(node: yaml.Node | None, place: Place, problems: list[Problem]) -> int:
    if node is not None and type(node.value) is int and 0 < node.value < 2**53:
        return node.value
    what = "deck.yml lacks the key 'id'" if node is None else f"{yaml.kind(node)} is no deck's id" if node.raw else "id is empty"
    hint = f"take {fresh_id()}, drawn for you just now; every learner's notes hang on it, so it never changes"
    problems.append(Problem(place if node is None else node.place, what, hint))
    return 0


def fresh_id() -> int:
    """An id that no other deck has, such as Anki makes of times in milliseconds; the thousand from it on are the deck's."""
    return 1000 * (10**9 + int.from_bytes(os.urandom(8), "big") % (7 * 10**8))


def slug_of(name: str) -> str:
    """The name of the package of a deck of this name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-")
    return slug if slug not in ("", "collection") else "deck"


def _slug(node: yaml.Node, problems: list[Problem]) -> str:
    slug = yaml.string(node, "slug", problems)
    if slug and (not NAME.fullmatch(slug) or slug == "collection"):
        why = "Anki takes collection.apkg for a backup" if slug == "collection" else "small letters, digits and hyphens"
        problems.append(Problem(node.place, f"the slug {slug!r} cannot name the package", why))
    return slug


def _showcase(node: yaml.Node, problems: list[Problem]) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for item in yaml.sequence(node, "showcase", problems):
        id = yaml.string(item, "a note of the showcase", problems)
        if id in found:
            problems.append(Problem(item.place, f"the note {id!r} stands twice", f"the first is on line {found[id].line}"))
        elif id:
            found[id] = item.place
    if len(found) > MOST_SHOWN:
        problems.append(Problem(node.place, f"the showcase has {len(found)} notes", f"{MOST_SHOWN} at most"))
    return found


def _study(node: yaml.Node, problems: list[Problem]) -> Study:
    given: dict[str, Any] = {}
    for key, entry in yaml.mapping(node, "study", problems, STUDY, like="its numbers: study: {new: 10, retention: 0.9}").items():
        (least, most), kinds = BOUNDS[key], (int, float) if key == "retention" else (int,)
        if type(entry.value) in kinds and least <= entry.value <= most:
            given[key] = entry.value
        else:
            number = "a whole number" if kinds == (int,) else "a number"
            message = f"{key} of study must be {number} from {least} to {most}, but is {yaml.kind(entry)}"
            problems.append(Problem(entry.place, message, STUDY[key]))
    return Study(**given)


def _devices(node: yaml.Node | None, problems: list[Problem]) -> tuple[str, ...]:
    if node is None:
        return ()
    devices: list[str] = []
    for item in yaml.sequence(node, "devices", problems):
        device = yaml.string(item, "a device", problems)
        if device and not NAME.fullmatch(device):
            problems.append(
                Problem(item.place, f"the device {device!r} is malformed", "a device class as in the records' names, in small letters: h100")
            )
        elif device == "rehearsal":
            problems.append(Problem(item.place, "a rehearsal is no device, its times mean nothing", "make rehearse looks at cards with them"))
        elif device in devices:
            problems.append(Problem(item.place, f"the device {device!r} stands twice"))
        elif device:
            devices.append(device)
    if isinstance(node.value, tuple) and not node.value or node.value is None:
        problems.append(Problem(node.place, "devices is empty", "name the devices whose measurements the deck may quote, the preferred one first"))
    return tuple(devices)


def _folders(node: yaml.Node, problems: list[Problem]) -> dict[str, Folder] | None:
    folders: dict[str, Folder] = {}
    names: dict[str, str] = {}
    given = yaml.mapping(node, "subdecks", problems, like="a line for each folder: its-folder: {name: Its name}")
    for folder, entry in given.items():
        what = f"the subdeck {folder!r}"
        if not NAME.fullmatch(folder) or folder in APART:
            why = f"{folder} holds no cards" if folder in APART else "small letters, digits and hyphens"
            problems.append(Problem(entry.place, f"{folder!r} cannot name a folder of cards", why))
        parts = yaml.mapping(entry, what, problems, SUBDECK, ("name",), like=f"{folder}: {{name: {entry.raw or 'Its name'}}}")
        name = _deck_name(entry.place, " ".join(yaml.string(parts.get("name"), "name", problems).split()), problems)
        if name and name.lower() in names:
            problems.append(Problem(entry.place, f"the subdecks {names[name.lower()]!r} and {folder!r} have one name", "Anki would merge them"))
        names[name.lower()] = folder
        listed: dict[str, Place] = {}
        for item in yaml.sequence(parts["topics"], f"topics of {what}", problems) if "topics" in parts else ():
            topic = yaml.string(item, "a topic", problems)
            if topic in listed:
                problems.append(Problem(item.place, f"the topic {topic!r} stands twice", f"the first is on line {listed[topic].line}"))
            elif topic:
                listed[topic] = item.place
        folders[folder] = Folder(name, listed if "topics" in parts else None, entry.place)
    return folders if isinstance(node.value, dict) or node.value is None else None  # else every folder would be told of


def is_tag(tag: str) -> bool:
    """Whether Anki keeps a tag as it is written."""
    return TAG.fullmatch(tag) is not None and not in_name(tag)


def _tags(node: yaml.Node, problems: list[Problem]) -> tuple[str, ...]:
    """A list of tags, or a mapping of tags to what they mean."""
    items = (
        [yaml.Node(tag, entry.place, tag) for tag, entry in node.value.items()]
        if isinstance(node.value, dict)
        else yaml.sequence(node, "tags", problems)
    )
    tags, known = list[str](), set[str]()
    for item in items:
        tag = yaml.string(item, "a tag", problems)
        if tag and not is_tag(tag):
            problems.append(Problem(item.place, f"{tag!r} can be no tag", TAG_RULE))
        elif tag.lower() in known:
            problems.append(Problem(item.place, f"the tag {tag!r} stands twice", "Anki does not tell capitals from small letters"))
        elif tag:
            known.add(tag.lower())
            tags.append(tag)
    return tuple(tags)


def _kernels(node: yaml.Node | None, problems: list[Problem]) -> str:
    folder = yaml.string(node, "kernels", problems)
    if node is not None and folder and not os.path.isdir(os.path.join(os.path.dirname(node.place.path), folder)):
        problems.append(Problem(node.place, f"there is no folder {folder!r} of kernels", "its path from deck.yml's folder: ../kernels"))
    return folder


def _units(node: yaml.Node, problems: list[Problem]) -> tuple[str, ...]:
    words = tuple(yaml.string(item, "a unit", problems) for item in yaml.sequence(node, "units", problems))
    problems += [Problem(node.place, one, "counting units of the deck's own, such as word, page, cell") for one in unfit(list(filter(None, words)))]
    return words


# ---------------------------------------------------------------------------------------------- sources.yml


def _topic(id: str, node: yaml.Node, problems: list[Problem]) -> Topic:
    what = f"the topic {id!r}"
    if not NAME.fullmatch(id):
        problems.append(Problem(node.place, f"{what} has a malformed id", "small letters, digits and hyphens"))
    entries = yaml.mapping(node, what, problems, TOPIC, ("area", "title"))
    whole = entries["whole"].value if "whole" in entries else False
    if not isinstance(whole, bool):
        problems.append(Problem(entries["whole"].place, f"whole must be true or false, but is {yaml.kind(entries['whole'])}"))
    questions = [
        Question(number, _line(entry, "a question", problems))
        for number, entry in _numbered(entries.get("questions"), f"questions of {what}", problems)
    ]
    claims = [_claim(number, entry, problems) for number, entry in _numbered(entries.get("claims"), f"claims of {what}", problems)]
    area, title, document, link = (_line(entries.get(key), key, problems) for key in ("area", "title", "document", "link"))
    if link and not link.startswith(WEB):
        problems.append(Problem(entries["link"].place, f"the link {link!r} is no web address", "https://..."))
    return Topic(id, area, title, tuple(questions), tuple(claims), whole is True, node.place, document, link)


def _numbered(node: yaml.Node | None, what: str, problems: list[Problem]) -> list[tuple[int, yaml.Node]]:
    entries = yaml.mapping(node, what, problems, like="them with their numbers: 1: What is it?") if node is not None else {}
    for expected, (number, entry) in enumerate(entries.items(), 1):
        if number != str(expected):
            problems.append(
                Problem(entry.place, f"{what} must be numbered 1, 2, 3, but {number} stands where {expected} should", "numbers are never reused")
            )
            return []
    return list(enumerate(entries.values(), 1))


def _claim(number: int, node: yaml.Node, problems: list[Problem]) -> SourceClaim:
    entries = yaml.mapping(node, f"claim {number}", problems, SAID, ("check", "says"), like=f"{number}: {{check: formula, says: …}}")
    check = _line(entries.get("check"), "check", problems)
    if check and check not in CHECKS:
        problems.append(Problem(entries["check"].place, f"unknown kind of check {check!r}", nearest(check, CHECKS)))
    says, left_out = (_line(entries.get(key), key, problems) for key in ("says", "left_out"))
    return SourceClaim(number, says, check, left_out)


def _line(node: yaml.Node | None, what: str, problems: list[Problem]) -> str:
    return " ".join(yaml.string(node, what, problems).split())
