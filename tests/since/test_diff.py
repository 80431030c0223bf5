"""`diff`: what changed since a release, a commit, or a package."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from workshop import FIRST, SECOND, Workshop

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git")
NOBODY = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
NOBODY |= {f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, env={**os.environ, **NOBODY}, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(shop: Workshop, message: str) -> str:
    git(shop.folder, "add", "cards")
    git(shop.folder, "commit", "-qm", message)
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


CHANGED = """\
changed  adam-bytes  (cards/training/memory.md:12)
  Why
    - Weights and gradients take 2 bytes, the rest 4.
    + Weights and gradients take 2 bytes each, the rest 4.
"""


def test_since_the_release(released: tuple[Workshop, str]):
    shop, made = released
    before = shop.state()
    done = shop.run("diff", now=SECOND)
    assert (done.status, done.err) == (0, "")
    assert done.out == f"since version 7, {made[:9]}\n{CHANGED}1 changed\n"
    assert shop.state() == before


def test_notes_that_come_and_go(released: tuple[Workshop, str]):
    shop, made = released
    shop.edit("serving/cache.md", ("{#paging}", "{#paging-two}"))
    assert "vanished paging\n" in shop.run("diff", now=SECOND).out
    path = shop.folder / "cards/serving/cache.md"
    path.write_text(path.read_text(encoding="utf-8").replace("---\n", "---\nretired: {paging: asked the wrong thing}\n", 1), encoding="utf-8")
    out = shop.run("diff", now=SECOND).out
    assert "retired  paging  (asked the wrong thing)\n" in out and "new      paging-two  (cards/serving/cache.md:" in out
    assert out.endswith("1 new, 1 changed, 1 retired\n") and CHANGED in out
    assert shop.run("diff", made, now=SECOND).out == out.replace(f"version 7, {made[:9]}", made)


def test_a_computed_number_changes_with_its_kernel(released: tuple[Workshop, str]):
    shop, made = released
    shop.edit("training/memory.md", ("full: {kernel: training_memory, parameters: 70e9}", "full: {kernel: training_memory, parameters: 71e9}"))
    shop.edit("training/memory.md", ("verdict: holds", "verdict: holds, tolerance: 0.1"))
    out = shop.run("diff", now=SECOND).out
    assert "    - 1,120 GB, that is 16 B a parameter" in out.replace("\u202f", " ") and "    + 1,140 GB, that is" in out.replace("\u202f", " "), out


def test_since_a_package(released: tuple[Workshop, str], tmp_path: Path):
    shop, _ = released
    old = Path(shutil.copy(shop.package, tmp_path / "old.apkg"))
    assert shop.run("diff", str(old), now=SECOND).out == f"since {old}\n{CHANGED}1 changed\n"
    old.write_text("no package", encoding="utf-8")
    done = shop.run("diff", str(old), now=SECOND)
    assert done.status == 1 and f"{old}:1: this is no package that warpdeck wrote" in done.err


def test_a_release_that_is_not_committed(shop: Workshop):
    shop.edit("training/memory.md", ("the rest 4.", "the others 4."))
    out = shop.run("diff", now=SECOND).out
    assert out.startswith("since version 7, whose lock is not committed\nchanged  adam-bytes  (") and "its text then is not known" in out


def test_what_git_does_not_know(released: tuple[Workshop, str]):
    done = released[0].run("diff", "nowhere", now=SECOND)
    assert done.status == 1 and "nowhere" in done.err and "or a package" in done.err


def test_nothing_was_released(shop: Workshop):
    shop.lock.unlink()
    shutil.rmtree(shop.folder / "build")
    assert shop.run("diff", now=FIRST).out.startswith("nothing was released yet")
