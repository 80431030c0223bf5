"""The stamp: what an idle build says, and everything that must end its idleness."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from workshop import ROOT, SECOND, Done, Workshop, notes

from generator.keep import deck as whole
from generator.keep import files, order, stamp


@pytest.fixture(autouse=True)
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A little code in place of ours, to be changed."""
    for name, file in (("GENERATOR", "render.py"), ("GENERATOR", "look/style.css"), ("PACKAGE", "library/training_memory.py")):
        path = tmp_path / "code" / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        monkeypatch.setattr(stamp, name, tmp_path / "code" / name)
    return tmp_path / "code"


@pytest.fixture
def builds(shop: Workshop, code: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one entry with each build that is really made; the shop's deck is built and stamped already."""
    made: list[str] = []
    real = whole.build

    def counted(cards: Path, *more: Any) -> whole.Built:
        made.append(str(cards))
        return real(cards, *more)

    assert deck(shop).status == 0
    monkeypatch.setattr(whole, "build", counted)
    return made


def deck(shop: Workshop, *options: str, now: int = SECOND) -> Done:
    return shop.run("deck", *options, now=now, idle=True)


def stamp_file(shop: Workshop) -> Path:
    return shop.folder / "build" / "cache" / "published.json"


def test_an_idle_build_says_what_a_build_would_say_and_touches_nothing(shop: Workshop, builds: list[str]):
    before = shop.state()
    idle = deck(shop)
    assert builds == [] and shop.state() == before
    stamp_file(shop).unlink()
    assert deck(shop) == idle and len(builds) == 1
    assert "nothing changed" in idle.out


def test_an_idle_build_repeats_its_warnings(shop: Workshop, builds: list[str]):
    shop.edit("training/pictures.md", ("# What is a block? {#block}\n\nThreads that share memory.\n", ""))
    first = deck(shop)
    assert (first.status, len(builds)) == (0, 1)
    idle = deck(shop)
    assert len(builds) == 1 and "has vanished" in first.out and "has vanished" in idle.out
    stamp_file(shop).unlink()
    assert deck(shop) == idle


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def appended(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


CHANGES: dict[str, Callable[[Workshop, Path], None]] = {
    "a card": lambda shop, _: appended(shop.folder / "cards" / "training" / "memory.md"),
    "a new file among the cards": lambda shop, _: (shop.folder / "cards" / "note.txt").write_text("x"),
    "a file of cards renamed": lambda shop, _: (shop.folder / "cards/training/memory.md").rename(shop.folder / "cards/training/bytes.md") and None,
    "the lock": lambda shop, _: appended(shop.lock),
    "the lock gone": lambda shop, _: shop.lock.unlink(),
    "the package": lambda shop, _: emptied(shop.package),
    "the package gone": lambda shop, _: shop.package.unlink(),
    "the report gone": lambda shop, _: (shop.folder / "build" / "report.json").unlink(),
    "a picture that was written": lambda shop, _: emptied(next((shop.folder / "build" / "media").iterdir())),
    "a kernel": lambda _, code: appended(code / "PACKAGE" / "library" / "training_memory.py"),
    "the compiler": lambda _, code: appended(code / "GENERATOR" / "render.py"),
    "a template": lambda _, code: appended(code / "GENERATOR" / "look" / "style.css"),
    "the stamp": lambda shop, _: emptied(stamp_file(shop)),
    "half a stamp": lambda shop, _: stamp_file(shop).write_bytes(stamp_file(shop).read_bytes()[:-20]) and None,
    "a stamp of another version": lambda shop, _: stamp_file(shop).write_text('{"read": ""}') and None,
    "the stamp gone": lambda shop, _: stamp_file(shop).unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_ends_it(change: str, shop: Workshop, code: Path, builds: list[str]):
    assert deck(shop).status == 0 and builds == []
    CHANGES[change](shop, code)
    deck(shop)
    assert len(builds) == 1


def test_a_record_ends_it(shop: Workshop, builds: list[str]):
    (shop.folder / "records" / "kernel").mkdir(parents=True)
    assert deck(shop).status == 0 and builds == []
    (shop.folder / "records" / "kernel" / "one.json").write_text("{}")
    assert deck(shop).status == 0 and len(builds) == 1
    (shop.folder / "records" / "kernel" / "one.json").write_text("[]")
    assert deck(shop).status == 0 and len(builds) == 2


def test_a_library_and_a_gpu_end_it(shop: Workshop, builds: list[str], monkeypatch: pytest.MonkeyPatch):
    here = order.may_have_gpu()
    assert deck(shop).status == 0 and builds == []
    monkeypatch.setattr(stamp, "versions", lambda libraries: [f"{library} next" for library in libraries])
    assert deck(shop).status == 0 and len(builds) == 1
    monkeypatch.setattr(order, "may_have_gpu", lambda: not here)
    assert deck(shop).status == 0 and len(builds) == 2


def test_every_library_that_the_compiler_needs_is_looked_at():
    (needed,) = re.findall(r"^dependencies = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    libraries = {*re.findall(r'"([a-z0-9]+)>=', needed), "numpy"} - {"watchfiles"}  # numpy comes with Matplotlib; a build watches nothing
    assert libraries == set(stamp.LIBRARIES)
    assert [name.partition("-")[0].lower() for name in stamp.versions(stamp.LIBRARIES) if "-" in name] == list(stamp.LIBRARIES)


def test_a_failed_build_leaves_no_stamp(shop: Workshop, builds: list[str]):
    shop.edit("training/memory.md", ("says: Weights take", "sais: Weights take"))
    assert deck(shop).status == 1
    assert deck(shop).status == 1 and len(builds) == 2


def test_each_subdeck_is_always_written(shop: Workshop, builds: list[str]):
    assert deck(shop, "--each").status == 0
    assert len(builds) == 1


def test_a_frozen_build_may_be_idle(shop: Workshop, builds: list[str]):
    assert deck(shop, "--frozen").status == 0 and builds == []
    shop.lock.unlink()
    assert deck(shop, "--frozen").status == 1 and len(builds) == 1


# ------------------------------------------------------------------------------------------ what a stat cannot prove


def test_what_is_only_touched_is_hashed_once(shop: Workshop, builds: list[str], monkeypatch: pytest.MonkeyPatch):
    """As after a checkout that comes back: the content is the same, and once that is known the stat tells it."""
    monkeypatch.setattr(files, "SETTLED", 0)
    card = shop.folder / "cards/training/memory.md"
    os.utime(card, ns=(1, 1))
    hashed: list[str] = []
    monkeypatch.setattr(stamp, "hash_of", lambda name: hashed.append(name) or files.hash_of(name))
    assert "nothing changed" in deck(shop).out and "cards/training/memory.md" in hashed
    hashed.clear()
    assert "nothing changed" in deck(shop).out and hashed == [] and builds == []


def test_an_idle_build_reads_no_file_but_its_stamp(shop: Workshop, builds: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(files, "SETTLED", 0)
    deck(shop)  # when all is settled
    monkeypatch.setattr(stamp, "hash_of", lambda name: pytest.fail(f"{name} was read"))
    assert "nothing changed" in deck(shop).out and builds == []


@pytest.mark.parametrize("coarse", [1, 1_000_000_000, 2_000_000_000])
def test_a_file_of_the_same_size_in_the_same_second_is_seen(coarse: int, shop: Workshop, builds: list[str], monkeypatch: pytest.MonkeyPatch):
    """On a file system whose clock is as coarse as that, and whose files are written in place."""
    monkeypatch.setattr(files, "stat_of", lambda stat: (stat.st_mtime_ns // coarse * coarse, stat.st_ctime_ns // coarse * coarse, stat.st_size, 7))
    words = ["Thirty-two", "Forty-four", "Fifty-five", "Sixty-four"]
    for old, new in zip(words, words[1:]):
        shop.edit("training/pictures.md", (old, new))
        assert "1 changed" in deck(shop).out
        assert new in notes(shop.package)["warp"][4]
    assert len(builds) == 3


def test_a_file_that_was_hashed_while_it_could_still_change_is_hashed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    card = tmp_path / "card.md"
    card.write_text("one")
    first = files.Files([tmp_path])
    table = json.loads(json.dumps(first.table()))
    monkeypatch.setattr(files, "stat_of", lambda stat, fixed=first.stats[str(card)]: fixed)  # a clock that stands still
    card.write_text("two")
    assert files.Files([tmp_path], table).hash(card) == files.hash_of(str(card)) != first.hash(card)
    table[""] = [table[""][0] + 2 * files.SETTLED]  # the file was old when it was looked at: its stat is trusted
    assert files.Files([tmp_path], table).hash(card) == first.hash(card)


def test_what_counts_as_a_file_of_a_build(tmp_path: Path):
    home = tmp_path / "home"
    for name in ("a.md", "deck.lock", ".hidden", "folder/b.md", "folder/deck.lock", ".git/c", "__pycache__/d.pyc", "folder/x.dark.svg"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(name)
    (home / "folder" / "up").symlink_to(home)
    (home / "round").symlink_to("round")
    (home / "gone.md").symlink_to("nowhere")
    found = files.Files([home, home / "none"])
    names = {os.path.relpath(name, home) for name in found.stats}
    kept = {"a.md", "folder/b.md", "folder/x.dark.svg", "round", "gone.md"}  # broken links too: who reads them is told
    assert {name for name in names if "up" not in name} == kept and len(names) < 11  # a loop ends
    assert found.hash(home / "folder" / ".." / "a.md") == files.hash_of(str(home / "a.md"))
    assert found.hash(home / "none.svg") == found.hash(home / "folder") == ""
    assert not found.moved()
    (home / "deck.lock").write_text("another")
    assert not found.moved()
    (home / "folder" / "new.md").write_text("")
    assert found.moved()
