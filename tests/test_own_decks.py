"""Decks of one's own, made from an installed wheel in empty folders: built, studied in the real Anki, shown on a phone, updated.

What each deck is made of lies in tests/own.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import struct
import subprocess
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import phone
import pytest
from browser import CHROMIUM
from installed import ROOT, Installed, installed, wheel
from workshop import FIRST, SECOND

pytest.importorskip("anki", reason="the anki library is not installed")
from anki.collection import ExportAnkiPackageOptions
from anki.template import TemplateRenderContext
from test_anki import Learner

from generator.show.preview import with_mathml

OWN = Path(__file__).parent / "own"
FAULT = re.compile(r"\{\{(?!c\d)|\[\[(?!type:)|No cloze|no field|Undefined")  # on a card: what was to be replaced, or Anki's own complaint
MOST = 24  # cards of a deck that are shown on a phone


@pytest.fixture(scope="session")
def warpdeck(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    return installed(folder / "environment", wheel(folder))


@pytest.fixture
def learner(tmp_path: Path) -> Iterator[Learner]:
    made = Learner(tmp_path / "collection.anki2")
    yield made
    made.col.close()


# ------------------------------------------------------------------------------------- how each deck is made


def init(warpdeck: Installed, folder: Path) -> Path:
    warpdeck.does(folder, "init", "first")
    return folder / "first"


def physics(warpdeck: Installed, folder: Path) -> Path:
    return Path(shutil.copytree(OWN / "physics", folder / "physics"))


def vocabulary(warpdeck: Installed, folder: Path) -> Path:
    """Thirty words, asked both ways, each with a picture and a sound."""
    warpdeck.does(folder, "init", "palabras")
    shutil.rmtree(folder / "palabras/kernels")
    topic = folder / "palabras/cards/first-cards.md"
    notes = []
    for number, (word, meaning) in enumerate(re.findall(r"(\w+) (\w+)", WORDS)):
        (topic.parent / f"{word}.png").write_bytes(picture(bytes([8 * number, 255 - 8 * number, 99])))
        (topic.parent / f"{word}.mp3").write_bytes(b"ID3\x03\0\0\0\0\0\0" + (b"\xff\xfb\x90\xc0" + bytes([number]) * 413) * 4)
        notes.append(f"# {word} {{#{meaning}-{number} .reversed}}\n\n{meaning}\n\n![{meaning}]({word}.png)\n\n![{word}]({word}.mp3)\n")
    topic.write_text("\n".join(notes), encoding="utf-8")
    return folder / "palabras"


WORDS = """perro dog gato cat casa house agua water pan bread leche milk sol sun luna moon mar sea mano hand ojo eye boca mouth pie foot libro book
mesa table silla chair puerta door calle street ciudad city coche car tren train flor flower hoja leaf piedra stone nieve snow fuego fire
viento wind cielo sky noche night semana week"""


def picture(colour: bytes) -> bytes:
    """A PNG of one colour, 16 pixels wide and high."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = (b"\0" + colour * 16) * 16
    head = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def stock(path: Path) -> Path:
    """A package of 200 notes of all the types that Anki has from the start, with pictures and tags, as its owner would export it."""
    col = Learner(path.with_suffix(".anki2")).col
    name = col.media.write_data("a picture.png", picture(b"\x20\x60\xa0"))
    kinds = [kind for kind in col.models.all() if kind["name"] != "Image Occlusion"]
    for number in range(195):
        kind = kinds[number % len(kinds)]
        note = col.new_note(kind)
        hidden = "{{c1::%s}}" if kind["type"] else "%s"
        note.fields[0] = f"What is {hidden % f'question <b>{number}</b>'}?"
        note.fields[1] = f'Answer {number}<br><img src="{name}">' if number % 5 == 0 else f"Answer {number}"
        note.tags = ["stock", f"part::{number % 3}"]
        col.add_note(note, col.decks.id(f"Stock::Part {number % 2}"))
    for number in range(5):
        note = col.new_note(col.models.by_name("Image Occlusion"))
        area = f"{{{{c1::image-occlusion:rect:left=.{number + 1}:top=.2:width=.3:height=.1:oi=1}}}}"
        note.fields[:3] = [area, f'<img src="{name}">', f"Hidden {number}"]
        col.add_note(note, col.decks.id("Stock"))
    col.export_anki_package(out_path=str(path), options=ExportAnkiPackageOptions(with_media=True), limit=None)
    col.close()
    return path


def imported(source: Path) -> Callable[[Installed, Path], Path]:
    def make(warpdeck: Installed, folder: Path) -> Path:
        deck = folder / f"from {source.name}"
        deck.mkdir()
        warpdeck.does(deck, "import", stock(deck / source.name) if source.name == "stock.apkg" else source)
        return deck

    return make


FORMATS = Path(__file__).parent / "elsewhere"
DECKS: dict[str, Callable[[Installed, Path], Path]] = {
    "init": init,
    "vocabulary": vocabulary,
    "physics": physics,
    "stock": imported(Path("stock.apkg")),
    "obsidian": imported(FORMATS / "obsidian/vault"),
    "md2anki": imported(FORMATS / "md2anki/deck.md"),
    "csv": imported(FORMATS / "table/plain.csv"),
}
EDITS = {  # for each deck an edit of one note: what stands in its Markdown once, and what is to
    "init": ("It stops in half the distance.", "In half the distance."),
    "vocabulary": ("\n\nsnow\n", "\n\nthe snow\n"),
    "physics": ("of 10 cm radius", "with a radius of 10 cm"),
    "stock": ("Answer 7\n", "The answer 7\n"),
    "obsidian": ("Sucre", "Sucre, by its constitution"),
    "md2anki": ("One line answer", "An answer of one line"),
    "csv": ("five dollars", "five of them"),
}


def package(deck: Path) -> Path:
    (made,) = (deck / "build").glob("*.apkg")
    return made


def shown(learner: Learner) -> list[tuple[str, str, str, str]]:
    """Every card: its name, both sides as Anki makes them, and its style. Anki raises where a template is at fault."""
    cards = [learner.col.get_card(id) for id in learner.col.find_cards("")]
    for card in cards:
        TemplateRenderContext.from_existing_card(card, False)._partially_render()
    return [(f"{card.nid} {card.ord}", card.question(), card.answer(), card.note_type()["css"]) for card in cards]


def texts(learner: Learner) -> dict[int, list]:
    """By Anki's id of a note, all that a learner sees of it."""
    return {row[0]: row[1:] for row in learner.col.db.all("select id, mod, tags, flds from notes")}


def notes_of(deck: Path) -> int:
    return sum(len(re.findall(r"^# .+\{#", path.read_text(encoding="utf-8"), re.MULTILINE)) for path in (deck / "cards").rglob("*.md"))


@pytest.fixture(params=DECKS)
def made(request: pytest.FixtureRequest, warpdeck: Installed, tmp_path: Path) -> tuple[str, Path]:
    """A deck's name, and its folder, in which nothing was built yet."""
    return request.param, DECKS[request.param](warpdeck, tmp_path)


# --------------------------------------------------------------------------------------------- what each must do


def test_a_deck_is_sound_and_says_so_in_one_line(made: tuple[str, Path], warpdeck: Installed):
    said = warpdeck.does(made[1], "check", "--strict")
    told = [line for line in said.splitlines() if "rule near-duplicate" not in line]  # prime ministers of three countries
    assert len(told) == 1 and "no problems" in told[0] and (told == said.splitlines() or made[0] == "obsidian"), said


def test_anki_takes_it_all(made: tuple[str, Path], warpdeck: Installed, learner: Learner, tmp_path: Path):
    name, deck = made
    warpdeck.does(deck, "deck", now=FIRST)
    took = learner.takes(package(deck))
    assert (took.new, took.conflicting) == (notes_of(deck), 0)
    check = learner.col.media.check()
    assert (list(check.missing), list(check.unused), learner.col.get_empty_cards().report) == ([], [], "")
    assert {name: sides for name, *sides, _ in shown(learner) if any(map(FAULT.search, sides))} == {}


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_it_fits_a_phone_by_day_and_by_night(made: tuple[str, Path], warpdeck: Installed, learner: Learner, tmp_path: Path):
    warpdeck.does(made[1], "deck", now=FIRST)
    learner.takes(package(made[1]))
    pages = {}
    cards = shown(learner)
    for name, front, back, css in cards[:: -(-len(cards) // MOST)]:
        for (side, body), theme in itertools.product((("front", front), ("back", back)), ("light", "dark")):
            body = with_mathml(re.sub(r"\[\[type:[^\]]+\]\]", '<input type="text">', body))
            pages[f"{name} {side} {theme}"] = phone.page(body, css, theme)
    found = phone.measured(Path(learner.col.media.dir()), pages)
    assert {name: m["over"] for name, m in found.items() if m["page"] > 360 or m["over"]} == {}
    assert {name: m["low"] + m["small"] for name, m in found.items() if m["low"] or m["small"]} == {}
    for name, m in found.items():
        assert all(loaded for _, shown, loaded in m["images"] if shown), name
        assert all(shown == (twin in name.split()) for twin, shown, _ in m["images"] if twin in ("light", "dark")), name


def test_an_update_changes_what_was_edited_and_no_schedule(made: tuple[str, Path], warpdeck: Installed, learner: Learner):
    name, deck = made
    old, new = EDITS[name]
    assert "nothing changed, nothing lost" in warpdeck.does(deck, "release", "1", now=FIRST)
    (released, *_) = sorted((deck / "build/release/1").glob("*.apkg"), key=lambda path: len(path.name))
    learner.takes(released)
    learner.col.sched.set_due_date(list(learner.col.find_cards("")), "30")
    schedules = learner.schedules()
    (path,) = [path for path in (deck / "cards").rglob("*.md") if old in path.read_text(encoding="utf-8")]
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    warpdeck.does(deck, "deck", now=SECOND)
    took = learner.takes(package(deck))
    assert (took.new, took.updated, took.conflicting) == (0, 1, 0)
    assert learner.schedules() == schedules


def test_two_decks_in_one_collection_leave_each_other_alone(warpdeck: Installed, learner: Learner, tmp_path: Path):
    decks = [make(warpdeck, tmp_path) for make in DECKS.values()]
    seen: dict[int, list] = {}
    for deck in decks:
        warpdeck.does(deck, "deck", now=FIRST)
        styles = {kind["id"]: kind for kind in learner.col.models.all()}
        took = learner.takes(package(deck))
        assert (took.new, took.updated, took.same, took.conflicting) == (notes_of(deck), 0, 0, 0)
        assert {id: kind for id, kind in ((kind["id"], kind) for kind in learner.col.models.all()) if id in styles} == styles
        assert {id: text for id, text in texts(learner).items() if id in seen} == seen
        seen = texts(learner)


def test_who_studied_the_original_loses_nothing(warpdeck: Installed, learner: Learner, tmp_path: Path):
    deck = DECKS["stock"](warpdeck, tmp_path)
    learner.takes(deck / "stock.apkg")
    learner.col.sched.set_due_date(list(learner.col.find_cards("")), "30")
    schedules = learner.schedules()
    warpdeck.does(deck, "deck", now=FIRST)
    took = learner.takes(package(deck))
    assert (took.new, took.conflicting, learner.col.note_count()) == (0, 0, 200)
    assert learner.schedules() == schedules


# ------------------------------------------------------------------------------------------------- the command


def test_the_wheel_holds_what_the_command_needs(warpdeck: Installed, tmp_path: Path):
    """All data files of the compiler, no record; and another folder's `kernels` is no obstacle."""
    site = next(warpdeck.folder.rglob("site-packages"))
    ours = {path.relative_to(ROOT) for path in (ROOT / "generator").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {path for path in ours if not (site / path).is_file()} <= {Path("generator/README.md")}
    assert (site / "kernels" / "library").is_dir() and not (site / "kernels" / "records").exists()
    (tmp_path / "kernels").mkdir()
    assert "gradient" in warpdeck.does(tmp_path, "kernels", "list", "gradient")


def test_another_package_named_kernels_is_named(warpdeck: Installed, tmp_path: Path):
    own = tmp_path / "environment"
    shutil.copytree(warpdeck.folder, own, symlinks=True)
    theirs = next(own.rglob("site-packages")) / "kernels" / "__init__.py"
    theirs.write_text("from .layer import LayerRepository\n", encoding="utf-8")  # as when another package's installation overwrote ours
    script = (own / "bin" / "warpdeck").read_text(encoding="utf-8")
    (own / "bin" / "warpdeck").write_text(script.replace(str(warpdeck.folder), str(own)), encoding="utf-8")
    done = Installed(own).run(tmp_path, "check")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert f"another package named `kernels` stands in the way of warpdeck's: {theirs}" in done.stderr and "environment of its own" in done.stderr


def test_init_refuses_what_is_there(warpdeck: Installed, tmp_path: Path):
    (tmp_path / "here").mkdir()
    (tmp_path / "file").write_text("", encoding="utf-8")
    for name in ("here", "file"):
        done = warpdeck.run(tmp_path, "init", name)
        assert done.returncode == 1 and done.stderr.startswith(f"{name}:1: this is there already")
    assert list((tmp_path / "here").iterdir()) == []
    assert not list(tmp_path.glob("*.part")) and not list(tmp_path.glob(".*.part"))


def test_every_init_has_an_id_of_its_own(warpdeck: Installed, tmp_path: Path):
    ids = set()
    for name in ("one", "Zwei Decks", "three_3"):
        warpdeck.does(tmp_path, "init", name)
        ids.add(re.search(r"^id: (\d{13}) ", (tmp_path / name / "cards/deck.yml").read_text(encoding="utf-8"), re.MULTILINE)[1])  # type: ignore[index]
        hidden = {path.name for path in (tmp_path / name).glob(".*")}
        assert hidden == {".gitignore", ".gitattributes", ".editorconfig", ".vscode", ".github"}
    assert len(ids) == 3


def test_the_workflow_builds_what_init_made(warpdeck: Installed, tmp_path: Path):
    """The steps that run warpdeck, as they stand in the workflow, in the folder that init makes."""
    import yaml

    deck = init(warpdeck, tmp_path)
    workflow = yaml.safe_load((deck / ".github/workflows/deck.yml").read_text(encoding="utf-8"))
    steps = [step["run"].split() for step in workflow["jobs"]["deck"]["steps"] if step.get("run", "").startswith("warpdeck ")]
    assert [words[1] for words in steps] == ["check", "deck"]
    for _, *words in steps:
        warpdeck.does(deck, *words)
    assert package(deck).name == "first.apkg"


# -------------------------------------------------------------------------------------------------- the README

PAGE = re.search(r"^## Your own deck\n(.*?)^## The deck in", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)[1]  # type: ignore[index]
BLOCK = re.compile(r"(?P<before>[^\n]*)\n\n```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
INSTALLING = ("python3 -m venv ~/.warpdeck", "~/.warpdeck/bin/pip install .", "export PATH=~/.warpdeck/bin:$PATH")  # done with the wheel, above
NOBODY = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
NOBODY |= {f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def watched(warpdeck: Installed, deck: Path) -> str:
    """The page that `warpdeck watch` serves."""
    command = [warpdeck.bin / "warpdeck", "watch", "--port", "0"]
    process = subprocess.Popen(command, cwd=deck, env=warpdeck.environment, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout
        with urllib.request.urlopen(process.stdout.readline().strip(), timeout=60) as page:
            return page.read().decode()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.mark.skipif(shutil.which("git") is None or os.name == "nt", reason="no git, or another shell")
def test_the_page_of_the_readme_to_the_letter(warpdeck: Installed, tmp_path: Path, learner: Learner):
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f"#!/bin/sh\necho $1 > {tmp_path}/opened\n", encoding="utf-8")
    opener.chmod(0o755)
    environment = {**warpdeck.environment, **NOBODY, "PATH": f"{opener.parent}:{warpdeck.environment['PATH']}"}
    here, said = tmp_path, {}
    assert [line for line in PAGE.split("\n") if line.startswith("$ ")][:3] == [f"$ {line}" for line in INSTALLING]
    for block in BLOCK.finditer(PAGE):
        if block["language"] != "console":
            (name,) = re.findall(r"`([\w./-]+\.\w+)`:$", block["before"])
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            (here / name).write_text(block["text"], encoding="utf-8")
            continue
        for line in re.findall(r"^\$ (.*)", block["text"], re.MULTILINE):
            if line.startswith("cd "):
                here = here / line.removeprefix("cd ")
            elif line == "warpdeck watch":
                assert "twice-the-speed" in watched(warpdeck, here)
            elif line not in INSTALLING:
                done = subprocess.run(["bash", "-c", line], cwd=here, env=environment, capture_output=True, text=True, check=False)
                assert done.returncode == 0, (line, done.stdout, done.stderr)
                said[line] = done.stdout
    assert re.search(r"^energy +334,?880 J$", said["warpdeck kernels run boiling_time mass=1 power=2000"], re.MULTILINE)
    assert said["warpdeck check"].endswith(": no problems\n")
    assert (tmp_path / "opened").read_text(encoding="utf-8").strip() == str(here / "build/kitchen.apkg")
    assert "\n1 changed note: " in said["warpdeck diff"] and "above potassium.”, now “" in said["warpdeck diff"]
    took = learner.takes(package(here))
    assert took.new == notes_of(here) == 14
    assert learner.note("kettle-time")["Expected"].startswith("170") and len(learner.cards("sodium")) == 2
