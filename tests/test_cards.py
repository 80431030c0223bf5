"""The deck itself, cards/ with kernels/records: everything stands where it belongs, and nothing lies about unused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from our_types import note_types
from workshop import ROOT, packed

from generator.keep.deck import Built
from generator.notes import Deck
from generator.pack import lock
from generator.pack.package import write_package
from generator.problems import Problem
from generator.read.folder import read
from generator.resolve.wanted import merged
from generator.show.coverage import coverage
from kernels import declare
from kernels import record as records
from kernels.record import RECORDS

CARDS = ROOT / "cards"
LARGEST, LARGEST_DECK = 300_000, 50_000_000  # bytes: of one picture, and of the package


@pytest.fixture(scope="module")
def written() -> Deck:
    """The deck as its author wrote it."""
    return read(CARDS)


def test_it_builds_with_its_lock(real_deck: Built, tmp_path: Path):
    """No problem in any file, and nothing that Anki would refuse to update."""
    problems: list[Problem] = []
    shipped = lock.load(CARDS / "deck.lock", problems)
    update = lock.update(shipped, real_deck.deck, real_deck.entries, note_types(), 2**31, "cards/deck.lock", [note.id for note in real_deck.withheld])
    assert [*problems, *update.problems] == []
    assert set(update.statuses.values()) <= {"new", "changed", "unchanged", "withheld", "retired"}
    write_package(tmp_path / "deck.apkg", real_deck.deck, real_deck.entries, note_types(), update.lock, real_deck.contents)
    assert (tmp_path / "deck.apkg").stat().st_size < LARGEST_DECK


def test_whole_topics_are_whole(real_deck: Built):
    assert list(coverage(real_deck.deck.topics, [*real_deck.entries, *real_deck.withheld]).problems) == []


def test_no_verdict_waits_to_be_written(real_deck: Built):
    assert list(map(str, real_deck.notices)) == []


def test_every_record_is_one(real_deck: Built):
    """Each file is a record, lies where its content says, and gives what its kernel declares."""
    for path in sorted(RECORDS.rglob("*.json")):
        data = records.read(path)
        kernel = declare.find(data["kernel"])
        device = data["made"].get("device_class") if kernel.kind == "measurement" else None
        assert records.path_of(kernel, data["parameters"], device) == path
        assert data["made"]["kind"] == kernel.kind
        result = records.load(kernel, kernel.bind(data["parameters"]), device)
        assert result is not None
        if not result.stale:
            assert set(data["outputs"]) | set(data["series"]) == set(kernel.outputs)


def test_every_record_is_wanted(real_deck: Built):
    """Measurements of any device; what no card asks for any more goes."""
    runs = merged(run for sheet in real_deck.sheets for run in sheet.wanted)
    asked = {records.path_of(declare.find(run["kernel"]), run["parameters"], "x").relative_to(RECORDS).as_posix() for run in runs}
    stems = {re.sub(r"(@x)?\.json$", "", path) for path in asked}
    found = {path.relative_to(RECORDS).as_posix() for path in RECORDS.rglob("*") if path.is_file()}
    assert {path for path in found if re.sub(r"(@[^/@]+)?\.json$", "", path) not in stems} == set()


def test_pictures_are_small_and_used(real_deck: Built):
    assert {name: size for note in real_deck.entries for name, size in note.media.items() if size > LARGEST} == {}
    written = "".join(path.read_text(encoding="utf-8") for path in sorted(CARDS.rglob("*.md")))
    pictures = [path.name for path in CARDS.rglob("*") if path.suffix in (".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp")]
    assert [name for name in pictures if name not in written and name.replace(".dark.", ".") not in written] == []


def test_every_tag_and_subdeck_serves(written: Deck):
    folders = {path.parent.name for path in CARDS.glob("*/*.md")}
    assert {note.directory.name for note in written.notes} <= folders <= set(written.subdecks)


def test_a_front_asks_and_a_back_answers(real_deck: Built):
    """Fronts of 3 to 45 words; no two notes ask the same, with what is given."""
    fronts = {note.entry.id: re.sub(r"<[^>]+>|\\\(.*?\\\)", " ", note.fields["Front"]).split() for note in packed(real_deck)}
    assert {id: len(words) for id, words in fronts.items() if not 3 <= len(words) <= 45} == {}
    asked = [" ".join([*fronts[note.entry.id], note.fields.get("Given", "")]).lower() for note in packed(real_deck)]
    assert sorted({front for front in asked if asked.count(front) > 1}) == []


def test_one_figure_a_note(written: Deck):
    shown = {note.id: sum(text.text.count("![[") for text in note.fields.values()) for note in written.notes}
    assert {id: count for id, count in shown.items() if count > 1} == {}


@pytest.mark.parametrize("path", sorted(CARDS.rglob("*.md")), ids=lambda path: path.relative_to(CARDS).as_posix())
def test_files_are_plain(path: Path):
    content = path.read_bytes()
    assert b"\r" not in content and not content.startswith(b"\xef\xbb\xbf") and content.endswith(b"\n") and b"\t" not in content
