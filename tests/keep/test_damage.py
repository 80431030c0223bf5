"""Whatever happens to the files that a build reads again, it gives what a clean one gives, or says where the damage is; whenever it is ended,
it leaves nothing that is not whole; and two at once do one another no harm."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from damage import flipped, mangled
from workshop import FIRST, ROOT, SECOND, Done, Workshop, command, environment

from kernels.parts import is_part, part

WORD = re.compile(r"(build/cache/published\.\w+: .+; it is made anew\n)?")
PLACE = re.compile(r"[\w./-]+:\d+: \S")


def parts(shop: Workshop) -> list[Path]:
    return [path for path in shop.folder.rglob("*") if is_part(path.name)]


def told(done: Done) -> bool:
    """Whether a build refused, every problem with its place."""
    *problems, count = done.err.splitlines() or [""]
    assert done.status == 0 or problems and all(map(PLACE.match, problems)) and "nothing was written" in count, done.err
    return done.status == 1


# ------------------------------------------------------------------------------------------------------- damage


@pytest.mark.parametrize("seed", range(20))
def test_flipped_bits_of_the_cache(seed: int, shop: Workshop):
    """Ten at a time, wherever they lie. The build is one that needs what is kept."""
    chance, before, (file,) = Random(seed), shop.state(), (shop.folder / "build/cache").glob("*.sqlite")
    content = file.read_bytes()
    for _ in range(10):
        content = flipped(content, chance)
    file.write_bytes(content)
    for _ in range(2):
        done = shop.run("deck", now=SECOND)
        assert done.status == 0 and WORD.fullmatch(done.err) and shop.state() == before
    assert done.err == ""


@pytest.mark.parametrize("name", ["cache/published.json", "report.json", "test-interviews.apkg", "media"])
def test_damage_to_what_a_build_wrote(name: str, shop: Workshop):
    """The next build writes it again as it was, and says what an idle one says."""
    shop.run("deck", now=SECOND)
    path = shop.folder / "build" / name
    path = sorted(path.iterdir())[0] if path.is_dir() else path
    idle, state, chance, good = shop.run("deck", now=SECOND, idle=True), shop.state(), Random(7), path.read_bytes()
    for number in range(20):
        path.write_bytes((flipped if number % 2 else mangled)(good, chance))
        done = shop.run("deck", now=SECOND, idle=True)
        assert (done.status, done.out) == (0, idle.out) and WORD.fullmatch(done.err) and shop.state() == state
        if "cache" not in name:
            assert path.read_bytes() == good and done.err == ""


def test_damage_to_a_record(shop: Workshop):
    """One that another device measured counts too: a note shows it beside the first."""
    shop.edit("deck.yml", ("devices: [h100]", "devices: [h100, h200]"))
    shop.records("h100", 2e12)
    shop.records("h200", 3e12)
    shop.build(SECOND)
    state, chance, refused = shop.state(), Random(8), 0
    for path in sorted((shop.folder / "records").rglob("*.json")):
        good = path.read_bytes()
        for _ in range(30):
            path.write_bytes(mangled(good, chance))
            done = shop.run("deck", now=SECOND)
            refused += told(done)
            assert shop.state() == state
            if done.status:
                assert re.search(rf"records/.*{path.name}:\d+: this is not a record as it was written: .*run make records", done.err), done.err
        path.write_bytes(good)
    assert refused > 50
    assert shop.run("deck", now=SECOND).status == 0 and shop.state() == state


def test_damage_to_the_lock(shop: Workshop):
    """No traceback, and no package of a lock that is none."""
    state, chance, refused = shop.state(), Random(9), 0
    for _ in range(120):
        shop.lock.write_bytes(mangled(state[1], chance))
        refused += told(shop.run("deck", now=SECOND))
    assert refused > 60


LINES = {
    "infinity": ('"mod": 1790000000', '"mod": 1e999'),
    "a number that no database holds": ('"mod": 1790000000', f'"mod": {10**30}'),
    "a number of a time that never comes": ('"mod": 1790000000', f'"mod": {10**12}'),
    "a negative number": ('"mod": 1790000000', '"mod": -1'),
    "a truth": ('"mod": 1790000000', '"mod": true'),
    "null for a string": ('"deck": "', '"deck": null, "was": "'),
    "null for an object": ('"clozes": {', '"clozes": null, "gone": {'),
    "a list for an object": ('"clozes": {', '"clozes": [], "gone": {'),
    "a name twice": ('"mod": 1790000000', '"mod": 1790000000, "mod": 1790000001'),
    "a name twice, with other blanks": ('"mod": 1790000000', '"mod": 1790000000,"mod" :1790000001'),
    "an unknown name": ('"mod": 1790000000', '"mod": 1790000000, "mode": 1'),
    "half a character": ('"deck": "', '"deck": "\\ud800'),
    "nesting": ('"clozes": {', f'"clozes": {"[" * 100_000}{{'),
    "a NUL": ('"deck": "', '"deck": "\0'),
    "no object": ('{"note": "', '["note", "'),
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_is_none_of_a_lock(line: str, shop: Workshop):
    old, new = LINES[line]
    text = shop.lock.read_text(encoding="utf-8")
    assert old in text
    at = text[: text.index(old)].count("\n") + 1
    shop.lock.write_text(text.replace(old, new, 1), encoding="utf-8")
    before = shop.package.read_bytes()
    done = shop.run("deck", now=SECOND)
    assert told(done) and f"cards/deck.lock:{at}: " in done.err and shop.package.read_bytes() == before


# ---------------------------------------------------------------------------------------------- ended, and two at once


def struck(shop: Workshop, event: int, signal: str) -> subprocess.CompletedProcess[str]:
    """`deck` in a process of its own, struck by a signal at one of its events."""
    temporary = shop.folder / "tmp"
    temporary.mkdir(exist_ok=True)
    words = [sys.executable, str(ROOT / "tests" / "struck.py"), str(event), signal, "deck", "cards", "--jobs", "2"]
    where = environment(TMPDIR=str(temporary), SOURCE_DATE_EPOCH=str(SECOND))
    return subprocess.run(words, cwd=shop.folder, env=where, capture_output=True, text=True, check=False)


@pytest.fixture
def edited(shop: Workshop) -> Callable[[], tuple[bytes, bytes]]:
    """Edits the workshop's deck, as it was built once more, and says what is to come of it."""
    original = shop.state()
    shop.edit("training/pictures.md", ("Thirty-two", "Exactly 32"))
    shop.build(SECOND)
    after = shop.state()

    def edit() -> tuple[bytes, bytes]:
        shop.package.write_bytes(original[0])
        shop.lock.write_bytes(original[1])
        shop.forgets()
        return after

    return edit


POINTS = 12


@pytest.mark.skipif(os.name == "nt", reason="signals are not told so")
@pytest.mark.parametrize("signal, status", [("SIGINT", 130), ("SIGKILL", -9)])
def test_a_build_that_is_ended_at_any_event(signal: str, status: int, shop: Workshop, edited: Callable[[], tuple[bytes, bytes]]):
    after, before = edited(), shop.state()
    struck(shop, 0, signal)  # which leaves the bytecode behind that the counted one finds
    edited()
    whole = struck(shop, 0, signal)
    assert whole.returncode == 0 and shop.state() == after
    chance, events = Random(10), int(whole.stdout.split()[-1])
    late = [chance.randrange(events * 9 // 10, events) for _ in range(POINTS // 2)]  # where it writes
    for event in [*(chance.randrange(1, events) for _ in range(POINTS // 2)), *late]:
        edited()
        done = struck(shop, event, signal)
        assert done.returncode == status, (event, done.stderr)
        assert (shop.state()[0] in (before[0], after[0])) and (shop.state()[1] in (before[1], after[1]))
        if signal == "SIGINT":
            assert done.stderr == "stopped\n", (event, done.stderr)
            assert not parts(shop) and not list((shop.folder / "tmp").iterdir()), event
        again = shop.run("deck", now=SECOND)
        assert (again.status, again.err) == (0, "") and shop.state() == after, (event, again.err)
        assert not parts(shop) and not list((shop.folder / "tmp").iterdir()), event


def test_what_a_killed_build_left_is_swept_and_what_another_writes_is_not(shop: Workshop):
    homes = [shop.folder / "cards", *(shop.folder / "build" / name for name in ("", "cache", "media", "preview", "preview/media"))]
    shop.run("deck", now=SECOND)
    shop.run("preview")
    left = [home / ".0123456789abcdef.part" for home in homes]
    for path in left:
        path.write_bytes(b"half")
    with part(shop.folder / "build") as (name, _):
        shop.run("deck", now=SECOND)
        shop.run("preview")
        assert not any(path.exists() for path in left) and os.path.exists(name)
    assert not parts(shop)


def test_two_builds_of_an_edited_deck_at_once(shop: Workshop, edited: Callable[[], tuple[bytes, bytes]]):
    """At times of their own: the lock and the package are of one and the same, and so of the first."""
    for _ in range(3):
        edited()
        ran = [
            subprocess.Popen(
                command("deck"), cwd=shop.folder, env=environment(SOURCE_DATE_EPOCH=str(now)), stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            for now in (SECOND, SECOND + 1, SECOND + 2)
        ]
        assert [(process.communicate()[1], process.returncode) for process in ran] == [(b"", 0)] * 3
        state = shop.state()
        assert not parts(shop)
        assert (shop.run("deck", now=SECOND + 3).status, shop.state()) == (0, state)
    assert FIRST < SECOND
