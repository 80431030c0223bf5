"""`diff`: what changed since a release, a commit, or a package."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from workshop import FIRST, RELEASING, SECOND, Workshop

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git")
NOBODY = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
NOBODY |= {f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, env={**os.environ, **NOBODY}, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(shop: Workshop, message: str) -> str:
    """What is there as a commit, one with what was committed for a release."""
    git(shop.folder, "add", "cards")
    before = git(shop.folder, "log", "-1", "--format=%s") if git(shop.folder, "rev-list", "-n1", "--all") else ""
    git(shop.folder, "commit", "-qm", message, *["--amend"] * (before == RELEASING))
    return git(shop.folder, "rev-parse", "HEAD")


@pytest.fixture
def released(shop: Workshop) -> tuple[Workshop, str]:
    """A workshop whose first release is committed, behind another commit and before one; and the release's commit."""
    git(shop.folder, "init", "-q")
    lock = shop.lock.read_bytes()
    shop.lock.unlink()
    commit(shop, "before it")
    shop.lock.write_bytes(lock)
    made = commit(shop, "the release")
    shop.edit("training/memory.md", ("Weights and gradients take 2 bytes, the rest 4.", "Weights and gradients take 2 bytes each, the rest 4."))
    commit(shop, "behind it")
    return shop, made


GOES = "1 changed note: Anki replaces its text, and a learner's own edits and tags on it go; schedules stay.\n"
CHANGED = """\

TRAINING

Changed:
- What does mixed-precision AdamW hold at 70B parameters?
    Why: was “Weights and gradients take 2\u202fbytes, the rest 4.”, now “Weights and gradients take 2\u202fbytes each, the rest 4.”
"""


def test_since_the_release(released: tuple[Workshop, str]):
    shop, _ = released
    before = shop.state()
    done = shop.run("diff", now=SECOND)
    assert (done.status, done.err) == (0, "")
    assert done.out == f"Test interviews: changes since version 7\n\n{GOES}{CHANGED}"
    assert shop.state() == before


def test_a_cloze_that_goes_leaves_its_card_empty(released: tuple[Workshop, str]):
    shop, _ = released
    shop.edit("training/memory.md", ("a {{c2::master copy}}", "a master copy"))
    assert "\n1 card has nothing to ask any more: Anki leaves it empty, until Empty Cards is run.\n" in shop.run("diff", now=SECOND).out


def test_notes_that_come_and_go(released: tuple[Workshop, str]):
    shop, made = released
    shop.edit("serving/cache.md", ("{#paging}", "{#paging-two}"))
    assert "1 note no longer in the deck: learners keep it" in shop.run("diff", now=SECOND).out
    path = shop.folder / "cards/serving/cache.md"
    path.write_text(path.read_text(encoding="utf-8").replace("---\n", "---\nretired: {paging: asked the wrong thing}\n", 1), encoding="utf-8")
    out = shop.run("diff", now=SECOND).out
    title = "Why page the cache?"
    assert "1 new note: Anki adds it.\n" + GOES + "1 retired note: learners keep it until they delete it.\n" in out
    assert f"\nNew:\n- {title}\n\nRetired:\n- {title} (asked the wrong thing)\n" in out and CHANGED in out
    assert shop.run("diff", made, now=SECOND).out == out.replace("version 7", made)


def test_a_computed_number_changes_with_its_kernel(released: tuple[Workshop, str]):
    shop, _ = released
    shop.edit("training/memory.md", ("full: {kernel: training_memory, parameters: 70e9}", "full: {kernel: training_memory, parameters: 71e9}"))
    shop.edit("training/memory.md", ("verdict: holds", "verdict: holds, tolerance: 0.1"))
    out = shop.run("diff", now=SECOND).out.replace("\u202f", " ")
    assert "was “1,120 GB, that is 16 B a parameter, for …”, now “1,140 GB, that is" in out and "Answer: 1,120 GB → 1,140 GB (+1.8 %)\n" in out, out
    log = shop.run("diff", "--format", "markdown", now=SECOND).out
    assert log.startswith(
        "# Test interviews: changes since version 7\n\n- 2 changed notes: "
    ) and "\n## training\n\n### Changed\n\n- **What " in log.replace("Training", "training")
    assert "adam-bytes" not in log and "memory.md" not in log


def test_the_page_needs_nothing_and_runs_nothing(released: tuple[Workshop, str]):
    shop, _ = released
    shop.edit("training/memory.md", ("full: {kernel: training_memory, parameters: 70e9}", "full: {kernel: training_memory, parameters: 71e9}"))
    shop.edit("training/memory.md", ("verdict: holds", "verdict: holds, tolerance: 0.1"))
    assert shop.run("diff", "--format", "html", now=SECOND).out.endswith("\nbuild/diff.html\n")
    page = (shop.folder / "build/diff.html").read_text(encoding="utf-8")
    assert "<script" not in page and "default-src 'none'; style-src 'unsafe-inline'; img-src data:;" in page
    assert {source.partition(",")[0] for source in re.findall(r'<img [^>]*src="([^"]*)"', page)} == {"data:image/svg+xml;base64"}
    assert page.count('<fieldset class="over">') == 1 and page.count('name="over-1"') == 5
    assert "<del>1,120\u202fGB</del>" in page and "<ins>1,140\u202fGB</ins>" in page


def test_since_a_package(released: tuple[Workshop, str], tmp_path: Path):
    shop, _ = released
    old = Path(shutil.copy(shop.package, tmp_path / "old.apkg"))
    assert shop.run("diff", str(old), now=SECOND).out == f"Test interviews: changes since {old}\n\n{GOES}{CHANGED}"
    shop.edit("deck.yml", ("id: ", "id: 1"))
    shop.lock.unlink()
    shutil.rmtree(shop.folder / ".git")
    done = shop.run("diff", str(old), now=SECOND)
    assert done.status == 1 and f"{old}:1: this is another deck: Test interviews" in done.err, done
    old.write_text("no package", encoding="utf-8")
    done = shop.run("diff", str(old), now=SECOND)
    assert done.status == 1 and f"{old}:1: this is no package that warpdeck wrote" in done.err


def test_a_release_that_is_not_committed(shop: Workshop):
    shop.edit("training/memory.md", ("the rest 4.", "the others 4."))
    out = shop.run("diff", now=SECOND).out
    assert out.startswith("Test interviews: changes since version 7, whose lock is not committed\n") and "(its text then is not known)" in out


def test_a_commit_that_cannot_be_built(released: tuple[Workshop, str]):
    shop, made = released
    shop.edit("training/memory.md", ("{#adam-bytes", "{#Adam bytes"))
    broken = commit(shop, "broken")
    git(shop.folder, "checkout", "-q", made, "--", "cards")
    done = shop.run("diff", broken, now=SECOND)
    assert done.status == 1 and f"the deck at {broken} could not be built: cards/training/memory.md:" in done.err


def told(shop: Workshop, since: Path) -> str:
    return shop.run("diff", str(since), now=SECOND).out


def test_types_that_change(released: tuple[Workshop, str]):
    shop, _ = released
    old = shop.package.rename(shop.folder / "old.apkg")
    shop.takes_look()
    style = shop.folder / "generator/look/style.css"
    style.write_text(style.read_text(encoding="utf-8") + ".card b { color: red; }\n", encoding="utf-8")
    assert re.search(r"\nNote types [^:]*, question and \w+: their look or names change, and a learner's own changes to them go\.\n", told(shop, old))


def rewritten(package: Path, folder: Path, *statements: str) -> Path:
    """A copy of a package after statements on its collection, with a binary picture besides."""
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    with closing(sqlite3.connect(folder / "collection.anki2")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()
    media = json.loads((folder / "media").read_text(encoding="utf-8"))
    (folder / str(len(media))).write_bytes(b"\x89PNG\r\n\x1a\n\xff\x00")
    (folder / "media").write_text(json.dumps({**media, str(len(media)): "plot-01234567.png"}), encoding="utf-8")
    made = folder.with_suffix(".apkg")
    with zipfile.ZipFile(made, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    return made


HOSTILE = "<p onclick=x>old<script>alert(1)</script><img src=plot-01234567.png><img src=x onerror=alert(1)></p><a href=javascript:x>y</a>"


def test_what_stood_in_an_old_package_is_sanitized(released: tuple[Workshop, str], tmp_path: Path):
    shop, _ = released
    statement = f"update notes set flds = replace(flds, 'Weights and gradients take', '{HOSTILE}') where flds like 'adam-bytes%'"
    old = rewritten(shop.package, tmp_path / "hostile", statement)
    assert shop.run("diff", str(old), "--format", "html", now=SECOND).status == 0
    page = (shop.folder / "build/diff.html").read_text(encoding="utf-8")
    assert "<del>old</del>" in page and "data:image/png;base64,iVBORw0KGgr/AA==" in page
    assert not re.search(r"<script|onclick|onerror|javascript:|alert\(", page)


def test_fields_of_another_time_and_notes_that_moved(released: tuple[Workshop, str], tmp_path: Path):
    shop, _ = released
    rename = """update col set models = replace(models, '"name": "Why"', '"name": "Reason"')"""
    deck = "update cards set did = (select max(did) from cards) where did = (select min(did) from cards)"
    old = rewritten(shop.package, tmp_path / "other", rename, deck)
    out = shop.run("diff", str(old), now=SECOND).out
    assert "\nNote types cloze and question: their look or names change, and a learner's own changes to them go.\n" in out
    assert re.search(r"\n\d+ notes? moved to another subdeck: ", out) and "\nMoved:\n- " in out and "(was in " in out
    assert "Why: now also “Weights and gradients" in out and "Reason: no longer “Weights and gradients" in out


def test_fields_that_learners_lack(released: tuple[Workshop, str], tmp_path: Path):
    shop, _ = released
    old = rewritten(shop.package, tmp_path / "ids", """update col set models = replace(models, '"id":', '"other":')""")
    assert "their fields or cards are others, so Anki updates their notes only where Merge note types" in told(shop, old)


def test_what_git_does_not_know(released: tuple[Workshop, str]):
    done = released[0].run("diff", "nowhere", now=SECOND)
    assert done.status == 1 and "nowhere" in done.err and "or a package" in done.err


def test_nothing_was_released(shop: Workshop):
    shop.lock.unlink()
    shutil.rmtree(shop.folder / "build")
    assert shop.run("diff", now=FIRST).out.startswith("nothing was released yet")
