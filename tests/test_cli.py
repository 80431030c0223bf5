"""The command line, from cards to files: what it says, its exit status, what it writes, and what it does not load."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from our_types import note_types
from workshop import ROOT, SECOND, THIRD, Workshop, command, environment, notes, workshop

from generator import build
from kernels import declare
from kernels.demand import Device
from kernels.record import save, sealed
from kernels.results import Result

WATCHED = ("torch", "triton", "markdown", "matplotlib", "jinja2", "pygments", "latex2mathml")
LOADED = f"""
import sys
from generator.__main__ import main
status = main(sys.argv[1:])
print("LOADED", *sorted(set(sys.modules) & set({WATCHED})))
sys.exit(status)
"""


def loaded(shop: Workshop, *arguments: str) -> set[str]:
    """What of WATCHED a command loads in a process of its own, where torch cannot be."""
    block = "import sys; sys.modules['torch'] = sys.modules['triton'] = None\n"
    program = block + LOADED.replace("set(sys.modules)", "{name for name, module in sys.modules.items() if module}")
    ran = subprocess.run([sys.executable, "-c", program, *arguments], cwd=shop.folder, env=environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.rpartition("LOADED")[2].split())


# -------------------------------------------------------------------------------------------- a good build


def test_deck_says_what_it_made(first_release: Workshop, tmp_path: Path):
    done = workshop(tmp_path / "new").run("deck")
    assert (done.status, done.err) == (0, "")
    assert "notes    9 notes, 10 cards; 9 new" in done.out and "claims   1 holds" in done.out
    assert "missing  cards/serving/cache.md:4: copy_bandwidth(size=28672)" in done.out
    made = sorted(path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new" / "build").iterdir())
    assert made == ["build/cache", "build/media", "build/report.json", "build/test-interviews.apkg"]
    assert report_of(Workshop(tmp_path / "new"))["totals"]["statuses"] == {"new": 9}


def test_a_second_deck_says_that_nothing_changed(shop: Workshop):
    before = shop.state()
    done = shop.run("deck", now=SECOND)
    assert done.status == 0 and "nothing changed since release 7" in done.out
    assert shop.state() == before
    assert report_of(shop)["totals"]["statuses"] == {"unchanged": 9}


def report_of(shop: Workshop) -> dict[str, Any]:
    return json.loads((shop.folder / "build" / "report.json").read_text(encoding="utf-8"))


def test_a_deck_without_its_measurement_does_not_speak_of_it(shop: Workshop):
    shop.build(SECOND)
    fields = dict(zip(note_types()["qa"].fields, notes(shop.package)["copy-rate"][4].split("\x1f"), strict=True))
    assert (fields["Answer"], fields["Footer"]) == ("<p>Every byte is read and written.</p>", "")
    report = report_of(shop)
    assert [run["state"] for run in report["runs"] if run["kernel"] == "copy_bandwidth"] == ["missing"]
    assert {note["id"]: note["waits"] for note in report["notes"] if note["waits"]} == {"copy-rate": {"rate": 2}} and not report["withheld"]
    for options in ((), ("--strict",)):
        assert shop.run("check", *options).status == 0


def test_a_recorded_measurement_is_shown(shop: Workshop):
    shop.records("h100", 2.5e12)
    assert "1 changed" in shop.run("deck", now=SECOND).out and report_of(shop)["changes"]["changed"] == ["copy-rate"]
    fields = notes(shop.package)["copy-rate"][4]
    assert "2.5\u202fTB/s" in fields and "measured on NVIDIA H100" in fields and "<figure" in fields
    assert shop.run("check", "--strict").status == 0
    path = next((shop.folder / "records").rglob("*.json"))
    path.write_text(json.dumps(sealed({**json.loads(path.read_text(encoding="utf-8")), "code": {"kernel": "another"}})), encoding="utf-8")
    assert shop.run("check").status == 0
    strict = shop.run("check", "--strict")
    assert strict.status == 1 and "copy_bandwidth(size=28672) is stale" in strict.err
    shop.build(SECOND)
    assert notes(shop.package)["copy-rate"][4] == fields  # what is stale goes on being shown


WAITING = """
# At [[rate.bandwidth | TB/s]], what waits? {#measured-front}

Everything.

# How fast, at once? {#measured-answer}

[[rate.bandwidth | TB/s]], no less.

## Why

It is [[rate.size | kB]].

# How fast twice, in TB/s, to two digits? {#measured-number .numeric}

It copies.

## Answer

[[2 * rate.bandwidth | TB/s 2]]

## Working

Measured.

# It copies slowly {#measured-trap .trap}

A copy.

## Tempting answer

Buy another.

## Why it fails

It would not.

## Answer

[[rate.bandwidth / 2 | TB/s]] is all that there is.

# A copy {#measured-cloze .cloze}

A copy is {{c1::fast}}.

It reaches {{c2::[[rate.bandwidth | TB/s]]}}.
"""
WITHHELD = ["measured-answer", "measured-cloze", "measured-front", "measured-number", "measured-trap"]


def test_a_note_that_stands_on_a_measurement_waits_for_it(shop: Workshop):
    path = shop.folder / "cards/serving/cache.md"
    path.write_text(path.read_text(encoding="utf-8") + WAITING, encoding="utf-8")
    done = shop.run("deck", now=SECOND)
    assert done.status == 0 and "withheld 5 notes wait for a measurement\n" in done.out and "9 notes, 10 cards; nothing changed" in done.out, done
    report = report_of(shop)
    assert sorted(note["id"] for note in report["withheld"]) == report["changes"]["withheld"] == WITHHELD
    assert all(note["waits"] == {"copy_bandwidth(size=28672)": 1} for note in report["withheld"])
    assert len(notes(shop.package)) == 9
    assert "9 notes; 5 notes wait for a measurement" in shop.run("preview").out
    data = (shop.folder / "build/preview/index.html").read_text(encoding="utf-8")
    assert all(f'"id":"{id}","place":"cards/serving/cache.md:' in data for id in WITHHELD)
    checked = shop.run("check")
    assert checked.status == 0 and "9 notes, 10 cards: no problems; 5 notes wait for a measurement" in checked.out
    rests = re.findall(r"warning  cards/serving/cache.md:(\d+): the note '([\w-]+)' rests on a measurement, rate \(copy_bandwidth\)", checked.out)
    assert sorted(id for _, id in rests) == WITHHELD and ("19", "measured-front") in rests
    shop.records("h100", 2.5e12)
    assert "5 new, 1 changed" in shop.run("deck", now=THIRD).out and set(WITHHELD) < set(notes(shop.package))
    assert shop.run("check").out.count("rests on a measurement") == 5  # another machine may not have it


def test_a_released_note_that_waits_again_has_not_vanished(shop: Workshop):
    shop.records("h100", 2.5e12)
    path = shop.folder / "cards/serving/cache.md"
    path.write_text(path.read_text(encoding="utf-8") + WAITING, encoding="utf-8")
    released = notes(shop.release(SECOND, "8"))
    lock = shop.lock.read_bytes()
    (shop.folder / "records").rename(shop.folder / "away")
    done = shop.run("deck", now=THIRD)
    assert done.status == 0 and "1 changed" in done.out and "vanished" not in done.out and "retired" not in done.out
    assert not set(WITHHELD) & set(notes(shop.package))
    lines = [[line for line in text.splitlines() if b'"measured-' in line] for text in (lock, shop.lock.read_bytes())]
    assert lines[0] == lines[1] and len(lines[0]) == 5
    (shop.folder / "away").rename(shop.folder / "records")
    assert shop.run("deck", now=THIRD + 1).status == 0
    assert {id: row for id, row in notes(shop.package).items() if id != "copy-rate"} == {id: row for id, row in released.items() if id != "copy-rate"}


def test_what_is_left_out_is_judged_all_the_same(shop: Workshop):
    shop.edit("serving/cache.md", ("It reaches [[rate.bandwidth | TB/s]].", "It reaches $\\frac{[[rate.bandwidth | TB/s]]$ of [[rate.sise]]."))
    done = shop.run("check")
    assert done.status == 1 and "cards/serving/cache.md:11: [[rate.sise]]" in done.err
    shop.edit("serving/cache.md", (" of [[rate.sise]]", ""))
    done = shop.run("check")
    assert done.status == 1 and done.err.startswith("cards/serving/cache.md:11: ")


def test_each_subdeck(shop: Workshop):
    assert shop.run("deck", "--each").status == 0
    assert {path.name for path in (shop.folder / "build").glob("*.apkg")} == {
        "test-interviews.apkg",
        "test-interviews-training.apkg",
        "test-interviews-serving.apkg",
    }


def test_preview(shop: Workshop):
    before = shop.state()
    done = shop.run("preview", now=SECOND)
    assert (done.status, done.out) == (0, "build/preview/index.html: 9 notes\n") and shop.state() == before
    assert "adam-bytes" in (shop.folder / "build/preview/index.html").read_text(encoding="utf-8")


def test_check_writes_no_package(tmp_path: Path):
    shop = workshop(tmp_path / "new")
    done = shop.run("check")
    assert (done.status, done.err) == (0, "") and not shop.package.exists() and not shop.lock.exists()


# ------------------------------------------------------------------------------------------- what is wrong


def test_all_problems_of_all_files_at_once(shop: Workshop):
    before = shop.state()
    shop.edit("training/memory.md", ("[[full.total | GB]]", "[[full.totl | GB]]"), ("{#frozen .trap}", "{#frozen .trapp}"))
    shop.edit("training/pictures.md", ("{#block}", "{#warp}"), ("](roofline.svg)", "](rooflin.svg)"))
    shop.edit("serving/cache.md", ("[[rate.bandwidth | TB/s]]", "[[rate.bandwidth | GB]]"), ("To waste none of it.", "{{c1::To waste}} none."))
    shop.edit("deck.yml", ("tags: [memory, speed]", "tags: [memory, speed]\ncolour: red"))
    done = shop.run("deck", now=SECOND)
    assert done.status == 1 and done.out == "" and "Traceback" not in done.err
    *problems, last = done.err.splitlines()
    assert last == f"{len(problems)} problems; nothing was written"
    value, stray = "cards/serving/cache.md:11: [[rate.bandwidth | GB]]", "{{c1:: stands where no cloze"
    for said in ("deck.yml:", "'trapp'", "rooflin.svg", "'warp'", value, stray):
        assert any(said in problem for problem in problems), (said, done.err)
    assert all(re.match(r"cards/[\w/.-]+:\d+: .", problem) for problem in problems)
    assert problems == sorted(problems, key=lambda line: (line.split(":")[0], int(line.split(":")[1])))
    assert shop.state() == before


@pytest.mark.parametrize(
    ("path", "change", "message"),
    [
        ("training/memory.md", ("verdict: holds", "verdict: wrong"), "verdict is wrong"),
        ("training/memory.md", ("{{c2::master copy}}", "{{c2::ring all-reduce}}"), "cloze c2 hid 'master copy'"),
        ("serving/cache.md", ("{#paging}", "{#paging .trap}"), "Tempting answer"),
    ],
)
def test_a_failed_build_leaves_everything(path: str, change: tuple[str, str], message: str, shop: Workshop):
    before = {p: p.read_bytes() for p in (shop.folder / "build").rglob("*") if p.is_file() and p.suffix != ".sqlite"}
    lock = shop.lock.read_bytes()
    shop.edit(path, change)
    done = shop.run("deck", "--each", now=SECOND)
    assert done.status == 1 and message in done.err and done.out == ""
    assert {p: p.read_bytes() for p in before} == before and shop.lock.read_bytes() == lock
    assert len(list((shop.folder / "build").glob("*.apkg"))) == 1


def test_no_cards_at_all(tmp_path: Path):
    ran = subprocess.run(command("deck", "none"), cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 1 and "Traceback" not in ran.stderr
    assert ran.stderr.startswith("none:1: there is no such folder of cards") and list(tmp_path.iterdir()) in ([], [tmp_path / "build"])


def test_a_command_that_is_none(tmp_path: Path):
    ran = subprocess.run(command("dekc"), cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 2 and "deck" in ran.stderr


def test_a_reader_that_leaves(shop: Workshop):
    """python -m generator wanted | head"""
    program = f"{sys.executable} -m generator wanted | true"
    ran = subprocess.run(["sh", "-c", program], cwd=shop.folder, env=environment(), capture_output=True, text=True, check=False)
    assert "Traceback" not in ran.stderr


# ------------------------------------------------------------------------------------ what a kernel's constant does


def test_doubling_a_constant_changes_every_note_that_cites_it_and_fails_a_claim(first_release: Workshop, tmp_path: Path):
    """In a checkout of its own: the compiler as it is, a copy of the laboratory in which a byte weighs double."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "generator").symlink_to(ROOT / "generator")
    shutil.copytree(ROOT / "kernels", checkout / "kernels", ignore=shutil.ignore_patterns("records", "__pycache__"))
    shop = workshop(tmp_path / "shop", like=first_release.folder)
    library = checkout / "kernels" / "library" / "training" / "training_memory.py"
    text = library.read_text(encoding="utf-8")
    assert '"bf16": 2,' in text
    library.write_text(text.replace('"bf16": 2,', '"bf16": 4,'), encoding="utf-8")

    def deck() -> subprocess.CompletedProcess[str]:
        env = environment(PYTHONPATH=str(checkout), SOURCE_DATE_EPOCH=str(SECOND))
        return subprocess.run(command("deck"), cwd=shop.folder, env=env, capture_output=True, text=True, check=False)

    before = shop.state()
    failed = deck()
    assert failed.returncode == 1 and shop.state() == before
    assert "claim 'Weights take 140 GB.'" in failed.stderr and "280 GB" in failed.stderr and "write verdict: wrong" in failed.stderr
    shop.edit("training/memory.md", ("verdict: holds", "verdict: wrong"))
    old = notes(shop.package)
    built = deck()
    assert built.returncode == 0, built.stderr
    new = notes(shop.package)
    assert {id for id in new if new[id] != old[id]} == {"adam-bytes", "frozen", "gradients"}
    assert "3 changed" in built.stdout


# --------------------------------------------------------------------------------------------- what is loaded


def test_nothing_heavy_is_loaded_for_nothing(shop: Workshop):
    before = shop.state()
    shop.edit("deck.yml", ("devices:", "# the same\ndevices:"))  # no idle build, and yet nothing to render
    assert not loaded(shop, "deck") & {"torch", "markdown", "matplotlib", "pygments"}
    assert loaded(shop, "deck") == set()
    assert shop.state() == before
    assert loaded(shop, "wanted") == set()


def test_a_cold_build_and_the_preview_go_without_torch(shop: Workshop):
    shutil.rmtree(shop.folder / "build")
    assert {"markdown", "pygments"} <= loaded(shop, "deck")
    loaded(shop, "preview")
    loaded(shop, "check")


def test_no_module_of_the_compiler_names_torch():
    for path in sorted((ROOT / "generator").rglob("*.py")):
        assert not re.search(r"^\s*(?:import|from) (?:torch|triton|numpy)\b", path.read_text(encoding="utf-8"), re.MULTILINE), path


# ---------------------------------------------------------------------------------------------------- wanted


@pytest.fixture
def asking(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A deck that wants two cases of a simulation, of which one is recorded, a measurement, and a formula."""
    runs = "  rate: {kernel: copy_bandwidth, size: 28672}\n"
    more = "  known: {kernel: caching_allocator}\n  due: {kernel: caching_allocator, layers: 47}\n"
    more += "  full: {kernel: training_memory, parameters: 1}\n"
    shop.edit("serving/cache.md", (runs, runs + more))
    kernel, root = declare.find("caching_allocator"), shop.folder / "records"
    save(kernel, Result(kernel.name, kernel.kind, kernel.bind({}), {}, {"kind": "simulation"}), root)
    monkeypatch.setattr(build, "may_have_gpu", lambda: False)
    return shop


def lines(done: SimpleNamespace) -> list[tuple[str, int | None]]:
    assert done.status == 0, done.err
    found = [json.loads(line) for line in done.out.splitlines()]
    return [(run["kernel"], run["parameters"].get("layers", run["parameters"].get("size"))) for run in found]


ALL = [("caching_allocator", 47), ("caching_allocator", 48), ("copy_bandwidth", 28672)]


def test_wanted_lists_each_run_once(asking: Workshop):
    assert lines(asking.run("wanted")) == ALL
    assert json.loads(asking.run("wanted").out.splitlines()[2])["cards"] == ["cards/serving/cache.md:4"]


def test_due_is_what_this_machine_has_to_execute(asking: Workshop, monkeypatch: pytest.MonkeyPatch):
    assert lines(asking.run("wanted", "--due")) == ALL[:1]
    assert lines(asking.run("wanted", "--due", "--fresh")) == ALL[:2]
    monkeypatch.setattr(build, "may_have_gpu", lambda: True)
    assert lines(asking.run("wanted", "--due")) == [ALL[0], ALL[2]]
    asking.records("h200", 2e12)
    assert lines(asking.run("wanted", "--due")) == [ALL[0], ALL[2]]  # deck.yml quotes an H100
    asking.records("h100", 2e12)
    assert lines(asking.run("wanted", "--due")) == ALL[:1]
    assert lines(asking.run("wanted", "--due", "--fresh")) == ALL


# --------------------------------------------------------------------------------------------- the GPU at hand


def test_a_personal_deck_leaves_the_checkout_alone(shop: Workshop, monkeypatch: pytest.MonkeyPatch):
    from kernels import lab

    shop.records("h100", 2.5e12)
    (shop.folder / "records").rename(shop.folder / "build" / "records")
    monkeypatch.setattr(lab, "devices", lambda: (Device("Made-up H100", "h100", 2**36),))
    before = {path: path.read_bytes() for path in (shop.folder / "cards").rglob("*") if path.is_file()}
    done = shop.run("deck", "--device", "this", now=SECOND)
    assert done.status == 0, done.err
    assert {path: path.read_bytes() for path in (shop.folder / "cards").rglob("*") if path.is_file()} == before
    assert (shop.folder / "build" / "deck.lock").exists()
    assert "2.5\u202fTB/s" in notes(shop.package)["copy-rate"][4]
    monkeypatch.setattr(lab, "devices", lambda: ())
    assert shop.run("deck", "--device", "this", now=SECOND).status == 0
    assert "2.5\u202fTB/s" not in notes(shop.package)["copy-rate"][4] and "copy-rate" in notes(shop.package)


def test_another_folder_for_what_comes_out(shop: Workshop):
    assert shop.run("deck", "--build", "out").status == 0
    assert (shop.folder / "out" / "test-interviews.apkg").read_bytes() == shop.package.read_bytes()
