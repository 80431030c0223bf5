"""What git knows of the deck: a release is made of what is committed, so that everybody can make it again.

In: the folder of cards, and the files that a build reads. Out: a problem for each file that stands otherwise in git, or not at all.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from generator.keep.files import LOCK
from generator.problems import Place, Problem

HINT = "commit what belongs to the release: git add {} && git commit; or put it aside: git stash"
SAID = {"D": "is deleted", "A": "is added", "R": "is renamed", "U": "has a conflict"}


def top_of(cards: Path) -> Path | None:
    """The folder of the repository that the cards are in; None where they are in none, or git is not here."""
    found = _git(cards, "rev-parse", "--show-toplevel")
    return Path(os.fsdecode(found.rstrip(b"\n"))) if found else None


def uncommitted(cards: Path, top: Path, read: Iterable[str]) -> Iterator[Problem]:
    """Files that are not as the last commit has them, and such as it lacks. read: what the deck is made of. The lock is the release's to write."""
    lock, here = (cards.resolve() / LOCK), Path.cwd().resolve()
    known = {*(_git(top, "ls-files", "-z") or b"").split(b"\0")}
    wrong: dict[Path, str] = {}
    fields = iter((_git(top, "status", "--porcelain", "-z", "--untracked-files=no") or b"").split(b"\0"))
    for field in fields:
        if field:
            mark, path = field[:2].decode().strip(), top.resolve() / os.fsdecode(field[3:])
            wrong[path] = next((said for letter, said in SAID.items() if letter in mark), "is changed")
            if "R" in mark or "C" in mark:
                next(fields)  # its former name
    for name in sorted(read):
        path = Path(name).resolve()
        if path.is_relative_to(top.resolve()) and os.fsencode(path.relative_to(top.resolve()).as_posix()) not in known:
            wrong.setdefault(path, "is unknown to git")
    wrong.pop(lock, None)
    for path, what in sorted(wrong.items()):
        shown = os.path.relpath(path, here)
        yield Problem(Place(Path(shown).as_posix()), f"{what}, and not committed", HINT.format(shlex.quote(shown)))


def _git(folder: Path, *words: str) -> bytes | None:
    inherited = {name: value for name, value in os.environ.items() if name not in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")}  # of a hook
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False, env={**inherited, "LC_ALL": "C"})
    except FileNotFoundError:
        return None
    return None if done.returncode else done.stdout
