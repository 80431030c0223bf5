"""The cache: what it saves, what makes it look again, and that damage to it is only slow."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from workshop import FIRST, SECOND, Workshop, notes

from generator import cache, figures, render
from kernels.library.training.training_memory import BYTES


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts notes rendered and figures drawn."""
    counts: Counter[str] = Counter()

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            counts[name] += 1
            return function(*arguments)

        return call

    monkeypatch.setattr(render, "render", counted("notes", render.render))
    monkeypatch.setattr(figures, "figure", counted("figures", figures.figure))
    return counts


def cache_file(shop: Workshop) -> Path:
    (file,) = (shop.folder / "build" / "cache").glob("*.sqlite")
    return file


def test_nothing_is_done_twice(shop: Workshop, work: Counter[str]):
    before = shop.state()
    assert "nothing changed" in shop.run("deck", now=SECOND).out
    assert work == {} and shop.state() == before
    assert shop.run("check").status == 0 and work == {}


EDITS: dict[str, tuple[Callable[[Workshop, pytest.MonkeyPatch], None], dict[str, int]]] = {
    "a text": (lambda shop, _: shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32")), {"notes": 1}),
    "lines above": (lambda shop, _: shop.edit("training/pictures.md", ("# Where is", "\n\n\n# Where is")), {}),
    "a picture": (lambda shop, _: shop.edit("media/roofline.svg", ("#1f6feb", "#116329")), {"notes": 1}),
    "a picture's dark twin": (lambda shop, _: shop.edit("media/roofline.dark.svg", ("#8ab4f8", "#116329")), {"notes": 1}),
    "a constant": (lambda _, patch: patch.setitem(BYTES, "fp32", 8), {"notes": 3, "figures": 1}),  # each note that cites the kernel
    "a claim": (lambda shop, _: shop.edit("training/memory.md", ("says: Weights take", "says: The weights take")), {"notes": 1}),
    "a subdeck's name": (lambda shop, _: shop.edit("deck.yml", ("name: Serving", "name: Inference")), {"notes": 2}),
    "the compiler": (lambda _, patch: patch.setattr(cache, "version_of", lambda library: f"{library} next"), {"notes": 9, "figures": 1}),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_costs_what_it_concerns(edit: str, shop: Workshop, work: Counter[str], monkeypatch: pytest.MonkeyPatch):
    change, costs = EDITS[edit]
    change(shop, monkeypatch)
    shop.release(SECOND)
    assert work == costs
    warm = shop.state()
    cache_file(shop).unlink()
    shop.release(SECOND)
    assert shop.state() == warm


def test_a_picture_in_another_folder_is_seen(shop: Workshop, work: Counter[str]):
    (shop.folder / "cards/serving/other.svg").write_bytes((shop.folder / "cards/media/roofline.svg").read_bytes())
    shop.edit("training/pictures.md", ("Threads that share memory.", "![Other lines](../serving/other.svg)"))
    before = notes(shop.release(SECOND))
    work.clear()
    shop.edit("serving/other.svg", ("#1f6feb", "#116329"))
    after = notes(shop.release(SECOND))
    assert {id for id in after if after[id] != before[id]} == {"block"} and work["notes"] <= 2


def test_what_is_no_longer_asked_for_is_dropped(shop: Workshop):
    def pieces() -> int:
        with sqlite3.connect(cache_file(shop)) as file:
            return file.execute("select count(*) from piece").fetchone()[0]

    before = pieces()
    for now in range(SECOND, SECOND + 3):
        shop.edit("training/pictures.md", ("32" if now > SECOND else "Thirty-two", f"{now} 32"))
        shop.release(now)
    assert pieces() == before


def test_a_failed_build_keeps_what_it_made(shop: Workshop, work: Counter[str]):
    cache_file(shop).unlink()
    shop.edit("training/pictures.md", ("Thirty-two", "[[none.total]] Thirty-two"))
    assert shop.run("deck", now=SECOND).status == 1 and work["figures"] == 1
    shop.edit("training/pictures.md", ("[[none.total]] ", ""))
    work.clear()
    shop.release(SECOND)
    assert work["figures"] == 0 and work["notes"] <= 3


def damaged(content: bytes) -> dict[str, bytes]:
    return {
        "no database": b"this was a cache",
        "empty": b"",
        "cut off": content[: len(content) // 2],
        "holes": content[:4096] + b"\0" * 4096 + content[8192:-4096] + b"\xff" * 4096,
        "noise": content[:100] + bytes(byte ^ 0x5A for byte in content[100:]),
    }


@pytest.mark.parametrize("damage", damaged(b""))
def test_damage_is_survived(damage: str, shop: Workshop):
    before = shop.state()
    file = cache_file(shop)
    file.write_bytes(damaged(file.read_bytes())[damage])
    for _ in range(2):
        done = shop.run("deck", now=SECOND)
        assert (done.status, done.err) == (0, "") and shop.state() == before


def test_a_piece_that_is_no_json_is_made_again(shop: Workshop, work: Counter[str]):
    before = shop.state()
    with sqlite3.connect(cache_file(shop)) as file:
        file.execute("update piece set content = 'cut o' where key like 'figure:%' or key like 'note:%'")
    shop.release(SECOND)
    assert shop.state() == before and work == {"notes": 9, "figures": 1}


def test_two_builds_at_once(shop: Workshop):
    """Another build writes to the cache: this one does without."""
    before = shop.state()
    other = sqlite3.connect(cache_file(shop))
    other.execute("begin exclusive")
    done = shop.run("deck", now=SECOND)
    other.rollback()
    other.close()
    assert (done.status, done.err) == (0, "") and shop.state() == before


def test_an_old_cache_with_newer_cards(shop: Workshop):
    """As after a checkout of another branch."""
    old = cache_file(shop).read_bytes()
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))
    after = notes(shop.release(SECOND))
    cache_file(shop).write_bytes(old)
    assert notes(shop.release(FIRST)) == after
