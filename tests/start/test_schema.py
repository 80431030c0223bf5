"""The schemas for editors: they take our own deck, refuse what is broken, and agree with the reader wherever one file can be judged alone."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from test_command import warpdeck
from workshop import ROOT

from generator.notes import Question, SourceClaim, Topic
from generator.problems import DeckError, Place, Problem
from generator.read import deckfile, families, frontmatter, looks, yaml
from generator.read.deckfile import Settings
from generator.start import schema
from kernels.catalogue import names
from kernels.declare import find

jsonschema = pytest.importorskip("jsonschema")

BAD = sorted(path.parent for path in (ROOT / "tests" / "decks" / "bad").glob("*/cards/deck.yml"))
MATTER = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*$", re.MULTILINE | re.DOTALL)
# What no schema of a single file can say: what stands in other places of the file or in other files, and what Anki's or Python's rules make of names.
BEYOND = re.compile(
    "that this file does not hold|stands twice|answers .* twice|whose run does not stand here|which is no parameter of it|must be numbered 1, 2, 3"
    "|there is no folder|have one name|retired and yet stands here|has a meaning of its own|which note it belongs to"
)

FAMILY_BEYOND = re.compile(
    f"{BEYOND.pattern}|overrides nothing|which no run of its note takes|whose run does not|which does not stand here|which its note does not"
    "|give the same|has two cases|needs a value for its parameter|cannot end an id|training_memory: "
)


def taker(made: Mapping[str, Any]) -> Any:
    jsonschema.Draft7Validator.check_schema(made)
    return jsonschema.Draft7Validator(made)


def plain(text: str) -> Any:
    return yaml.load(text, "file").plain


def matters(cards: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(cards.rglob("*.md")):
        if path.name != "README.md" and (found := MATTER.match(path.read_text(encoding="utf-8", errors="replace"))):
            yield path, found[1]


# ------------------------------------------------------------------------------------------------ our own deck


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The validators of our deck, from the files that the command writes."""
    folder = tmp_path_factory.mktemp("schemas")
    done = warpdeck(ROOT, "schema", "--into", str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [str(folder / f"{name}.json") for name in ("deck", "sources", "note-type", "front-matter")]
    return {path.stem: taker(json.loads(path.read_text(encoding="utf-8"))) for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["deck", "sources"])
def test_our_settings_and_sources_are_right(name: str, written: Mapping[str, Any]):
    assert list(written[name].iter_errors(plain((ROOT / "cards" / f"{name}.yml").read_text(encoding="utf-8")))) == []


def test_our_cards_are_right(written: Mapping[str, Any]):
    found = list(matters(ROOT / "cards"))
    wrong = [
        f"{path.name}: {error.json_path}: {error.message[:100]}" for path, text in found for error in written["front-matter"].iter_errors(plain(text))
    ]
    assert len(found) > 50 and wrong == []


def test_an_editor_is_told_what_kernels_take_and_give(written: Mapping[str, Any]):
    run = written["front-matter"].schema["definitions"]["run"]
    assert set(run["properties"]["kernel"]["enum"]) == set(names())
    (given,) = [rule["then"] for rule in run["allOf"] if rule["if"]["properties"]["kernel"]["const"] == "training_memory"]
    assert given["required"] == ["parameters"] and given["properties"]["moments"] == {
        "type": "integer", "description": "int 0 to 4", "minimum": 0, "maximum": 4, "default": 2
    }  # fmt: skip
    assert "bf16" in given["properties"]["weights"]["enum"] and "total (B)" in given["description"]


def test_a_deck_of_one_s_own_has_its_kernels_and_tags(tmp_path: Path):
    assert warpdeck(tmp_path, "init", "motion").returncode == 0
    folder = tmp_path / "motion"
    (folder / "kernels" / "broken.py").write_text("import no_such_package_at_all\n", encoding="utf-8")
    with (folder / "cards" / "deck.yml").open("a", encoding="utf-8") as file:
        file.write("tags: [motion]\n")
    done = warpdeck(folder, "schema")
    assert done.returncode == 0 and "the parameters of broken are not in them" in done.stdout
    for path in json.loads((folder / ".vscode" / "settings.json").read_text(encoding="utf-8"))["yaml.schemas"]:
        assert (folder / path).is_file()
    takes = taker(json.loads((folder / "build" / "schemas" / "front-matter.json").read_text(encoding="utf-8")))
    ((_, text),) = matters(folder / "cards")
    assert list(takes.iter_errors(plain(text))) == []
    assert not takes.is_valid({"tags": ["elsewhere"]})
    assert not takes.is_valid({"runs": {"town": {"kernel": "stopping_distance", "speed": 101}}})


# ------------------------------------------------------------------------------------------- agreement with the reader

TOPICS = {"one": Topic("one", "area", "One", (Question(1, "What?"),), (SourceClaim(1, "So.", "formula", ""),), False, Place("sources.yml"))}


def agree(takes: Any, document: Any, problems: list[Problem], beyond: re.Pattern[str] | None = None) -> str:
    """What the schema and the reader disagree on; empty where both take the document or both refuse it."""
    errors = [f"{error.json_path}: {error.message[:80]}" for error in takes.iter_errors(document)]
    told = [problem.message for problem in problems]
    if errors and not told:
        return f"the schema alone refuses {document}: {errors}"
    missed = [message for message in told if not (beyond or BEYOND).search(message)]
    return f"the reader alone refuses {document}: {missed}" if missed and not errors else ""


def judged(name: str, document: Any, tags: tuple[str, ...] | None = None) -> list[Problem]:
    """What the reader says of a document, which JSON writes as YAML."""
    problems: list[Problem] = []
    text = json.dumps(document)
    if name == "deck":
        deckfile.settings(text, str(ROOT / "cards" / "deck.yml"), problems)
    elif name == "sources":
        deckfile.topics(text, "sources.yml", problems)
    else:
        entries = frontmatter.loaded(text, "a.md", 2, problems)
        texts = {"note-a": "[[full.total / other.total]] [[case.name]]"} if "family" in name else {}
        frontmatter.front_matter(entries or {}, {"note-a"}, frontmatter.Known(tags, TOPICS), problems, texts)
    return problems


CLAIMS = [
    {"note": "note-a", "source": "one/1", "value": "1 GB", "computed": "full.total", "tolerance": 0.1, "verdict": "wrong", "about": "one draw"},
    {"says": "So.", "holds": "full.total > 1", "verdict": "misleading", "under": {"text": "if", "computed": "full.total"}},
    {"says": "So.", "decided": {"by": "he", "at": "1", "value": "2"}, "verdict": "misleading", "under": {"text": "if"}},
    {"says": "So.", "holds": "1", "verdict": "open", "threshold": [{"value": 1, "because": "it is"}]},
    {"says": "So.", "holds": "1", "verdict": "depends", "threshold": {"value": 1, "because": "it is"}},
]
SOUND: Mapping[str, Any] = {
    "deck": {
        "name": "A::B", "id": 1700000000000, "slug": "a-b", "version": 1, "source": "https://example.org", "description": "x", "devices": ["h100"],
        "subdecks": {"gpu": {"name": "GPU", "topics": ["a"]}, "words": {"name": "Words"}}, "tags": {"memory": "held"}, "look": "own",
        "kernels": "../kernels", "records": "../records", "units": ["page"],
        "licence": "CC BY 4.0", "study": {"new": 5, "reviews": 100, "retention": 0.85},
        "showcase": ["note-a"],
    },
    "sources": {
        "one": {"area": "a", "title": "One", "document": "All", "link": "https://example.org", "whole": True,
            "questions": {"1": "What?"}, "claims": {"1": {"check": "formula", "says": "So."}}},
        "two": {"area": "a", "title": "Two", "claims": {"1": {"check": "literature", "says": "So.", "left_out": "why not"}}},
    },
    "front-matter": {
        "tags": ["memory"], "tagged": {"note-a": ["fine::tuning"]}, "answers": {"note-a": "one/1"}, "claims": CLAIMS,
        "runs": {"full": {"kernel": "training_memory", "parameters": 70e9}, "größe": {"kernel": "training_memory", "parameters": 1}},
        "assumes": {"full.parameters": ["70B"]}, "retired": {"note-b": "gone"}, "guids": {"note-a": "Abc"},
        "review_by": {"note-a": "2027-11-01"}, "waive": {"note-a": {"long-list": "all five count"}},
    },
    "family": {
        "runs": {"full": {"kernel": "training_memory"}, "other": {"kernel": "training_memory", "moments": 1}},
        "families": {"note-a": {"runs": ["full", "other"], "for": {"small": {"parameters": 7e9, "name": "7B"}, "tiny": {"parameters": 1}}}},
        "answers": {"note-a": "one/1", "note-a--tiny": "one/1"}, "tagged": {"note-a--tiny": ["family::note-b"]},
    },
    "listed family": {
        "runs": {"full": {"kernel": "training_memory"}},
        "families": {"note-a": {"for": [{"name": "small", "parameters": 7e9}, {"parameters": 1}]}},
        "assumes": {"full.parameters": "so many"}, "guids": {"note-a--small": "Abc"},
    },
}  # fmt: skip
VALUES = (
    None,
    "",
    " ",
    "text",
    "two words",
    "a::",
    "https://x.org",
    "open",
    0,
    3,
    0.5,
    True,
    [],
    {},
    ["a"],
    [[]],
    [None],
    {"a": 1},
    {"1": "a"},
    {"A B": "a"},
)


def validator(name: str) -> Any:
    made = {
        "deck": schema.deck,
        "sources": schema.sources,
    }
    matter = lambda: schema.front_matter(Settings(), TOPICS, {"training_memory": find("training_memory")})  # noqa: E731
    return taker(made.get(name, matter)())


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Each place inside a document, from the outside in."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*at, key)
        yield from places(inner, (*at, key))


def changed(document: Any, at: tuple[Any, ...]) -> Iterator[Any]:
    """The document without what stands at a place, under another key, and with other values there."""
    *above, last = at
    for change in ("gone", "misspelt", *VALUES):
        other = copy.deepcopy(document)
        holder = other
        for key in above:
            holder = holder[key]
        if change == "gone":
            del holder[last]
        elif change != "misspelt":
            holder[last] = change
        elif isinstance(holder, dict):
            holder[f"{last}x"] = holder.pop(last)
        yield other


@pytest.mark.parametrize("name", SOUND)
def test_the_sound_document_has_every_key(name: str):
    assert judged(name, SOUND[name]) == [] and validator(name).is_valid(SOUND[name])
    tables = {
        "deck": (deckfile.KEYS, deckfile.SUBDECK, deckfile.STUDY),
        "sources": (deckfile.TOPIC, deckfile.SAID),
        "family": (families.KEYS, ["runs", "families"]),
        "listed family": (families.KEYS, ["families"]),
        "front-matter": ({*frontmatter.KEYS} - {"families"}, frontmatter.CLAIM_KEYS, frontmatter.DECIDED, frontmatter.THRESHOLD, frontmatter.UNDER),
    }
    assert {key for table in tables[name] for key in table} <= {at[-1] for at in places(SOUND[name])}


@pytest.mark.parametrize("name", SOUND)
def test_the_schema_and_the_reader_agree_wherever_one_thing_changes(name: str):
    takes, tried = validator(name), 0
    for at in places(SOUND[name]):
        for document in changed(SOUND[name], at):
            assert agree(takes, document, judged(name, document), FAMILY_BEYOND if "family" in name else None) == ""
            tried += 1
    assert tried > 200


def test_keys_that_do_not_go_together_are_refused_by_both():
    takes = validator("front-matter")
    parts = {"says": "So.", "source": "one/1", "value": "1", "computed": "1", "holds": "1", "tolerance": 0.1}
    parts |= {"decided": CLAIMS[2]["decided"], "under": {"text": "if"}}
    for chosen in range(2 ** len(parts)):
        some = {key: value for bit, (key, value) in enumerate(parts.items()) if chosen >> bit & 1}
        for verdict in ("misleading", "wrong", "open"):
            document = {"claims": [{**some, "verdict": verdict}]}
            assert agree(takes, document, judged("front-matter", document)) == ""


def test_tags_that_deck_yml_lists_are_all():
    takes = taker(schema.front_matter(Settings(tags=("memory",)), TOPICS, {"training_memory": find("training_memory")}))
    for tag in ("memory", "memori", "a::b"):
        assert agree(takes, {"tags": [tag]}, judged("front-matter", {"tags": [tag]}, ("memory",))) == ""


@pytest.mark.parametrize("name", names())
def test_each_kernel_takes_the_values_that_its_schema_does(name: str):
    kernel = find(name)
    takes = taker(schema._run({name: kernel}))
    least = {one.name: one.choices[0] if one.choices else one.type(one.bound.low or 1) for one in kernel.parameters.values() if one.required}
    for parameter in kernel.parameters.values():
        ends = [end + step for end in (parameter.bound.low, parameter.bound.high) if end is not None for step in (-1, 0, 1)]
        for value in (None, True, "text", "3", 3, 0.5, 70e9, [], *ends, *parameter.choices):
            run = {"kernel": name, **least, parameter.name: value}
            assert agree(takes, run, judged("front-matter", {"runs": {"a": run}})) == ""
    for run in ({"kernel": name}, {"kernel": name, **least}, {"kernel": name, **least, "no_such": 1}):
        assert agree(takes, run, judged("front-matter", {"runs": {"a": run}})) == ""


# ---------------------------------------------------------------------------------------------------- bad decks


def pieces(document: Any) -> Iterator[Any]:
    """A front matter entry by entry: of a file with many faults, each is met by itself."""
    for key, value in document.items() if isinstance(document, dict) else ():
        several = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        yield from ({key: {name: one}} if isinstance(value, dict) else {key: [one]} for name, one in several)
        if not several:
            yield {key: value}


# ---------------------------------------------------------------------------------------------------- note types

WORD = {
    "name": "word", "kind": "basic", "number": 12, "heading": "Word", "main": "Meaning", "required": ["Meaning"], "sections": ["Reading"],
    "switches": ["Once"], "fields": ["Word", {"name": "Meaning", "id": 17}, "Reading", "Once", "Id"],
    "templates": [{"name": "Card", "id": 18, "front": "front.html", "back": "back.html"}],
}  # fmt: skip
MASKED = {
    "name": "masked", "kind": "cloze", "number": 12, "main": "Picture", "sections": ["Masks", "More"],
    "fields": ["Front", "Occlusion", "Picture", "Masks", "More"],
    "occlusion": ["Occlusion", "Picture", "Front", "More"], "templates": [{"name": "Card", "front": "masked.html", "back": "masked.html"}],
}  # fmt: skip
TYPE_BEYOND = re.compile(
    "no field|unknown field|required names|fills the field|no author's to fill|stands twice|there is no template|a field '.*' that the type lacks"
    "|shows nothing that an author writes|cloze:"
)


def type_judged(folder: Path, document: Any) -> list[Problem]:
    (folder / "word" / "type.yml").write_text(json.dumps(document), encoding="utf-8")
    problems: list[Problem] = []
    deck, assets = looks._Deck("T", 1700000000000), looks._Assets(folder, problems)
    looks._Type(folder / "word", "look/word", deck, (folder,), assets, problems).note_type("")
    return problems


def test_note_types_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "word").mkdir()
    for side in ("front", "back"):
        (tmp_path / "word" / f"{side}.html").write_text("{{Word}} {{Meaning}}\n", encoding="utf-8")
        (tmp_path / "word" / "masked.html").write_text("{{cloze:Occlusion}} {{Front}} {{Picture}} {{More}}\n", encoding="utf-8")
    takes = taker(schema.note_type())
    for sound in (WORD, MASKED):
        assert type_judged(tmp_path, sound) == [] and takes.is_valid(sound)
    assert {*looks.KEYS, *looks.FIELD, *looks.TEMPLATE} - {"id"} <= {at[-1] for at in (*places(WORD), *places(MASKED))}
    monkeypatch.setitem(globals(), "BEYOND", TYPE_BEYOND)
    others = [{**WORD, "id": 5}, {key: value for key, value in WORD.items() if key != "number"} | {"id": 5}, {**WORD, "number": 3}]
    others += [{**WORD, "fields": [*WORD["fields"], name]} for name in ("a:b", "#x", "Tags", "^", "a b", 3, {"name": "x", "idd": 1})]
    for document in [*others, *(one for sound in (WORD, MASKED) for at in places(sound) for one in changed(sound, at))]:
        assert agree(takes, document, type_judged(tmp_path, document)) == ""


@pytest.fixture(scope="module")
def takers() -> Mapping[str, Any]:
    matter = taker(schema.front_matter(Settings(), TOPICS, {name: find(name) for name in names()}))
    return {"deck": validator("deck"), "sources": validator("sources"), "front-matter": matter}


@pytest.mark.parametrize("case", BAD, ids=lambda path: path.parent.name)
def test_what_is_wrong_in_a_bad_deck_is_wrong_for_the_schema(case: Path, takers: Mapping[str, Any]):
    texts = [
        (name, (case / f"{name}.yml").read_text(encoding="utf-8", errors="replace"))
        for name in ("deck", "sources")
        if (case / f"{name}.yml").is_file()
    ]
    for name, text in [*texts, *(("front-matter", text) for _, text in matters(case))]:
        try:
            document = plain(text)
        except DeckError:
            continue  # no YAML: an editor needs no schema to say so
        for piece in pieces(document) if name == "front-matter" else [document]:
            assert agree(takers[name], piece, judged(name, piece)) == ""


@pytest.mark.parametrize(("case", "refused"), [("claims", 12), ("runs", 15), ("answers", 2), ("guids", 2)])
def test_a_bad_deck_s_front_matter_is_refused(case: str, refused: int, takers: Mapping[str, Any]):
    found = [piece for _, text in matters(ROOT / "tests" / "decks" / "bad" / case / "cards") for piece in pieces(plain(text))]
    assert sum(not takers["front-matter"].is_valid(piece) for piece in found) >= refused
