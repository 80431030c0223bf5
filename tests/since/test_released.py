"""A lock that went back: what was released is known from git's history or from the folder for what is built, and an update still arrives."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from test_diff import NOBODY, commit, git
from workshop import FIRST, SECOND, THIRD, Workshop, notes, workshop

from generator.pack.lock import Lock, load
from generator.since import released

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


def lock_left_behind(shop: Workshop) -> None:
    """The folder of cards gets another name, the lock does not go with it."""
    edit(shop, OTHER, ONE)
    git(shop.folder, "mv", "cards", "questions")
    git(shop.folder, "rm", "-qf", "questions/deck.lock")
    git(shop.folder, "commit", "-qm", "moved")
    shop.folder.joinpath("cards").symlink_to("questions")


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
WAYS += [merged_as_ours, merging, moved, lock_left_behind, lock_deleted, lock_emptied, older_lock, line_removed, releases_removed]


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
    assert "the version 8 was released before (take a greater one: 9, say)" in twice.releases(THIRD, "8").err
    twice.release(FOURTH, "9")
    assert mod(twice) == FOURTH


def test_a_type_that_went_back(shop: Workshop):
    """Note types have times as notes do."""
    git(shop.folder, "init", "-qb", "main")
    (shop.folder / ".gitignore").write_text("build/\n*.apkg\n", encoding="utf-8")
    shop.takes_look()
    style = next((shop.folder / "generator/look").glob("*.css"))
    before = style.read_text(encoding="utf-8")
    shop.release(SECOND, "8")
    commit(shop, "8")
    style.write_text(before + "\n.card { --again: 1 }\n", encoding="utf-8")
    shop.release(THIRD, "9")
    commit(shop, "9")
    git(shop.folder, "revert", "--no-edit", "HEAD")
    style.write_text(before, encoding="utf-8")
    shop.build(FOURTH)
    assert {lock_of(shop).type_mod(key) for key in lock_of(shop).types} == {FOURTH}


def test_the_same_commit_gives_the_same_bytes(twice: Workshop):
    """What was released on other branches, or later, does not reach a build of an older commit, or of another branch."""
    then = git(twice.folder, "rev-parse", "HEAD~1")
    git(twice.folder, "checkout", "-q", then)
    for build in ("here", "clean"):
        assert twice.run("deck", "--frozen", now=FOURTH).status == 0, build
        assert notes(twice.package)["warp"][2] == FIRST
        shutil.rmtree(twice.folder / "build")
    git(twice.folder, "checkout", "-qb", "old")
    assert twice.run("deck", "--frozen", now=FOURTH).status == 0


def test_a_release_beside_another_branch(twice: Workshop):
    """Whoever has the other branch's release gets what this one has instead; what it alone has is told of."""
    twice.edit("training/pictures.md", ("# What is a block?", "# What is a grid? {#grid}\n\nAll blocks.\n\n# What is a block?"))
    twice.release(THIRD, "9")
    commit(twice, "9")
    git(twice.folder, "checkout", "-qb", "old", "HEAD~2")
    shutil.rmtree(twice.folder / "build")
    told = "release 8, 9 is not among what led to this deck: it was made on another branch, or was taken back"
    done = twice.run("check", "--strict", now=FOURTH)
    assert done.status == 0 and told in done.out
    done = twice.releases(FOURTH, "10")
    assert done.status == 0 and told in done.out and mod(twice) == FOURTH and mod(twice, "block") == FIRST
    assert set(lock_of(twice).releases) == {"7", "10"} and "grid" not in lock_of(twice).notes
    commit(twice, "10")
    git(twice.folder, "merge", "-q", "-X", "ours", "-m", "merged", "main")
    assert twice.run("deck", now=FOURTH + 1).status == 0
    assert set(lock_of(twice).releases) == {"7", "8", "9", "10"} and lock_of(twice).notes["grid"].mod == THIRD


def test_a_release_that_was_taken_back_before_it_was_committed(twice: Workshop):
    edit(twice, OTHER, ONE)
    twice.release(THIRD, "9")
    git(twice.folder, "reset", "-q", "--hard", "HEAD~1")
    done = twice.release(FOURTH, "10")
    assert mod(twice) == FOURTH, done


def test_a_merge_of_two_releases(twice: Workshop):
    """Both sides released another text of one note; whichever side's lock is taken, or both, whoever has either gets what stands there now."""
    git(twice.folder, "checkout", "-qb", "side", "HEAD~1")
    edit(twice, ONE, "Mostly 32")
    twice.release(THIRD, "8.1")
    commit(twice, "8.1")
    before = twice.folder.with_name("before")
    shutil.copytree(twice.folder, before)
    for number, (cards, lock) in enumerate((c, k) for c in ("--ours", "--theirs") for k in ("--ours", "--theirs", "", "union")):
        shop = workshop(twice.folder.with_name(f"merge-{number}"), like=before)
        if lock == "union":
            (shop.folder / ".git/info/attributes").write_text("deck.lock merge=union\n", encoding="utf-8")
        subprocess.run(["git", "merge", "-q", "main"], cwd=shop.folder, env={**os.environ, **NOBODY}, capture_output=True, check=False)
        git(shop.folder, "checkout", cards, "--", "cards/training/pictures.md", "cards/deck.yml")
        if lock == "union":
            assert "deck.lock" not in git(shop.folder, "ls-files", "--unmerged")
        elif lock:
            git(shop.folder, "checkout", lock, "--", "cards/deck.lock")
        else:
            done = shop.run("deck", now=FOURTH)
            assert done.status == 1 and re.search(r"^cards/deck.lock:\d+: a merge left its marks in the lock \(take either side, or both", done.err)
            text = shop.lock.read_text(encoding="utf-8")
            shop.lock.write_text("".join(line for line in text.splitlines(keepends=True) if line[:7] not in MARKS), encoding="utf-8")
        shop.forgets()  # as on another machine: here the lock may be the one that was built last, and is asked of once more at the release
        shop.build(FOURTH)
        assert mod(shop) == (THIRD if cards == "--ours" else FOURTH) and set(lock_of(shop).releases) == {"7", "8", "8.1"}
        commit(shop, "merged")
        shop.release(FOURTH, "9")
        assert mod(shop) == (THIRD if cards == "--ours" else FOURTH)


MARKS = ("<<<<<<<", "=======", ">>>>>>>")


def test_a_history_that_is_cut_off(twice: Workshop):
    git(twice.folder, "revert", "--no-edit", "HEAD")
    shop = Workshop(twice.folder.with_name("shallow"))
    git(twice.folder, "clone", "-q", "--depth", "1", f"file://{twice.folder}", str(shop.folder))
    told = "cards/deck.lock:1: what was released before is not all known: git's history is cut off here (git fetch --unshallow; in a workflow, "
    done = shop.run("deck", now=THIRD)
    assert done.status == 0 and told in done.out
    for done in (shop.releases(THIRD, "9"), shop.run("check", "--strict", now=THIRD)):
        assert done.status == 1 and told in done.err
    git(shop.folder, "fetch", "-q", "--unshallow")
    assert shop.releases(THIRD, "9").status == 0 and mod(shop) == THIRD


def test_git_that_fails(twice: Workshop, monkeypatch: pytest.MonkeyPatch):
    twice.forgets()
    monkeypatch.setenv("PATH", str(twice.folder / "nowhere"))
    done = twice.run("release", "9", now=THIRD)
    assert done.status == 1 and "what was released before is not all known: git says: git is not here (mend that, or" in done.err
    assert "git is not here" in twice.run("deck", now=THIRD).out
    monkeypatch.undo()
    (twice.folder / ".git/HEAD").write_text("nothing", encoding="utf-8")
    assert re.search("not all known: git says: .*not a git repository", twice.run("release", "9", now=THIRD).err)


def test_a_repository_without_a_commit(shop: Workshop, monkeypatch: pytest.MonkeyPatch):
    git(shop.folder, "init", "-qb", "main")
    monkeypatch.setenv("GIT_DIR", ".git")  # as in a hook, for which it means another folder
    shop.lock.unlink()
    shop.release(SECOND, "8")
    assert mod(shop) == FIRST and set(lock_of(shop).releases) == {"7", "8"}


# ------------------------------------------------------------------------------------------------ without git

CHANGES: dict[str, Callable[[Workshop, bytes], None]] = {
    "an older lock": lambda shop, older: shop.lock.write_bytes(older) and None,
    "no lock": lambda shop, older: shop.lock.unlink(),
    "an empty lock": lambda shop, older: shop.lock.write_bytes(b"") and None,
    "half a lock": lambda shop, older: shop.lock.write_bytes(b"".join(shop.lock.read_bytes().splitlines(keepends=True)[:7])) and None,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_lock_that_went_back_without_git(change: str, shop: Workshop):
    older = shop.lock.read_bytes()
    edit(shop, ONE, OTHER)
    shop.edit("training/memory.md", ("a {{c2::master copy}}", "a {{c2::master copy}}, and {{c3::gradients}}"))
    shop.release(SECOND, "8")
    known = lock_of(shop)
    CHANGES[change](shop, older)
    shop.forgets()
    assert shop.run("deck", now=THIRD).status == 0 and lock_of(shop) == known
    CHANGES[change](shop, older)
    edit(shop, OTHER, ONE)
    shop.edit("training/memory.md", ("and {{c3::gradients}}", "and {{c3::the step's own number}}"))
    done = shop.run("deck", now=THIRD)
    assert done.status == 1 and "cloze c3 hid 'gradients' and now hides" in done.err
    shop.edit("training/memory.md", ("{{c3::the step's own number}}", "{{c3::gradients}}"))
    shop.build(THIRD)
    assert mod(shop) == THIRD
    shop.release(FOURTH, "9")
    assert mod(shop) == FOURTH


def test_a_lock_that_is_new_is_told_of(shop: Workshop):
    shop.lock.unlink()
    shutil.rmtree(shop.folder / "build")
    done = shop.run("deck", now=SECOND)
    assert done.status == 0
    assert "cards/deck.lock:1: the lock is new, since no release is known here (if learners have this deck, bring its lock back)" in done.out
    assert "the lock is new" not in shop.run("deck", now=SECOND, idle=True).out


def test_another_deck_in_the_same_folder_is_another_deck(twice: Workshop):
    """With another id nobody has it, whatever git knows."""
    twice.lock.unlink()
    twice.edit("deck.yml", ("id: 1720310998", "id: 1720310000"))
    done = twice.run("deck", now=THIRD)
    assert done.status == 0 and "the lock is new" in done.out and not lock_of(twice).notes
    twice.release(THIRD, "9")
    commit(twice, "another")
    shutil.rmtree(twice.folder / "build")
    assert twice.run("deck", "--frozen", now=FOURTH).status == 0 and set(lock_of(twice).releases) == {"9"}


def test_an_edit_asks_nobody(twice: Workshop, monkeypatch: pytest.MonkeyPatch):
    """Git is asked where the lock is not as our build left it, and for a release."""
    asked: list[str] = []
    real = released._started

    def counted(cards: Path, words: Sequence[str], stderr: Any) -> Any:
        asked.append(words[0])
        return real(cards, words, stderr)

    twice.build(THIRD)  # the first after a release, which wrote into deck.yml
    monkeypatch.setattr(released, "_started", counted)
    edit(twice, OTHER, "Some 32")
    twice.build(THIRD)
    edit(twice, "Some 32", "All 32")
    twice.build(THIRD)
    twice.run("check", now=THIRD)
    assert asked == []
    twice.run("check", "--strict", now=THIRD)
    assert asked == ["rev-parse", "rev-list", "log", "log"]
    twice.forgets()
    twice.build(THIRD)
    assert asked[4:] == ["rev-parse", "rev-list", "log"]
