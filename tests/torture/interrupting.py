"""A build that is killed, interrupted or refused by the disk at one of its file events, or at any moment; and the build after it.

File events are what Python's audit hooks tell: opening, renaming, deleting, making folders, connecting to SQLite. Whatever happened, what
is there is what was there or what should be: the next build gives the bytes of a clean one, and nothing is left lying about.
"""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import decks
from trial import FIRST, HANG, Outcome, command, misbehaved, tree

EVENTS = (
    "open",
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.truncate",
    "os.scandir",
    "os.listdir",
    "os.chmod",
    "os.utime",
    "sqlite3.connect",
    "os.fork",
)
WRITES = ("open", "os.rename", "os.mkdir", "os.truncate", "sqlite3.connect")
LATER = FIRST + 1000


def attempt(seed: int, folder: Path) -> list[str]:
    """Builds a deck that has changed since its release, stops it as the seed says, and builds it again."""
    chance = random.Random(seed)
    decks.made(folder / "deck", chance)
    first = command(folder / "deck", "deck")
    if first.status:
        return [f"the deck does not build: {first.err}"]
    decks.edited(folder / "deck", chance)
    if chance.random() < 0.4:
        shutil.rmtree(folder / "deck/build/cache", ignore_errors=True)
    shutil.copytree(folder / "deck", folder / "clean")
    shutil.rmtree(folder / "clean/build")
    reference = command(folder / "clean", "deck", now=LATER)
    before = tree(folder / "deck")
    how = chance.choice(("kill", "kill", "interrupt", "interrupt", "term", "full", "refused", "small", "moment", "moment"))
    done = _stopped(folder / "deck", how, chance)
    found = [f"{how}: {fault}" for fault in _judged(done, how)]
    if not (done.status == 0 and how in ("full", "refused", "small")):  # what may be done without
        after = {name: text for name, text in tree(folder / "deck/cards").items() if name != "deck.lock"}
        found += [f"{how}: {name} changed" for name, text in after.items() if before.get(f"cards/{name}") != text]
    again = command(folder / "deck", "deck", now=LATER)
    found += [f"after {how}: {fault}" for fault in misbehaved(again)]
    if again.status != reference.status:
        found.append(f"after {how}: the next build ends with {again.status}: {again.err[-300:]}")
        return found
    mine, clean = tree(folder / "deck"), tree(folder / "clean")
    for name in sorted({*mine, *clean}):
        if "/cache/" not in name and not name.endswith("report.json") and "__pycache__" not in name and mine.get(name) != clean.get(name):
            found.append(
                f"after {how}: {name} is not as a clean build leaves it"
                if name in mine and name in clean
                else f"after {how}: {name} is left or missing"
            )
    found += [f"after {how}: {name} is left" for name in mine if ".part" in name or name.endswith((".tmp", "-journal"))]
    return found


def _judged(done: Outcome, how: str) -> list[str]:
    if how in ("kill", "moment"):
        return ["it hangs"] if done.status == HANG else []
    if how == "interrupt":
        if done.status == 0:
            return []  # it came too late
        lines = done.err.strip().splitlines()
        return misbehaved(done, (130,)) + ([f"it says {lines}"] if len(lines) != 1 else [])
    return misbehaved(done, (0, 1, 143) if how == "term" else (0, 1))


def _stopped(folder: Path, how: str, chance: random.Random) -> Outcome:
    if how == "small":  # no file may grow beyond this
        size = int(2 ** chance.uniform(12, 19))
        return command(
            folder,
            "deck",
            now=LATER,
            before=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))),
        )
    if how == "moment":
        wait, end = chance.uniform(0.0, 0.6), chance.choice((signal.SIGKILL, signal.SIGTERM))
        return command(folder, "deck", now=LATER, before=lambda: threading.Thread(target=_end, args=(wait, end), daemon=True).start())
    at = int(2 ** chance.uniform(0, 9))
    return command(folder, "deck", now=LATER, before=lambda: sys.addaudithook(_hook(folder.resolve(), how, at, chance)))


def _end(wait: float, end: int) -> None:
    time.sleep(wait)
    os.kill(os.getpid(), end)


def _hook(folder: Path, how: str, at: int, chance: random.Random) -> Callable[[str, tuple[Any, ...]], None]:
    """At the event number `at`, and for a disk that is full at all later ones, what happens."""
    number, inside, me = 0, str(folder), os.getpid()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal number
        if event not in EVENTS or os.getpid() != me:
            return
        path = arguments[0] if arguments else ""
        absolute = os.path.join(inside, os.fsdecode(path)) if isinstance(path, str | bytes) else inside
        if isinstance(path, int):
            return  # a file that is open already
        writes = event in WRITES and not (event == "open" and not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        if how in ("full", "refused") and not (writes and absolute.startswith(inside)):
            return
        number += 1
        if number < at % 24 + 1 if how in ("full", "refused") else number != at:
            return
        if how == "full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fsdecode(path))
        if how == "refused":
            code = chance.choice((errno.EACCES, errno.EROFS))
            raise OSError(code, os.strerror(code), os.fsdecode(path))
        os.kill(me, {"kill": signal.SIGKILL, "interrupt": signal.SIGINT, "term": signal.SIGTERM}[how])

    return hook
