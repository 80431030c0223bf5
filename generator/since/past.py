"""The deck as it was: the commit of a release, and the package of a commit, built in a folder of its own.

In: the folder of cards and what git calls a commit. Out: a package. A commit that holds the compiler too, as ours do, is built by its own.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from generator.keep.files import LOCK
from generator.problems import DeckError, Place, Problem
from kernels import parts

OURS = Path(__file__).parents[2]
BUILD = "import sys; sys.path[0] = sys.argv.pop(1); from generator.__main__ import run; run()"


def commit_of(cards: Path, version: str) -> str | None:
    """The commit whose lock was the first to have a release; None where none is, since it is not committed, or no git is here."""
    try:
        found = _git(cards, "log", "--reverse", "--format=%H", f'-S{{"release": "{version}",', "--", LOCK).decode().split()
    except DeckError:
        return None
    return found[0] if found else None


@contextmanager
def package(cards: Path, commit: str) -> Iterator[Path]:
    """The package of the deck at a commit. Raises DeckError where it has none."""
    top = Path(_git(cards, "rev-parse", "--show-toplevel").decode().strip())
    archive = _git(top, "archive", "--format=zip", commit)
    with parts.folder() as name:
        folder = Path(name)
        zipfile.ZipFile(BytesIO(archive)).extractall(folder / "then")
        then = folder / "then" / cards.resolve().relative_to(top.resolve())
        own = folder / "then"
        code = own if (own / "generator" / "__main__.py").is_file() and (own / "kernels" / "library").is_dir() else OURS
        words = [sys.executable, "-c", BUILD, str(code), "deck", str(then), "--build", str(folder / "built")]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
        made = sorted((folder / "built").glob("*.apkg"))
        if done.returncode or not made:
            said = done.stderr.strip().replace(f"{folder}/then/", "").removeprefix("then/").split("\n")
            raise DeckError(
                [Problem(Place(cards.as_posix()), f"the deck at {commit} could not be built: {said[0]}", "name another commit, or a package")]
            )
        yield made[0]


def _git(folder: Path, *words: str) -> bytes:
    try:
        return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=True).stdout
    except FileNotFoundError:
        why = "git is not here"
    except subprocess.CalledProcessError as error:
        why = error.stderr.decode(errors="replace").strip().split("\n")[0].removeprefix("fatal: ")
    raise DeckError([Problem(Place(folder.as_posix()), why, "name a commit of the deck's repository, or a package: warpdeck diff OLD.apkg")])
