"""The lock: what keeps its time, what gets a later one, what is refused, and the file that is merged by hand."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from our_types import note_types
from workshop import FIRST, SECOND, THIRD, Workshop

from generator.keep.sheets import _entry
from generator.look.notetypes import NoteType
from generator.notes import Deck, Entry, Note, Rendered, Resolved, Text
from generator.pack.lock import Lock, NoteLine, TypeLine, Update, hash_of, load, text, update
from generator.problems import Place, Problem

PLACE = Place("cards/training/memory.md", 7)
TYPES = note_types()


def deck(retired: Mapping[str, str] | None = None) -> Deck:
    return Deck("D", 1, "d", "1", "", "", (), {}, (), (), retired or {}, {}, (), Path("cards"))


def note(id: str = "a", answer: str = "text", type: str = "qa", home: str = "D::One", clozes: Mapping[int, str] | None = None, **changes) -> Rendered:
    source = Note(id, type, home, "topic", (), {"Front": Text("f", PLACE)}, {}, (), (), PLACE, Path("cards/training"))
    resolved = Resolved(source, {}, {}, (), None, None)
    fields = {name: answer if name in ("Answer", "Text") else "" for name in TYPES[type].fields}
    made = Rendered(id, type, home, ("memory",), fields, {}, tuple(n - 1 for n in clozes) if clozes else (0,), clozes or {}, resolved)
    return made._replace(**changes)


def entries(*notes: Rendered, deck_id: int = 1) -> list[Entry]:
    return [_entry(note, ("piece",), deck_id) for note in notes]


def ship(*notes: Rendered, lock: Lock | None = None, now: int = FIRST, retired: Mapping[str, str] | None = None, types=TYPES) -> Update:
    return update(lock or Lock(), deck(retired), entries(*notes), types, now, "cards/deck.lock")


def told(problems: tuple[Problem, ...]) -> str:
    return "\n".join(map(str, problems))


# ------------------------------------------------------------------------------------------------- times


def test_a_new_note_gets_now():
    shipped = ship(note())
    assert shipped.statuses == {"a": "new"} and shipped.lock.notes["a"].mod == FIRST == shipped.lock.types["qa"].mod
    assert (shipped.problems, shipped.warnings) == ((), ())
    assert list(shipped.lock.types) == ["qa"]  # a type joins the lock when it is shipped


def test_an_unchanged_note_keeps_its_line():
    first = ship(note()).lock
    again = ship(note(), lock=first, now=SECOND)
    assert again.lock == first and again.statuses == {"a": "unchanged"}


@pytest.mark.parametrize("change", [{"answer": "other"}, {"tags": ("speed",)}])
def test_a_changed_note_gets_now(change):
    first = ship(note()).lock
    again = ship(note(**change), lock=first, now=SECOND)
    assert again.statuses == {"a": "changed"} and again.lock.notes["a"].mod == SECOND
    assert again.lock.notes["a"].guid == first.notes["a"].guid and again.lock.types == first.types


@pytest.mark.parametrize("now", [FIRST, FIRST - 10**6, 0])
def test_a_change_arrives_though_the_clock_is_behind(now):
    again = ship(note(answer="other"), lock=ship(note()).lock, now=now)
    assert again.lock.notes["a"].mod == FIRST + 1


def test_tags_in_another_order_and_other_media_bytes_are_no_change():
    one, other = (note(tags=tags) for tags in (("a", "b"), ("b", "a")))
    assert hash_of(one) == hash_of(other)


def test_a_field_s_new_name_touches_no_note():
    """A spare field is renamed in place: Anki takes the name from the type, and a learner's edits stay."""
    first = ship(note()).lock
    names = {**TYPES, "qa": renamed(TYPES["qa"], "Spare 1", "Mnemonic")}
    fields = {("Mnemonic" if name == "Spare 1" else name): value for name, value in note().fields.items()}
    again = ship(note(fields=fields), lock=first, now=SECOND, types=names)
    assert (again.problems, again.statuses) == ((), {"a": "unchanged"})
    assert again.lock.types["qa"].mod == SECOND


def renamed(note_type: NoteType, old: str, new: str) -> NoteType:
    return note_type._replace(fields={(new if name == old else name): id for name, id in note_type.fields.items()})


# ------------------------------------------------------------------------------------------ what is refused


CARD = TYPES["qa"].templates[0]


def fields_without(name: str) -> NoteType:
    return TYPES["qa"]._replace(fields={n: id for n, id in TYPES["qa"].fields.items() if n != name})


REFUSED = {
    "a field removed": (fields_without("Spare 2"), "fields were added, removed or reordered"),
    "a field added": (TYPES["qa"]._replace(fields={**TYPES["qa"].fields, "More": 1}), "fields were added, removed or reordered"),
    "fields reordered": (TYPES["qa"]._replace(fields=dict(reversed(TYPES["qa"].fields.items()))), "Rename a spare field"),
    "another id of the type": (TYPES["qa"]._replace(id=1), "its id was 1720310999 and is now 1 (put `id: 1720310999` into its type.yml"),
    "another id of a template": (TYPES["qa"]._replace(templates=(CARD._replace(id=1),)), "templates were added, removed or reordered"),
    "a template more": (TYPES["qa"]._replace(templates=(CARD, CARD._replace(id=2, name="More"))), "(shipped: Card. make a new note type"),
    "another kind": (TYPES["qa"]._replace(kind="cloze"), "it was shipped as basic and is now cloze"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_type_that_would_not_update_is_refused(case):
    changed, message = REFUSED[case]
    again = ship(note(), lock=ship(note()).lock, now=SECOND, types={**TYPES, "qa": changed})
    assert message in told(again.problems) and "cards/deck.lock:1" in told(again.problems)


def test_a_type_that_went_is_refused():
    again = ship(lock=ship(note()).lock, types={key: value for key, value in TYPES.items() if key != "qa"})
    assert "the note type 'qa' was shipped and is gone" in told(again.problems)
    assert "qa" in again.lock.types


def test_another_id_of_the_deck_is_refused():
    first = ship(note()).lock
    for known in (first, ship(lock=first, retired={"a": "why"}).lock):  # by the notes of today, and by those that were
        gone = update(known, deck({"a": "why"})._replace(id=2), [], TYPES, SECOND, "cards/deck.lock")
        assert "the id 2 in deck.yml" in told(gone.problems)
    again = update(first, deck()._replace(id=2), entries(note(), deck_id=2), TYPES, SECOND, "cards/deck.lock")
    assert "cards/deck.lock:1: the id 2 in deck.yml is not the one that its notes were shipped with" in told(again.problems)


def test_another_type_under_one_id_is_refused():
    again = ship(note(type="trap"), lock=ship(note()).lock)
    assert told(again.problems) == f"{PLACE}: the note was shipped as qa; Anki cannot make it trap (give the note a new id and retire the old one)"


def cloze(**clozes: str) -> Rendered:
    return note(answer=str(clozes), type="cloze", clozes={int(name[1:]): source for name, source in clozes.items()})


def test_a_cloze_number_that_hides_other_text_is_refused():
    again = ship(cloze(c1="the optimizer's moments", c2="b"), lock=ship(cloze(c1="ring all-reduce", c2="b")).lock)
    message = "cloze c1 hid 'ring all-reduce' and now hides \"the optimizer's moments\" (number it c3;"
    assert message in told(again.problems)


def test_a_cloze_number_that_comes_back_with_other_text_is_refused():
    first = ship(cloze(c1="ring all-reduce", c2="a tree")).lock
    second = ship(cloze(c1="ring all-reduce"), lock=first, now=SECOND)
    assert second.problems == () and "cloze c2 is gone" in told(second.warnings)
    assert second.lock.notes["a"].clozes == {1: "ring all-reduce", 2: "a tree"}
    third = ship(cloze(c1="ring all-reduce", c2="gradients"), lock=second.lock, now=THIRD)
    assert "cloze c2 hid 'a tree' and now hides 'gradients'" in told(third.problems)
    assert ship(cloze(c1="ring all-reduce", c2="a tree", c3="gradients"), lock=second.lock, now=THIRD).problems == ()


def test_a_cloze_may_be_worded_better():
    again = ship(cloze(c1="the ring all-reduce of gradients"), lock=ship(cloze(c1="ring all-reduce of the gradients")).lock)
    assert again.problems == () and again.lock.notes["a"].clozes == {1: "the ring all-reduce of gradients"}


def test_a_cloze_that_went_long_ago_is_not_told_of_again():
    lock = ship(cloze(c1="ring"), lock=ship(cloze(c1="ring", c2="tree")).lock, now=SECOND).lock
    assert ship(cloze(c1="ring"), lock=lock, now=THIRD).warnings == ()


# ------------------------------------------------------------------------------- notes that go, move, come back


def test_a_retired_note_keeps_its_line_for_ever():
    first = ship(note("a"), note("b")).lock
    again = ship(note("a"), lock=first, now=SECOND, retired={"b": "asked the same"})
    assert again.statuses == {"a": "unchanged", "b": "retired"} and again.warnings == ()
    assert again.lock.notes["b"] == first.notes["b"]._replace(retired="asked the same")
    silent = ship(note("a"), lock=again.lock, now=THIRD, retired={"b": "asked the same"})
    assert silent.lock == again.lock


def test_a_retired_note_comes_back_as_itself():
    first = ship(note("a")).lock
    gone = ship(lock=first, now=SECOND, retired={"a": "why"}).lock
    back = ship(note("a"), lock=gone, now=THIRD)
    assert back.lock == first and back.statuses == {"a": "unchanged"}
    assert ship(note("a", answer="new"), lock=gone, now=THIRD).lock.notes["a"].guid == first.notes["a"].guid


def test_a_vanished_note_is_told_of_and_kept():
    first = ship(note("a"), note("b")).lock
    again = ship(note("a"), lock=first, now=SECOND)
    assert again.statuses["b"] == "vanished" and again.lock == first and again.problems == ()
    assert told(again.warnings) == (
        "cards/deck.lock:1: the note 'b' has vanished; learners keep its cards (write `retired: {b: why}` into the front matter of its file, "
        "or bring it back)"
    )


def test_a_withheld_note_keeps_its_line():
    first = ship(note("a"), note("b", clozes={1: "x"}, type="cloze"), note("c")).lock
    now = update(first, deck(), entries(note("a")), TYPES, SECOND, "cards/deck.lock", ["b", "c", "new"])
    assert now.statuses == {"a": "unchanged", "b": "withheld", "c": "withheld", "new": "withheld"}
    assert now.lock == first and (now.problems, now.warnings) == ((), ())
    back = ship(note("a"), note("b", "more", clozes={1: "x", 2: "y"}, type="cloze"), note("c"), note("new"), lock=now.lock, now=SECOND)
    assert back.statuses == {"a": "unchanged", "b": "changed", "c": "unchanged", "new": "new"} and back.problems == ()
    assert back.lock.notes["b"].mod == SECOND and back.lock.notes["c"].mod == FIRST
    other = update(first, deck()._replace(id=2), entries(note("a"), deck_id=2), TYPES, SECOND, "cards/deck.lock", ["b", "c"])
    assert "the id 2 in deck.yml is not the one" in told(other.problems)


def test_a_note_that_moves_keeps_its_time():
    again = ship(note(home="D::Two"), lock=ship(note()).lock, now=SECOND)
    assert again.lock.notes["a"].mod == FIRST and again.lock.notes["a"].deck == "D::Two"
    assert "the note moves to 'D::Two'; Anki leaves the cards that learners have in 'D::One'" in told(again.warnings)


def test_retiring_what_was_never_shipped_is_told_of():
    assert "the note 'typo' is retired, but was never shipped" in told(ship(note(), retired={"typo": "why"}).warnings)


def test_ids_come_from_the_deck_and_the_note_alone():
    guids = {id: line.guid for id, line in ship(note("a"), note("b")).lock.notes.items()}
    assert guids == {id: line.guid for id, line in ship(note("b", home="D::Two"), note("a", answer="x"), now=THIRD).lock.notes.items()}
    other = update(Lock(), deck()._replace(id=2), entries(note("a"), deck_id=2), TYPES, FIRST, "lock").lock
    assert other.notes["a"].guid not in guids.values() and len(set(guids.values())) == 2


# ------------------------------------------------------------------------------------------------- the file

LINES = Lock(
    {
        "b": NoteLine("g2", "cloze", "D::Zwei ü", "22", 2, {2: "z → \\frac{a}{b}", 1: 'say "x"'}),
        "a": NoteLine("g1", "qa", "D", "11", 1, {}, "why: # 'it' went"),
    },
    {"qa": TypeLine(7, "basic", ((1, "Id"), (2, "Front")), ((3, "Card"),), "ab", 9)},
)


def saved(folder: Path, content: str | bytes) -> Path:
    path = folder / "deck.lock"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_round_trip(tmp_path: Path):
    problems: list[Problem] = []
    read = load(saved(tmp_path, text(LINES)), problems)
    assert (read.notes, read.types) == (LINES.notes, LINES.types) and text(read) == text(LINES)
    assert load(tmp_path / "none", problems) == Lock() and problems == []


def test_a_line_is_written_as_what_it_says_now(tmp_path: Path):
    """Lines that did not change need not be made again; one that did is."""
    read = load(saved(tmp_path, text(LINES)), [])
    changed = {**read.notes, "a": read.notes["a"]._replace(mod=5), "c": LINES.notes["b"]}
    assert text(read._replace(notes=changed)) == text(Lock(changed, LINES.types))


def test_one_sorted_line_each():
    lines = text(LINES).splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ['{"type": "qa"', '{"note": "a"', '{"note": "b"']
    shuffled = list(LINES.notes.items())
    random.Random(0).shuffle(shuffled)
    assert text(Lock(dict(shuffled), LINES.types)) == text(LINES)


BROKEN = {
    "a conflict": ("<<<<<<< HEAD\n{}\n=======\n>>>>>>> topic\n", [2, 3, 4, 5]),
    "another shape": ('[]\n"note"\n7\nnull\n{"note": "a"}\n', [2, 3, 4, 5, 6]),
    "no text": (b"\xff\xfe\n\x00\n", [2, 3]),
    "a mod that is none": (text(LINES).split("\n")[2].replace('"mod": 1', '"mod": "x"'), [2]),
}


@pytest.mark.parametrize("case", BROKEN)
def test_lines_that_do_not_fit(case: str, tmp_path: Path):
    content, lines = BROKEN[case]
    problems: list[Problem] = []
    load(saved(tmp_path, b"# header\n" + (content if isinstance(content, bytes) else content.encode())), problems)
    assert [problem.place.line for problem in problems] == lines
    assert all("this line is none of a lock (settle the merge" in str(problem) for problem in problems)


def test_a_merge_that_kept_both_sides(tmp_path: Path):
    problems: list[Problem] = []
    twice = text(LINES) + "".join(f"{line}\n" for line in text(LINES).splitlines()[1:3])
    load(saved(tmp_path, twice), problems)
    assert [str(p).split(": ", 1)[1] for p in problems] == [
        "the note type 'qa' stands twice in the lock (keep the line with the greater mod)",
        "the note 'a' stands twice in the lock (keep the line with the greater mod)",
    ]


def test_carriage_returns_are_read(tmp_path: Path):
    read = load(saved(tmp_path, text(LINES).replace("\n", "\r\n")), [])
    assert (read.notes, read.types) == (LINES.notes, LINES.types) and text(read) == text(LINES)


# --------------------------------------------------------------------------------------------- in a build


def test_a_conflict_stops_the_build(shop: Workshop):
    shop.lock.write_bytes(b"<<<<<<< HEAD\n" + shop.lock.read_bytes())
    before = shop.state()
    done = shop.run("deck", now=SECOND)
    assert done.status == 1 and "cards/deck.lock:1: this line is none of a lock" in done.err
    assert shop.state() == before


def test_frozen(shop: Workshop):
    before = shop.state()
    assert shop.run("deck", "--frozen", now=SECOND).status == 0 and shop.state() == before
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))
    done = shop.run("deck", "--frozen", now=SECOND)
    assert done.status == 1 and shop.state() == before
    assert done.err == "cards/deck.lock:1: the lock is not current: warp changed (run make deck and commit it)\n1 problem; nothing was written\n"


def test_frozen_without_a_lock(shop: Workshop):
    shop.lock.unlink()
    done = shop.run("deck", "--frozen", now=SECOND)
    assert done.status == 1 and "the lock is not current: adam-bytes new, " in done.err and not shop.lock.exists()


def test_frozen_sees_a_subdeck_s_new_name(shop: Workshop):
    shop.edit("deck.yml", ("name: Serving", "name: Inference"))
    done = shop.run("deck", "--frozen", now=SECOND)
    assert done.status == 1 and "not current: copy-rate changed, paging changed" in done.err  # the breadcrumb shows it


def test_frozen_sees_a_note_retired(shop: Workshop):
    shop.edit(
        "training/pictures.md",
        ("tags: [speed]\n", "tags: [speed]\nretired: {block: asked twice}\n"),
        ("# What is a block? {#block}\n\nThreads that share memory.\n", ""),
    )
    done = shop.run("deck", "--frozen", now=SECOND)
    assert done.status == 1 and "the lock is not current: block retired" in done.err


def test_vanished_is_a_warning_in_deck_and_an_error_in_check(shop: Workshop):
    shop.edit("training/pictures.md", ("# What is a block? {#block}\n\nThreads that share memory.\n", ""))
    built = shop.run("deck", now=SECOND)
    assert built.status == 0 and "the note 'block' has vanished" in built.out and '"block"' in shop.lock.read_text(encoding="utf-8")
    checked = shop.run("check", now=SECOND)
    assert checked.status == 1 and "the note 'block' has vanished" in checked.err
    shop.edit("training/pictures.md", ("tags: [speed]\n", "tags: [speed]\nretired: {block: asked twice}\n"))
    assert shop.run("check", now=SECOND).status == 0
    assert "1 retired" in shop.run("deck", now=SECOND).out
    assert shop.run("deck", now=THIRD).status == 0 and '"retired": "asked twice"' in shop.lock.read_text(encoding="utf-8")
