"""Every file that a build reads, damaged: bits flipped, cut, emptied, other things in its place.

What a build made itself (cache, stamp, packages, report) may be damaged at will: the next build is a clean one. What stands in git (lock,
records) is found out. What an author writes is judged as any text is.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import sqlite3
from pathlib import Path

import decks
from trial import FIRST, command, misbehaved, package_faults

from generator.release import pictures

LATER = FIRST + 1000


def _blind() -> None:
    """No Chromium is here for screenshots, which would take longer than the rest."""
    pictures.CHROMIUM = ()


def attempt(seed: int, folder: Path) -> list[str]:
    """Builds a deck, damages one of its files as the seed says, and builds it again with and without an edit."""
    chance = random.Random(seed)
    deck = folder / "deck"
    decks.made(deck, chance)
    _own_records(deck)
    released = command(deck, "release", "1", "--no-rehearsal", before=_blind).status == 0
    if (first := command(deck, "deck")).status:
        return [f"the deck does not build: {first.err}"]
    if chance.random() < 0.5:
        decks.edited(deck, chance)
    shutil.copytree(deck, folder / "clean")
    shutil.rmtree(folder / "clean/build")
    command(folder / "clean", "deck", now=LATER)
    reference = decks.package(folder / "clean").read_bytes()
    files = [path for path in sorted(deck.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    kinds = {"build": [], "records": [], "lock": [], "cards": []}
    for path in files:
        kinds[
            "lock" if path.name == "deck.lock" else path.relative_to(deck).parts[0] if path.relative_to(deck).parts[0] in kinds else "cards"
        ].append(path)
    kind = chance.choice([kind for kind in ("build", "build", "records", "lock", "cards") if kinds[kind]])
    target = (
        chance.choice([path for path in kinds[kind] if "cache" in path.parts] or kinds[kind])
        if kind == "build" and chance.random() < 0.7
        else chance.choice(kinds[kind])
    )
    how = damage(target, chance)
    about = f"{target.relative_to(deck)} {how}"
    done = command(deck, "deck", now=LATER)
    found = [f"{about}: {fault}" for fault in misbehaved(done)]
    same = done.status == 0 and decks.package(deck).read_bytes() == reference
    if kind == "build" and not same and how != "folder":  # which nobody deletes unasked
        found.append(f"{about}: the package is another one" if done.status == 0 else f"{about}: it is refused: {done.err[-200:]}")
    if (kind == "records" or kind == "lock" and released) and done.status == 0 and not same and "lock" not in done.out and how != "deleted":
        found.append(f"{about}: the package is another one, without a word")
    if done.status == 0 and not same and not found:
        found = [f"{about}: {fault}" for fault in package_faults(decks.package(deck))]
    return found


def _own_records(deck: Path) -> None:
    """The records that the deck's runs ask for lie in it, so that they can be damaged."""
    import json

    from workshop import ROOT

    config = deck / "cards/deck.yml"
    text = config.read_text(encoding="utf-8")
    theirs = str(ROOT / "kernels/records")
    if theirs not in text:
        return
    wanted = {json.loads(line)["kernel"] for line in command(deck, "wanted").out.splitlines()}
    for path in (ROOT / "kernels/records").rglob("*.json"):
        if path.parent.name in wanted or path.name.partition("-")[0] in wanted or any(path.name.startswith(name) for name in wanted):
            target = deck / "records" / path.relative_to(ROOT / "kernels/records")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    config.write_text(text.replace(theirs, "../records"), encoding="utf-8")


def damage(path: Path, chance: random.Random) -> str:
    """One damage to a file; what it was."""
    content = path.read_bytes()
    at = chance.randrange(len(content) + 1)
    how = chance.choice(
        (
            "flipped",
            "flipped",
            "flipped",
            "flipped",
            "flipped",
            "digit",
            "digit",
            "cut",
            "emptied",
            "zeros",
            "doubled",
            "deleted",
            "folder",
            "pipe",
            "socket",
            "loop",
            "row",
            "word",
        )
    )
    if how == "flipped" and content:
        flipped = bytearray(content)
        flipped[at % len(content)] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
    elif how == "digit":
        places = [number for number, byte in enumerate(content) if 48 <= byte <= 57]
        if places:
            changed = bytearray(content)
            changed[chance.choice(places)] = 48 + chance.randrange(10)
            path.write_bytes(changed)
    elif how == "cut":
        path.write_bytes(content[:at])
    elif how == "emptied":
        path.write_bytes(b"")
    elif how == "zeros":
        path.write_bytes(content[:at] + bytes(min(4096, len(content) - at)) + content[at + 4096 :])
    elif how == "doubled":
        path.write_bytes(content[:at] + content[max(0, at - 200) : at] + content[at:])
    elif how == "row" and path.suffix == ".sqlite":
        _rows_mixed(path, chance)
    elif how == "word":
        words = [b"null", b"1e999", b"-1", b"[]", b"{}", b'""', b"true", b"1" + b"0" * 30, b"[" * 5000, b"\xff", b"\0", b'"\\ud800"', b"\xe2\x80\xae"]
        marks = [number for number, byte in enumerate(content) if byte in b':,[{ "'] or [0]
        place = chance.choice(marks)
        end = next((number for number in range(place + 1, len(content)) if content[number] in b",]}\n"), len(content))
        path.write_bytes(content[: place + 1] + chance.choice(words) + content[end:])
    else:
        path.unlink()
        if how == "folder":
            path.mkdir()
        elif how == "pipe":
            os.mkfifo(path)
        elif how == "socket":
            here = os.getcwd()
            os.chdir(path.parent)  # a socket's path is short
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(path.name)
            os.chdir(here)
        elif how == "loop":
            path.symlink_to(path.name)
        else:
            how = "deleted"
    return how


def _rows_mixed(path: Path, chance: random.Random) -> None:
    """Two entries of the cache have each other's content, or one has a changed byte."""
    with sqlite3.connect(path) as file:
        (table,) = chance.choice(file.execute("select name from sqlite_master where type = 'table'").fetchall())
        columns = [row[1] for row in file.execute(f"pragma table_info({table})")]
        found = file.execute(f"select rowid, {columns[-1]} from {table} order by random() limit 2").fetchall() if len(columns) > 1 else []
        for (row, _), (_, content) in zip(found, reversed(found), strict=True):
            file.execute(f"update {table} set {columns[-1]} = ? where rowid = ?", (content, row))
