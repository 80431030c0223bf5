"""A deck's own note types and style, and ours beside them: what is refused, which cards there are, and what the real Anki makes of it all."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from workshop import CARDS as TEST_DECK
from workshop import CHOICE, FIRST, OCCLUSION, SECOND, SKETCH, Workshop, notes, rows

from generator.look.notetypes import NoteType
from generator.look.template import asks
from generator.problems import DeckError
from generator.read.deckfile import fresh_id
from generator.read.folder import read
from generator.read.looks import SPAN, look_of

HERE = Path(__file__).parent
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><circle r="9" cx="10" cy="10" fill="#b06f00"/></svg>'
WORD = """name: word
kind: basic
heading: Word
main: Meaning
required: [Meaning]
sections: [Reading, Example]
fields: [Word, Meaning, Reading, Example, Id, Footer]
templates:
  - {name: Recognise, front: front.html, back: back.html}
  - {name: Produce, front: produce.html, back: back.html}
  - {name: Read, front: read.html, back: back.html}
"""
LOOK = {
    "word/type.yml": WORD,
    "word/front.html": "<h1>{{Word}}</h1>\n<img src='paw.svg' alt=''>\n",
    "word/produce.html": "<p>{{Meaning}}</p>\n",
    "word/read.html": "{{#Reading}}{{furigana:Reading}}{{/Reading}}\n",
    "word/back.html": '<% import "parts.html" as parts %>\n{{FrontSide}}<hr id="answer">\n<h1>{{Word}}</h1>{{Meaning}}\n'
    '<< parts.section("Example") >>\n{{Footer}}',
    "style.css": '@font-face { font-family: Paw; src: url(fonts/paw.woff2) format("woff2"); }\n.card h1 { background: url( "paw.svg" ); }\n',
    "paw.svg": SVG,
    "fonts/paw.woff2": "no font, but a file",
}
CARDS = """---
tags: [animals]
---

# el perro {#perro .word}

the dog

# el gato {#gato .word}

the cat

## Reading

gato[ga to]

## Source

RAE

# el caballo {#caballo .reversed}

the horse

## Note

*equus*

# el burro {#burro .reversed once}

the donkey

# la vaca {#vaca .basic}

the cow

# the mouse, in Spanish {#raton .typed any-accent}

ratón

# the boar, in Spanish {#jabali .typed}

jabalí
"""


def put(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def deck(folder: Path, name: str = "Words", id: int = 1_500_000_000_000, look: Mapping[str, str] = LOOK, **cards: str) -> Workshop:
    """A workshop with a flat deck that has its own look."""
    files = {f"{topic}.md": text for topic, text in (cards or {"animals": CARDS}).items()}
    put(folder / "cards", {"deck.yml": f"name: {name}\nid: {id}\n", **files})
    put(folder / "cards" / "look", look)
    return Workshop(folder)


# ------------------------------------------------------------------------------------------- what is refused


def changed(where: str, old: str, new: str) -> dict[str, str]:
    assert LOOK[where].count(old) == 1
    return {**LOOK, where: LOOK[where].replace(old, new)}


REFUSED = yaml.safe_load((HERE / "refused.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["what"])
def test_what_is_wrong_with_a_look_is_told_with_its_place(case, tmp_path: Path):
    look = {**LOOK, **case.get("files", {})}
    for where, (old, new) in case.get("changes", {}).items():
        look = {**look, **changed(where, old, new)}
    put(tmp_path, {where: text for where, text in look.items() if where not in case.get("without", ())})
    _, problems = look_of("Words", 1_500_000_000_000, tmp_path, "look", replaced=case.get("replaced", False))
    assert sorted(set(map(str, problems))) == case["told"]


@pytest.mark.parametrize("where", ["word/type.yml", "word/front.html", "style.css"])
def test_what_is_no_text(where: str, tmp_path: Path):
    put(tmp_path, LOOK)
    (tmp_path / where).write_bytes(b"\xff\xfe" + (tmp_path / where).read_bytes())
    told = " ".join(map(str, look_of("Words", 1, tmp_path, "look")[1]))
    assert f"look/{where}:1: the file is not UTF-8: it begins as UTF-16 (save it as UTF-8)" in told


def test_a_look_that_is_right(tmp_path: Path):
    look, problems = look_of("Words", 1_500_000_000_000, put(tmp_path, LOOK), "look")
    word = look.types["word"]
    assert problems == [] and word.name == "Words: word" and word.id - 1_500_000_000_000 in range(11, SPAN)
    assert word.asked == ("Front", "Meaning", "Reading") and word.answer == ""
    font, paw = look.media
    assert font.startswith("_paw-") and font.endswith(".woff2") and paw.endswith(".svg")
    assert f'src: url("{font}") format("woff2")' in word.css and word.css.count(paw) == 1 and f'src="{paw}"' in word.templates[0].front
    assert ".card {" in look.types["qa"].css and look.types["qa"].css == word.css


def test_a_style_in_place_of_ours(tmp_path: Path):
    look, problems = look_of("Words", 1, put(tmp_path, LOOK), "look", replaced=True)
    assert problems == [] and ".card {" not in look.types["qa"].css and ".card h1" in look.types["qa"].css


def test_another_type_moves_no_id(tmp_path: Path):
    alone = look_of("Words", 1, put(tmp_path, LOOK), "look")[0].types["word"]
    more = {name.replace("word/", "a-verb/"): text for name, text in LOOK.items() if name.startswith("word/")}
    both = look_of("Words", 1, put(tmp_path, more), "look")[0].types
    assert both["word"]._replace(media={}) == alone._replace(media={}) and both["a-verb"].id != alone.id


def test_a_type_from_elsewhere_keeps_its_ids_and_its_name(tmp_path: Path):
    own = WORD.replace("name: word\n", "name: Basic (mine)\nid: 1400000000123\n").replace("[Word, Meaning,", "[{name: Word, id: -77}, Meaning,")
    own = own.replace("{name: Produce,", "{name: Produce, id: 9,")
    kind = look_of("Words", 1, put(tmp_path, {**LOOK, "word/type.yml": own}), "look")[0].types["word"]
    assert (kind.name, kind.id, kind.fields["Word"], kind.fields["Meaning"]) == ("Basic (mine)", 1400000000123, -77, 1400000000123002)
    assert [template.id for template in kind.templates] == [1400000000123101, 9, 1400000000123103]


COMMENTED = [  # a front as written, and as Anki gets it; None where it is refused
    ("<!-- the word -->\n<h1>{{Word}}</h1>\n", "<h1>{{Word}}</h1>\n"),
    ("<h1>{{Word}}<!-- and\n\nits <b title='{{Meaning}}'>\n --></h1><!-- <img src='gone.svg'> <script>x</script> -->\n", "<h1>{{Word}}</h1>\n"),
    ("<h1>{{Word}}</h1><!-- {{#Reading}} {{Nothing}} {{unknown:Word}} -->\n", "<h1>{{Word}}</h1>\n"),
    ("<!-- << 'a' >> --><h1>{{Word}}</h1>\n", "<h1>{{Word}}</h1>\n"),
    ("{{Word}}<!----><!-- a -- b ->-->\n", "{{Word}}\n"),
    ("<!--> <script>x</script> -->{{Word}}\n", "{{Word}}\n"),
    ("<!---> <img src=x onerror=y> -->{{Word}}\n", "{{Word}}\n"),
    ("<!-- --!> <script>x</script> -->{{Word}}\n", "{{Word}}\n"),
    ("<!-- a --> --> {{Word}}\n", " --> {{Word}}\n"),
    ("{{Word}}<!-- never closed <script>x</script>\n", None),
    ("<!<!-- -->-- <script>x</script> {{Word}}\n", None),
    ("<!<!-- -->--> <script>x</script> --> {{Word}}\n", None),
    ("<scr<!-- -->ipt>x</scr<!-- -->ipt>{{Word}}\n", None),
    ("<b <!-- --> onclick=x>{{Word}}</b>\n", None),
    ("<!doctype html>{{Word}}\n", None),
    ("<b title='{<!-- -->{Meaning}}'>{{Word}}</b>\n", None),
]


@pytest.mark.parametrize(("front", "packed"), COMMENTED)
def test_a_comment_in_a_template_is_left_out(front: str, packed: str | None, tmp_path: Path):
    look, problems = look_of("Words", 1_500_000_000_000, put(tmp_path, {**LOOK, "word/front.html": front, "word/produce.html": "{{Word}}"}), "look")
    if packed is None:
        assert problems and all(str(one).startswith("look/word/front.html:1: ") for one in problems)
    else:
        assert problems == [] and look.types["word"].templates[0].front == packed


NOTES = {  # what a note of such a type may not be
    "# a {#aa .word}\n\n## Reading\n\nx": "the word note 'aa' lacks its Meaning (put it under the heading)",
    "# a {#aa .word}\n\nb\n\n## Trap\n\nx": "unknown section 'Trap' of a word note (known: Example, Reading, Source)",
    "# a {#aa .word once}\n\nb": "'once' in the braces of a word note has no meaning ({#id .type})",
    "# a {#aa .reversed twice}\n\nb": "'twice' in the braces of a reversed note has no meaning (known: once)",
    "# a {#aa .typed}\n\n**b**": "what is typed is more than a line of plain text",
    "# a {#aa .typed}\n\nb\n\nc": "what is typed is more than a line of plain text",
    "# a {#aa .typed}\n\n$b$": "what is typed is more than a line of plain text",
    "# a {#aa .bare}\n\nb": "text under the heading of a bare note, which has no field for it",
    "# a {#aa .bare}\n\n## Depth\n\nb": "the note 'aa' has no card (the front of 'Card' is empty: fill what it shows)",
    "# a {#aa .loud}\n\n## Depth\n\nb": "the front of the card 'Card' would show nothing of the note 'aa'",
}
BARE = "name: bare\nkind: basic\nheading:\nsections: [Ask, Depth]\nfields: [Id, Ask, Depth]\ntemplates: [{name: Card, front: f.html, back: f.html}]\n"
BARES = {"bare/type.yml": BARE, "bare/f.html": "{{Ask}}", "loud/type.yml": BARE, "loud/f.html": "{{Id}} {{Ask}}"}


@pytest.mark.parametrize("text", NOTES)
def test_a_note_that_its_type_does_not_take(text: str, tmp_path: Path):
    done = deck(tmp_path, look={**LOOK, **BARES}, topic=f"{text}\n").run("check")
    assert done.status == 1 and NOTES[text] in done.err and done.err.count("cards/topic.md:") == 1, done.err


def test_a_claim_on_a_note_that_shows_none(tmp_path: Path):
    front = "---\nruns:\n  full: {kernel: training_memory, parameters: 70e9}\n"
    claim = "claims:\n  - {says: The gradients take more., holds: full.gradients > full.optimizer, verdict: wrong}\n---\n"
    done = deck(tmp_path, topic=f"{front}{claim}# a {{#aa .word}}\n\nb\n").run("deck")
    assert "cards/topic.md:5: a word note shows no claims (its note type lacks the field Claims)" in done.err


# -------------------------------------------------------------------------------------- deck.yml of two lines


def test_folders_are_subdecks_and_loose_files_lie_in_the_deck(tmp_path: Path):
    note = "# a {#%s}\n\nb\n"
    files = {"zoo.md": note % "zoo", "a-first.md": note % "first", "Big cats/lion.md": note % "lion", "birds/b.md": note % "bird", "notes/x.txt": ""}
    made = read(put(tmp_path, {"deck.yml": "name: Words\nid: 7\n", **files}))
    found = [(written.id, written.deck) for written in made.notes]
    assert found == [("first", "Words"), ("zoo", "Words"), ("lion", "Words::Big cats"), ("bird", "Words::birds")]
    assert (made.slug, made.version, made.devices, made.warnings) == ("words", "", (), ())


def test_subdecks_without_topics_go_by_name(tmp_path: Path):
    files = {f"pets/{name}.md": f"# a {{#the-{name}}}\n\nb\n" for name in ("dog", "cat")}
    made = read(put(tmp_path, {"deck.yml": "name: Words\nid: 7\nsubdecks: {pets: {name: Pets}}\n", **files}))
    assert [written.id for written in made.notes] == ["the-cat", "the-dog"] and made.warnings == ()


@pytest.mark.parametrize(("name", "slug"), [("Übungen: Spanisch!", "ubungen-spanisch"), ("日本語", "deck"), ("Collection", "deck"), ("A::B", "a-b")])
def test_a_package_is_named_after_the_deck(name: str, slug: str, tmp_path: Path):
    assert read(put(tmp_path, {"deck.yml": f"name: '{name}'\nid: 7\n", "a.md": "# a {#aa}\n\nb\n"})).slug == slug


def test_tags_are_free_where_none_are_listed_but_for_their_form(tmp_path: Path):
    note = "---\ntags: [%s]\n---\n# a {#aa}\n\nb\n"
    assert read(put(tmp_path, {"deck.yml": "name: W\nid: 7\n", "a.md": note % "verbs, año::dos"})).notes[0].tags == ("verbs", "año::dos")
    with pytest.raises(DeckError) as raised:
        read(put(tmp_path, {"a.md": note % "'two words', 'x::'"}))
    assert [problem.message for problem in raised.value.problems] == ["'two words' can be no tag", "'x::' can be no tag"]
    with pytest.raises(DeckError, match="unlisted tag 'verb'"):
        read(put(tmp_path, {"deck.yml": "name: W\nid: 7\ntags: [verbs]\n", "a.md": note % "verb"}))


@pytest.mark.parametrize("id", ["id: 0", "id: your number", "id:", "id: -5", "id: 1.5", f"id: {2**53}", "id: true", "id: '7'", ""])
def test_an_id_that_is_none_is_refused_with_one_to_take(id: str, tmp_path: Path):
    taken = set()
    for _ in range(2):
        with pytest.raises(DeckError) as raised:
            read(put(tmp_path, {"deck.yml": f"name: W\n{id}\n", "a.md": "# a {#aa}\n\nb\n"}))
        (problem,) = raised.value.problems
        taken.add(re.search(r"take (\d+)", problem.hint)[1])  # type: ignore[index]
    assert len(taken) == 2
    put(tmp_path, {"deck.yml": f"name: W\nid: {taken.pop()}\n"})
    assert read(tmp_path).id >= 10**12


def test_a_fresh_id_has_room_for_what_follows_from_it():
    for id in (fresh_id() for _ in range(100)):
        assert id % SPAN == 0 and 10**12 <= id < 1.7 * 10**12
        kinds = look_of("W", id)[0].types.values() if id % 3 == 0 else ()
        assert all(0 < number < 2**53 for kind in kinds for number in (kind.id, *kind.fields.values()))


# ---------------------------------------------------------------------------------------------- cards that there are

FIELDS = ("A", "B", "C")


def fronts(count: int) -> Iterator[str]:
    """Templates made at random."""
    draw = random.Random(11)

    def part(depth: int) -> str:
        field = draw.choice((*FIELDS, "Tags", "FrontSide") if depth else FIELDS)
        sort = draw.randrange(5)
        if sort == 0:
            return "text "
        if sort in (1, 2) or depth > 2:
            return f"{{{{{draw.choice(('', 'text:', 'hint:', 'type:'))}{field}}}}}"
        field = draw.choice(FIELDS)
        return f"{{{{{'#^'[sort - 3]}{field}}}}}{''.join(part(depth + 1) for _ in range(draw.randrange(3)))}{{{{/{field}}}}}"

    for _ in range(count):
        yield "".join(part(0) for _ in range(draw.randrange(1, 4)))


def test_the_cards_of_a_note_are_anki_s(tmp_path: Path):
    anki = pytest.importorskip("anki.collection")
    col = anki.Collection(str(tmp_path / "collection.anki2"))
    texts = {"": (" ", "<br>", "<div></div>\n"), "x": ("x", "&nbsp;", "<p></p>")}
    draw, seen = random.Random(12), set()
    for number, front in enumerate(fronts(60)):
        kind = col.models.new(f"T{number}")
        for field in FIELDS:
            col.models.add_field(kind, col.models.new_field(field))
        for name, text in (("Sure", "{{A}}{{B}}{{C}}sure"), ("Asked", f"{front} {{{{A}}}}" if "{{" not in front else front)):
            template = col.models.new_template(name)
            template["qfmt"], template["afmt"] = text, "back"
            col.models.add_template(kind, template)
        try:
            col.models.add(kind)
        except Exception as error:  # Anki refuses a front that shows no field
            assert "front" in str(error).lower() or "field" in str(error).lower()
            continue
        kind = col.models.by_name(f"T{number}")
        for chosen in itertools.product(("", "x"), repeat=3):
            if not any(chosen):
                continue
            note = col.new_note(kind)
            for field, sort in zip(FIELDS, chosen, strict=True):
                note[field] = draw.choice(texts[sort])
            col.add_note(note, 1)
            ours = asks(kind["tmpls"][1]["qfmt"], {field for field, sort in zip(FIELDS, chosen, strict=True) if sort})
            assert (1 in {card.ord for card in note.cards()}) == ours, (front, chosen)
            seen.add(ours)
    col.close()
    assert seen == {True, False}


# --------------------------------------------------------------------------------------------- in the real Anki


def test_every_card_arrives_renders_and_finds_its_files(tmp_path: Path):
    learning = pytest.importorskip("test_anki")
    shop = deck(tmp_path)
    shop.run("deck")
    learner = learning.Learner(tmp_path / "collection.anki2")
    assert learner.takes(tmp_path / "build" / "words.apkg").new == 7
    cards = {id: [card.ord for card in learner.cards(id)] for id in notes_of(tmp_path)}
    assert cards == {"perro": [0, 1], "gato": [0, 1, 2], "caballo": [0, 1], "burro": [0], "vaca": [0], "raton": [0], "jabali": [0]}
    for id in cards:
        for front, back in learner.renders(id):
            assert not re.search(r"\{\{|no field|Found |Unknown|is blank", front + back), (id, front, back)
            assert 'id="answer"' in back
    assert "<ruby><rb>gato</rb><rt>ga to</rt></ruby>" in list(learner.renders("gato"))[2][0]
    assert "[[type:nc:Answer]]" in next(learner.renders("raton"))[0] and "[[type:Answer]]" in next(learner.renders("jabali"))[0]
    check = learner.col.media.check()
    assert list(check.missing) == [] and list(check.unused) == [] and len(learner.media()) == 2
    assert learner.col.get_empty_cards().report == ""
    before = learner.col.card_count()
    assert learner.col.fix_integrity()[1] and learner.col.card_count() == before == 11
    learner.col.close()


def notes_of(folder: Path, package: str = "words") -> list[str]:
    return [dict(zip(fields_of(folder, package, mid), text.split("\x1f"), strict=True))["Id"] for mid, text in flds(folder, package)]


def flds(folder: Path, package: str) -> list[tuple]:
    return rows(folder / "build" / f"{package}.apkg", "select mid, flds from notes")


def fields_of(folder: Path, package: str, mid: int) -> list[str]:
    ((models,),) = rows(folder / "build" / f"{package}.apkg", "select models from col")
    return [field["name"] for field in json.loads(models)[str(mid)]["flds"]]


@pytest.mark.parametrize(
    ("expected", "typed", "loose", "right"),
    [
        ("ratón", "ratón", True, True),
        ("ratón", "raton", True, True),
        ("ratón", "raton", False, False),
        ("ratón", "ratón", False, True),
        ("ratón", "Ratón", True, False),
        ("5 GB", "5 GB", False, True),
        ("a &lt; b &amp; c", "a < b & c", False, True),
    ],
)
def test_what_anki_takes_for_equal(expected: str, typed: str, loose: bool, right: bool, tmp_path: Path):
    """As cards/README.md has it: spaces are a keyboard's, capitals count, accents do unless the note says any-accent."""
    anki = pytest.importorskip("anki.collection")
    word = "any-accent" if loose else ""
    shop = deck(tmp_path, topic=f"# q {{#aa .typed {word}}}\n\n{expected}\n")
    shop.run("deck")
    ((_, text),) = flds(tmp_path, "words")
    answer = dict(zip(look_of("W", 1)[0].types["typed"].fields, text.split("\x1f"), strict=True))["Answer"]
    col = anki.Collection(str(tmp_path / "collection.anki2"))
    said = col.compare_answer(answer, typed, not loose)
    col.close()
    assert ("typeBad" not in said and "typeMissed" not in said) == right, said


def test_two_decks_leave_each_other_alone(tmp_path: Path):
    learning = pytest.importorskip("test_anki")
    one, other = deck(tmp_path / "one"), deck(tmp_path / "other", "Palabras", 1_600_000_000_000, look={**LOOK, "style.css": ".card { color: red; }"})
    for shop, now in ((one, FIRST), (other, SECOND)):
        assert shop.run("deck", now=now).status == 0
    learner = learning.Learner(tmp_path / "collection.anki2")
    learner.takes(one.folder / "build" / "words.apkg")
    kinds, texts = types_in(learner), learner.texts()
    took = learner.takes(other.folder / "build" / "palabras.apkg")
    assert (took.new, took.updated, took.same, took.conflicting) == (7, 0, 0, 0)
    now = types_in(learner)
    assert {name: now[name] for name in kinds} == kinds and all(name.startswith(("Words: ", "Palabras: ")) for name in now.keys() - STOCK)
    assert len(now) == len(kinds) + 4 and len(learner.col.find_notes("")) == 14
    (paw,) = [name for name in learner.media() if name.endswith(".svg")]
    assert paw in str(kinds)
    again = learner.takes(one.folder / "build" / "words.apkg")
    assert (again.new, again.updated, again.same) == (0, 0, 7) and types_in(learner) == now
    assert all(row in learner.col.db.all("select mod, tags, flds from notes") for row in map(list, texts.values()))
    learner.col.close()


STOCK = {"Basic", "Basic (and reversed card)", "Basic (optional reversed card)", "Basic (type in the answer)", "Cloze", "Image Occlusion"}


def types_in(learner) -> dict[str, tuple]:
    return {kind["name"]: (kind["id"], kind["css"], str(kind["tmpls"]), str(kind["flds"])) for kind in learner.col.models.all()}


# -------------------------------------------------------------------------------------------- what an edit costs


def test_an_edit_of_the_style_touches_types_and_no_note(tmp_path: Path):
    shop = deck(tmp_path)
    shop.run("deck", now=FIRST)
    before = notes(tmp_path / "build" / "words.apkg")
    shop.edit("look/style.css", ("h1", "h2"))
    shop.run("deck", now=SECOND)
    assert notes(tmp_path / "build" / "words.apkg") == before
    lock = (tmp_path / "cards" / "deck.lock").read_text(encoding="utf-8")
    assert lock.count(f'"mod": {SECOND}') == 4 and lock.count(f'"mod": {FIRST}') == 7


EDITS = {
    "look/word/read.html": ("{{furigana:Reading}}", "{{kana:Reading}}"),
    "look/word/produce.html": ("{{Meaning}}", "{{#Reading}}{{Meaning}}{{/Reading}}"),
    "look/word/type.yml": ("name: word", "name: vocable"),
    "look/style.css": ("card h1", "card h2"),
    "look/paw.svg": ("#b06f00", "#116329"),
    "deck.yml": ("Words", "Other words"),
    "animals.md": ("{#burro .reversed once}", "{#burro .reversed}"),
}


@pytest.mark.parametrize("where", EDITS)
def test_an_edited_deck_is_what_a_clean_build_makes_of_it(where: str, tmp_path: Path):
    shop = deck(tmp_path / "edited")
    put(shop.folder / "cards", {"deck.yml": "name: Words\nid: 1500000000000\nslug: words\n"})
    shop.run("deck", idle=True)
    shop.run("preview", idle=True)
    shop.edit(where, EDITS[where])
    package, page = shop.folder / "build" / "words.apkg", shop.folder / "build" / "preview" / "index.html"
    old = package.read_bytes()
    made = []
    for _ in range(2):
        assert [shop.run(command, now=SECOND, idle=True).err for command in ("deck", "preview")] == ["", ""]
        made.append((package.read_bytes(), re.sub(r'"statuses":\{[^}]*\}', "", page.read_text(encoding="utf-8"))))
        shop.forgets()
    assert made[0] == made[1] and made[0][0] != old


def test_the_preview_and_the_media_folder_hold_the_look_s_files(tmp_path: Path):
    shop = deck(tmp_path)
    shop.run("deck")
    shop.run("preview")
    for folder in ("media", "preview/media"):
        assert len(list((tmp_path / "build" / folder).iterdir())) == 2
    page = (tmp_path / "build" / "preview" / "index.html").read_text(encoding="utf-8")
    assert '"name":"Recognise"' in page and page.count('"ordinal"') == 11
    assert "2 files" in shop.run("deck").out


def test_the_test_decks_have_every_note_type():
    text = CARDS + CHOICE + SKETCH + OCCLUSION + "".join(path.read_text(encoding="utf-8") for path in TEST_DECK.rglob("*.md"))
    assert all(f".{key}}}" in text for key in look_of("W", 1)[0].types if key != "qa")


def test_types_are_values():
    """Two of one content are equal, so that what is kept can be held against what is new."""
    kind = look_of("W", 1)[0].types["qa"]
    assert kind == look_of("W", 1)[0].types["qa"] and isinstance(kind, NoteType)
