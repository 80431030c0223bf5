"""The lock: what keeps its time, what gets a later one, what leaves no trace, what is refused, and the file that is merged by hand."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from our_types import note_types
from workshop import FIRST, SECOND, THIRD, Workshop, workshop

from generator.keep.sheets import _entry
from generator.look.notetypes import NoteType
from generator.notes import Deck, Entry, Note, Rendered, Resolved, Text
from generator.pack import lock as locks
from generator.pack.lock import Draft, Lock, NoteLine, Release, TypeLine, Update, hash_of, load, text, type_line, update
from generator.problems import Place, Problem

PLACE = Place("cards/training/memory.md", 7)
TYPES = note_types()


def deck(retired: Mapping[str, str] | None = None, version: str = "1") -> Deck:
    return Deck("D", 1, "d", version, "", "", (), {}, (), (), retired or {}, {}, (), Path("cards"))


def note(id: str = "a", answer: str = "text", type: str = "qa", home: str = "D::One", clozes: Mapping[int, str] | None = None, **changes) -> Rendered:
    source = Note(id, type, home, "topic", (), {"Front": Text("f", PLACE)}, {}, (), (), PLACE, Path("cards/training"))
    resolved = Resolved(source, {}, {}, (), None, None)
    fields = {name: answer if name in ("Answer", "Text") else "" for name in TYPES[type].fields}
    made = Rendered(id, type, home, ("memory",), fields, {}, tuple(n - 1 for n in clozes) if clozes else (0,), clozes or {}, resolved)
    return made._replace(**changes)


def entries(*notes: Rendered, deck_id: int = 1) -> list[Entry]:
    return [_entry(note, ("piece",), deck_id) for note in notes]


def build(*notes: Rendered, lock: Lock | None = None, now: int = FIRST, retired: Mapping[str, str] | None = None, types=TYPES) -> Update:
    return update(lock or Lock(), deck(retired), entries(*notes), types, now, "cards/deck.lock")


def release(*notes: Rendered, lock: Lock | None = None, now: int = FIRST, retired: Mapping[str, str] | None = None, types=TYPES) -> Lock:
    """The lock after a release of these notes, under a version of its own."""
    built = build(*notes, lock=lock, now=now, retired=retired, types=types)
    assert built.problems == ()
    return locks.release(built.lock, deck(retired, str(len(built.lock.releases) + 1)), entries(*notes), types, now)


def told(problems: tuple[Problem, ...]) -> str:
    return "\n".join(map(str, problems))


def cloze(**clozes: str) -> Rendered:
    return note(answer=str(clozes), type="cloze", clozes={int(name[1:]): source for name, source in clozes.items()})


# ------------------------------------------------------------------------------------------------- times


def test_a_new_note_gets_now_and_again_when_it_is_released():
    built = build(note())
    assert built.statuses == {"a": "new"} and built.lock.mod("a") == FIRST == built.lock.type_mod("qa")
    assert (built.problems, built.warnings, built.vanished) == ((), (), ())
    assert not built.lock.notes and not built.lock.types and list(built.lock.type_drafts) == ["qa"]
    lock = release(note(), lock=built.lock, now=SECOND)
    assert lock.mod("a") == SECOND == lock.type_mod("qa") and list(lock.types) == ["qa"] and not lock.drafts and not lock.type_drafts


def test_what_is_built_keeps_its_time_while_it_stays():
    first = build(note()).lock
    again = build(note(), lock=first, now=SECOND)
    assert again.lock == first and again.statuses == {"a": "new"}
    changed = build(note(answer="other"), lock=release(note()), now=SECOND)
    assert changed.statuses == {"a": "changed"} and build(note(answer="other"), lock=changed.lock, now=THIRD) == changed


def test_an_unchanged_note_keeps_its_line():
    lock = release(note())
    again = build(note(), lock=lock, now=SECOND)
    assert again.lock == lock and again.statuses == {"a": "unchanged"} and text(again.lock) == text(lock)


@pytest.mark.parametrize("change", [{"answer": "other"}, {"tags": ("speed",)}])
def test_a_changed_note_gets_now(change):
    lock = release(note())
    again = build(note(**change), lock=lock, now=SECOND)
    assert again.statuses == {"a": "changed"} and again.lock.mod("a") == SECOND
    assert (again.lock.notes, again.lock.types, again.lock.type_drafts) == (lock.notes, lock.types, {})
    after = release(note(**change), lock=again.lock, now=THIRD)
    assert after.mod("a") == THIRD and after.notes["a"].guid == lock.notes["a"].guid


@pytest.mark.parametrize("now", [FIRST, FIRST - 10**6, 0])
def test_a_change_arrives_though_the_clock_is_behind(now):
    lock = release(note())
    again = build(note(answer="other"), lock=lock, now=now)
    assert again.lock.mod("a") == FIRST + 1 == release(note(answer="other"), lock=again.lock, now=now).mod("a")
    assert build(note(answer="third"), lock=again.lock, now=now).lock.mod("a") == FIRST + 2  # whoever tries builds gets this one too
    assert locks.release(again.lock, deck(version="2"), entries(note()), TYPES, now).last == "2"


WALKS = [random.Random(seed) for seed in range(20)]


@pytest.mark.parametrize("walk", WALKS, ids=range(len(WALKS)))
def test_whatever_is_built_in_between(walk: random.Random):
    """Any number of edits, of notes, types and clocks: what comes back is as it was released, and what was never released is forgotten."""
    lock = released = release(note("a"), note("b", "kept"), cloze(c1="ring", c2="tree")._replace(id="c"))
    for _ in range(12):
        some = [note("a", walk.choice(["text", "x", "y"])), note("b", "kept")][walk.randrange(2) :]
        some += [note(f"draft-{walk.randrange(3)}", "z", "trap")] * walk.randrange(2)
        some += [cloze(c1="ring", **{f"c{walk.randrange(2, 5)}": walk.choice(["tree", "quite another"])})._replace(id="c")] * walk.randrange(2)
        lock = build(*some, lock=lock, now=FIRST + walk.randrange(-100, 100)).lock
        assert all(lock.mod(one.id) > FIRST for one in some if one.id == "a" and one.fields["Answer"] != "text")
    back = build(note("a"), note("b", "kept"), cloze(c1="ring", c2="tree")._replace(id="c"), lock=lock, now=THIRD)
    assert back.lock == released and text(back.lock) == text(released)
    assert set(back.statuses.values()) == {"unchanged"} and (back.problems, back.warnings, back.vanished) == ((), (), ())


def test_tags_in_another_order_and_other_media_bytes_are_no_change():
    one, other = (note(tags=tags) for tags in (("a", "b"), ("b", "a")))
    assert hash_of(one) == hash_of(other)


def test_a_field_s_new_name_touches_no_note():
    """A spare field is renamed in place: Anki takes the name from the type, and a learner's edits stay."""
    names = {**TYPES, "qa": renamed(TYPES["qa"], "Spare 1", "Mnemonic")}
    fields = {("Mnemonic" if name == "Spare 1" else name): value for name, value in note().fields.items()}
    again = build(note(fields=fields), lock=release(note()), now=SECOND, types=names)
    assert (again.problems, again.statuses) == ((), {"a": "unchanged"})
    assert again.lock.type_mod("qa") == SECOND and again.lock.types["qa"].mod == FIRST
    assert build(note(), lock=again.lock, now=THIRD).lock.type_mod("qa") == FIRST


def renamed(note_type: NoteType, old: str, new: str) -> NoteType:
    return note_type._replace(fields={(new if name == old else name): id for name, id in note_type.fields.items()})


# ------------------------------------------------------------------------------------ what leaves no trace


def test_a_note_that_was_never_released_is_forgotten():
    lock = release(note("a"))
    tried = build(note("a"), note("b", type="trap"), lock=lock).lock
    assert {"b": "new"}.items() <= build(note("a"), note("b", type="trap"), lock=lock).statuses.items()
    gone = build(note("a"), lock=tried, now=SECOND)
    assert gone.lock == lock and gone.statuses == {"a": "unchanged"} and (gone.problems, gone.warnings, gone.vanished) == ((), (), ())
    assert build(note("a"), note("b", type="cloze", clozes={1: "x"}), lock=tried).problems == ()  # a draft may become another type


def test_a_type_that_was_only_tried_blocks_nothing():
    tried = build(note("a"), note("b", type="trap")).lock
    for types in ({**TYPES, "trap": TYPES["trap"]._replace(id=5, fields={"Other": 6})}, {key: t for key, t in TYPES.items() if key != "trap"}):
        again = build(note("a"), lock=tried, types=types)
        assert again.problems == () and list(again.lock.type_drafts) == ["qa"]


def test_a_cloze_number_of_a_draft_may_be_used_again():
    lock = release(cloze(c1="ring all-reduce"))
    draft = build(cloze(c1="ring all-reduce", c2="a tree"), lock=lock).lock
    again = build(cloze(c1="ring all-reduce", c2="gradients of the embedding"), lock=draft, now=SECOND)
    assert (again.problems, again.warnings) == ((), ())
    assert build(cloze(c1="ring all-reduce"), lock=draft, now=SECOND).lock == lock
    assert build(cloze(c1="anything else"), lock=build(cloze(c1="ring all-reduce")).lock).problems == ()


def test_another_id_of_the_deck_before_a_release_is_its_own():
    tried = build(note()).lock
    assert update(tried, deck()._replace(id=2), entries(note(), deck_id=2), TYPES, SECOND, "cards/deck.lock").problems == ()


# ------------------------------------------------------------------------------------------ what is refused


CARD = TYPES["qa"].templates[0]


def fields_without(name: str) -> NoteType:
    return TYPES["qa"]._replace(fields={n: id for n, id in TYPES["qa"].fields.items() if n != name})


REFUSED = {
    "a field removed": (fields_without("Spare 2"), "fields were added, removed or reordered"),
    "a field added": (TYPES["qa"]._replace(fields={**TYPES["qa"].fields, "More": 1}), "fields were added, removed or reordered"),
    "fields reordered": (TYPES["qa"]._replace(fields=dict(reversed(TYPES["qa"].fields.items()))), "Rename a spare field"),
    "another id of the type": (TYPES["qa"]._replace(id=1), "its id was 1720310999 and is now 1 (put `id: 1720310999` into its type.yml"),
    "another id of a template": (
        TYPES["qa"]._replace(templates=(CARD._replace(id=1),)),
        "templates were added, removed or reordered (released: Card.",
    ),
    "a template more": (TYPES["qa"]._replace(templates=(CARD, CARD._replace(id=2, name="More"))), "Make a new note type for other cards"),
    "another kind": (TYPES["qa"]._replace(kind="cloze"), "it was released as basic and is now cloze"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_type_that_would_not_update_is_refused(case):
    changed, message = REFUSED[case]
    again = build(note(), lock=release(note()), now=SECOND, types={**TYPES, "qa": changed})
    assert message in told(again.problems) and "cards/deck.lock:1" in told(again.problems)
    assert build(note(), lock=build(note()).lock, types={**TYPES, "qa": changed}).problems == ()


def test_a_type_that_went_is_refused():
    again = build(lock=release(note()), types={key: value for key, value in TYPES.items() if key != "qa"})
    assert "the note type 'qa' was released and is gone" in told(again.problems)
    assert "qa" in again.lock.types


def test_another_id_of_the_deck_is_refused():
    first = release(note())
    message = "cards/deck.lock:1: the id 2 in deck.yml is not 1, with which its notes were released (put that one back:"
    for known in (first, release(lock=first, retired={"a": "why"})):
        gone = update(known, deck({"a": "why"})._replace(id=2), [], TYPES, SECOND, "cards/deck.lock")
        assert told(gone.problems).startswith(message)
    again = update(first, deck()._replace(id=2), entries(note(), deck_id=2), TYPES, SECOND, "cards/deck.lock")
    assert told(again.problems).startswith(message) and len(again.problems) == 1


def test_another_guid_is_refused():
    again = update(release(note()), deck(), [entries(note())[0]._replace(guid="of another")], TYPES, SECOND, "cards/deck.lock")
    guid = locks.guid_of(1, "a")
    assert f"{PLACE}: the note was released with the GUID {guid!r} and has 'of another' now" in told(again.problems)


def test_another_type_under_one_id_is_refused():
    again = build(note(type="trap"), lock=release(note()))
    assert told(again.problems) == f"{PLACE}: the note was released as qa; Anki cannot make it trap (give the note a new id and retire the old one)"


def test_a_cloze_number_that_hides_other_text_is_refused():
    again = build(cloze(c1="the optimizer's moments", c2="b"), lock=release(cloze(c1="ring all-reduce", c2="b")))
    message = "cloze c1 hid 'ring all-reduce' and now hides \"the optimizer's moments\" (number it c3;"
    assert message in told(again.problems)


def test_a_cloze_number_that_comes_back_with_other_text_is_refused():
    first = release(cloze(c1="ring all-reduce", c2="a tree"))
    second = build(cloze(c1="ring all-reduce"), lock=first, now=SECOND)
    assert second.problems == () and "cloze c2 is gone" in told(second.warnings)
    lock = release(cloze(c1="ring all-reduce"), lock=second.lock, now=SECOND)
    assert (lock.notes["a"].clozes, lock.notes["a"].gone) == ({1: "ring all-reduce"}, {2: "a tree"})
    third = build(cloze(c1="ring all-reduce", c2="gradients"), lock=lock, now=THIRD)
    assert "cloze c2 hid 'a tree' and now hides 'gradients' (number it c3;" in told(third.problems)
    assert build(cloze(c1="ring all-reduce", c2="a tree", c3="gradients"), lock=lock, now=THIRD).problems == ()
    assert release(cloze(c1="ring all-reduce", c2="a tree"), lock=lock, now=THIRD).notes["a"].gone == {}


def test_a_cloze_may_be_worded_better():
    better = cloze(c1="the ring all-reduce of gradients")
    lock = release(cloze(c1="ring all-reduce of the gradients"))
    assert build(better, lock=lock).problems == ()
    assert release(better, lock=lock).notes["a"].clozes == {1: "the ring all-reduce of gradients"}


SWAPPED = {  # what was released under c1, c2 …; what stands there now (None: the number is gone); the numbers that are refused, with those that fit
    "two that look alike": (["4 bytes", "2 bytes"], ["2 bytes", "4 bytes"], {1: 2, 2: 1}),
    "single signs": (["2", "4"], ["4", "2"], {1: 2, 2: 1}),
    "one is the other and more": (["Adam", "AdamW"], ["AdamW", "Adam"], {1: 2, 2: 1}),
    "long ones": (
        [f"about {n} bytes for each parameter of the model" for n in (4, 2)],
        [f"about {n} bytes for each parameter" for n in (2, 4)],
        {1: 2, 2: 1},
    ),
    "reworded": (["the first moment", "the second moment"], ["its second moment", "its first moment"], {1: 2, 2: 1}),
    "math": ([r"$\frac{a}{b}$", r"$\frac{b}{a}$"], [r"$\frac{b}{a}$", r"$\frac{a}{b}$"], {1: 2, 2: 1}),
    "references": (["[[full.total | GB]]", "[[full.weights | GB]]"], ["[[full.weights | GB 2]]", "[[full.total | GB 2]]"], {1: 2, 2: 1}),
    "several places each": (["both / two", "none / 3"], ["none / 3", "both / two"], {1: 2, 2: 1}),
    "rotated": (["$O(n)$", "$O(n^2)$", "$O(n^3)$"], ["$O(n^3)$", "$O(n)$", "$O(n^2)$"], {1: 3, 2: 1, 3: 2}),
    "renumbered after one went": (["rank 8", "rank 16", "rank 32"], ["rank 16", "rank 32", None], {1: 2, 2: 3}),
    "renumbered for one before": (["rank 8", "rank 16"], ["rank 4", "rank 8", "rank 16"], {2: 1}),
    "one takes another's, which gets a new text": (["4 bytes each", "2 bytes each"], ["2 bytes each", "12 bytes each"], {1: 2}),
    "a correction": (["4 bytes", "2 bytes"], ["2 bytes", "2 bytes"], {}),
    "a correction of twins": (["2 bytes", "2 bytes"], ["4 bytes", "2 bytes"], {}),
    "corrections of all": (["4 GB", "8 GB", "16 GB"], ["40 GB", "80 GB", "160 GB"], {}),
    "corrections that come near another": (["$O(n)$", "$O(n^2)$"], ["$O(n^3)$", "$O(n^2 d)$"], {}),
    "both worded otherwise": (["the first moment", "the second moment"], ["first moments of Adam", "second moments of Adam"], {}),
    "runs of other names": (["[[full.total | GB]]", "[[full.weights | GB]]"], ["[[big.total | GB]]", "[[big.weights | GB]]"], {}),
    "a number more": (["rank 8", "rank 16"], ["rank 8", "rank 16", "rank 32"], {}),
}


@pytest.mark.parametrize("case", SWAPPED)
def test_clozes_that_change_places(case: str):
    was, now, refused = SWAPPED[case]
    before, after = ({f"c{n}": text for n, text in enumerate(texts, 1) if text} for texts in (was, now))
    problems = build(cloze(**after), lock=release(cloze(**before))).problems
    assert [str(p).partition(": ")[2] for p in problems] == [
        f"cloze c{n} hid {was[n - 1]!r} and now hides {now[n - 1]!r}, which fits what c{fits} hid "
        f"(number it c{fits}; a learner's schedule for c{n} belongs to the old text)"
        for n, fits in refused.items()
    ]
    assert build(cloze(**after), lock=build(cloze(**before)).lock).problems == ()  # drafts are free


@pytest.mark.parametrize("text, fits", [("rank 32", 0), ("rank 31", 0), ("rank 8 or so", 1)])
def test_a_number_that_comes_back_alike(text: str, fits: int):
    lock = release(cloze(c1="rank 8"), lock=release(cloze(c1="rank 8", c2="rank 32")), now=SECOND)
    problems = told(build(cloze(c1="rank 8", c2=text), lock=lock, now=THIRD).problems)
    assert ("which fits what c1 hid" in problems) == bool(fits) and bool(problems) == bool(fits)
    assert "which fits what c2 hid (number it c2" in told(build(cloze(c1="rank 32"), lock=lock, now=THIRD).problems)


def test_a_cloze_that_goes_and_comes_under_another_number():
    again = build(cloze(c1="ring", c3="tree"), lock=release(cloze(c1="ring", c2="tree")))
    assert again.problems == () and "until they run Empty Cards (c3 hides the same: number it c2, and its schedule stays)" in told(again.warnings)


WALKS_OF_CLOZES = [random.Random(seed) for seed in range(10)]


@pytest.mark.parametrize("walk", WALKS_OF_CLOZES, ids=range(len(WALKS_OF_CLOZES)))
def test_whichever_two_change_places(walk: random.Random):
    words = ["the", "of", "each", "model", "layer", "weight", "gradient", "bytes", "copy", "rank", "first", "second", "2", "4", "8", "16", "bf16"]
    texts = list({" ".join(walk.sample(words, walk.randrange(1, 6))): None for _ in range(walk.randrange(2, 7))})
    if len(texts) > 1:
        swapped, (i, j) = list(texts), walk.sample(range(len(texts)), 2)
        swapped[i], swapped[j] = texts[j], texts[i]
        before, after = (cloze(**{f"c{n}": text for n, text in enumerate(some, 1)}) for some in (texts, swapped))
        assert [p.message.split()[1] for p in build(after, lock=release(before)).problems] == [f"c{n + 1}" for n in sorted((i, j))]


def test_a_cloze_that_went_in_an_earlier_release_is_not_told_of_again():
    lock = release(cloze(c1="ring"), lock=release(cloze(c1="ring", c2="tree")), now=SECOND)
    assert build(cloze(c1="ring"), lock=lock, now=THIRD).warnings == ()
    assert build(cloze(c1="a ring"), lock=lock, now=THIRD).warnings == ()


# ------------------------------------------------------------------------------- notes that go, move, come back


def test_a_retired_note_keeps_its_line_for_ever():
    first, why = release(note("a"), note("b")), {"b": "asked the same"}
    again = build(note("a"), lock=first, now=SECOND, retired=why)
    assert again.statuses == {"a": "unchanged", "b": "retired"} and (again.warnings, again.vanished) == ((), ())
    assert again.lock == first  # until that is released
    lock = release(note("a"), lock=again.lock, now=SECOND, retired=why)
    assert lock.notes["b"] == first.notes["b"]._replace(retired="asked the same") and not locks.same(lock, first)
    silent = build(note("a"), lock=lock, now=THIRD, retired=why)
    assert silent.lock == lock and silent.statuses == {"a": "unchanged"}


def test_a_retired_note_comes_back_as_itself():
    first = release(note("a"))
    gone = release(lock=first, now=SECOND, retired={"a": "why"})
    back = build(note("a"), lock=gone, now=THIRD)
    assert back.statuses == {"a": "unchanged"} and back.lock.mod("a") == FIRST
    assert release(note("a"), lock=gone, now=THIRD).notes == first.notes
    assert release(note("a", answer="new"), lock=gone, now=THIRD).notes["a"].guid == first.notes["a"].guid


def test_a_vanished_note_is_told_of_and_kept():
    first = release(note("a"), note("b"))
    again = build(note("a"), lock=first, now=SECOND)
    assert again.statuses["b"] == "vanished" and again.lock == first and (again.problems, again.warnings) == ((), ())
    assert told(again.vanished) == (
        "cards/deck.lock:1: the note 'b' has vanished; learners keep its cards (write `retired: {b: why}` into the front matter of its file, "
        "or bring it back)"
    )


def test_a_withheld_note_keeps_what_was_released_of_it():
    first = release(note("a"), note("b", clozes={1: "x"}, type="cloze"), note("c"))
    edited = build(note("a"), note("b", "more", clozes={1: "x", 2: "y"}, type="cloze"), note("c"), note("new"), lock=first, now=SECOND).lock
    now = update(edited, deck(), entries(note("a")), TYPES, SECOND, "cards/deck.lock", ["b", "c", "new"])
    assert now.statuses == {"a": "unchanged", "b": "withheld", "c": "withheld", "new": "withheld"}
    assert now.lock == first and (now.problems, now.warnings, now.vanished) == ((), (), ())
    assert locks.release(now.lock, deck(version="2"), entries(note("a")), TYPES, SECOND).notes == first.notes
    back = build(note("a"), note("b", "more", clozes={1: "x", 2: "y"}, type="cloze"), note("c"), note("new"), lock=now.lock, now=SECOND)
    assert back.statuses == {"a": "unchanged", "b": "changed", "c": "unchanged", "new": "new"} and back.problems == ()
    assert back.lock.mod("b") == SECOND and back.lock.mod("c") == FIRST


def test_a_note_that_moves_keeps_its_time():
    again = build(note(home="D::Two"), lock=release(note()), now=SECOND)
    assert again.lock.mod("a") == FIRST and again.statuses == {"a": "unchanged"}
    assert "the note moves to 'D::Two'; Anki leaves the cards that learners have in 'D::One'" in told(again.warnings)
    lock = release(note(home="D::Two"), lock=again.lock, now=SECOND)
    assert lock.mod("a") == FIRST and lock.notes["a"].deck == "D::Two" and build(note(home="D::Two"), lock=lock).warnings == ()
    assert build(note(home="D::Two"), lock=build(note()).lock).warnings == ()  # where nobody has it


def test_retiring_what_was_never_released_is_told_of():
    for lock in (Lock(), build(note("typo")).lock):
        assert "the note 'typo' is retired, but was never released" in told(build(note(), lock=lock, retired={"typo": "why"}).warnings)


def test_ids_come_from_the_deck_and_the_note_alone():
    guids = {id: line.guid for id, line in release(note("a"), note("b")).notes.items()}
    assert guids == {id: line.guid for id, line in release(note("b", home="D::Two"), note("a", answer="x"), now=THIRD).notes.items()}
    assert not {entry.guid for entry in entries(note("a"), note("b"), deck_id=2)} & set(guids.values()) and len(set(guids.values())) == 2


# ------------------------------------------------------------------------------------------------- the file

LINES = Lock(
    {
        "b": NoteLine("g2", "cloze", "D::Zwei ü", "22", 2, {2: "z → \\frac{a}{b}", 1: 'say "x"'}, {3: "was"}),
        "a": NoteLine("g1", "qa", "D", "11", 1, {}, {}, "why: # 'it' went"),
    },
    {"qa": TypeLine(7, "basic", ((1, "Id"), (2, "Front")), ((3, "Card"),), "ab", 9)},
    {"2026.11": Release(5, 2), "2026.9": Release(5, 1)},
    {"b": Draft("23", 5), "ab": Draft("cd", 3)},
    {"qa": Draft("ac", 10), "own": Draft("ef", 4)},
)
FIELDS = ("notes", "types", "releases", "drafts", "type_drafts")


def saved(folder: Path, content: str | bytes) -> Path:
    path = folder / "deck.lock"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_round_trip(tmp_path: Path):
    problems: list[Problem] = []
    read = load(saved(tmp_path, text(LINES)), problems)
    assert read._replace(lines={}) == LINES and text(read) == text(LINES) and read.last == "2026.11"
    assert load(tmp_path / "none", problems) == Lock() and problems == []


def test_a_line_is_written_as_what_it_says_now(tmp_path: Path):
    """Lines that did not change need not be made again; one that did is."""
    read = load(saved(tmp_path, text(LINES)), [])
    for notes, drafts in (
        ({**read.notes, "a": read.notes["a"]._replace(mod=5), "c": LINES.notes["b"]}, read.drafts),
        (read.notes, {**read.drafts, "a": Draft("12", 6)}),
        (read.notes, {"b": Draft("24", 6)}),
        (read.notes, {}),
        ({}, read.drafts),
    ):
        changed = read._replace(notes=notes, drafts=drafts)
        assert text(changed) == text(changed._replace(lines={}))


def test_a_line_that_a_hand_changed(tmp_path: Path):
    """What is said of releases has a sum, and what is said of a build since has one."""
    written = text(LINES).splitlines()
    for at, line in enumerate(written[1:], 1):
        for old, new in (
            ('"mod": 1,', '"mod": 0,'),
            ('"guid": "g', '"guid": "h'),
            ('"hash": "', '"hash": "0'),
            ('"at": ', '"at": 1'),
            ('"id": 7', '"id": 8'),
            ('"mod": 5', '"mod": 6'),
            ('"mod": 3', '"mod": 99'),
            ('"mod": 10,', '"mod": 1,'),
            ('"hash": "cd"', '"hash": "ce"'),
            ('"hash": "23"', '"hash": "22"'),
            ('"note": "ab"', '"note": "ac"'),
            ('"type": "own"', '"type": "owm"'),
        ):
            if old in line:
                problems: list[Problem] = []
                load(saved(tmp_path, "\n".join([*written[:at], line.replace(old, new, 1), *written[at + 1 :]])), problems)
                assert [(p.place.line, "changed by hand, or damaged (take the line away: the build brings it back" in str(p)) for p in problems] == [
                    (at + 1, True)
                ]
    problems = []
    for sums in (r'(?<="mod": \d), "sum": "\w{8}"(?=}})|(?<="mod": \d\d), "sum": "\w{8}"(?=}})', r', "sum": "\w{8}"'):
        before, count = re.subn(sums, "", text(LINES))  # as it was before drafts had sums, and before anything had
        assert count in (4, 9) and load(saved(tmp_path, before), problems)._replace(lines={}) == LINES and problems == []


def test_what_other_versions_know():
    """The greater `mod` tells; of equal ones with other contents nobody's is what all have; all that was ever hidden is kept."""
    one = release(note("a"), cloze(c1="ring", c2="tree")._replace(id="c"))
    other = release(note("a", "x"), cloze(c1="ring")._replace(id="c"), note("b"), lock=one, now=SECOND)

    def known(*locks_then: Lock, lock: Lock = one, only: list[str] | None = None) -> Lock:
        return locks.later(lock, (line for then in locks_then for line in locks.released_lines(text(then).encode().splitlines(True))), only)

    assert known(other)._replace(lines={}) == other == known(one, lock=other) == known(one, other, lock=Lock())
    assert known(other, only=["a"]).notes == {**one.notes, "a": other.notes["a"]} and known(other, only=["a"]).releases == one.releases
    twin = release(note("a", "y"), cloze(c1="ring", c3="star")._replace(id="c"), lock=one, now=SECOND)
    both = known(twin, lock=other)
    assert both.notes["a"].hash == "" and both.notes["c"].gone == {2: "tree", 3: "star"} and known(both, lock=other).notes == both.notes
    for answer in ("x", "y", "z"):
        assert build(note("a", answer), lock=both, now=FIRST).lock.mod("a") == SECOND + 1
    spoilt = [line.replace(b'"sum": "', b'"sum": "z') for line in locks.released_lines(text(other).encode().splitlines())]
    assert locks.later(one, [*spoilt, b"{", b'{"note": "a", "hash": 3}', b"[]"]) == one


def test_one_sorted_line_each():
    lines = text(LINES).splitlines()
    begin = ['{"release": "2026.11"', '{"release": "2026.9"', '{"type": "own"', '{"type": "qa"', '{"note": "a"', '{"note": "ab"', '{"note": "b"']
    assert [line.split(",")[0] for line in lines[1:]] == begin
    assert any(re.fullmatch(r'{"note": "ab", "built": {"hash": "cd", "mod": 3, "sum": "\w{8}"}}', line) for line in lines)
    shuffled = LINES._asdict()
    for name in FIELDS:
        items = list(shuffled[name].items())
        random.Random(0).shuffle(items)
        shuffled[name] = dict(items)
    assert text(Lock(**shuffled)) == text(LINES)


BROKEN = {
    "no JSON": ("{}\n=======\n{'note'}\n", [2, 3, 4]),
    "another shape": ('[]\n"note"\n7\nnull\n{"note": "a"}\n{"note": "a", "built": 3}\n{"release": "1"}\n', [2, 3, 4, 5, 6, 7, 8]),
    "no text": (b"\xff\xfe\n\x00\n", [2, 3]),
    "a mod that is none": (text(LINES).split("\n")[5].replace('"mod": 1', '"mod": "x"'), [2]),
}


@pytest.mark.parametrize("case", BROKEN)
def test_lines_that_do_not_fit(case: str, tmp_path: Path):
    content, lines = BROKEN[case]
    problems: list[Problem] = []
    load(saved(tmp_path, b"# header\n" + (content if isinstance(content, bytes) else content.encode())), problems)
    assert [problem.place.line for problem in problems] == lines
    assert all("this line is none of a lock (take the line away: the build brings it back" in str(problem) for problem in problems)


def test_a_merge_that_kept_both_sides(tmp_path: Path):
    problems: list[Problem] = []
    later = LINES._replace(notes={**LINES.notes, "a": LINES.notes["a"]._replace(mod=7)}, drafts={"ab": Draft("ce", 4)})
    for one, other in ((LINES, later), (later, LINES), (later, later)):
        read = load(saved(tmp_path, text(one) + text(other)), problems)
        assert read._replace(lines={}) == (later if one == other else later._replace(drafts={**LINES.drafts, **later.drafts}))
        assert text(read) == text(read._replace(lines={})) and problems == []


def test_a_merge_that_lost_the_releases(tmp_path: Path):
    problems: list[Problem] = []
    problems += locks.unfounded(load(saved(tmp_path, text(LINES._replace(releases={}))), problems), "cards/deck.lock")
    assert "the lock knows of released notes and of no release" in told(tuple(problems))


def test_carriage_returns_are_read(tmp_path: Path):
    read = load(saved(tmp_path, text(LINES).replace("\n", "\r\n")), [])
    assert read._replace(lines={}) == LINES and text(read) == text(LINES)


def test_a_lock_from_before_there_were_releases_is_empty(tmp_path: Path):
    problems: list[Problem] = []
    old = '# What was shipped of every note and note type. The build writes it.\n{"note": "a", "guid": "g", "hash": "1", "mod": 1, "type": "qa"}\n'
    assert load(saved(tmp_path, old), problems) == Lock() and problems == []


def test_a_type_s_line_tells_all_that_anki_gets():
    kinds = [TYPES["qa"], *(TYPES["qa"]._replace(**change) for change in ({"name": "Other"}, {"css": "x"}))]
    kinds += [TYPES["qa"]._replace(templates=(CARD._replace(**change),)) for change in ({"name": "x"}, {"front": "x"}, {"back": "x"})]
    assert len({type_line(kind).hash for kind in kinds}) == len(kinds)


# --------------------------------------------------------------------------------------------- in a build


def test_a_conflict_stops_the_build(shop: Workshop):
    shop.lock.write_bytes(b"<<<<<<< HEAD\n" + shop.lock.read_bytes())
    before = shop.state()
    for command in ("deck", "release"):
        done = shop.run(command, now=SECOND)
        assert done.status == 1 and "cards/deck.lock:1: a merge left its marks in the lock (take either side, or both" in done.err
    assert shop.state() == before


def test_frozen(shop: Workshop):
    before = shop.state()
    assert shop.run("deck", "--frozen", now=SECOND).status == 0 and shop.state() == before
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))
    done = shop.run("deck", "--frozen", now=SECOND)
    assert done.status == 1 and shop.state() == before
    assert done.err == "cards/deck.lock:1: the lock is not current: warp changed (run make deck and commit it)\n1 problem; nothing was written\n"
    shop.build(SECOND)
    before = shop.state()
    assert shop.run("deck", "--frozen", now=THIRD).status == 0 and shop.state() == before
    shop.forgets()
    assert shop.run("deck", "--frozen", now=THIRD).status == 0 and shop.state() == before
    shop.edit("training/pictures.md", ("Exactly 32", "Thirty-two"))
    done = shop.run("deck", "--frozen", now=THIRD)
    assert "the lock is not current: warp as released (run make deck" in done.err


def test_frozen_sees_a_draft_that_went(shop: Workshop):
    shop.edit("training/pictures.md", ("# What is a block?", "# What is a grid? {#grid}\n\nAll blocks.\n\n# What is a block?"))
    assert "the lock is not current: grid new (" in shop.run("deck", "--frozen", now=SECOND).err
    shop.build(SECOND)
    shop.edit("training/pictures.md", ("# What is a grid? {#grid}\n\nAll blocks.\n\n", ""))
    assert "the lock is not current: grid gone (" in shop.run("deck", "--frozen", now=SECOND).err


def test_frozen_without_a_lock(shop: Workshop):
    shop.lock.unlink()
    done = shop.run("deck", "--frozen", now=SECOND)
    assert done.status == 1 and "the lock was gone: what learners have of 9 notes and 4 note types is known" in done.err and not shop.lock.exists()
    shutil.rmtree(shop.folder / "build")
    done = shop.run("deck", "--frozen", now=SECOND)
    assert done.status == 1 and "the lock is not current: adam-bytes new, " in done.err and not shop.lock.exists()


def test_frozen_sees_a_subdeck_s_new_name(shop: Workshop):
    shop.edit("deck.yml", ("name: Serving", "name: Inference"))
    done = shop.run("deck", "--frozen", now=SECOND)
    assert done.status == 1 and "not current: copy-rate changed, paging changed" in done.err  # the breadcrumb shows it


BLOCK = ("# What is a block? {#block}\n\nThreads that share memory.\n", "")
RETIRED = ("tags: [speed]\n", "tags: [speed]\nretired: {block: asked twice}\n")


def test_vanished_is_a_warning_in_deck_and_an_error_in_check(shop: Workshop):
    before = shop.lock.read_bytes()
    shop.edit("training/pictures.md", BLOCK)
    built = shop.run("deck", now=SECOND)
    assert built.status == 0 and "the note 'block' has vanished" in built.out and shop.lock.read_bytes() == before
    for command in ("check", "release"):
        checked = shop.run(command, now=SECOND)
        assert checked.status == 1 and "the note 'block' has vanished" in checked.err
    shop.edit("training/pictures.md", RETIRED)
    assert shop.run("check", now=SECOND).status == 0
    assert "1 retired since release 7" in shop.run("deck", now=SECOND).out and shop.lock.read_bytes() == before


# ------------------------------------------------------------------------------------------------ releases


def mods(shop: Workshop) -> dict[str, int]:
    found = load(shop.lock, [])
    return {id: found.mod(id) for id in found.notes.keys() | found.drafts.keys()}


def test_edit_build_revert_build(shop: Workshop):
    before = shop.state()
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))
    shop.build(SECOND)
    assert mods(shop)["warp"] == SECOND
    shop.edit("training/pictures.md", ("Exactly 32", "Thirty-two"))
    shop.build(THIRD)
    assert shop.state() == before


def test_a_release_moves_what_is_built(shop: Workshop):
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"), BLOCK, RETIRED)
    shop.edit("training/pictures.md", ("# What is a warp?", "# What is a grid? {#grid}\n\nAll blocks.\n\n# What is a warp?"))
    shop.build(SECOND)
    shop.edit("deck.yml", ('version: "7"', 'version: "8"'))
    done = shop.run("release", now=THIRD)
    assert done.status == 0 and done.out.splitlines()[:4] == [
        "released version 8: 1 new, 1 changed, 1 retired",
        "new      grid",
        "changed  warp",
        "retired  block",
    ]
    assert done.out.splitlines()[-1] == "lock     commit cards/deck.lock with the cards"
    assert mods(shop) == {**dict.fromkeys(mods(shop), FIRST), "warp": THIRD, "grid": THIRD}
    lock, state = load(shop.lock, []), shop.state()
    assert (lock.last, list(lock.releases), lock.notes["block"].retired) == ("8", ["7", "8"], "asked twice") and not lock.drafts
    assert "nothing changed since release 8" in shop.run("deck", now=THIRD + 9, idle=True).out and shop.state() == state
    shop.forgets()
    assert "nothing changed since release 8" in shop.run("deck", "--frozen", now=THIRD + 9).out and shop.state() == state


def test_a_version_is_released_once(shop: Workshop):
    before = shop.state()
    assert "released version 7: nothing changed" in shop.run("release", now=SECOND).out and shop.state() == before
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))
    done = shop.run("release", now=SECOND)
    assert done.status == 1 and shop.state() == before
    assert "cards/deck.yml:1: the version '7' was released before, with other content (give the deck a new version)" in done.err
    shop.release(SECOND, "8")
    shop.edit("deck.yml", ('version: "8"', 'version: "7"'))
    assert "the version '7' was released before" in shop.run("release", now=THIRD).err
    shop.edit("training/pictures.md", ("Exactly 32", "Thirty-two"))  # the content of 7 once more is a change to whoever has 8
    assert "the version '7' was released before" in shop.run("release", now=THIRD).err
    shop.release(THIRD, "9")
    assert mods(shop)["warp"] == THIRD


def test_what_a_strict_check_refuses_is_not_released(tmp_path: Path):
    shop = workshop(tmp_path / "new")
    shop.edit("training/pictures.md", ("# What is a warp?", "# What holds twice? {#twice}\n\n[[full.total | GB]]\n\n# What is a warp?"))
    shop.edit("training/pictures.md", ("tags: [speed]\n", "tags: [speed]\nruns:\n  full: {kernel: training_memory, parameters: 70e9}\n"))
    assert shop.run("deck").status == 0
    before = shop.state()
    checked, refused = (shop.run(*command, now=SECOND) for command in (("check", "--strict"), ("release",)))
    assert checked.status == refused.status == 1 and refused.err == checked.err and shop.state() == before


def test_two_branches_merge_line_by_line(shop: Workshop, tmp_path: Path):
    """Each edits a note of its own: git's merge of their locks is that of both."""
    other = workshop(tmp_path / "other", like=shop.folder)
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))
    other.edit("serving/cache.md", ("To waste none of it.", "To waste none."))
    base, locked = shop.lock.read_text(encoding="utf-8").splitlines(), []
    for one, now in ((shop, SECOND), (other, THIRD)):
        one.build(now)
        locked.append(one.lock.read_text(encoding="utf-8").splitlines())
    assert [len(lines) for lines in (base, *locked)] == [len(base)] * 3
    merged = [next((line for line in lines if line != lines[0]), lines[0]) for lines in zip(base, *locked, strict=True)]
    shop.lock.write_text("".join(f"{line}\n" for line in merged), encoding="utf-8")
    shop.edit("serving/cache.md", ("To waste none of it.", "To waste none."))
    assert shop.run("deck", "--frozen", now=THIRD + 9).status == 0
