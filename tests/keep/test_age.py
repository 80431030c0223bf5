"""The deck knows its age: who is told of a note whose day is past, and what its back says."""

from __future__ import annotations

import json

import pytest
from workshop import FIRST, THIRD, Workshop, notes

from generator.keep.age import foot_of, told
from generator.notes import day_of
from generator.text.safe import cleaned

YEAR = 365 * 86_400
LATER = FIRST + 2 * YEAR
DUE = day_of(FIRST + YEAR)
FILE = "training/memory.md"


def due(shop: Workshop, day: str = DUE, id: str = "adam-bytes") -> None:
    """Gives a note of the workshop its day."""
    path = shop.folder / "cards" / FILE
    path.write_text(path.read_text(encoding="utf-8").replace("---\n", f"---\nreview_by: {{{id}: {day}}}\n", 1), encoding="utf-8")


def saying(shop: Workshop) -> list[str]:
    """The ids of the notes in the package that say they are overdue."""
    return [id for id, (*_, fields) in notes(shop.package).items() if foot_of(DUE) in fields]


@pytest.fixture
def dated(shop: Workshop) -> Workshop:
    due(shop)
    return shop


def test_check_tells_by_the_clock_and_fails_for_nothing(dated: Workshop):
    place = f"cards/{FILE}"
    before = dated.run("check", "--verbose", now=FIRST + YEAR)
    assert before.status == 0 and f"to be reviewed by {told(DUE)}: 1 note\n" in before.out and "is to be reviewed since" not in before.out
    after = dated.run("check", "--strict", now=FIRST + YEAR + 86_400)
    assert after.status == 0, after.err
    assert f"warning  {place}:" in after.out and f"the note 'adam-bytes' is to be reviewed since {told(DUE)} (" in after.out
    assert "is to be reviewed since" in dated.run("check", f"cards/{FILE}", now=LATER).out
    (told_of,) = [one for one in json.loads(dated.run("check", "--format", "json", now=LATER).out) if "reviewed since" in one["message"]]
    assert told_of["severity"] == "warning"


def test_a_build_is_the_same_on_every_day(dated: Workshop):
    first = dated.build(FIRST).read_bytes()
    dated.forgets()
    assert dated.build(LATER).read_bytes() == first and saying(dated) == []


def test_a_release_with_something_overdue_says_so_on_that_back(dated: Workshop):
    released = notes(dated.release(LATER, "8"))
    assert saying(dated) == ["adam-bytes"]

    dated.forgets()
    assert notes(dated.build(LATER + YEAR)) == released, "what was released stays as it was"
    assert "nothing changed" in dated.run("deck", now=LATER + YEAR).out
    report = json.loads((dated.folder / "build/report.json").read_text(encoding="utf-8"))
    (facts,) = [one for one in report["notes"] if one["id"] == "adam-bytes"]
    assert facts["hash"] in dated.lock.read_text(encoding="utf-8")

    dated.edit(FILE, (DUE, day_of(LATER + YEAR)))
    assert "1 changed" in dated.run("deck", now=LATER + YEAR).out and saying(dated) == [], "reviewed, it says so no more"


def test_a_release_before_the_day_says_nothing(dated: Workshop):
    dated.release(THIRD, "8")
    assert saying(dated) == [] and "reviewed" not in dated.run("deck", now=LATER).out


def test_a_day_for_all_of_a_file(shop: Workshop):
    path = shop.folder / "cards" / FILE
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("---\n", f"---\nreview_by: {DUE}\n", 1), encoding="utf-8")
    assert f"to be reviewed by {told(DUE)}: {text.count(chr(10) + '# ')} notes\n" in shop.run("check", "--verbose").out


@pytest.mark.parametrize(
    ("day", "message"),
    [
        ("2027-02-29", "review_by is no day of the calendar: '2027-02-29'"),
        ("20271101", "review_by is no day of the calendar: '20271101'"),
        ("soon", "review_by is no day of the calendar: 'soon'"),
        ("", "review_by must be text, but is empty"),
        ("2027-11-01, adam-byte: 2027-11-01", "review_by names a note 'adam-byte' that this file does not hold (did you mean adam-bytes?"),
    ],
)
def test_what_is_no_day(shop: Workshop, day: str, message: str):
    due(shop, day)
    done = shop.run("check")
    assert done.status == 1 and f"cards/{FILE}:2: {message}" in done.err


def test_the_foot_is_what_a_card_may_hold(dated: Workshop):
    assert foot_of("2027-11-01") == cleaned(foot_of("2027-11-01")) == '<p class="overdue">To be reviewed since 1 November 2027</p>'
