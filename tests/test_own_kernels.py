"""A deck with kernels, records and units of its own, outside the repository: every command, and each way in which one can go wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from watching import Served, serving
from workshop import ROOT, SECOND, Workshop, command, environment, notes, workshop

from kernels import catalogue, library
from kernels.declare import KernelError, find

OWN = Path(__file__).parent / "decks" / "own"
SPEED, RECORD = "19.8", "records/weighing/default.json"


@pytest.fixture
def own(tmp_path: Path) -> Workshop:
    return workshop(tmp_path / "physics", like=OWN)


def laboratory(shop: Workshop, *arguments: str, given: str = "", where: str = "") -> subprocess.CompletedProcess[str]:
    """`python -m kernels` in the deck's folder, or in one below it."""
    ran = [sys.executable, "-m", "kernels", *arguments]
    return subprocess.run(ran, cwd=shop.folder / where, env=environment(), input=given, capture_output=True, text=True, check=False)


def recorded(shop: Workshop) -> Workshop:
    done = laboratory(shop, "record", "-", given=shop.run("wanted").out)
    assert (done.returncode, done.stdout) == (0, "1 recorded\n"), done.stderr
    return shop


def fields(shop: Workshop) -> dict[str, str]:
    return {id: note[4] for id, note in notes(shop.folder / "build" / "physics.apkg").items()}


def test_from_cards_to_a_package(own: Workshop):
    first = own.run("deck")
    assert first.status == 0 and "withheld 1 note" in first.out and "missing  cards/motion/falling.md:4: weighing(mass=0.5)" in first.out
    recorded(own)
    assert [path.relative_to(own.folder).as_posix() for path in (own.folder / "records").rglob("*.json")] == [RECORD]
    assert own.run("check", now=SECOND).out == "3 notes, 3 cards: no problems\n"
    done = own.run("deck", now=SECOND)
    assert done.status == 0 and "1 computed, 1 fresh" in done.out and "2 files" in done.out
    made = fields(own)
    assert "98.1\u202fJ" in made["speed"] and "71.3\u202fkm/h" in made["speed"] and f"{SPEED}\u202fm/s" in made["speed"]
    assert "2,020\u202fms" in made["fall"] and "<img" in made["fall"]
    assert "500\u202fg" in made["weighing"] and "21\u202f°C" in made["weighing"] and "3\u202fpages" in made["weighing"]
    assert laboratory(own, "verify").stdout == "1 agree\n"
    assert own.run("deck", now=SECOND, idle=True) == done


def test_the_laboratory_finds_the_deck_above(own: Workshop):
    for where in ("", "cards/motion", "kernels"):
        listed = laboratory(own, "list", "free_fall", where=where)
        assert listed.returncode == 0 and "out  speed     m/s" in listed.stdout, listed.stderr
    ran = laboratory(own, "run", "free_fall", "height=5", "--json", "--deck", "..", where="kernels")
    assert json.loads(ran.stdout)["speed"] == {"value": pytest.approx(9.90454), "unit": "m/s"}
    assert "is no deck" in laboratory(own, "list", "--deck", "kernels").stderr
    assert laboratory(own, "list", "kv_cache").returncode == 0  # the library's are there as well


def test_a_list_says_which_are_the_decks_own(own: Workshop):
    (own.folder / "kernels" / "training").mkdir()
    (own.folder / "kernels" / "weighing.py").rename(own.folder / "kernels" / "training" / "weighing.py")  # an area that the library has as well
    listed = laboratory(own, "list").stdout
    assert "\n\nkernels\n\nfree_fall  (formula, figure)" in listed and "\n\nkernels/training\n\nweighing  (simulation of 8 draws)" in listed
    recorded(own)
    assert (own.folder / "records/training/weighing/default.json").is_file() and laboratory(own, "verify").stdout == "1 agree\n"


def test_a_record_names_the_commit_of_the_decks_own_checkout(own: Workshop):
    def git(*words: str) -> str:
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        return subprocess.run(["git", *who, *words], cwd=own.folder, capture_output=True, text=True, check=True).stdout.strip()

    def commit() -> str:
        return json.loads((recorded(own).folder / RECORD).read_text())["made"]["commit"]

    git("init", "-q")
    (own.folder / ".gitignore").write_text("__pycache__/\n")
    git("add", ".gitignore", "kernels")
    git("commit", "-qm", "Laws")
    assert commit() == git("rev-parse", "--short=12", "HEAD")
    own.edit("weighing.py", ("0.01)", "0.02)"), under="kernels")
    assert commit() == git("rev-parse", "--short=12", "HEAD") + "+dirty"


def test_workers_of_a_cluster_have_them_too(own: Workshop):
    pytest.importorskip("distributed")
    done = laboratory(own, "record", "-", "--cluster", "local:1", given=own.run("wanted").out)
    assert done.returncode == 0 and "1 recorded" in done.stdout and (own.folder / RECORD).is_file(), done.stderr


def test_away_from_any_deck_records_have_no_place(tmp_path: Path):
    shop = Workshop(tmp_path)
    assert laboratory(shop, "list", "kv_cache").returncode == 0
    done = laboratory(shop, "verify")
    assert done.returncode == 2 and "name it with --deck DIR" in done.stderr


def test_records_of_library_kernels_lie_with_the_deck(own: Workshop):
    done = laboratory(own, "record", "-", given='{"kernel": "caching_allocator", "parameters": {}, "cards": []}')
    assert done.returncode == 0, done.stderr
    assert (own.folder / "records" / "gpu" / "caching_allocator" / "default.json").is_file()


def test_other_folders_by_name(own: Workshop):
    (own.folder / "kernels").rename(own.folder / "laws")
    own.edit("deck.yml", ("units:", "kernels: ../laws\nrecords: ../measured\nunits:"))
    recorded(own)
    assert (own.folder / "measured" / "weighing" / "default.json").is_file() and not (own.folder / "records").exists()
    assert own.run("check").status == 0
    assert laboratory(own, "verify").stdout == "1 agree\n"


EDITS = {
    "a kernel": lambda own: own.edit("free_fall.py", ("GRAVITY = 9.81", "GRAVITY = 1.62"), under="kernels"),
    "a folder by another name": lambda own: other(own),
}


def other(own: Workshop) -> None:
    (own.folder / "moon").mkdir()
    for path in (own.folder / "kernels").glob("*.py"):
        (own.folder / "moon" / path.name).write_text(path.read_text().replace("GRAVITY = 9.81", "GRAVITY = 1.62"))
    own.edit("deck.yml", ("units:", "kernels: ../moon\nunits:"))


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_is_seen(own: Workshop, edit):
    """By a build that would have found nothing to do, and one that keeps what it can: as a clean build does."""
    assert own.run("deck", idle=True).status == 0
    edit(own)
    refused = own.run("deck", now=SECOND, idle=True)
    assert refused.status == 1 and "98.1 J" in refused.err and "16.2 J" in refused.err
    own.edit("motion/falling.md", ("98.1 J.", "16.2 J."), ("value: 98.1", "value: 16.2"))
    assert own.run("deck", now=SECOND, idle=True).status == 0
    kept = fields(own)
    assert "8.05\u202fm/s" in kept["speed"]
    own.forgets()
    assert own.run("deck", now=SECOND).status == 0 and fields(own) == kept


def test_a_copy_looks_at_its_own_kernels(own: Workshop, tmp_path: Path):
    assert own.run("deck").status == 0
    copy = workshop(tmp_path / "copy", like=own.folder)
    copy.edit("free_fall.py", ("GRAVITY = 9.81", "GRAVITY = 1.62"), under="kernels")
    assert "16.2 J" in copy.run("deck", idle=True).err
    assert own.run("deck", idle=True).status == 0


def test_an_edit_makes_a_record_stale(own: Workshop):
    recorded(own)
    own.edit("weighing.py", ("0.01)", "0.02)"), under="kernels")
    assert "weighing(mass=0.5) is stale (library/weighing.py changed)" in own.run("check").err


def texts(event: dict) -> dict[str, str]:
    """The answers of the notes in an event, by id."""
    return {note["id"]: note["cards"][0]["answer"] for note in event["notes"]}


def clash(own: Workshop) -> None:
    (own.folder / "kernels" / "kv_cache.py").write_text((own.folder / "kernels" / "free_fall.py").read_text().replace("free_fall", "kv_cache"))


def area(own: Workshop) -> None:
    (own.folder / "kernels" / "training.py").write_text("")


def package(own: Workshop) -> None:
    (own.folder / "kernels" / "__init__.py").write_text("")


WRONG = {
    "a name of the library's": (clash, "kernels/kv_cache.py:1: the name 'kv_cache' stands for kernels/library/models/kv_cache.py and for"),
    "a name of an area": (area, "kernels/training.py:1: the name 'training' stands for"),
    "a package": (package, "kernels/__init__.py:1: this makes a package of this folder, which hides our own"),
    "no folder": (
        lambda own: own.edit("deck.yml", ("units:", "kernels: ../laws\nunits:")),
        "cards/deck.yml:6: there is no folder '../laws' of kernels (its path from deck.yml's folder: ../kernels)",
    ),
    "a unit that is one": (lambda own: own.edit("deck.yml", ("[page]", "[page, kg]")), "cards/deck.yml:6: the unit 'kg' has a meaning of its own"),
    "a unit of a format": (lambda own: own.edit("deck.yml", ("[page]", "[page, count]")), "the unit 'count' has a meaning of its own already"),
    "a unit that is no word": (lambda own: own.edit("deck.yml", ("[page]", "[page, a/b]")), "the unit 'a/b' must be a word of letters alone"),
    "a unit twice": (lambda own: own.edit("deck.yml", ("[page]", "[page, pages]")), "the unit 'pages' stands twice (a plural in -s is there by"),
    "a unit that is not declared": (
        lambda own: own.edit("deck.yml", ("[page]", "[word]")),
        "weighing.report: unknown unit 'page'",
    ),
    "a unit with a prefix": (
        lambda own: own.edit("free_fall.py", ('"speed": "m/s"', '"speed": "km/h"'), under="kernels"),
        "free_fall.speed: the unit 'km/h' is no base unit (a kernel gives m/s; a card writes it as km/h)",
    ),
    "a package that is not there": (
        lambda own: own.edit("free_fall.py", ("import math", "import math\n\nimport no_such_package"), under="kernels"),
        "kernels/free_fall.py cannot be imported: it needs no_such_package, which is not installed here: pip install no_such_package",
    ),
    "a package that a formula loads late": (
        lambda own: own.edit("free_fall.py", ("    duration = math", "    import no_such_package\n\n    duration = math"), under="kernels"),
        "free_fall needs no_such_package, which is not installed here: pip install no_such_package",
    ),
}


@pytest.mark.parametrize(("spoil", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_at_its_place(own: Workshop, spoil, message: str):
    assert own.run("deck").status == 0
    spoil(own)
    done = own.run("check")
    assert done.status == 1 and message in done.err, done.err
    assert "Traceback" not in done.err


def test_a_run_whose_package_is_not_there(own: Workshop, monkeypatch: pytest.MonkeyPatch):
    """It is named with its command by every one that tells of the run; and once it is there, no idle build speaks of it any more."""
    own.edit("weighing.py", ("    rng = ", "    import absent_one\n\n    rng = "), under="kernels")
    said = "absent_one, which is not installed here: pip install absent_one"
    assert f"notice   weighing: needs {said}" in own.run("deck").out
    assert f"notice   weighing: needs {said}" in own.run("deck", idle=True).out
    assert f"weighing(mass=0.5) is missing (it needs {said})" in own.run("check").err
    done = laboratory(own, "record", "-", given=own.run("wanted").out)
    assert done.returncode == 1 and f"weighing needs {said}" in done.stderr
    (own.folder / "absent_one.py").write_text("")
    monkeypatch.syspath_prepend(str(own.folder))
    assert "needs absent_one" not in own.run("deck", now=SECOND, idle=True).out


def test_torch_is_named_with_our_extra(own: Workshop):
    own.edit("weighing.py", ("    rng = ", "    import torch\n\n    rng = "), under="kernels")
    block = "import sys, runpy; sys.modules['torch'] = None; import importlib.util as u; find = u.find_spec\n"
    block += "u.find_spec = lambda name, *rest: None if name == 'torch' else find(name, *rest)\nrunpy.run_module('generator', run_name='__main__')"
    ran = subprocess.run([sys.executable, "-c", block, "check"], cwd=own.folder, env=environment(), capture_output=True, text=True, check=False)
    assert "it needs torch, which is not installed here: pip install 'warpdeck[kernels]'" in ran.stderr


def test_one_process_builds_one_deck_after_another(own: Workshop, shop: Workshop):
    before = list(library.__path__)
    assert own.run("check").err.count("problem") == 1  # the record
    assert shop.run("check").status == 0
    assert list(library.__path__) == before
    with pytest.raises(KernelError, match="unknown kernel 'free_fall'"):
        find("free_fall")
    assert "free_fall" not in catalogue.names()


def test_its_tests_are_no_kernels(own: Workshop):
    (own.folder / "kernels" / "tests").mkdir()
    (own.folder / "kernels" / "tests" / "helper.py").write_text("")
    assert "test_free_fall" not in laboratory(own, "list", "fall").stdout
    assert laboratory(own, "list", "free_fall").stderr == "" and "helper" not in laboratory(own, "list").stderr


def test_in_the_decks_own_folder(own: Workshop):
    """Where a folder `kernels` lies, which `python -m` would take for our package of that name."""
    assert generator(own, "deck").returncode == 0
    package(own)
    assert "hides our own package" in generator(own, "check").stderr


def generator(own: Workshop, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), cwd=own.folder, env=environment(), capture_output=True, text=True, check=False)


def test_several_processes(own: Workshop):
    for number in range(12):
        text = (own.folder / "cards/motion/falling.md").read_text()
        (own.folder / f"cards/motion/more-{number}.md").write_text(text.replace("{#", f"{{#n{number}-").replace("note: ", f"note: n{number}-"))
    done = generator(own, "deck", "--jobs", "2")
    assert done.returncode == 0 and "26 notes" in done.stdout, done.stderr


def test_watched(own: Workshop):
    with serving(own.folder, "--run", PYTHONPATH=str(ROOT)) as served:
        stream = Served.events(served, "everything")
        stream.until(lambda event: event.get("waiting") == {})
        shown = texts(served.page())
        assert (own.folder / RECORD).is_file() and SPEED in shown["speed"] and "pages" in shown["weighing"]
        served.edit("kernels/free_fall.py", ("GRAVITY = 9.81", "GRAVITY = 1.62"))
        assert stream.until(lambda event: event.get("problems"))["problems"]
        other(own)
        served.edit("kernels/free_fall.py", ("GRAVITY = 1.62", "GRAVITY = 9.81"))
        served.edit("cards/deck.yml", ("kernels: ../moon\n", ""))
        stream.until(lambda event: event.get("problems") == [])
        served.edit("cards/deck.yml", ("[page]", "[sheet]"))
        assert "unknown unit 'page'" in json.dumps(stream.until(lambda event: event.get("problems"))["problems"])
        served.edit("cards/deck.yml", ("[sheet]", "[page]"))
        stream.until(lambda event: event.get("problems") == [])
