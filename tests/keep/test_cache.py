"""The cache: an edit costs what it concerns, nothing is made twice, and damage to it is only slow."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from workshop import FIRST, SECOND, Done, Workshop, notes

from generator import build
from generator.keep import cache, sheets, stamp
from generator.render import figures
from generator.render import note as render
from generator.resolve import note as resolve

STEPS = {"read": (sheets, "read_file"), "resolved": (resolve, "resolve"), "rendered": (render, "render"), "drawn": (figures, "figure")}
NOTHING: dict[str, int] = {}
EVERYTHING = {"read": 3, "resolved": 4, "rendered": 9, "drawn": 1}


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts files read, notes resolved and rendered, figures drawn."""
    counts: Counter[str] = Counter()

    def counted(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            counts[step] += 1
            return function(*arguments)

        return call

    for step, (module, name) in STEPS.items():
        monkeypatch.setattr(module, name, counted(step, getattr(module, name)))
    return counts


@pytest.fixture
def own(shop: Workshop, work: Counter[str]) -> Workshop:
    """A workshop whose kernels are its own, built."""
    shop.takes_kernels("training_memory", "copy_bandwidth")
    shop.build(FIRST)
    work.clear()
    return shop


def cache_file(shop: Workshop) -> Path:
    (file,) = (shop.folder / "build" / "cache").glob("*.sqlite")
    return file


def pieces(shop: Workshop) -> set[str]:
    with sqlite3.connect(cache_file(shop)) as file:
        return {key for (key,) in file.execute("select key from piece")}


# ---------------------------------------------------------------------------------------------- what an edit costs


def test_nothing_is_done_twice(shop: Workshop, work: Counter[str]):
    before = shop.state()
    assert "nothing changed" in shop.run("deck", now=SECOND).out
    assert work == NOTHING and shop.state() == before
    for command in ("check", "preview", "wanted"):
        assert shop.run(command).status == 0 and work == NOTHING


def question(shop: Workshop) -> None:
    shop.edit("sources.yml", ("    1: What does it keep?", "    1: What does it keep?\n    2: Why?"))


def library(own: Workshop, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(stamp, "versions", lambda libraries: [f"{library} next" for library in libraries])


def kernel(name: str, *changes: tuple[str, str]) -> Callable[[Workshop, pytest.MonkeyPatch], None]:
    return lambda own, _: own.edit(f"{name}.py", *changes, under="library")


def rename(own: Workshop, _: pytest.MonkeyPatch) -> None:
    (own.folder / "cards/serving/cache.md").rename(own.folder / "cards/serving/paged.md")
    own.edit("deck.yml", ("topics: [cache]", "topics: [paged]"))


FIGURE = ('plot.stacked_bars(ax, {"": {part: result[part] for part in PARTS}}, unit="B")', 'plot.bars(ax, {"": result["total"]}, unit="B")')
FORMULA = {"read": 1, "resolved": 3, "rendered": 3, "drawn": 1}  # all notes that ask it: with other parameters it may now give another number
ONE, PLAIN = {"read": 1, "resolved": 1, "rendered": 1}, {"read": 1, "rendered": 1}  # a note with numbers or claims, and one without
EDITS: dict[str, tuple[Callable[[Workshop, pytest.MonkeyPatch], None], dict[str, int]]] = {
    "a text": (lambda own, _: own.edit("training/pictures.md", ("Thirty-two", "Exactly 32")), PLAIN),
    "lines above": (lambda own, _: own.edit("training/pictures.md", ("# Where is", "\n\n\n# Where is")), {"read": 1}),
    "a claim": (lambda own, _: own.edit("training/memory.md", ("says: Weights take", "says: The weights take")), ONE),
    "the tags of a file": (lambda own, _: own.edit("training/pictures.md", ("tags: [speed]", "tags: [memory]")), {"read": 1, "rendered": 3}),
    "a run's parameter": (lambda own, _: own.edit("training/memory.md", ("parameters: 7e9", "parameters: 8e9"), ("at 7B", "at 8B")), ONE),
    "a picture": (lambda own, _: own.edit("media/roofline.svg", ("#1f6feb", "#116329")), PLAIN),
    "a picture's dark twin": (lambda own, _: own.edit("media/roofline.dark.svg", ("#8ab4f8", "#116329")), PLAIN),
    "a picture's dark twin gone": (lambda own, _: (own.folder / "cards/media/roofline.dark.svg").unlink(), PLAIN),
    "a picture that no card shows": (lambda own, _: (own.folder / "cards/media/other.svg").write_text("<svg/>") and None, NOTHING),
    "a constant": (kernel("training_memory", ('"fp32": 4', '"fp32": 8')), {"read": 1, "resolved": 3, "rendered": 3, "drawn": 1}),
    "a constant that no number stands on": (kernel("training_memory", ('"fp8": 1', '"fp8": 2')), FORMULA),
    "a kernel's figure": (kernel("training_memory", FIGURE), {**ONE, "drawn": 1}),
    "a kernel without a record": (kernel("copy_bandwidth", ("SIZES = ", "SIZES = () or ")), {"read": 1}),
    "a record": (lambda own, _: own.records("h100", 2e12), {**ONE, "drawn": 1}),
    "a record of a device that is not quoted": (lambda own, _: own.records("h200", 2e12), NOTHING),
    "a subdeck's name": (lambda own, _: own.edit("deck.yml", ("name: Serving", "name: Inference")), {"read": 1, "resolved": 1, "rendered": 2}),
    "the order of the topics": (lambda own, _: own.edit("deck.yml", ("[memory, pictures]", "[pictures, memory]")), NOTHING),
    "the version": (lambda own, _: own.edit("deck.yml", ('version: "7"', 'version: "8"')), NOTHING),
    "a question's words": (lambda own, _: own.edit("sources.yml", ("What does it keep?", "What does Adam keep?")), NOTHING),
    "one question more": (lambda own, _: question(own), {"read": 3}),
    "one device more": (lambda own, _: own.edit("deck.yml", ("devices: [h100]", "devices: [h100, h200]")), {"read": 3, "resolved": 1, "rendered": 1}),
    "a file's name": (rename, {"read": 1}),
    "a library under it": (library, EVERYTHING),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_costs_what_it_concerns(edit: str, own: Workshop, work: Counter[str], monkeypatch: pytest.MonkeyPatch):
    change, costs = EDITS[edit]
    change(own, monkeypatch)
    own.build(SECOND)
    assert work == costs
    warm = own.state()
    own.build(SECOND)
    assert work == costs and own.state() == warm
    cache_file(own).unlink()
    own.build(SECOND)
    assert own.state() == warm


def test_what_comes_back_costs_little(own: Workshop, work: Counter[str]):
    """A note that reads as it once did is neither resolved nor rendered again, and a figure is not drawn again."""
    own.edit("training/memory.md", ("[[full.total | GB]]", "Just [[full.total | GB]]"))
    own.build(SECOND)
    work.clear()
    own.edit("training/memory.md", ("Just [[full.total | GB]]", "[[full.total | GB]]"))
    own.build(SECOND)
    assert work == {"read": 1}


MASKED = """---
runs:
  full: {kernel: training_memory, parameters: 70e9}
---

# What is hidden of 70B? {#masked .occlusion}

![[full | hide: bars]]

## Masks

1. master: which?
2. optimizer
"""


def test_masks_lie_where_the_figure_is_drawn(own: Workshop, work: Counter[str]):
    """A hint costs no drawing; a figure that is drawn in another way moves its masks, or lacks their parts."""
    (own.folder / "cards/training/masks.md").write_text(MASKED, encoding="utf-8")
    built = iter(range(SECOND, SECOND + 9))

    def fields() -> list[str]:
        return notes(own.build(next(built)))["masked"][4].split("\x1f")

    first = fields()
    assert work == {**ONE, "drawn": 1}
    work.clear()
    own.edit("training/masks.md", ("which?", "which of them?"))
    hinted = fields()
    assert work == ONE and [number for number, one in enumerate(first) if one != hinted[number]] == [5] and "which of them?" in hinted[5]
    own.edit("training_memory.py", ('plot.stacked_bars(ax, {"": {', 'plot.stacked_bars(ax, {"x": {"rest": result["total"]}, "": {'), under="library")
    moved = fields()
    assert [number for number, one in enumerate(hinted) if one != moved[number]] == [3, 4] and "image-occlusion:rect" in moved[3]
    own.forgets()
    assert fields() == moved
    own.edit("training_memory.py", ('{"x": {"rest": result["total"]}, "": {', '{"x": {'), under="library")
    done = own.run("deck", now=next(built))
    assert done.status == 1 and "masks.md:12: 'master' is no part of the figure that 'bars' hides (did you mean x: master?" in done.err


def test_a_picture_in_another_folder_is_seen(shop: Workshop, work: Counter[str]):
    (shop.folder / "cards/serving/other.svg").write_bytes((shop.folder / "cards/media/roofline.svg").read_bytes())
    shop.edit("training/pictures.md", ("Threads that share memory.", "![Other lines](../serving/other.svg)"))
    before = notes(shop.build(SECOND))
    work.clear()
    shop.edit("serving/other.svg", ("#1f6feb", "#116329"))
    after = notes(shop.build(SECOND))
    assert {id for id in after if after[id] != before[id]} == {"block"} and work["rendered"] <= 2


def test_a_failed_build_keeps_what_it_made(shop: Workshop, work: Counter[str]):
    cache_file(shop).unlink()
    shop.edit("training/pictures.md", ("Thirty-two", "[[none.total]] Thirty-two"))
    assert shop.run("deck", now=SECOND).status == 1 and work["drawn"] == 1
    shop.edit("training/pictures.md", ("[[none.total]] ", ""))
    work.clear()
    shop.build(SECOND)
    assert work["drawn"] == 0 and work["read"] == 1 and work["rendered"] <= 3


def test_an_old_cache_with_newer_cards(shop: Workshop):
    """As after a checkout of another branch."""
    old = cache_file(shop).read_bytes()
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))
    after = notes(shop.build(SECOND))
    cache_file(shop).write_bytes(old)
    assert notes(shop.build(FIRST)) == after


# ----------------------------------------------------------------------------------------------------- sweeping


def test_what_is_no_longer_asked_for_is_swept_out(shop: Workshop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cache, "ROOM", 0)  # swept at every build
    shop.run("deck", now=FIRST)
    before = len(pieces(shop))
    for now in range(SECOND, SECOND + 3):
        shop.edit("training/pictures.md", ("32" if now > SECOND else "Thirty-two", f"{now} 32"))
        shop.build(now)
    assert len(pieces(shop)) == before
    shop.edit("training/pictures.md", ("![Two lines that meet](roofline.svg)\n", ""))
    shop.build(SECOND + 3)
    assert len(pieces(shop)) < before


def test_sweeping_waits_for_twice_the_size(shop: Workshop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cache, "LEAST", 0)
    shop.forgets()
    shop.build(SECOND)
    sizes, last = [cache_file(shop).stat().st_size], "Thirty-two"
    while len(sizes) < 100 and sizes[-1] >= max(sizes):
        shop.edit("training/pictures.md", (last, last := f"{len(sizes)} " + "long " * 2000))
        shop.build(SECOND + len(sizes))
        sizes.append(cache_file(shop).stat().st_size)
    assert len(sizes) > 4 and sizes[-1] < max(sizes) and cache.ROOM * sizes[0] * 0.8 < max(sizes) < cache.ROOM * sizes[0] * 1.5


def test_judging_one_file_sweeps_nothing(shop: Workshop, monkeypatch: pytest.MonkeyPatch, work: Counter[str]):
    monkeypatch.setattr(cache, "ROOM", 0)
    assert shop.run("check", "cards/serving/cache.md").status == 0
    shop.build(SECOND)
    assert work == NOTHING


# ------------------------------------------------------------------------------------------------------- damage


def damaged(content: bytes) -> dict[str, bytes]:
    return {
        "no database": b"this was a cache",
        "empty": b"",
        "cut off": content[: len(content) // 2],
        "cut off by a page": content[:-4096],
        "a byte": content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 1] if content else []) + content[len(content) // 2 + 1 :],
        "holes": content[:4096] + b"\0" * 4096 + content[8192:-4096] + b"\xff" * 4096,
        "noise": content[:100] + bytes(byte ^ 0x5A for byte in content[100:]),
        "zeros": b"\0" * len(content),
    }


UNSEEN = ("empty",)  # what holds nothing has lost nothing that could be told


def word(done: Done) -> bool:
    """Whether something is said of the cache, in one line."""
    assert re.fullmatch(r"(build/cache/published\.sqlite: .+; it is made anew\n)?", done.err), done.err
    return bool(done.err)


@pytest.mark.parametrize("damage", damaged(b""))
def test_damage_is_survived(damage: str, shop: Workshop):
    before = shop.state()
    file = cache_file(shop)
    file.write_bytes(damaged(file.read_bytes())[damage])
    for told in ((damage not in UNSEEN,) if damage != "a byte" else (True, False), (False,)):  # a byte need not lie where anybody looks
        done = shop.run("deck", now=SECOND)
        assert done.status == 0 and word(done) in told and shop.state() == before
    assert shop.run("preview").status == shop.run("check").status == 0


@pytest.mark.parametrize("other", ["-wal", "-shm", "-journal"])
def test_what_another_process_left_beside_it_is_survived(other: str, shop: Workshop):
    before = shop.state()
    cache_file(shop).with_name(f"{cache_file(shop).name}{other}").write_bytes(b"left over" * 5000)
    done = shop.run("deck", now=SECOND)
    assert word(done) in (True, False) and done.status == 0 and shop.state() == before


SPOILT = {
    "a bit of each": "update piece set content = cast(substr(content, 1, 10) || 'x' || substr(content, 12) as blob)",
    "text for bytes": "update piece set content = 'cut o'",
    "each digest": "update piece set digest = x'00'",
    "no digest": "update piece set digest = null",
    "two notes swapped": """update piece set (content, digest) = (select content, digest from piece as other where other.key like 'note:%'
        and other.key <> piece.key and other.content is not piece.content limit 1) where key like 'note:%'""",
    "all notes": "delete from piece where key like 'note:%'",
    "all media": "delete from piece where key like 'media:%'",
    "all sheets": "delete from piece where key like 'sheet:%'",
    "another table": "alter table piece rename column digest to sum",
    "no table": "drop table piece",
}


OTHERS = ("all sheets", "another table", "no table")  # a cache that never had them, and one of another version


@pytest.mark.parametrize("spoilt", SPOILT)
def test_spoilt_pieces_are_made_again(spoilt: str, shop: Workshop):
    before = shop.state()
    with sqlite3.connect(cache_file(shop)) as file:
        file.execute(SPOILT[spoilt])
    for path in (shop.folder / "build" / "media").iterdir():
        path.unlink()
    for command, told in (("deck", spoilt not in OTHERS), ("preview", False), ("deck", False)):
        done = shop.run(command, now=SECOND)
        assert (done.status, word(done)) == (0, told) and shop.state() == before


# ------------------------------------------------------------------------------------- others, and interruptions


@pytest.mark.parametrize("lock", ["begin immediate", "begin exclusive"])
def test_two_builds_at_once(lock: str, shop: Workshop):
    """Another build writes to the cache: this one does without, and leaves it alone."""
    before, kept = shop.state(), pieces(shop)
    other = sqlite3.connect(cache_file(shop), isolation_level=None)
    other.execute(lock)
    done = shop.run("deck", now=SECOND)
    other.execute("rollback")
    other.close()
    assert (done.status, done.err) == (0, "") and shop.state() == before and pieces(shop) == kept


def test_two_builds_of_different_decks_at_once(shop: Workshop):
    """The other build ends while this one is at work: each has the package of its own cards."""
    cards = shop.folder / "cards/training/pictures.md"
    other = sqlite3.connect(cache_file(shop), isolation_level=None)
    other.execute("begin immediate")
    text = cards.read_text(encoding="utf-8")
    cards.write_text(text.replace("Thirty-two", "Exactly 32"), encoding="utf-8")
    edited = notes(shop.build(SECOND))
    other.execute("commit")
    other.close()
    assert "Exactly 32" in edited["warp"][4]
    cards.write_text(text, encoding="utf-8")
    assert "Thirty-two" in notes(shop.build(SECOND + 1))["warp"][4]


def interrupted(*_: Any) -> Any:
    raise KeyboardInterrupt


@pytest.mark.parametrize("module, name", [STEPS["resolved"], STEPS["rendered"], (sheets, "live"), (os, "replace")])
def test_an_interrupted_build_leaves_nothing_wrong(module: Any, name: str, shop: Workshop, monkeypatch: pytest.MonkeyPatch):
    before, kept = shop.state(), pieces(shop)
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))
    shop.edit("training/memory.md", ("says: Weights take", "says: The weights take"))
    monkeypatch.setattr(cache, "ROOM", 0)
    with monkeypatch.context() as breaking:
        breaking.setattr(module, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            shop.run("deck", now=SECOND)
    assert pieces(shop) == kept
    if module is not sheets:  # which comes when all is written
        assert shop.state() == before
    shop.build(SECOND)
    warm = shop.state()
    shop.run("preview")
    cache_file(shop).unlink()
    shop.build(SECOND)
    assert shop.state() == warm


def test_a_file_that_changes_during_the_build_is_kept_as_nothing(shop: Workshop, monkeypatch: pytest.MonkeyPatch):
    """Whatever was read of it need not be what was hashed."""
    cards, kept = shop.folder / "cards/training/pictures.md", pieces(shop)
    stamped = (shop.folder / "build/cache/published.json").read_bytes()
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))
    with monkeypatch.context() as meanwhile:

        def touched(*arguments: Any) -> Any:
            cards.write_text(cards.read_text(encoding="utf-8").replace("Exactly 32", "About 32"), encoding="utf-8")
            return made(*arguments)

        made = render.render
        meanwhile.setattr(render, "render", touched)
        assert "Exactly 32" in notes(shop.build(SECOND))["warp"][4]
    assert pieces(shop) == kept and (shop.folder / "build/cache/published.json").read_bytes() == stamped
    assert "About 32" in notes(shop.build(SECOND + 1))["warp"][4]


def test_a_file_that_changes_during_a_build_that_fails(shop: Workshop, monkeypatch: pytest.MonkeyPatch):
    cards, kept = shop.folder / "cards/training/pictures.md", pieces(shop)
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))
    shop.edit("serving/cache.md", ("To waste none", "[[none.total]] To waste none"))
    with monkeypatch.context() as meanwhile:

        def touched(*arguments: Any) -> Any:
            cards.write_text(cards.read_text(encoding="utf-8").replace("Exactly 32", "About 32"), encoding="utf-8")
            return made(*arguments)

        made = render.render
        meanwhile.setattr(render, "render", touched)
        assert shop.run("deck", now=SECOND).status == 1
    assert pieces(shop) == kept


# ------------------------------------------------------------------------- what the clean build would do, the warm one does


def clean(shop: Workshop) -> Done:
    """What a build without a cache says; it writes elsewhere, and nothing beside the cards."""
    lock = shop.lock.read_bytes()
    shutil.rmtree(shop.folder / "afresh", ignore_errors=True)
    done = shop.run("deck", "--build", "afresh", now=SECOND)
    shop.lock.write_bytes(lock)
    return done


def second_kernel(own: Workshop) -> None:
    (own.folder / "library/area").mkdir()
    (own.folder / "library/area/training_memory.py").write_text((own.folder / "library/training_memory.py").read_text())


def swap(own: Workshop, one: str, other: str) -> None:
    a, b = own.folder / "cards" / one, own.folder / "cards" / other
    content = a.read_bytes()
    a.write_bytes(b.read_bytes())
    b.write_bytes(content)


def claims_on_one_line(own: Workshop) -> None:
    own.records("h100", 2e12)
    says = [f"{{note: copy-rate, says: It is {n} TB/s., value: {n} TB/s, computed: rate.bandwidth, verdict: open}}" for n in (2, 3)]
    own.edit("serving/cache.md", ("runs:", f"claims: [{says[0]}, {says[1]}]\nruns:"))


def claims_on_two_lines(own: Workshop) -> None:
    own.edit("serving/cache.md", ("verdict: open}, {note", "verdict: open},\n  {note"))


def figure_with_blanks(own: Workshop) -> None:
    own.edit("training/memory.md", ("![[full]]", "![[ full ]]"))


def picture_in_a_claim(own: Workshop) -> None:
    own.edit("training/memory.md", ("says: Weights take 140 GB.", 'says: "Weights take ![two lines](roofline.svg) 140 GB."'))


TWICE: dict[str, list[Callable[[Workshop], None]]] = {
    "a second kernel of one name": [second_kernel],
    "a figure written with blanks": [figure_with_blanks, lambda own: own.edit("training_memory.py", FIGURE, under="library")],
    "claims of one line put on two": [claims_on_one_line, claims_on_two_lines],
    "a picture in a claim": [picture_in_a_claim, lambda own: own.edit("media/roofline.svg", ("#1f6feb", "#116329"))],
}


@pytest.mark.parametrize("case", TWICE)
def test_the_warm_build_says_what_a_clean_one_says(case: str, own: Workshop):
    for step in TWICE[case]:
        step(own)
        should, lock = clean(own), own.lock.read_bytes()
        done = own.run("deck", now=SECOND)
        assert (done.status, done.out.replace("build/", "afresh/"), done.err) == (should.status, should.out, should.err)
        if done.status == 0:
            assert own.package.read_bytes() == (own.folder / "afresh/test-interviews.apkg").read_bytes()
        own.lock.write_bytes(lock)


def test_a_record_is_shown_as_it_is_seen_from_here(shop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The same deck, named whole, from two folders: below one of them the records lie."""
    shop.records("h100", 2e12)
    records = shop.folder / "records"
    lab, elsewhere = tmp_path / "lab", tmp_path / "elsewhere"
    elsewhere.mkdir()
    lab.mkdir()
    records.rename(lab / "records")
    shop.edit("deck.yml", ("devices:", f"records: {os.path.relpath(lab / 'records', shop.folder / 'cards')}\ndevices:"))

    def record(where: Path, folder: str) -> str:
        monkeypatch.chdir(where)
        build.deck(build.Order(shop.folder / "cards", shop.folder / folder), SECOND)
        (run,) = [run for run in json.loads((shop.folder / folder / "report.json").read_text())["runs"] if run["record"]]
        return run["record"]

    assert record(lab, "build") == "records/machines/copy_bandwidth/size=28672@h100.json"
    shop.edit("deck.yml", ("description: A", "description: Another"))
    assert record(elsewhere, "build") == record(elsewhere, "afresh") == "size=28672@h100.json"


def test_a_record_that_comes_goes_and_comes_again(shop: Workshop, work: Counter[str]):
    """What is left out without it, and what a kept note says of that, are those of a clean build each time."""
    states, said = [], []
    for there in (True, False, True):
        if there:
            shop.records("h100", 2.5e12)
        else:
            shutil.rmtree(shop.folder / "records")
        shop.run("deck", now=SECOND)
        shop.edit("serving/cache.md", ("none of it.", "none of it. ") if len(said) % 2 else ("To waste", "To  waste"))  # another note of its file
        shop.run("deck", now=SECOND)
        shop.edit("serving/cache.md", ("none of it. ", "none of it.") if len(said) % 2 else ("To  waste", "To waste"))
        done = shop.run("deck", now=SECOND)
        states.append(notes(shop.package)["copy-rate"][4])
        said.append(json.loads((shop.folder / "build" / "report.json").read_text(encoding="utf-8"))["notes"][7]["waits"])
        clean = shop.folder / "clean"
        assert shop.run("deck", "--build", str(clean), now=SECOND).out.partition("\nruns")[2].partition("\npackage")[0] in done.out
        assert notes(clean / "test-interviews.apkg") == notes(shop.package)
        shutil.rmtree(clean)
    assert said == [{}, {"rate": 2}, {}] and states[0] == states[2] != states[1] and "TB/s" not in states[1]
