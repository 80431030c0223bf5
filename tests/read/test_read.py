"""Reading cards/, tests as data: decks/good/<case>/expected.json is the Deck, decks/bad/<case>/expected.txt the exact problems."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from workshop import cpu

from generator.look.notetypes import LOOK
from generator.problems import DeckError, Place, Problem
from generator.read import body, folder, html, yaml
from generator.read.folder import read
from kernels import declare

HERE = Path(__file__).parent.parent
GOOD = sorted(path.parent for path in HERE.glob("decks/good/*/cards"))
BAD = sorted(path.parent for path in HERE.glob("decks/bad/*/cards") if not (path.parent / "library").exists())  # the others read well
NOTE = "# What is it? {#%s}\n\nThis.\n"


def test_there_are_cases():
    assert len(GOOD) >= 3
    assert len(BAD) >= 15


@pytest.mark.parametrize("case", GOOD, ids=lambda path: path.name)
def test_good_deck(case, expect, monkeypatch):
    monkeypatch.chdir(case)
    expect(case / "expected.json", json.dumps(plain(read(Path("cards"))), indent=1, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("case", BAD, ids=lambda path: path.name)
def test_bad_deck(case, expect, monkeypatch):
    monkeypatch.setattr(declare, "names", lambda: ("lora_memory", "training_memory"))  # as messages list them, whatever is added
    monkeypatch.chdir(case)
    with pytest.raises(DeckError) as raised:
        read(Path("cards"))
    expect(case / "expected.txt", re.sub(r"take \d{13},", "take a fresh one,", f"{raised.value}\n"))
    for problem in raised.value.problems:
        assert_place_exists(problem.place)


def assert_place_exists(place: Place) -> None:
    path = Path(place.path)
    assert path.exists() or path.name == "deck.yml"
    if path.is_file():
        assert 1 <= place.line <= max(path.read_bytes().replace(b"\r\n", b"\n").count(b"\n"), 1)


def plain(value):
    """Values as JSON has them; places as path:line, and what says nothing left out."""
    if isinstance(value, (Place, Problem, Path)):
        return str(value)
    if hasattr(value, "_asdict"):
        value = value._asdict()
        return {name: plain(inner) for name, inner in value.items() if inner not in (None, "", (), {})}
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, tuple) else value


# ------------------------------------------------------------------------------- what a data folder cannot hold


def deck_in(folder: Path, files: Mapping[str, str | bytes], topics: str) -> Path:
    cards = folder / "cards"
    settings = f"name: T\nid: 1\nslug: t\nversion: 1\ndevices: [h100]\nsubdecks:\n  gpu: {{name: GPU, topics: [{topics}]}}\n"
    for name, content in {"deck.yml": settings, **files}.items():
        path = cards / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return cards


def problems_of(cards: Path) -> str:
    with pytest.raises(DeckError) as raised:
        read(cards)
    return str(raised.value)


def test_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert problems_of(Path("cards")) == "cards:1: there is no such folder of cards (deck.yml and the cards' folders stand in it)"


def test_an_absolute_path_is_shown_from_here(tmp_path, monkeypatch):
    cards = deck_in(tmp_path, {"gpu/a.md": NOTE % "a-note"}, "a")
    monkeypatch.chdir(tmp_path)
    assert read(cards).notes[0].place == Place("cards/gpu/a.md", 1)


def test_hidden_files_and_backups_are_no_cards(tmp_path):
    files = dict.fromkeys(
        ("gpu/.hidden.md", "gpu/a.md~", "gpu/#a.md#", "gpu/~a.md", ".git/b.md", "README.md", "deck.lock", "media/x.txt"), "no heading"
    )  # noqa: E501
    cards = deck_in(tmp_path, {"gpu/a.md": NOTE % "a-note", **files}, "a")
    assert [note.id for note in read(cards).notes] == ["a-note"]


def test_links_that_loop_do_not_hang(tmp_path):
    cards = deck_in(tmp_path, {"gpu/a.md": NOTE % "a-note"}, "a")
    (cards / "gpu" / "up").symlink_to(cards)
    (cards / "gpu" / "self.md").symlink_to("self.md")
    (cards / "round").symlink_to("round")
    assert "gpu/self.md:1: this is no file that can be read" in problems_of(cards)


def test_an_image_that_links_out_is_refused(tmp_path):
    cards = deck_in(tmp_path, {"gpu/a.md": NOTE % "a-note" + "\n![x](out.png) ![y](loop.png)\n"}, "a")
    (tmp_path / "secret.png").write_bytes(b"x")
    (cards / "gpu" / "out.png").symlink_to(tmp_path / "secret.png")
    (cards / "gpu" / "loop.png").symlink_to("loop.png")
    assert "the image path 'out.png' leads out of cards/" in problems_of(cards)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(tmp_path):
    cards = deck_in(tmp_path, {"gpu/a.md": NOTE % "a-note"}, "a")
    (cards / "gpu" / "a.md").chmod(0)
    assert "the file cannot be read" in problems_of(cards)


@pytest.mark.parametrize(
    "unit",
    ["[", "> ", "<b>", "<!--", "$x ", "\\(", "`a``", "![a][b]", "# x\n", "x\n===\n", "{{c1::", "**a ", "<b \"'", "[a]:  ", " ", "```\n~~~\n"]
    + [
        "<a ",
        "<a\n",
        "<b>x</b>",
        "<b/>",
        "</b>",
        "<b x=",
        "<i><b>",
        "&lt",
        "~a~\n",
        "$a$\n",
        "|a|\n",
        "[a](b)\n",
        "![[a]]\n",
        "- a\n",
        "[^1]\n",
        "\\",
    ],
)
def test_half_a_megabyte_of_anything_is_read_in_linear_time(unit, tmp_path):
    """Eight times as much takes about eight times as long, not sixty-four times."""

    def reading(size: int, times: int) -> float:
        cards = deck_in(tmp_path, {"gpu/a.md": NOTE % "a-note" + unit * (size // len(unit)) + "\n"}, "a")
        return cpu(lambda: problems_of(cards) if unit != " " else read(cards), times)

    assert reading(500_000, 1) < 24 * max(reading(62_500, 3), 0.002)


@pytest.mark.parametrize("unit", ["# a\n", "## a\n", "#a\n", "- a\n# b\n"])
def test_five_megabytes_of_headings_are_one_problem(unit, tmp_path, monkeypatch):
    """Each was one more note, with problems of its own, until the memory was full."""
    count = 4_900_000 // len(unit)
    monkeypatch.chdir(deck_in(tmp_path, {"gpu/a.md": unit * count}, "a").parent)
    said = f"cards/gpu/a.md:1: {count} lines begin with #, and at most 50000 are read (part the file into several)"
    assert problems_of(Path("cards")) == said


@pytest.mark.parametrize("unit", ["~a~\n", "x\n---\n", "<script>\n", "[a](b)\n", "![[a]]\n", "[^1]\n", "#a\n", "# a\n"])
def test_after_many_problems_no_more_are_looked_for(unit, tmp_path):
    few, many = (deck_in(tmp_path / str(count), {"gpu/a.md": NOTE % "a-note" + "\n" + unit * count}, "a") for count in (300, 20_000))
    assert "no more are looked for" not in problems_of(few)
    around = folder.frame(many)
    found = folder.read_file(around.sources[0], around)
    assert len(found.problems) == body.MOST_PROBLEMS + 1
    assert found.problems[-1].message == "10000 problems were found, and no more are looked for" and not found.notes


def test_five_hundred_notes_are_read_once_each(tmp_path, monkeypatch):
    """Each text is gone through once, and four times as many notes take about four times as long."""
    page = (HERE / "decks/good/types/cards/gpu/all-types.md").read_text(encoding="utf-8")
    page = page[page.index("# What") :]

    def deck_of(count: int) -> Path:
        names = [f"t{number}" for number in range(count)]
        files = {f"gpu/{name}.md": FRONT + re.sub(r"#a-(\w+)", rf"#{name}-\1", page) for name in names}
        return deck_in(tmp_path / str(count), files, ", ".join(names))

    few, many = deck_of(32), deck_of(128)
    calls = Counter()
    with monkeypatch.context() as counting:
        for module, name in ((body, "scan"), (yaml, "load"), (html, "elements"), (html, "links"), (folder, "text_of")):
            counting.setattr(module, name, counted(calls, name, getattr(module, name)))
        assert len(read(many).notes) == 512
    types = len(list(LOOK.glob("*/type.yml")))
    assert calls == {"scan": 128, "load": 129 + types, "elements": 128, "links": 128, "text_of": 129}  # deck.yml is the one more
    assert cpu(lambda: read(many), 1) < 12 * cpu(lambda: read(few))


def counted(calls, name, function):
    def call(*arguments):
        calls[name] += 1
        return function(*arguments)

    return call


FRONT = "---\nruns:\n  full: {kernel: training_memory, parameters: 70e9}\n  half: {kernel: training_memory, parameters: 35e9}\n---\n"


def test_reading_imports_nothing_heavy():
    heavy = ("torch", "jinja2", "markdown", "genanki", "matplotlib", "numpy", "sqlite3")
    code = f"import sys, generator.read.folder, generator.resolve.wanted; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HERE.parent).stdout.strip() == "[]"
