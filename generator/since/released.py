"""What was released, where the lock at hand may have forgotten it: a revert, a merge or an older file takes it back with the text.

In: the lock as it was read. Out: the lock with what is known of later releases, and what is to be said of that. A build goes by what led to this
commit, so that the same commit gives the same deck; where git knows nothing of the lock, by what this folder for what is built has seen released.
A release goes by all that is known here, of other branches too, since learners may have it.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from generator.keep.files import LOCK
from generator.pack import lock as locks
from generator.pack.lock import Lock
from generator.pack.output import write
from generator.problems import Place, Problem
from kernels import files

if TYPE_CHECKING:
    from subprocess import CompletedProcess, Popen

DIFF = ["-m", "-p", "-U0", "--text", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv", "--no-show-signature", "--format=tformat:commit"]
COMMIT = b"commit"
ANY = f":(top,glob)**/{LOCK}"  # four times as slow to look for: where the lock is gone, the folder of cards may have had another name


class Past(NamedTuple):
    """Lines of earlier locks, the newest first: of this branch, and those that only others have. unknown: why there may be more, and what to do."""

    own: tuple[bytes, ...] = ()
    others: tuple[bytes, ...] = ()
    unknown: tuple[str, str] | None = None


class Mended(NamedTuple):
    """The lock as it has to be, and what is to be said of it. unknown: why more may have been released."""

    lock: Lock
    warnings: tuple[Problem, ...] = ()
    unknown: tuple[Problem, ...] = ()


def mended(lock: Lock, path: Path, cards: Path, copy: Path, deck: int, here: Collection[str], everywhere: bool) -> Mended:
    """A lock with what is known of later releases.

    path: its own. copy: where `remember` wrote what the folder for what is built has seen. deck: its id. here: the ids of its notes.
    everywhere: whether other branches count as well.
    """
    past, place = _past(cards, copy, deck, everywhere), Place(path.as_posix())
    own = locks.later(lock, past.own)
    found = locks.later(own, past.others, {*own.notes, *here}) if past.others else own
    warnings = []
    if count := _differing(lock, own):
        why = "was gone" if not path.exists() else f"went back behind release {own.last}" if own.releases != lock.releases else "lost releases"
        warnings.append(Problem(place, f"the lock {why}: what learners have of {count} is known all the same", "the build puts it back: commit it"))
    strange = locks.later(Lock(), past.others).releases.keys() - own.releases.keys()
    if strange:
        message = f"release {', '.join(sorted(strange))} is not among what led to this deck: it was made on another branch, or was taken back"
        warnings.append(Problem(place, message, "what its learners have of the notes that are here is taken into account; merge it for the others"))
    unknown = [Problem(place, f"what was released before is not all known: {past.unknown[0]}", past.unknown[1])] if past.unknown else []
    return Mended(found, tuple(warnings), tuple(unknown))


def remember(copy: Path, lock: Lock) -> None:
    """Adds what a lock has of releases to what this folder has seen."""
    seen = lock._replace(drafts={}, type_drafts={}, lines={})
    content = locks.text(locks.later(seen, _lines_of(copy))).encode()
    if _kept(copy) != content:
        write(copy, content)


def _differing(one: Lock, other: Lock) -> str:
    """How many notes and note types two locks have otherwise, in words; "" where they are the same."""
    parts = []
    for noun, was, now in (("note", one.notes, other.notes), ("note type", one.types, other.types)):
        if count := sum(was.get(name) != line for name, line in now.items()):
            parts.append(f"{count:,} {noun}{'s' * (count > 1)}")
    return " and ".join(parts) or ("no note" if one.releases != other.releases else "")


def _past(cards: Path, copy: Path, deck: int, everywhere: bool) -> Past:
    kept = _lines_of(copy)
    if not _in_git(cards):
        return Past(kept)
    from subprocess import CalledProcessError  # where there is no git, a build need not pay for it

    try:
        shallow, names = _branch(cards)
        paths = (LOCK,) if (cards / LOCK).exists() else (LOCK, ANY)
        own = next((found for path in paths if names and (found := tuple(dict.fromkeys(_log(cards, names, path, deck))))), ())
        others = tuple(_log(cards, ("--all", "--reflog"), paths[-1], deck)) if everywhere else ()
    except (OSError, CalledProcessError) as error:
        said = error.stderr if isinstance(error, CalledProcessError) else None
        why = (said or b"").decode(errors="replace").strip().split("\n")[0].removeprefix("fatal: ") or "git is not here"
        return Past(kept, (), (f"git says: {why}", "mend that, or build where git works"))
    own = own or kept
    elsewhere, known = dict.fromkeys((*others, *kept)) if everywhere else {}, {*own}
    unknown = ("git's history is cut off here", "git fetch --unshallow; in a workflow, fetch-depth: 0") if shallow else None
    return Past(own, tuple(line for line in elsewhere if line not in known), unknown)


def _lines_of(copy: Path) -> tuple[bytes, ...]:
    return tuple(locks.released_lines(_kept(copy).split(b"\n")))


def _kept(copy: Path) -> bytes:
    try:
        return files.read(copy)
    except OSError:
        return b""


def _in_git(cards: Path) -> bool:
    """Whether a repository is around, which need not know the lock; asked without git, which takes longer."""
    here = cards.resolve()
    return any((folder / ".git").exists() for folder in (here, *here.parents))


def _branch(cards: Path) -> tuple[bool, list[str]]:
    """Whether the history is cut off, and what led to the files at hand: the commit, one that is being merged, and where this branch stood before."""
    asked = ("rev-parse", "--is-shallow-repository", "--git-path", "MERGE_HEAD", "--symbolic-full-name", "HEAD")
    said = _git(cards, *asked, check=False)
    if len(lines := said.stdout.decode(errors="surrogateescape").splitlines()) < 2:
        said.check_returncode()
    merged = cards / lines[1]
    names = [*(merged.read_text().split() if merged.exists() else ()), *["HEAD"] * (said.returncode == 0)]
    if lines[2].startswith("refs/heads/"):  # else no branch is checked out
        names += _git(cards, "rev-list", "--walk-reflogs", lines[2], check=False).stdout.decode().split()
    return lines[0] == "true", names


def _log(cards: Path, names: Sequence[str], where: str, deck: int) -> Iterator[bytes]:
    """Each line about releases that a commit wrote into a lock of this deck, the newest first. names: commits, or options that name some."""
    from subprocess import CalledProcessError

    options = [name for name in names if name.startswith("--")]
    words = ["log", *options, *DIFF, "--topo-order", "--full-history", "--ignore-missing", "--stdin", "--", where]
    given = "\n".join(name for name in names if name not in options)
    found: dict[bytes, list[tuple[int, bytes]]] = {}
    commit, path = 0, b""
    with tempfile.TemporaryFile() as errors, _started(cards, words, stderr=errors) as process:
        assert process.stdin and process.stdout
        process.stdin.write(given.encode())
        process.stdin.close()
        for line in process.stdout:
            if line.startswith(b"+++ "):
                path = line
            elif line.startswith(COMMIT):
                commit += 1
            elif line.startswith(b'+{"'):
                found.setdefault(path, []).extend((commit, said) for said in locks.released_lines([line[1:]]))
        if process.wait():
            errors.seek(0)
            raise CalledProcessError(process.returncode, words, stderr=errors.read())
    ours = re.compile(rb'{"release": .*, "deck": %d[,}]' % deck)
    for lines in found.values():
        first = max((commit for commit, line in lines if ours.match(line)), default=0)  # before it the deck had another id, or nobody
        yield from (line for commit, line in lines if commit <= first)


def _git(cards: Path, *words: str, check: bool = True) -> CompletedProcess[bytes]:
    from subprocess import PIPE, CompletedProcess

    with _started(cards, words, stderr=PIPE) as process:
        out, err = process.communicate()
    done = CompletedProcess(words, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


def _started(cards: Path, words: Sequence[str], stderr: int | IO[bytes]) -> Popen[bytes]:
    from subprocess import PIPE, Popen

    inherited = {name: value for name, value in os.environ.items() if name not in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")}  # of a hook
    environment = {**inherited, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    whole = ["git", "-C", str(cards), *words]
    return Popen(whole, stdin=PIPE, stdout=PIPE, stderr=stderr, env=environment)
