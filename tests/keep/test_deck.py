"""The whole deck: the runs that it asks for, what holds between its files, and the same bytes from one process or several."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from workshop import SECOND, Done, Workshop

from generator.keep import deck, sheets
from generator.keep.cache import Cache
from generator.problems import DeckError, Place
from generator.resolve.wanted import lines

SETTINGS = "name: T\nid: 1\nslug: t\nversion: 1\ndevices: [h100]\nsubdecks:\n  gpu: {name: GPU, topics: [a, b]}\n"
NOTE = "# What is it? {#%s}\n\nThis.\n"


@pytest.fixture
def cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cards" / "gpu").mkdir(parents=True)
    (tmp_path / "cards" / "deck.yml").write_text(SETTINGS)
    return Path("cards")


def test_wanted_names_each_case_once(cards: Path):
    runs = "".join(f"  {name}: {{kernel: calibration}}\n" for name in ("x", "y"))
    page = f"---\nruns:\n{runs}  f: {{kernel: training_memory, parameters: 1}}\n---\n" + NOTE % "a-note" + "\n" + NOTE % "b-note"
    (cards / "gpu" / "a.md").write_text(page)
    (cards / "gpu" / "b.md").write_text(page.replace("-note", "-other"))
    found = deck.wanted_runs(cards, Cache())
    (run,) = found
    assert (run["kernel"], run["kind"]) == ("calibration", "simulation")
    (line,) = lines(found)
    assert json.loads(line) == run
    assert run["cards"] == ["cards/gpu/a.md:3", "cards/gpu/a.md:4", "cards/gpu/b.md:3", "cards/gpu/b.md:4"]
    built = deck.build(cards, Cache())
    assert [dict(one) for one in deck.merged(run for sheet in built.sheets for run in sheet.wanted)] == [dict(run)]


def test_a_run_that_no_note_uses_is_wanted_all_the_same(cards: Path):
    (cards / "gpu" / "a.md").write_text("---\nruns:\n  x: {kernel: calibration}\n---\n" + NOTE % "a-note")
    (cards / "gpu" / "b.md").write_text(NOTE % "b-note")
    assert [run["kernel"] for run in deck.wanted_runs(cards, Cache())] == ["calibration"]
    assert "is used by no note" in str(deck.build(cards, Cache()).deck.warnings[0])


def test_a_run_beside_a_figure_is_used(cards: Path):
    runs = "---\nruns:\n  x: {kernel: speculative_roofline}\n  y: {kernel: speculative_measure}\n---\n"
    (cards / "gpu" / "a.md").write_text(f"{runs}{NOTE % 'a-note'}\n![[x | y]]\n")
    (cards / "gpu" / "b.md").write_text(NOTE % "b-note")
    assert [problem for problem in deck.build(cards, Cache()).deck.warnings if "used by no note" in problem.message] == []


def test_what_is_wrong_between_files_is_told_of_faulty_files_too(cards: Path):
    (cards / "gpu" / "a.md").write_text(NOTE % "a-note" + "\n" + NOTE % "b-note" + "\n## Nonsense\n\nx\n")
    (cards / "gpu" / "b.md").write_text("---\nretired: {b-note: why}\n---\n" + NOTE % "a-note" + "\n[[1 / 0]]\n")
    with pytest.raises(DeckError) as raised:
        deck.build(cards, Cache())
    told = [(problem.place, problem.message) for problem in raised.value.problems]
    assert (Place("cards/gpu/b.md", 4), "the id 'a-note' is taken") in told
    assert (Place("cards/gpu/b.md", 2), "the note 'b-note' is retired and yet stands at cards/gpu/a.md:5") in told
    assert len(told) == 4 and {place.path for place, _ in told} == {"cards/gpu/a.md", "cards/gpu/b.md"}


# ------------------------------------------------------------------------------------------- several processes


def outcome(shop: Workshop, jobs: int, command: str, folder: str) -> tuple[Done, dict[str, bytes], bytes]:
    """What a command says with so many processes, every file that it writes but for the cache, and the lock; the lock stays as it was."""
    lock = shop.lock.read_bytes()
    done = shop.run(command, "--build", folder, "--jobs", str(jobs), now=SECOND)
    home = shop.folder / folder
    written = {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file() and path.parent.name != "cache"}
    after = shop.lock.read_bytes()
    shop.lock.write_bytes(lock)
    return Done(done.status, done.out.replace(folder, "build"), done.err), written, after


BREAKS = {
    "deck": [],
    "preview": [],
    "check": [("training/pictures.md", ("Thirty-two", "[[none.total]] Thirty-two")), ("serving/cache.md", ("{#paging}", "{#block}"))],
}


@pytest.mark.parametrize("command", BREAKS)
def test_several_processes_give_the_same_bytes(command: str, shop: Workshop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deck, "WORTH", 2)
    shop.records("h100", 2e12)
    shop.edit("training/pictures.md", ("Threads that share", "All threads that share"))
    for path, change in BREAKS[command]:
        shop.edit(path, change)
    here: list[str] = []
    made = sheets.made
    monkeypatch.setattr(sheets, "made", lambda source, *more: here.append(source.shown) or made(source, *more))
    alone = outcome(shop, 1, command, "alone")
    assert len(here) == 3
    for jobs in (2, 3, 8):
        assert outcome(shop, jobs, command, f"by-{jobs}") == alone
    assert len(here) == 3  # the others were made elsewhere
    assert alone[0].status == (command == "check")
    assert outcome(shop, 3, command, "alone") == alone and here[3:] == ["cards/training/pictures.md"] * alone[0].status  # what is kept is not


def test_several_processes_keep_what_one_would(shop: Workshop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deck, "WORTH", 2)
    outcome(shop, 3, "deck", "many")
    outcome(shop, 1, "deck", "one")
    found: list[Any] = []
    for folder in ("many", "one"):
        cache = Cache(shop.folder / folder / "cache" / "published.sqlite")
        found.append(sorted(cache._file.execute("select * from piece")))
        cache.close()
    assert found[0] == found[1]
