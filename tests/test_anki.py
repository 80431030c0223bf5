"""The real Anki as the judge: a release imported into a fresh collection, studied, and updated by the next release."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from workshop import CHOICE, FIRST, OCCLUSION, SECOND, SKETCH, THIRD, Workshop

pytest.importorskip("anki", reason="the anki library is not installed")
import anki.lang
from anki.collection import Collection, ImportAnkiPackageOptions, ImportAnkiPackageRequest
from anki.template import TemplateRenderContext
from our_types import note_types

from generator.resolve.formats import bare, parse_format
from generator.resolve.quantity import PURE, Quantity

FAULT = re.compile(r"\{\{(?!c\d)|\[\[(?!type:Expected\]\])|No cloze|Found |no field|None|Undefined")
TYPES = [note_types()[key] for key in ("cloze", "numeric", "qa", "trap")]  # of the test deck; look/test_types.py has the others
CARDS_OF = {  # note id -> its cards, in reading order
    "adam-bytes": 1,
    "frozen": 1,
    "gradients": 1,
    "states": 2,
    "ridge": 1,
    "warp": 1,
    "block": 1,
    "copy-rate": 1,
    "paging": 1,
}


class Learner:
    """A collection, and what its owner does with it."""

    def __init__(self, path: Path):
        anki.lang.set_lang("en")
        self.col = Collection(str(path))

    def takes(self, package: Path, **options: Any) -> SimpleNamespace:
        """Imports a package with Anki's own defaults; returns how many notes it took in which way."""
        request = ImportAnkiPackageRequest(package_path=str(package), options=ImportAnkiPackageOptions(**options))
        log = self.col.import_anki_package(request).log
        self.col.models._clear_cache()
        return SimpleNamespace(new=len(log.new), updated=len(log.updated), same=len(log.duplicate), conflicting=len(log.conflicting))

    def note(self, id: str) -> Any:
        (found,) = self.col.find_notes(f"Id:{id}")
        return self.col.get_note(found)

    def cards(self, id: str) -> list[Any]:
        return self.note(id).cards()

    def texts(self) -> dict[str, tuple[int, str, str]]:
        """note id -> mod, tags and fields."""
        found = self.col.db.all("select mod, tags, flds from notes")
        return {fields.split("\x1f")[0]: (mod, tags, fields) for mod, tags, fields in found}

    def schedules(self) -> list[list[Any]]:
        """Everything that studying wrote, of every card and review."""
        columns = "id, nid, did, ord, type, queue, due, ivl, factor, reps, lapses, left, flags, data"
        return [*self.col.db.all(f"select {columns} from cards order by id"), *self.col.db.all("select * from revlog order by id")]

    def media(self) -> set[str]:
        return {path.name for path in Path(self.col.media.dir()).iterdir()}

    def renders(self, id: str) -> Iterator[tuple[str, str]]:
        """Front and back of each card of a note; Anki raises where a template is at fault."""
        for card in self.cards(id):
            TemplateRenderContext.from_existing_card(card, False)._partially_render()
            yield card.question(), card.answer()

    def studies(self) -> None:
        """Reviews cards with every answer, suspends one note, flags another, buries none."""
        self.col.decks.select(self.col.decks.id_for_name("Test interviews"))
        for answer in (1, 2, 3, 4, 3):
            card = self.col.sched.getCard()
            card.start_timer()
            self.col.sched.answerCard(card, answer)
        self.col.sched.suspend_cards([card.id for card in self.cards("frozen")])
        self.col.set_user_flag_for_cards(3, [card.id for card in self.cards("paging")])
        self.col.sched.set_due_date([card.id for card in self.cards("ridge")], "30")

    def edits(self, id: str, field: str, text: str, tag: str) -> None:
        note = self.note(id)
        note[field] = text
        note.tags.append(tag)
        self.col.update_note(note)
        self.col.db.execute("update notes set mod = ? where id = ?", FIRST + 1000, note.id)  # edited between the releases


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[Learner]:
    made = Learner(tmp_path / "collection.anki2")
    yield made
    made.col.close()


@pytest.fixture
def studied(learner: Learner, shop: Workshop) -> Learner:
    """A learner who has taken the first release and worked with it."""
    learner.takes(shop.package)
    learner.studies()
    return learner


# ------------------------------------------------------------------------------------------- the first import


def test_everything_arrives(learner: Learner, shop: Workshop):
    took = learner.takes(shop.package)
    assert (took.new, took.updated, took.same, took.conflicting) == (9, 0, 0, 0)
    assert {id: len(learner.cards(id)) for id in CARDS_OF} == CARDS_OF
    assert learner.col.card_count() == sum(CARDS_OF.values())
    assert learner.note("adam-bytes").tags == ["memory"] and learner.note("copy-rate").tags == ["memory", "speed"]
    assert {learner.note(id).note_type()["name"] for id in CARDS_OF} == {t.name for t in TYPES}


def test_nothing_is_missing(learner: Learner, shop: Workshop):
    learner.takes(shop.package)
    check = learner.col.media.check()
    assert list(check.missing) == [] and list(check.unused) == []
    assert len(learner.media()) == 4
    assert learner.col.get_empty_cards().report == ""
    cards = learner.col.card_count()
    problems, sound = learner.col.fix_integrity()
    assert sound and learner.col.card_count() == cards, problems


def test_every_card_of_every_type_renders(learner: Learner, shop: Workshop):
    learner.takes(shop.package)
    for id in CARDS_OF:
        for front, back in learner.renders(id):
            for side in (front, back):
                assert not FAULT.search(side), (id, side)
            assert 'id="answer"' in back and learner.note(id)["Id"] == id
    assert '<span class="num">1,120\u202fGB</span>' in learner.note("adam-bytes")["Answer"]
    assert "measured" not in next(learner.renders("copy-rate"))[1]
    assert "14" in next(learner.renders("gradients"))[1] and learner.note("gradients")["Expected"] == "14"
    assert r"\(N &lt; 10^{11}\)" in learner.note("adam-bytes")["Answer"]
    first, second = learner.renders("states")
    assert "[how many?]" in first[0] and "master copy" in first[0]
    assert "two moments" in second[0] and "[...]" in second[0]


def test_new_cards_come_in_reading_order(learner: Learner, shop: Workshop):
    learner.takes(shop.package)
    assert [learner.note(id).cards()[0].due for id in CARDS_OF] == sorted({card.due for id in CARDS_OF for card in learner.cards(id)})
    assert {card.due for card in learner.cards("states")} == {learner.cards("states")[0].due}
    assert all(card.type == card.queue == 0 for id in CARDS_OF for card in learner.cards(id))


def test_decks_and_their_description(learner: Learner, shop: Workshop):
    learner.takes(shop.package)
    names = {entry.name for entry in learner.col.decks.all_names_and_ids()}
    assert names - {"Default"} == {"Test interviews", "Test interviews::Training", "Test interviews::Serving"}
    deck = learner.col.decks.by_name("Test interviews")
    assert "Version 7" in deck["desc"] and "https://example.org/deck" in deck["desc"] and "overwrites your edits" in deck["desc"]
    assert learner.col.decks.name(learner.cards("paging")[0].did) == "Test interviews::Serving"


PRESET = 1720310998  # the deck's own id
OURS = ("Test interviews", "Test interviews::Training", "Test interviews::Serving")


def options_of(learner: Learner) -> dict[str, int]:
    """Deck -> its preset."""
    return {deck["name"]: deck["conf"] for deck in learner.col.decks.all()}


def test_the_preset_arrives_only_if_it_is_asked_for(learner: Learner, shop: Workshop):
    learner.col.decks.id("Of their own")
    before = {one["id"]: one for one in learner.col.decks.all_config()}
    learner.takes(shop.package)
    assert set(options_of(learner).values()) == {1} and {one["id"]: one for one in learner.col.decks.all_config()} == before
    learner.takes(shop.package, with_deck_configs=True)
    assert options_of(learner) == {"Default": 1, "Of their own": 1, **dict.fromkeys(OURS, PRESET)}
    preset = learner.col.decks.get_config(PRESET)
    assert {one["id"]: one for one in learner.col.decks.all_config()} == {**before, PRESET: preset}
    assert (preset["name"], preset["new"]["perDay"], preset["rev"]["perDay"]) == ("Test interviews", 10, 200)
    assert preset["new"]["bury"] and preset["rev"]["bury"] and preset["buryInterdayLearning"] and preset["lapse"]["leechAction"] == 1
    assert preset["desiredRetention"] == 0.9 and not any(preset[f"fsrs{what}"] for what in ("Weights", "Params5", "Params6"))
    words = "10 new cards and at most 200 reviews a day, retention 0.9 with FSRS, siblings buried, leeches tagged and not suspended"
    assert words in learner.col.decks.by_name("Test interviews")["desc"]


@pytest.mark.parametrize("asked", [False, True])
def test_what_a_learner_changes_in_the_preset_stays(asked: bool, learner: Learner, shop: Workshop):
    learner.takes(shop.package, with_deck_configs=True)
    preset = learner.col.decks.get_config(PRESET)
    preset["new"]["perDay"], preset["name"] = 3, "slowly"
    learner.col.decks.update_config(preset)
    own = learner.col.decks.add_config("of my own")
    serving = learner.col.decks.by_name("Test interviews::Serving")
    serving["conf"] = own["id"]
    learner.col.decks.save(serving)
    configs = {one["id"]: one for one in learner.col.decks.all_config()}
    shop.edit("deck.yml", ("description: ", "study: {new: 33, reviews: 1, retention: 0.85}\ndescription: "))
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))
    assert learner.takes(shop.release(SECOND, "8"), with_deck_configs=asked).updated == 1
    assert {one["id"]: one for one in learner.col.decks.all_config()} == configs
    assert options_of(learner)["Test interviews::Serving"] == (PRESET if asked else own["id"])  # asked again, Anki puts the deck back on ours


def test_the_numbers_of_the_preset(learner: Learner, shop: Workshop):
    shop.edit("deck.yml", ("description: ", "study: {new: 1, reviews: 9999, retention: 0.85}\ndescription: "))
    learner.takes(shop.release(SECOND, "8"), with_deck_configs=True)
    preset = learner.col.decks.get_config(PRESET)
    assert (preset["new"]["perDay"], preset["rev"]["perDay"], round(preset["desiredRetention"], 6)) == (1, 9999, 0.85)
    assert "1 new card and at most 9,999 reviews a day, retention 0.85" in learner.col.decks.by_name("Test interviews")["desc"]


def test_a_second_import_changes_nothing(studied: Learner, shop: Workshop):
    texts, schedules = studied.texts(), studied.schedules()
    took = studied.takes(shop.package)
    assert (took.new, took.updated, took.same) == (0, 0, 9)
    assert studied.texts() == texts and studied.schedules() == schedules
    assert len(studied.col.models.all_names_and_ids()) == len({entry.name.rstrip("+") for entry in studied.col.models.all_names_and_ids()})


def test_decks_apart_meet_the_whole_deck(learner: Learner, shop: Workshop):
    shop.build(SECOND, "--each")
    for folder in ("training", "serving"):
        learner.takes(shop.folder / "build" / f"test-interviews-{folder}.apkg")
    before = learner.texts()
    assert set(before) == set(CARDS_OF)
    took = learner.takes(shop.package)
    assert (took.new, took.updated, took.same) == (0, 0, 9) and learner.texts() == before


# ---------------------------------------------------------------------------------------------- what is typed


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], dict[str, list[str]]]]:
    """Anki's own comparison: what it marks as Good, Bad (typed and wrong) and Missed, in order."""
    anki.lang.set_lang("en")
    col = Collection(str(tmp_path_factory.mktemp("compared") / "collection.anki2"))

    def marks(expected: str, typed: str) -> dict[str, list[str]]:
        found = re.findall(r"<span class=type(Good|Bad|Missed)>(.*?)</span>", col.compare_answer(expected, typed))
        return {kind: [text for one, text in found if one == kind] for kind in ("Good", "Bad", "Missed")}

    yield marks
    col.close()


def test_a_right_number_is_never_marked_wrong(compared: Callable[[str, str], dict[str, list[str]]]):
    """Of every size and sign, exact or rounded: as the card shows it, or with fewer zeros at its end."""
    digits = [Decimal(number) for number in (*range(100, 1000, 7), 100, 110, 200, 280, 500, 990, 999)]
    for value in (sign * number.scaleb(power) for number in digits for power in range(-6, 9) for sign in (1, -1)):
        for asked in ("1", "2", "3", "4", "5", "exact"):
            expected = bare(Quantity(float(value), PURE), replace(parse_format(asked), padded=True))
            assert compared(expected, expected) == {"Good": [expected], "Bad": [], "Missed": []}
            shortest = expected.rstrip("0").rstrip(".") if "." in expected else expected
            for typed in {shortest, *(expected[:end] for end in range(len(shortest), len(expected)))}:
                assert compared(expected, typed)["Bad"] == [], (expected, typed)


@pytest.mark.parametrize(
    ("expected", "typed", "bad"),
    [
        ("2.80", "2.8", []),
        ("16.0", "16", []),
        ("2.8", "2.80", ["0"]),  # so the zero is expected where it is shown
        ("16", "16.0", [".0"]),
        ("1120", "1120", []),
        ("1120", "1,120", [","]),
        ("10,000", "10000", ["0"]),  # so no separator is: who leaves it out is told of a wrong digit
        ("-2.80", "-2.8", []),
        ("\u22122.80", "-2.8", ["-"]),  # so the minus is the one of keyboards
        ("2.80", "2.81", ["1"]),
        ("2.80", "3.80", ["3"]),
        ("2800000000", "2.8e9", [".", "e9"]),  # so the author's unit is one in which it is short
    ],
)
def test_how_anki_compares(compared: Callable[[str, str], dict[str, list[str]]], expected: str, typed: str, bad: list[str]):
    assert compared(expected, typed)["Bad"] == bad


def test_a_typed_answer_on_its_card(learner: Learner, shop: Workshop):
    shop.edit("training/memory.md", ("[[small.gradients | GB 2]]", "[[small.gradients | GB]]"), ("to 2 significant", "to 3 significant"))
    learner.takes(shop.build(SECOND))
    assert learner.note("gradients")["Expected"] == "14.0" and "14.0\u202fGB" in learner.note("gradients")["Answer"]
    assert 'class="side typed">[[type:Expected]]' in next(learner.renders("gradients"))[1]


# ------------------------------------------------------------------------------------------ what is chosen from


def test_options_keep_their_order_over_releases(learner: Learner, shop: Workshop):
    path = shop.folder / "cards/training/memory.md"
    (path.parent / "choices.md").write_text(CHOICE, encoding="utf-8")
    assert learner.takes(shop.release(FIRST, "8")).new == 10
    ((front, back),) = learner.renders("offered")
    note, before = learner.note("offered"), learner.note("offered").fields
    values = re.findall(r'<li><span class="num">(.*?)</span></li>', note["Options"])
    assert sorted(values) == ["1,660\u202fGB", "156\u202fGB", "182\u202fGB", "208\u202fGB"]
    letter = "ABCD"[values.index("208\u202fGB")]
    assert note["Options"] in front and f'{letter}\u202f✓</b> <span class="num">208' in note["Answer"] and "forgotten" not in front
    assert note["Answer"] in back and re.findall("([A-D])\u202f✗", note["Mistakes"]) == [one for one in "ABCD" if one != letter]
    shop.edit("training/choices.md", ("one moment forgotten", "the second moment forgotten"), ("mid.total * 8", "mid.total * 4"))
    took = learner.takes(shop.build(SECOND))
    assert (took.new, took.updated) == (0, 1)
    changed = learner.note("offered")
    after = re.findall(r'<li><span class="num">(.*?)</span></li>', changed["Options"])
    assert [(old, new) for old, new in zip(values, after, strict=True) if old != new] == [("1,660\u202fGB", "832\u202fGB")]
    assert "the second moment forgotten" in changed["Mistakes"] and changed["Answer"] == note["Answer"] and changed.fields != before


# ------------------------------------------------------------------------------------------ before and after


def test_a_sketch_shows_its_axes_first_and_keeps_its_schedule(learner: Learner, shop: Workshop):
    path = shop.folder / "cards/training/drawn.md"
    path.write_text(SKETCH, encoding="utf-8")
    assert learner.takes(shop.release(FIRST, "8")).new == 10
    ((front, back),) = learner.renders("drawn")
    shown = [re.findall(r'<img class="(light|dark)" src="([^"]+)" alt="([^"]+)"', side) for side in (front, back)]
    assert [theme for theme, *_ in shown[0]] == [theme for theme, *_ in shown[1]] == ["light", "dark"]
    assert all(name.startswith("attention-flops-before-") and alt.startswith("To be drawn: ") for _, name, alt in shown[0])
    assert all(not name.startswith("attention-flops-before-") and "half at 49.2k" in alt for _, name, alt in shown[1])
    assert {name for side in shown for _, name, _ in side} <= learner.media()
    assert "half at" not in front and "towards all of it" not in front and back.index('id="answer"') < back.index(shown[1][0][1])
    before = learner.schedules()
    shop.edit("training/drawn.md", ("before: series", "before: d = 4,096"))
    took = learner.takes(shop.build(SECOND))
    assert (took.new, took.updated) == (0, 1) and learner.schedules() == before
    ((front, changed),) = learner.renders("drawn")
    assert "Shown: d = 2,048, d = 12,288." in front and changed == back


# --------------------------------------------------------------------------------------- what is hidden in a picture


def shapes(learner: Learner, id: str) -> dict[int, list[str]]:
    """What Anki's own reader finds in the note: mask number -> its shapes, each with its properties."""
    note = learner.col._backend.get_image_occlusion_note(note_id=learner.note(id).id).note
    return {
        one.ordinal: [" ".join([shape.shape, *(f"{p.name}={p.value}" for p in shape.properties)]) for shape in one.shapes] for one in note.occlusions
    }


def test_anki_s_own_reader_knows_an_occlusion_note(learner: Learner, shop: Workshop):
    (shop.folder / "cards/training/masks.md").write_text(OCCLUSION, encoding="utf-8")
    assert learner.takes(shop.release(FIRST, "8")).new == 10
    note, kind = learner.note("masked"), learner.note("masked").note_type()
    assert [card.ord for card in note.cards()] == [0, 1, 2] and kind["originalStockKind"] == 6
    assert shapes(learner, "masked") == {
        1: ["polygon left=.03 top=.15 points=.03,.9 .03,.65 .4,.15 .5,.2 oi=1"],
        2: ["ellipse left=.4 top=.1 rx=.1 ry=.15 oi=1"],
        3: ["rect left=.5 top=.2 width=.45 height=.1 oi=1"],
    }
    read = learner.col._backend.get_image_occlusion_note(note_id=note.id).note
    assert (read.header, read.back_extra, read.occlude_inactive) == ("What lies where?", "<p>They meet.</p>", True)
    assert read.image_data == (shop.folder / "cards/media/roofline.svg").read_bytes() and read.image_file_name in note["Image"]
    numbers = learner.col._backend.get_image_occlusion_fields(note.mid)
    names = [field["name"] for field in kind["flds"]]
    assert [names[at] for at in (numbers.occlusions, numbers.image, numbers.header, numbers.back_extra)] == ["Occlusion", "Image", "Front", "Why"]
    sides = list(learner.renders("masked"))
    assert [re.findall(r'<span class="cloze"[^<>]*>(.*?)</span>', front) for front, _ in sides] == [["[what grows?]"], ["[?]"], ["[what stays?]"]]
    assert [re.findall(r'<span class="cloze"[^<>]*>(.*?)</span>', back) for _, back in sides] == [["the slope"], ["the ridge"], ["the roof"]]
    assert learner.col.get_empty_cards().report == "" and not list(learner.col.media.check().missing)


def test_a_mask_that_goes_moves_no_other_s_history(learner: Learner, shop: Workshop):
    path = shop.folder / "cards/training/masks.md"
    path.write_text(OCCLUSION, encoding="utf-8")
    learner.takes(shop.release(FIRST, "8"))
    learner.studies()
    learner.col.sched.set_due_date([card.id for card in learner.cards("masked")], "30")
    before = {card.ord: vars(card) for card in learner.cards("masked")}
    shop.edit("training/masks.md", ("2. the ridge (ellipse 0.4 0.1 0.2 0.3)\n3. the roof", "2. the roof"))
    refused = shop.run("deck", now=SECOND)
    assert (
        refused.status == 1 and "mask 2 hid 'the ridge' and now hides 'the roof', which fits what 3 hid (number it 3 under ## Masks;" in refused.err
    )
    shop.edit("training/masks.md", ("2. the roof", "3. the roof"))
    done = shop.run("deck", now=SECOND)
    assert "mask 2 is gone; learners keep its card, empty, until they run Empty Cards" in shop.run("check", now=SECOND).out, done.out
    took = learner.takes(shop.release(SECOND, "9"))
    assert (took.new, took.updated) == (0, 1) and shapes(learner, "masked").keys() == {1, 3}
    now = {card.ord: vars(card) for card in learner.cards("masked")}
    assert now.keys() == before.keys() and all(now[at]["due"] == before[at]["due"] and now[at]["ivl"] == before[at]["ivl"] for at in now)
    assert "the roof" in list(learner.renders("masked"))[2][1]


def test_one_mask_at_a_time(learner: Learner, shop: Workshop):
    text = OCCLUSION.replace(".occlusion}", ".occlusion hide-one}").replace("3. the roof", "1. the roof")
    (shop.folder / "cards/training/masks.md").write_text(text, encoding="utf-8")
    learner.takes(shop.release(FIRST, "8"))
    found = shapes(learner, "masked")
    assert {number: len(masks) for number, masks in found.items()} == {1: 2, 2: 1} and "oi=" not in str(found)
    assert "[what grows? · what stays?]" in next(learner.renders("masked"))[0]


def test_masks_wait_for_the_figure_s_measurement(learner: Learner, shop: Workshop):
    text = "---\nruns:\n  rate: {kernel: copy_bandwidth, size: 28672}\n---\n\n# Which is which? {#masked .occlusion}\n\n![[rate | hide: axis x]]\n"
    (shop.folder / "cards/training/masks.md").write_text(text, encoding="utf-8")
    assert learner.takes(shop.release(FIRST, "8")).new == 9
    shop.records("h100", 2.5e12)
    assert learner.takes(shop.release(SECOND, "9")).new == 1
    assert shapes(learner, "masked").keys() == {1} and [card.ord for card in learner.cards("masked")] == [0]


# ------------------------------------------------------------------------------------------------ the update


def kernel(shop: Workshop, *changes: tuple[str, str]) -> None:
    """Edits the kernel that the test deck cites."""
    shop.takes_kernels("training_memory", "copy_bandwidth")
    shop.edit("training_memory.py", *changes, under="library")


def reshape_figure(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's figure is drawn in another way, from the same numbers."""
    kernel(shop, ('plot.stacked_bars(ax, {"": {part: result[part] for part in PARTS}}, unit="B")', 'plot.bars(ax, {"": result["total"]}, unit="B")'))


def repaint_picture(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.edit("media/roofline.svg", ("#1f6feb", "#116329"))


def restyle(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.takes_look()
    style = shop.folder / "generator/look/style.css"
    style.write_text(f"{style.read_text(encoding='utf-8')}.new {{ color: red }}\n", encoding="utf-8")


CHANGES: dict[str, tuple[Callable[[Workshop, pytest.MonkeyPatch], None], set[str]]] = {
    "a text": (lambda shop, _: shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32")), {"warp"}),
    "a front": (lambda shop, _: shop.edit("training/pictures.md", ("What is a block?", "What is a thread block?")), {"block"}),
    "a number": (lambda shop, _: kernel(shop, ('"fp32": 4', '"fp32": 8')), {"adam-bytes"}),
    "a kernel's figure alone": (reshape_figure, {"adam-bytes"}),
    "a picture alone": (repaint_picture, {"ridge"}),
    "a tag alone": (lambda shop, _: shop.edit("training/pictures.md", ("tags: [speed]", "tags: [memory]")), {"ridge", "warp", "block"}),
    "a claim alone": (lambda shop, _: shop.edit("training/memory.md", ("says: Weights take", "says: The weights take")), {"adam-bytes"}),
    "the style alone": (restyle, set()),
    "a file's name": (lambda shop, _: (shop.folder / "cards/serving/cache.md").rename(shop.folder / "cards/serving/caches.md"), set()),
    "the order of the notes": (
        lambda shop, _: shop.edit(
            "training/pictures.md",
            ("# What is a block? {#block}\n\nThreads that share memory.\n", ""),
            ("# Where is", "# What is a block? {#block}\n\nThreads that share memory.\n\n# Where is"),
        ),
        set(),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_arrives_alone(change: str, studied: Learner, shop: Workshop, monkeypatch: pytest.MonkeyPatch):
    make, concerned = CHANGES[change]
    make(shop, monkeypatch)
    if change == "a file's name":
        shop.edit("deck.yml", ("topics: [cache]", "topics: [caches]"))
    texts, schedules, media = studied.texts(), studied.schedules(), studied.media()
    shop.build(SECOND - 1)
    report = json.loads((shop.folder / "build" / "report.json").read_text(encoding="utf-8"))
    assert {status: ids for status, ids in report["changes"].items() if ids} == ({"changed": sorted(concerned)} if concerned else {})
    package = shop.release(SECOND, "8")
    took = studied.takes(package)
    assert (took.new, took.updated, took.conflicting) == (0, len(concerned), 0)
    now = studied.texts()
    assert {id for id in now if now[id] != texts[id]} == concerned
    assert all(now[id][0] == SECOND for id in concerned)
    assert studied.schedules() == schedules
    if "figure" in change or "picture" in change:
        assert len(studied.media() - media) in (1, 2) and not list(studied.col.media.check().missing)
        assert all(name in now[next(iter(concerned))][2] for name in studied.media() - media)
    styles = [studied.col.models.get(t.id)["css"] for t in TYPES]
    assert all((".new { color: red }" in css) == (change == "the style alone") for css in styles)
    assert studied.takes(package).updated == 0


def test_a_number_changes_every_note_that_cites_it(studied: Learner, shop: Workshop):
    kernel(shop, ('"bf16": 2', '"bf16": 4'))
    shop.edit("training/memory.md", ("verdict: holds", "verdict: wrong"))
    assert studied.takes(shop.release(SECOND, "8")).updated == 3
    assert studied.note("gradients")["Expected"] == "28"
    assert "280\u202fGB" in studied.note("frozen")["Why it fails"]
    assert "1,400\u202fGB" in studied.note("adam-bytes")["Answer"]


def test_what_a_learner_wrote_on_unchanged_notes_stays(studied: Learner, shop: Workshop):
    studied.edits("block", "Answer", "My own words.", "hard")
    studied.edits("warp", "Answer", "Mine too.", "hard")
    before = studied.texts()
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))
    assert studied.takes(shop.release(SECOND, "8")).updated == 1
    assert studied.texts()["block"] == before["block"]
    assert studied.note("block").tags == ["hard", "speed"] and studied.note("block")["Answer"] == "My own words."
    assert studied.note("warp").tags == ["speed"] and "Exactly 32" in studied.note("warp")["Answer"]  # as the deck's description says


def test_drafts_between_two_releases_cost_a_learner_nothing(studied: Learner, shop: Workshop):
    """Whatever the author builds and takes back, of notes, ids, clozes and looks: what a learner gets is what the releases differ in."""
    studied.edits("block", "Answer", "My own words.", "hard")
    studied.edits("states", "Why", "My own why.", "hard")
    studied.edits("ridge", "Answer", "Gone with the correction.", "leech")
    studied.col.db.execute("update notes set mod = ? where id = ?", SECOND + 5, studied.note("ridge").id)  # touched between build and release
    texts, schedules = studied.texts(), studied.schedules()
    drafts = [
        ("training/pictures.md", ("Threads that share memory.", "Threads.")),
        ("training/memory.md", ("a {{c2::master copy}}", "a {{c2::master copy}}, and {{c3::gradients}}")),
        ("training/pictures.md", ("# What is a warp?", "# What is a grid? {#grid}\n\nAll blocks.\n\n# What is a warp?")),
        ("training/pictures.md", ("Thirty-two", "Exactly 32")),
    ]
    for now, (path, change) in enumerate(drafts, SECOND):
        shop.edit(path, change)
        shop.build(now)
    for now, (path, (old, new)) in enumerate(reversed(drafts[:3]), SECOND + 10):
        shop.edit(path, (new, old))
        shop.build(now)
    shop.edit("training/memory.md", ("a {{c2::master copy}}", "a {{c2::master copy}}, and {{c3::momentum}}"))  # the number was a draft's
    shop.build(SECOND + 20)
    shop.edit("training/memory.md", (", and {{c3::momentum}}", ""))
    shop.edit("training/pictures.md", ("# Where is", "# Where, exactly, is"))
    shop.build(SECOND + 3)
    took = studied.takes(shop.release(THIRD, "8"))
    assert (took.new, took.updated, took.same, took.conflicting) == (0, 2, 7, 0)
    now = studied.texts()
    assert {id for id in now if now[id] != texts[id]} == {"warp", "ridge"} and now["ridge"][0] == THIRD
    assert studied.note("block")["Answer"] == "My own words." and studied.note("states")["Why"] == "My own why."
    assert studied.schedules() == schedules and len(studied.col.db.list("select id from revlog")) >= 5
    assert "{{c3::" not in studied.note("states")["Text"] and not studied.col.get_empty_cards().report


def test_studying_goes_on_after_an_update_of_every_note(studied: Learner, shop: Workshop):
    shop.edit("deck.yml", ("tags: [memory, speed]", "tags: [memory, speed, all]"))
    for path, tags in (("training/memory.md", "[memory]"), ("training/pictures.md", "[speed]"), ("serving/cache.md", "[memory, speed]")):
        shop.edit(path, (f"tags: {tags}", f"tags: {tags[:-1]}, all]"))
    schedules = studied.schedules()
    assert studied.takes(shop.release(SECOND, "8")).updated == len(CARDS_OF)
    assert studied.schedules() == schedules and len(studied.col.db.list("select id from revlog")) >= 5
    assert all(card.queue == -1 for card in studied.cards("frozen"))
    assert [card.flags & 7 for card in studied.cards("paging")] == [3]
    assert studied.cards("ridge")[0].type == 2
    assert studied.takes(shop.release(THIRD, "9")).updated == 0


def test_a_retired_note_stays_with_the_learner(studied: Learner, shop: Workshop):
    before = studied.texts()
    shop.edit(
        "training/pictures.md",
        ("tags: [speed]\n", "tags: [speed]\nretired: {block: asked the same as warp}\n"),
        ("# What is a block? {#block}\n\nThreads that share memory.\n", ""),
    )
    took = studied.takes(shop.release(SECOND, "8"))
    assert (took.new, took.updated, took.same) == (0, 0, 8)
    assert studied.texts() == before


def test_what_is_measured_later_arrives_and_stays(studied: Learner, shop: Workshop):
    """A block comes with its record. A note that waits again, since the record is gone, stays as its learner has it."""
    shop.records("h100", 2.5e12)
    shop.edit("serving/cache.md", ("# Why page", "# How fast? {#fast}\n\n[[rate.bandwidth | TB/s]].\n\n# Why page"))
    took = studied.takes(shop.release(SECOND, "8"))
    assert (took.new, took.updated) == (1, 1) and "TB/s" in studied.note("copy-rate")["Answer"]
    before = studied.texts()
    (shop.folder / "records").rename(shop.folder / "away")
    took = studied.takes(shop.release(THIRD, "9"))
    assert (took.new, took.updated, took.same) == (0, 1, 8)
    assert studied.texts()["fast"] == before["fast"] and "TB/s" not in studied.note("copy-rate")["Answer"]


def more_fields(learner: Learner, kind: dict[str, Any]) -> None:
    learner.col.models.add_field(kind, learner.col.models.new_field("Mine"))


def more_templates(learner: Learner, kind: dict[str, Any]) -> None:
    more = learner.col.models.new_template("Mine")
    more["qfmt"], more["afmt"] = "{{Front}}?", "{{Answer}}"
    learner.col.models.add_template(kind, more)


def fields_moved(learner: Learner, kind: dict[str, Any]) -> None:
    learner.col.models.reposition_field(kind, kind["flds"][2], 1)


def fields_removed(learner: Learner, kind: dict[str, Any]) -> None:
    learner.col.models.remove_field(kind, kind["flds"][-1])


def other_names(learner: Learner, kind: dict[str, Any]) -> None:
    learner.col.models.rename_field(kind, kind["flds"][2], "Mine")
    kind["name"], kind["tmpls"][0]["name"] = "My type", "My card"


def other_looks(learner: Learner, kind: dict[str, Any]) -> None:
    kind["css"] += ".mine {}"
    kind["tmpls"][0]["qfmt"] += "mine"


CHANGED = {  # what a learner does with the note type -> whether notes are updated by default, by merging, by merging and updating always
    other_names: (True, True, True),
    other_looks: (True, True, True),
    more_fields: (False, True, True),
    more_templates: (False, True, True),
    fields_moved: (False, True, True),
    fields_removed: (False, False, True),
}
OPTIONS: list[dict[str, Any]] = [{}, {"merge_notetypes": True}, {"merge_notetypes": True, "update_notes": 1}]


@pytest.mark.parametrize("change", CHANGED, ids=lambda change: change.__name__)
def test_a_learner_who_changed_a_note_type(change: Callable[[Learner, dict[str, Any]], None], shop: Workshop, tmp_path: Path):
    """What the README says to such a learner is what Anki does; after an import that merged, the next one arrives by merging alone."""
    first = shop.package.rename(tmp_path / "first.apkg")
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))
    shop.edit("training/pictures.md", ("# What is a block?", "# What is a grid? {#grid}\n\nAll blocks.\n\n# What is a block?"))
    second = shop.release(SECOND, "8")
    shop.edit("training/pictures.md", ("Exactly 32", "Always 32"))
    third = shop.release(THIRD, "9")
    for arrives, options in zip(CHANGED[change], OPTIONS, strict=True):
        learner = Learner(tmp_path / f"{len(options)}.anki2")
        learner.takes(first)
        learner.studies()
        learner.edits("block", "Answer", "my own", "mine")
        kind = learner.note("warp").note_type()
        change(learner, kind)
        learner.col.models.update_dict(kind)
        learner.col.models._clear_cache()
        _happened(learner, FIRST)
        cards, took = learner.schedules(), learner.takes(second, **options)
        _happened(learner, SECOND)
        assert ("Exactly 32" in str(learner.note("warp").fields)) == arrives, options
        assert bool(took.conflicting) == (not arrives and not options) == learner.note("grid").note_type()["name"].endswith("+")
        assert ("my own" in str(learner.note("block").fields)) == ("update_notes" not in options)
        assert all(card in learner.schedules() for card in cards)
        learner.takes(third, **{**options, "update_notes": 0} if options else {})
        assert ("Always 32" in str(learner.note("warp").fields)) == (arrives or bool(options)), options
        learner.col.close()


def _happened(learner: Learner, release: int) -> None:
    """What the collection says of now was a while after a release, and before the next."""
    for table, time in (("notes", "mod"), ("notetypes", "mtime_secs")):
        learner.col.db.execute(f"update {table} set {time} = ? where {time} > ?", release + 1000, release)


def test_a_moved_note_stays_in_its_old_deck(studied: Learner, shop: Workshop):
    shop.edit("serving/cache.md", ("# Why page the cache? {#paging}\n\nTo waste none of it.\n", ""))
    shop.edit("training/pictures.md", ("# What is a warp?", "# Why page the cache? {#paging}\n\nTo waste none of it.\n\n# What is a warp?"))
    done = shop.releases(SECOND, "8")
    assert done.status == 0 and "the note moves to 'Test interviews::Training'" in done.out
    schedules = studied.schedules()
    studied.takes(shop.package)
    assert studied.schedules() == schedules
    assert studied.col.decks.name(studied.cards("paging")[0].did) == "Test interviews::Serving"


def test_a_new_note_and_a_new_cloze_number_arrive(studied: Learner, shop: Workshop):
    shop.edit("training/memory.md", ("a {{c2::master copy}}", "a {{c2::master copy}}, and {{c3::gradients}}"))
    shop.edit("training/pictures.md", ("# What is a warp?", "# What is a grid? {#grid}\n\nAll blocks.\n\n# What is a warp?"))
    took = studied.takes(shop.release(SECOND, "8"))
    assert (took.new, took.updated) == (1, 1)
    assert [card.ord for card in studied.cards("states")] == [0, 1, 2]
    assert studied.cards("grid")[0].type == 0


def test_cloze_numbers_are_the_cards_ordinals(learner: Learner, shop: Workshop):
    text = "AdamW keeps {{c1::two moments::how many?}} and a {{c2::master copy}}; {{c1::both moments}} are fp32, $\\frac{a}{b}$."
    shop.edit(
        "training/memory.md",
        (text, "{{c4::Bytes}} of $\\frac{ {{c2::master copy}} }{b}$, `{{c9::not::this}}`, {{c7::std::vector}}."),
    )
    learner.takes(shop.release(SECOND, "8"))
    note = learner.note("states")
    asked = {int(number) - 1 for number in re.findall(r"\{\{c(\d+)::", note["Text"])}
    assert [card.ord for card in note.cards()] == sorted(asked)
    assert {1, 3, 6} <= asked
    fronts = [front for front, _ in learner.renders("states")]
    assert all(re.search(r"\[(\.\.\.|vector)\]", front) and "No cloze" not in front for front in fronts)
    assert learner.col.get_empty_cards().report == ""
