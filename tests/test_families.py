"""Families: the deck of tests/families, whose members are what the file expected.txt says, in the package and in the real Anki."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from workshop import FIRST, SECOND, THIRD, Workshop, notes, rows

from generator.pack.order import APART, spread
from generator.resolve import note

CARDS = Path(__file__).parent / "families" / "cards"
CACHE = "serving/cache.md"
MEMBER = "      mistral-7b: {model: mistral-7b, tokens: 32768, name: Mistral 7B}\n"
ANOTHER = "      llama-13b: {model: llama-13b, tokens: 2048, name: LLaMA 13B}\n"
SIBLINGS = "\n# correr {#both-ways .reversed}\n\nto run about\n"
MEMBERS = {
    "kv-bytes": ("llama-3-8b", "llama-2-70b", "mistral-7b"),
    "kv-token": ("llama-3-70b", "gpt3-175b"),
    "kv-trap": ("opt-13b", "opt-66b"),
    "kv-cloze": ("llama-7b", "llama-13b"),
    "lengua": ("ser", "correr"),
}


class Families(Workshop):
    @property
    def package(self) -> Path:
        return self.folder / "build" / "families.apkg"

    def order(self, package: Path) -> list[str]:
        """The ids of the notes as new cards come."""
        found = rows(package, "select n.flds from cards c join notes n on n.id = c.nid order by c.due, c.ord")
        return list(dict.fromkeys(fields.split("\x1f")[0] for (fields,) in found))


@pytest.fixture(scope="session")
def released_families(tmp_path_factory: pytest.TempPathFactory) -> Families:
    """The deck, released once at the time FIRST; to be copied, not touched."""
    folder = tmp_path_factory.mktemp("families")
    shutil.copytree(CARDS, folder / "cards")
    made = Families(folder)
    made.release(FIRST)
    return made


@pytest.fixture
def own(released_families: Families, tmp_path: Path) -> Families:
    shutil.copytree(released_families.folder, tmp_path / "own")
    return Families(tmp_path / "own")


# ------------------------------------------------------------------------------------------------ the members


def test_each_case_is_a_note_of_its_own(released_families: Families, expect: Callable[[Path, str], None]):
    found = notes(released_families.package)
    told = [f"{id}\n{tags.strip()}\n" + "\n".join(filter(None, fields.split("\x1f")[1:])) for id, (*_, tags, fields) in found.items() if "--" in id]
    expect(CARDS.parent / "expected.txt", "\n\n".join(sorted(told)) + "\n")
    assert [id for id in found if "--" in id] == [
        id for id in found if id in {f"{name}--{case}" for name, cases in MEMBERS.items() for case in cases}
    ]
    assert all(f" family::{id.partition('--')[0]} " in found[id][3] for id in found if "--" in id)


def test_another_case_touches_no_other_note(own: Families):
    before, order = notes(own.package), own.order(own.package)
    own.edit(CACHE, (MEMBER, MEMBER + ANOTHER))
    done = own.run("diff", now=SECOND)
    assert "1 new note" in done.out and "LLaMA 13B" in done.out and "Mistral" not in done.out
    package = own.release(SECOND, "8")
    after = notes(package)
    assert {id: after[id] for id in before} == before and after.keys() - before.keys() == {"kv-bytes--llama-13b"}
    assert [id for id in own.order(package) if id in before] == order
    own.edit(CACHE, (ANOTHER, ""), ("families:\n", "retired: {kv-bytes--llama-13b: one too many}\nfamilies:\n"))
    last = own.release(THIRD, "9")
    assert notes(last) == before and own.order(last) == order


def test_a_family_s_day_of_review_is_each_member_s_that_has_none(own: Families):
    own.edit(CACHE, ("families:\n", "review_by: {kv-bytes: 2027-11-01, kv-bytes--mistral-7b: 2028-02-01}\nfamilies:\n"))
    said = own.run("check", "--verbose", now=SECOND).out
    assert "reviewed by 1 November 2027: 2 notes" in said and "reviewed by 1 February 2028: 1 note" in said


def test_a_case_that_goes_is_missed(own: Families):
    """As is any released note."""
    own.edit(CACHE, (MEMBER, ""), (", kv-bytes--mistral-7b: [kv/2]", ""))
    assert "kv-bytes--mistral-7b" in own.run("check", now=SECOND).err
    own.edit(CACHE, ("families:\n", "retired: {kv-bytes--mistral-7b: asked enough}\nfamilies:\n"))
    before = notes(own.package)
    assert {id: note for id, note in before.items() if id != "kv-bytes--mistral-7b"} == notes(own.build(SECOND))


def test_a_note_that_becomes_a_family_is_retired(own: Families):
    plain = "# What is plain? {#plain .qa}\n\nThis.\n"
    (own.folder / "cards" / "words" / "more.md").write_text(plain, encoding="utf-8")
    own.release(SECOND, "8")
    family = "---\nfamilies: {plain: {for: {so: {how: so}, otherwise: {how: otherwise}}}}\nretired: {plain: asked of cases}\n---\n\n"
    (own.folder / "cards" / "words" / "more.md").write_text(family + plain.replace("plain?", "[[case.how]]?"), encoding="utf-8")
    assert own.run("check", now=THIRD).status == 0
    assert {"plain--so", "plain--otherwise"} == {id for id in notes(own.build(THIRD)) if id.startswith("plain")}


@pytest.mark.parametrize(
    ("id", "told"),
    [
        ("kv-bytes", "cards/words/verbs.md:14: the id 'kv-bytes' is taken (by the note at cards/serving/cache.md:31)"),
        ("kv-bytes--mistral-7b", "cards/words/verbs.md:14: the id 'kv-bytes--mistral-7b' is taken (by the note at cards/serving/cache.md:16)"),
    ],
)
def test_no_other_note_has_a_family_s_id(id: str, told: str, own: Families):
    with (own.folder / "cards/words/verbs.md").open("a", encoding="utf-8") as file:
        file.write(f"\n# And this? {{#{id}}}\n\nThat.\n")
    assert told in own.run("check").err.splitlines()


def test_what_is_typed_by_hand_is_counted_once(own: Families):
    own.edit(CACHE, ("It stops.\n\n## Tempting", "It stops.\n\n## Tempting"), ("The cache grows with every token.", "The cache grows to 80 GB."))
    assert "1 number typed by hand" in own.run("check").out


@pytest.mark.parametrize(
    ("old", "new", "resolved"),
    [
        ("name: Mistral 7B", "name: the Mistral 7B", ["kv-bytes--mistral-7b"]),
        ("{model: llama-2-70b, tokens: 4096,", "{model: llama-2-70b, tokens: 8192,", ["kv-bytes--llama-2-70b"]),
        (MEMBER, MEMBER + ANOTHER, ["kv-bytes--llama-13b"]),
        ("{kernel: kv_cache}", "{kernel: kv_cache, batch: 1}", []),
        ("    runs: [kv]\n", "", []),
        ('held: "two bytes', 'held: "2 bytes', ["kv-cloze--llama-7b"]),
        ("Keys and values.", "Keys and their values.", ["kv-token--llama-3-70b", "kv-token--gpt3-175b"]),
    ],
)
def test_an_edit_of_a_case_costs_a_note(old: str, new: str, resolved: list[str], own: Families, monkeypatch: pytest.MonkeyPatch):
    found: list[str] = []
    whole = note.resolve
    monkeypatch.setattr(note, "resolve", lambda one, *rest: found.append(one.id) or whole(one, *rest))
    own.edit(CACHE, (old, new))
    own.build(SECOND)
    assert found == resolved
    warm = own.state()
    own.forgets()
    own.build(SECOND)
    assert own.state() == warm


# -------------------------------------------------------------------------------------------------- new cards


def spelled(order: str) -> str:
    """Notes as letters; a capital is one of the family of its name."""
    found = [SimpleNamespace(tags=("memory", f"family::{one}") if one.isupper() else ("memory",), name=one) for one in order]
    return "".join(note.name for note in spread(found))  # type: ignore[arg-type, attr-defined]


@pytest.mark.parametrize(
    ("read", "come"),
    [
        ("abcd", "abcd"),
        ("aAAAbcde", "aAbcAdeA"),
        ("aAAbcBBd", "aAbcBdAB"),
        ("abAAA", "abAAA"),
        ("aAABB", "aABAB"),
        ("AA" + "x" * 50, "A" + "x" * APART + "A" + "x" * (50 - APART)),
    ],
)
def test_new_cards_of_a_family_come_apart(read: str, come: str):
    assert spelled(read) == come


def test_the_others_keep_their_order_whatever_members_there_are():
    for members in range(8):
        order = "abc" + "F" * members + "defghijklmnop"
        assert spelled(order).replace("F", "") == order.replace("F", "")


# --------------------------------------------------------------------------------------------- the real Anki

anki = pytest.importorskip("anki", reason="the anki library is not installed")
from test_anki import FAULT, Learner  # noqa: E402


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[Learner]:
    made = Learner(tmp_path / "collection.anki2")
    yield made
    made.col.close()


def test_every_member_is_a_card_that_is_right(learner: Learner, released_families: Families):
    took = learner.takes(released_families.package)
    assert (took.new, took.conflicting) == (82, 0)
    for family, cases in MEMBERS.items():
        for case in cases:
            for front, back in learner.renders(f"{family}--{case}"):
                for side in (front, back):
                    assert not FAULT.search(side.replace("[[type:Answer]]", "")) and "case." not in side, (case, side)
    expected = {"llama-3-8b": "4.3", "llama-2-70b": "1.3", "mistral-7b": "4.3"}
    assert {case: learner.note(f"kv-bytes--{case}")["Expected"] for case in expected} == expected
    assert "Mistral 7B" in next(learner.renders("kv-bytes--mistral-7b"))[0]
    assert len(learner.col.find_notes("tag:family::kv-bytes")) == 3 and len(learner.col.find_notes("tag:family::*")) == 11
    assert list(learner.col.media.check().missing) == []


def test_a_learner_gets_a_case_more_and_loses_nothing(learner: Learner, own: Families):
    learner.takes(own.package)
    learner.col.decks.select(learner.col.decks.id_for_name("Families"))
    for _ in range(5):
        card = learner.col.sched.getCard()
        card.start_timer()
        learner.col.sched.answerCard(card, 3)
    learner.edits("kv-bytes--llama-2-70b", "Working", "mine", "my-tag")
    before, texts = learner.schedules(), learner.texts()
    own.edit(CACHE, (MEMBER, MEMBER + ANOTHER))
    took = learner.takes(own.release(SECOND, "8"))
    assert (took.new, took.updated, took.same, took.conflicting) == (1, 0, 82, 0)
    assert [row for row in learner.schedules() if row in before] == before
    assert {id: text for id, text in learner.texts().items() if id in texts} == texts
    own.edit(CACHE, (MEMBER, ""), (", kv-bytes--mistral-7b: [kv/2]", ""), ("families:\n", "retired: {kv-bytes--mistral-7b: gone}\nfamilies:\n"))
    took = learner.takes(own.release(THIRD, "9"))
    assert (took.new, took.updated, took.same, took.conflicting) == (0, 0, 82, 0)
    assert learner.note("kv-bytes--mistral-7b")["Expected"] == "4.3"


def test_anki_buries_cards_of_one_note_and_no_notes_of_one_family(learner: Learner, own: Families):
    """Why new cards are set apart: a preset that buries siblings does nothing for a family."""
    with (own.folder / "cards/words/verbs.md").open("a", encoding="utf-8") as file:
        file.write(SIBLINGS)
    learner.takes(own.release(SECOND, "8"))
    col = learner.col
    preset = col.decks.get_config(1)
    preset["new"]["bury"] = preset["rev"]["bury"] = True
    preset["new"]["perDay"] = 9999
    col.decks.save(preset)
    col.decks.select(col.decks.id_for_name("Families::Words"))
    seen = []
    while card := col.sched.getCard():
        card.start_timer()
        col.sched.answerCard(card, 4)
        seen.append((card.note()["Id"], card.ord))
    assert seen == [("lengua--ser", 0), ("both-ways", 0), ("lengua--correr", 0)]
    assert [card.queue for card in learner.cards("both-ways")] == [2, -2]  # the second one is buried


def test_new_cards_come_apart_in_anki(learner: Learner, released_families: Families):
    learner.takes(released_families.package)
    order = [learner.col.get_card(id).note()["Id"] for id in learner.col.find_cards("deck:Families::Serving is:new", order="c.due, c.ord")]
    at = [order.index(f"kv-bytes--{case}") for case in MEMBERS["kv-bytes"]]
    assert at == sorted(at) and all(second - first > APART // 2 for first, second in zip(at, at[1:]))


def test_a_family_comes_back_from_its_package(released_families: Families, tmp_path: Path, learner: Learner):
    """As plain notes with their ids, tags and schedules: who studied the one loses nothing with the other."""
    pytest.importorskip("markdownify", reason="markdownify is not installed")
    learner.takes(released_families.package)
    before = learner.schedules()
    (tmp_path / "back").mkdir()
    back = Families(tmp_path / "back")
    assert back.run("import", str(released_families.package), "--into", "cards").status == 0
    done = back.run("deck", now=SECOND)
    assert done.status == 0, done.err
    took = learner.takes(next((back.folder / "build").glob("*.apkg")))
    assert (took.new, took.updated, took.same, took.conflicting) == (0, 0, 82, 0)
    assert learner.schedules() == before
