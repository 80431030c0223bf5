"""A lock that went back: what was released is known from git's history or from the folder for what is built, and an update still arrives."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable

import pytest
from test_diff import commit, git
from workshop import FIRST, SECOND, THIRD, Workshop, notes

from generator.pack.lock import Lock, load

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git")
FOURTH = THIRD + 100_000
ONE, OTHER = "Thirty-two", "Exactly 32"


def edit(shop: Workshop, old: str, new: str) -> None:
    shop.edit("training/pictures.md", (old, new))


def lock_of(shop: Workshop) -> Lock:
    return load(shop.lock, [])._replace(lines={})


def mod(shop: Workshop, id: str = "warp") -> int:
    return notes(shop.package)[id][2]


@pytest.fixture
def twice(shop: Workshop) -> Workshop:
    """A workshop in git that released 7 with one text of the note `warp` and 8, at SECOND, with another; each in a commit of its own."""
    git(shop.folder, "init", "-qb", "main")
    (shop.folder / ".gitignore").write_text("build/\n*.apkg\n", encoding="utf-8")
    commit(shop, "7")
    edit(shop, ONE, OTHER)
    shop.release(SECOND, "8")
    commit(shop, "8")
    return shop


def revert(shop: Workshop) -> None:
    git(shop.folder, "revert", "--no-edit", "HEAD")


def revert_and_work(shop: Workshop) -> None:
    git(shop.folder, "revert", "--no-edit", "HEAD")
    shop.edit("serving/cache.md", ("To waste none of it.", "To waste nothing."))
    commit(shop, "more")


def older_files(shop: Workshop) -> None:
    git(shop.folder, "checkout", "-q", "HEAD~1", "--", "cards")


def older_files_committed(shop: Workshop) -> None:
    older_files(shop)
    commit(shop, "as it was")


def reset(shop: Workshop) -> None:
    git(shop.folder, "reset", "-q", "--hard", "HEAD~1")


def reset_and_work(shop: Workshop) -> None:
    reset(shop)
    shop.edit("serving/cache.md", ("To waste none of it.", "To waste nothing."))
    commit(shop, "more")


def amended(shop: Workshop) -> None:
    git(shop.folder, "checkout", "-q", "HEAD~1", "--", "cards")
    git(shop.folder, "commit", "-q", "--amend", "--allow-empty", "-m", "8, as it should be")


def rebased(shop: Workshop) -> None:
    shop.edit("serving/cache.md", ("To waste none of it.", "To waste nothing."))
    commit(shop, "more")
    git(shop.folder, "rebase", "-q", "--onto", "HEAD~2", "HEAD~1", "main")


def merged_as_ours(shop: Workshop) -> None:
    git(shop.folder, "checkout", "-qb", "side", "HEAD~1")
    shop.edit("serving/cache.md", ("To waste none of it.", "To waste nothing."))
    commit(shop, "more")
    git(shop.folder, "merge", "-q", "-s", "ours", "-m", "merged", "main")
    git(shop.folder, "branch", "-qD", "main")


def merging(shop: Workshop) -> None:
    git(shop.folder, "checkout", "-qb", "side", "HEAD~1")
    shop.edit("serving/cache.md", ("To waste none of it.", "To waste nothing."))
    commit(shop, "more")
    git(shop.folder, "merge", "-q", "-s", "ours", "--no-commit", "main")


def moved(shop: Workshop) -> None:
    """Commits that are not here any more, and a folder of another name; the release is known from history alone."""
    git(shop.folder, "mv", "cards", "questions")
    git(shop.folder, "commit", "-qm", "moved")
    git(shop.folder, "mv", "questions", "cards")
    git(shop.folder, "checkout", "-q", "HEAD~2", "--", "cards")


def lock_deleted(shop: Workshop) -> None:
    edit(shop, OTHER, ONE)
    shop.lock.unlink()


def lock_emptied(shop: Workshop) -> None:
    edit(shop, OTHER, ONE)
    shop.lock.write_bytes(b"")
    commit(shop, "empty")


def older_lock(shop: Workshop) -> None:
    git(shop.folder, "checkout", "-q", "HEAD~1", "--", "cards/deck.lock")
    edit(shop, OTHER, ONE)


def line_removed(shop: Workshop) -> None:
    edit(shop, OTHER, ONE)
    lines = shop.lock.read_bytes().splitlines(keepends=True)
    shop.lock.write_bytes(b"".join(line for line in lines if b'"warp"' not in line))


def releases_removed(shop: Workshop) -> None:
    edit(shop, OTHER, ONE)
    lines = shop.lock.read_bytes().splitlines(keepends=True)
    shop.lock.write_bytes(b"".join(line for line in lines if b'{"release"' not in line))


WAYS = [revert, revert_and_work, older_files, older_files_committed, reset, reset_and_work, amended, rebased]
WAYS += [merged_as_ours, merging, moved, lock_deleted, lock_emptied, older_lock, line_removed, releases_removed]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_lock_that_went_back(way: Callable[[Workshop], None], twice: Workshop):
    """The text that was withdrawn is released again: whoever has 8 gets it. Build folders know nothing here, as on another machine."""
    way(twice)
    shutil.rmtree(twice.folder / "build")
    done = twice.run("deck", now=THIRD)
    assert done.status == 0, done.err
    assert mod(twice) == THIRD and re.search("the lock (went back behind release 8|was gone|lost releases)", done.out), done.out
    assert set(lock_of(twice).releases) == {"7", "8"} and lock_of(twice).notes["warp"].mod == SECOND
    assert "the lock" not in twice.run("deck", now=THIRD, idle=True).out
    twice.release(FOURTH, "9")
    assert mod(twice) == FOURTH and mod(twice, "block") == FIRST
    assert set(lock_of(twice).releases) == {"7", "8", "9"}


@pytest.mark.parametrize("way", [revert, reset, lock_deleted, older_lock], ids=lambda way: way.__name__)
def test_a_release_at_once(way: Callable[[Workshop], None], twice: Workshop):
    way(twice)
    twice.edit("deck.yml", (f"version: {twice.version}", 'version: "8"'))
    assert "the version '8' was released before, with other content" in twice.run("release", now=THIRD).err
    twice.release(FOURTH, "9")
    assert mod(twice) == FOURTH
