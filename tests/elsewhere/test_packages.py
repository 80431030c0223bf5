"""Anki's packages: import, build, and import into the collection that studied the original. The judge is the real Anki."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("anki", reason="the anki library is not installed")
pytest.importorskip("markdownify", reason="markdownify is not installed")
import ankis
import genanki
from anki.collection import Collection
from anki.template import TemplateRenderContext
from test_from_html import field
from workshop import FIRST, SECOND

HERE = Path(__file__).parent
NOTES, CARDS = 23, 30
FAULT = re.compile(r"\{\{(?!c\d)(?!no\}\})|No cloze|no field|Found ")


class Original(NamedTuple):
    col: Any
    latest: Path
    legacy: Path
    whole: Path


@pytest.fixture
def original(tmp_path: Path) -> Iterator[Original]:
    """A collection whose decks are exported in each format, and which has studied them since."""
    path = tmp_path / "original.anki2"
    col = ankis.made(path)
    latest, legacy = ankis.exported(col, tmp_path / "latest.apkg"), ankis.exported(col, tmp_path / "legacy.apkg", legacy=True)
    col.export_collection_package(str(tmp_path / "whole.colpkg"), include_media=True, legacy=False)
    col = Collection(str(path))
    ankis.studied(col)
    yield Original(col, latest, legacy, tmp_path / "whole.colpkg")
    col.close()


@pytest.mark.parametrize("format", ["latest", "legacy", "whole"])
def test_who_studied_the_original_loses_nothing(format, original, elsewhere):
    before = ankis.state(original.col)
    assert elsewhere.imports(getattr(original, format)).status == 0
    done = elsewhere.run("deck")
    assert done.status == 0, done.err
    assert f"{NOTES} notes, {CARDS} cards; nothing changed" in done.out
    assert vars(ankis.taken(original.col, elsewhere.package)) == {"new": 0, "updated": 0, "same": NOTES, "conflicting": 0}
    assert ankis.state(original.col) == before


def test_an_edit_arrives_and_no_schedule_changes(original, elsewhere):
    elsewhere.imports(original.latest)
    elsewhere.run("deck")
    cards, reviews, notes, types, _ = ankis.state(original.col)
    topic = elsewhere.cards / "capitulo-1" / "capitulo-1.md"
    topic.write_text(topic.read_text(encoding="utf-8").replace("\nanother dog\n", "\nanother **dog**, this one\n"), encoding="utf-8")
    done = elsewhere.run("deck", now=SECOND)
    assert f"{NOTES} notes, {CARDS} cards; 1 changed" in done.out
    assert vars(ankis.taken(original.col, elsewhere.package)) == {"new": 0, "updated": 1, "same": NOTES - 1, "conflicting": 0}
    after = ankis.state(original.col)
    assert (after[0], after[1], after[3]) == (cards, reviews, types)
    changed = [(old[-1], new[-1]) for old, new in zip(notes, after[2]) if old != new]
    assert changed == [("el perro\x1fanother dog", "el perro\x1fanother <b>dog</b>, this one")]


def test_a_new_learner_gets_the_same_cards(original, elsewhere, tmp_path):
    elsewhere.imports(original.latest)
    elsewhere.run("deck")
    col = Collection(str(tmp_path / "new.anki2"))
    try:
        assert vars(ankis.taken(col, elsewhere.package)) == {"new": NOTES, "updated": 0, "same": 0, "conflicting": 0}
        ordinals = "select n.guid, c.ord from cards c join notes n on n.id = c.nid order by n.guid, c.ord"
        assert col.db.all(ordinals) == original.col.db.all(ordinals)
        tags = "select guid, tags from notes order by guid"
        assert col.db.all(tags) == original.col.db.all(tags)
        assert not col.media.check().missing
        for id in col.find_cards(""):
            card = col.get_card(id)
            TemplateRenderContext.from_existing_card(card, False)._partially_render()
            if "image-occlusion" not in card.question():
                assert not FAULT.search(card.question() + card.answer())
        for kind in col.models.all():
            if count := col.models.use_count(kind):
                old = original.col.models.get(kind["id"])
                assert (count, kind["name"].rstrip("+")) == (original.col.models.use_count(old), old["name"])  # its own stock types have the names
                if "Occlusion" in kind["name"]:  # which Anki edits as its own
                    assert kind["originalStockKind"] == 6
                    assert [one["tag"] for one in kind["flds"]] == [one["tag"] for one in old["flds"]] == [0, 1, 2, 3, 4]
                for many in ("flds", "tmpls"):
                    assert [(one["name"], one["id"]) for one in kind[many]] == [(one["name"], one["id"]) for one in old[many]]
    finally:
        col.close()


def test_fields_are_what_they_were_where_markdown_allows_it(original, elsewhere, tmp_path):
    """What differs, differs in ways that nobody sees."""
    elsewhere.imports(original.latest)
    elsewhere.run("deck")
    col = Collection(str(tmp_path / "new.anki2"))
    try:
        ankis.taken(col, elsewhere.package)
        old, new = (dict(one.db.all("select guid, flds from notes")) for one in (original.col, col))
        fields = [pair for guid in old for pair in zip(old[guid].split("\x1f"), new[guid].split("\x1f"), strict=True)]
        assert sum(one == other for one, other in fields) == 42 and len(fields) == 57
        assert ("la <b>casa</b> &amp; el&nbsp;jardín",) * 2 in fields
        assert (" 食[た]べる", "食[た]べる") in fields
        assert ("<ul><li>one</li><li>two<ul><li>inner</li></ul></li></ul>",) * 2 in fields
        assert (r"\[\frac{a}{b}\] and [latex]$y$[/latex]", r'<span class="math">\[\frac{a}{b}\]</span> and \(y\)') in fields
    finally:
        col.close()


def test_what_cannot_be_carried_is_listed_with_its_place(original, elsewhere):
    lost = [line for line in elsewhere.imports(original.latest).out.splitlines() if line.startswith("lost  ")]
    assert [re.sub(r"^lost  cards/", "", line) for line in lost] == [
        "look/image-occlusion/type.yml:1: masks can be changed in Anki only",
        "look/vocabulary/front.html:1: <script> was left out",
        "look/vocabulary/front.html:1: the handler onclick was left out",
        "look/vocabulary/back-2.html:1: <link> was left out",
        "look/vocabulary/back-2.html:1: the filter of {{addon:Reading}}, an add-on's, was left out",
        'look/vocabulary/style.css:1: @import url("https://example.org/font.css"); was left out',
    ]


def test_ids_are_readable_and_the_same_in_every_import(original, elsewhere, tmp_path):
    elsewhere.imports(original.latest)
    other = type(elsewhere)(tmp_path / "other")
    other.folder.mkdir()
    other.imports(original.legacy)
    assert elsewhere.topics() == other.topics()
    text = "".join(elsewhere.topics().values())
    for id in ("el-perro", "la-casa-el-jardin", "what-is-listed", "the-powerhouse-of-the-cell", "cuatro"):
        assert f"{{#{id} " in text
    assert len(re.findall(r"\{#el-perro-[0-9a-f]{4} ", text)) == 1


def test_nothing_is_overwritten_and_nothing_comes_twice(original, elsewhere):
    elsewhere.imports(original.latest)
    files = {path: path.read_bytes() for path in elsewhere.cards.rglob("*") if path.is_file()}
    done = elsewhere.imports(original.legacy)
    assert (done.status, done.out) == (1, "")
    assert "no note is new here" in done.err
    assert {path: path.read_bytes() for path in elsewhere.cards.rglob("*") if path.is_file()} == files


def test_a_later_version_adds_what_is_new(original, elsewhere, tmp_path):
    elsewhere.imports(original.latest)
    files = {path: path.read_bytes() for path in elsewhere.cards.rglob("*.md")}
    note = original.col.new_note(original.col.models.by_name("Basic"))
    note.fields = ["el perro", "a dog of a later version"]
    original.col.add_note(note, original.col.decks.id("Español::Capítulo 1"))
    done = elsewhere.imports(ankis.exported(original.col, tmp_path / "later.apkg"))
    assert done.status == 0, done.err
    assert f"{NOTES} notes were here already" in done.out
    assert all(path.read_bytes() == content for path, content in files.items())
    done = elsewhere.run("deck")
    assert f"{NOTES + 1} notes, {CARDS + 1} cards; nothing changed" in done.out, done.err
    assert vars(ankis.taken(original.col, elsewhere.package)) == {"new": 0, "updated": 0, "same": NOTES + 1, "conflicting": 0}


# ---------------------------------------------------------------------------------------------------- genanki


def by_genanki(path: Path, media: Path) -> Path:
    """A deck as scripts make them: note types without ids of fields, two models of one name, GUIDs of its own."""
    fields = [{"name": name} for name in ("Question", "Answer", "MyMedia")]
    template = {"name": "Card 1", "qfmt": "{{Question}}<br>{{MyMedia}}", "afmt": '{{FrontSide}}<hr id="answer">{{Answer}}'}
    simple = genanki.Model(1607392319, "Simple Model", fields=fields, templates=[template], css=".card { color: #123; }")
    same = genanki.Model(1607392320, "Simple Model", fields=fields[:2], templates=[{**template, "qfmt": "{{Question}}"}])
    cloze = genanki.Model(
        1607392321, "Cloze Model", [{"name": "Text"}], [{"name": "c", "qfmt": "{{cloze:Text}}", "afmt": "{{cloze:Text}}"}], model_type=1
    )
    deck, other = genanki.Deck(2059400110, "Capitals"), genanki.Deck(2059400111, "Capitals::Others")
    deck.add_note(genanki.Note(simple, ["Capital of Argentina", "Buenos Aires", '<img src="dot.png">'], guid="a guid: with, odd 'signs'"))
    deck.add_note(genanki.Note(simple, ["", "only an answer", '<img src="dot.png">']))
    other.add_note(genanki.Note(same, ["Capital of Peru", "Lima<script>x()</script>"], tags=["south"]))
    other.add_note(genanki.Note(cloze, ["{{c1::La Paz}} or {{c2::Sucre}}"]))
    genanki.Package([deck, other], media_files=[str(media)]).write_to_file(str(path), timestamp=float(ankis.MADE))
    return path


def test_a_deck_of_genanki(elsewhere, tmp_path):
    package = by_genanki(tmp_path / "genanki.apkg", HERE / "table" / "dot.png")
    col = Collection(str(tmp_path / "learner.anki2"))
    try:
        ankis.taken(col, package)
        ankis.studied(col)
        before = ankis.state(col)
        done = elsewhere.imports(package)
        assert done.status == 0, done.err
        assert "capitals/others" not in done.out and "a script was left out" in done.out
        assert elsewhere.run("deck").status == 0
        assert vars(ankis.taken(col, elsewhere.package)) == {"new": 0, "updated": 0, "same": 4, "conflicting": 0}
        assert ankis.state(col) == before
    finally:
        col.close()


@pytest.mark.parametrize(
    ("content", "message"),
    {
        "no zip": (b"no zip", "this is no Anki package"),
        "no collection": (None, "the package holds no collection"),
    }.values(),
    ids=["no zip", "no collection"],
)
def test_what_is_no_package_is_refused(content, message, elsewhere, tmp_path):
    import zipfile

    path = tmp_path / "deck.apkg"
    if content is None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme", "")
    else:
        path.write_bytes(content)
    done = elsewhere.run("import", str(path), now=FIRST)
    assert done.status == 1
    assert message in done.err
    assert not elsewhere.cards.exists()


def test_a_medium_that_no_card_shows_is_left_out_alone(elsewhere, tmp_path):
    media = {
        "evil.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>x()</script></svg>',
        "paper.pdf": b"%PDF",
        "good one.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    }
    for name, content in media.items():
        (tmp_path / name).write_bytes(content)
    model = genanki.Model(1607392322, "M", [{"name": "F"}, {"name": "B"}], [{"name": "c", "qfmt": "{{F}}", "afmt": "{{B}}"}])
    deck = genanki.Deck(2059400112, "Media")
    deck.add_note(genanki.Note(model, ["one", '<img src="evil.svg"> <b>and</b> <img src="good one.svg" width="200">']))
    deck.add_note(genanki.Note(model, ["two", '<img src="paper.pdf"> rest'], tags=["plain", "it's,odd"]))
    genanki.Package(deck, media_files=[str(tmp_path / name) for name in media]).write_to_file(str(tmp_path / "media.apkg"))
    done = elsewhere.imports(tmp_path / "media.apkg")
    assert done.status == 0, done.err
    assert sorted(path.name for path in (elsewhere.cards / "media").iterdir()) == ["good-one.svg"]
    text = elsewhere.topics()["media.md"]
    assert "evil.svg **and** ![good one](good-one.svg){width=200}" in text and "paper.pdf rest" in text
    assert [line.partition(": ")[2] for line in done.out.splitlines() if line.startswith("lost")] == [
        "evil.svg was left out: it is not there, or no medium that a card can show",
        "tags are written otherwise: it's,odd",
        "paper.pdf was left out: it is not there, or no medium that a card can show",
    ]
    assert elsewhere.run("deck").status == 0


@pytest.mark.filterwarnings("ignore:Field contained")
def test_whatever_fields_hold_nothing_is_lost_to_who_studied_them(elsewhere, tmp_path):
    draw = random.Random(11)
    basic = genanki.Model(1607392323, "B", [{"name": "F"}, {"name": "B"}], [{"name": "c", "qfmt": "{{F}}{{B}}", "afmt": "{{FrontSide}}"}])
    cloze = genanki.Model(
        1607392324, "C", [{"name": "T"}, {"name": "X"}], [{"name": "c", "qfmt": "{{cloze:T}}", "afmt": "{{cloze:T}}{{X}}"}], model_type=1
    )
    deck = genanki.Deck(2059400113, "Whatever")
    for number in range(60):
        deck.add_note(genanki.Note(basic, [field(draw), field(draw)], guid=f"b{number}"))
        deck.add_note(genanki.Note(cloze, [f"{field(draw)} {{{{c1::{field(draw)}::hint}}}} {{{{c2::word}}}}", field(draw)], guid=f"c{number}"))
    genanki.Package(deck, media_files=[str(HERE / "table" / "dot.png")]).write_to_file(str(tmp_path / "whatever.apkg"))
    col = Collection(str(tmp_path / "learner.anki2"))
    try:
        ankis.taken(col, tmp_path / "whatever.apkg")
        ankis.studied(col)
        before = ankis.state(col)
        done = elsewhere.imports(tmp_path / "whatever.apkg")
        assert done.status == 0, done.err
        left_out = [line for line in done.out.splitlines() if ": the note '" in line]
        assert len(left_out) < 20 and all("was left out: cloze c1 hides nothing (" in line for line in left_out)
        built = elsewhere.run("deck")
        assert built.status == 0, built.err
        assert vars(ankis.taken(col, elsewhere.package)) == {"new": 0, "updated": 0, "same": 120 - len(left_out), "conflicting": 0}
        assert ankis.state(col) == before
    finally:
        col.close()


def test_a_deck_s_description_is_told(original, elsewhere, tmp_path):
    deck = original.col.decks.by_name("Español")
    deck["desc"] = "All of it."
    original.col.decks.save(deck)
    for legacy in (False, True):
        path = ankis.exported(original.col, tmp_path / f"told-{legacy}.apkg", legacy)
        assert f"lost  {path}:1: the description of the deck 'Español' was left out" in elsewhere.imports(path).out
        shutil.rmtree(elsewhere.cards)


def test_a_type_whose_fields_changed_is_refused(original, elsewhere, tmp_path):
    elsewhere.imports(original.latest)
    kind = original.col.models.by_name("Vocabulary")
    original.col.models.add_field(kind, original.col.models.new_field("Sound"))
    original.col.models.update_dict(kind)
    done = elsewhere.imports(ankis.exported(original.col, tmp_path / "later.apkg"))
    assert done.status == 1
    assert done.err.startswith(
        "cards/look/vocabulary/type.yml:1: the note type 'Vocabulary' has other fields now: Word, Reading, Meaning, Front, Id, Sound"
    )
