"""The stamp: what an idle build says, and everything that must end its idleness."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from workshop import SECOND, Done, Workshop

from generator import build
from generator.keep import stamp


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
    real = build.survey

    def survey(cards: Path):
        made.append(str(cards))
        return real(cards)

    assert deck(shop).status == 0
    monkeypatch.setattr(build, "survey", survey)
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
    "a stamp of another version": lambda shop, _: stamp_file(shop).write_text('{"read": ""}') and None,
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_ends_it(change: str, shop: Workshop, code: Path, builds: list[str]):
    assert deck(shop).status == 0 and builds == []
    CHANGES[change](shop, code)
    deck(shop)
    assert len(builds) == 1


def test_a_record_ends_it(shop: Workshop, builds: list[str], monkeypatch: pytest.MonkeyPatch):
    import generator.__main__ as cli

    monkeypatch.setattr(cli, "RECORDS", shop.folder / "records")
    (shop.folder / "records").mkdir(exist_ok=True)
    assert deck(shop).status == 0 and len(builds) == 1
    (shop.folder / "records" / "one.json").write_text("{}")
    assert deck(shop).status == 0 and len(builds) == 2


def test_a_library_and_a_gpu_end_it(shop: Workshop, builds: list[str], monkeypatch: pytest.MonkeyPatch):
    from kernels import gpu as machine

    assert deck(shop).status == 0 and builds == []
    monkeypatch.setattr(stamp, "version_of", lambda library: f"{library} next")
    assert deck(shop).status == 0 and len(builds) == 1
    monkeypatch.setattr(machine, "may_have_gpu", lambda: True)
    assert deck(shop).status == 0 and len(builds) == 2


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
