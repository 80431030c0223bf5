"""A release as a whole: what refuses it, what is made for it in a folder of its own, and how that takes its place, all at once or not at all.

In: a deck that is built, and the lock before and after. Out: build/release/VERSION with the packages, their hashes, the change log, the page of what
changed and the form for AnkiWeb; the lock and the version in deck.yml.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from generator.keep.deck import Built
from generator.keep.order import Order
from generator.notes import Entry
from generator.pack.lock import ELSEWHERE, Lock, Update
from generator.pack.output import write
from generator.pack.package import write_package
from generator.problems import DeckError, Place, Problem
from generator.release import rehearsal, share, tree, version
from generator.release.pictures import screenshots
from generator.release.rehearsal import Package, Rehearsed
from generator.since import past, told
from generator.since.changes import NOTHING, Then, changes, of_package
from generator.since.page import page
from kernels import parts

CHANGES, PAGE, FORM = "CHANGES.md", "diff.html", "share.md"


def refused(order: Order, asked: str, lock: Lock, rehearsed: bool) -> Iterator[Problem]:
    """What keeps the deck as it lies there from being released under this version, besides what a strict check refuses."""
    place = Place(_settings(order).as_posix())
    yield from version.unfit(asked, lock.releases, lock.last, place)
    if rehearsed and (absent := rehearsal.missing()):
        yield absent
    if top := tree.top_of(order.cards):
        made_of = [str(folder) for folder in (order.cards, order.home.kernels, *order.roots) if folder]
        read = [name for name in order.files.stats if any(Path(name).is_relative_to(folder) for folder in made_of)]
        yield from tree.uncommitted(order.cards, top, read)


def settings(order: Order, asked: str) -> bytes:
    """The content of deck.yml with this version. Raises DeckError where it cannot be written there."""
    path = _settings(order)
    if (made := version.written(path.read_bytes().decode(), asked, path.as_posix())) is None:
        hint = f'write version: "{asked}" there and commit it'
        raise DeckError([Problem(Place(path.as_posix()), "the version of the release cannot be put into this file", hint)])
    return made.encode()


class Made(NamedTuple):
    """A release in a folder that is not yet its own.

    last: the version before it. tried: what the rehearsal found, None where there was none. importer: what an importer does, in words. statuses: what
    becomes of each note for whoever has the last release.
    """

    folder: Path
    target: Path
    version: str
    last: str
    tried: Rehearsed | None
    importer: tuple[str, ...]
    statuses: Mapping[str, str]

    def put(self, order: Order, settings: bytes, lock: bytes) -> None:
        """Folder, version and lock take their places. Where one cannot, none does; Ctrl-C waits until it is over."""
        content = {_settings(order): settings, order.lock: lock}
        before = {path: path.read_bytes() if path.exists() else None for path in content}
        with parts.without_ctrl_c():
            try:
                if self.target.exists():  # of a process that was killed: the lock knows no such release
                    shutil.rmtree(self.target)
                os.rename(self.folder, self.target)
                for path, new in content.items():
                    if before[path] != new:
                        write(path, new)
            except BaseException:
                shutil.rmtree(self.target, ignore_errors=True)
                for path, old in before.items():
                    with suppress(OSError):
                        path.unlink(missing_ok=True) if old is None else write(path, old) if path.read_bytes() != old else None
                raise

    def said(self, order: Order) -> Iterator[str]:
        """What an importer does, what was found, what was made, and what is to be typed now."""
        yield from (f"update   {line}" for line in self.importer)
        yield f"tried    {_tried(self.tried, self.last)}"
        names = sorted(path.name for path in self.target.iterdir())
        yield f"made     {self.target.as_posix()}: {', '.join(names)}"
        commit = [f"git add {_settings(order).as_posix()} {order.lock.as_posix()}"]
        commit += [f'git commit -m "Release {self.version}"', f"git tag v{self.version}"]
        if not tree.top_of(order.cards):
            commit = ["git init", "git add .", *commit[1:]]
        yield "next     type this, since the lock knows what learners have from now on:"
        yield from (f"  {line}" for line in commit)


@contextmanager
def made(order: Order, built: Built, update: Update, lock: Lock, now: int, rehearsed: bool) -> Iterator[Made]:
    """The release in a folder that goes with the block unless it was put in its place.

    built: with the version of the release. update: what becomes of the lock before it. lock: the one after it.
    """
    deck, target = built.deck, order.build / "release" / built.deck.version
    last = "" if update.lock.last == ELSEWHERE else update.lock.last
    with ExitStack() as stack:
        before = stack.enter_context(_before(order, last, rehearsed))
        then = of_package(before, deck.id) if before else NOTHING
        folder = Path(stack.enter_context(parts.folder_beside(target)))
        packages = list(_packages(folder, built, lock))
        now_has = Package(packages[0], of_package(packages[0], deck.id).sides)
        had = Package(before, then.sides) if before else None
        statuses = _statuses(built.entries, update, lock, then) if before else update.statuses
        ids = {line.guid: id for id, line in update.lock.notes.items()} | {entry.guid: entry.id for entry in built.entries}
        tried = rehearsal.rehearse(now_has, had, built.entries, statuses, ids, now) if rehearsed else None
        importer = _documents(folder, built, statuses, last, then, packages)
        yield Made(folder, target, deck.version, last, tried, tuple(importer), statuses)


def _statuses(notes: Sequence[Entry], update: Update, lock: Lock, then: Then) -> dict[str, str]:
    """What becomes of each note for whoever has the last release: as the lock says, but of those of which it knows a release that was made elsewhere,
    or was taken back. These are changed to an importer where their `mod` is a later one."""
    found = dict(update.statuses)
    for note in notes:
        line, was = update.lock.notes.get(note.id), then.sides.get(note.guid)
        if (line.mod if line else None) != (was.mod if was else None):
            found[note.id] = "new" if was is None else "changed" if lock.mod(note.id) > was.mod else "unchanged"
    return found


@contextmanager
def _before(order: Order, last: str, needed: bool) -> Iterator[Path | None]:
    """The package of the last release, where there was one: as it was handed out, or built again from its commit."""
    if not last or (kept := share.sound(order.build / "release" / last)):
        yield kept if last else None
        return
    with ExitStack() as stack:
        try:
            commit = past.commit_of(order.cards, last)
            found = stack.enter_context(past.package(order.cards, commit)) if commit else None
            why = "its lock is in no commit"
        except DeckError as error:
            found, why = None, error.problems[0].message
        if found is None and needed:
            where = (order.build / "release" / last).as_posix()
            message = f"the package of release {last}, which learners have, is neither there nor made again: {why}"
            hint = f"put {where} back as it was made, with {share.SUMS}; or release with --no-rehearsal"
            raise DeckError([Problem(Place(order.lock.as_posix()), message, hint)])
        yield found


def _packages(folder: Path, built: Built, lock: Lock) -> Iterator[Path]:
    """The package of the whole deck, and one of each subdeck where there is more than one."""
    deck, notes, apart = built.deck, built.entries, list[tuple[Path, list[Entry]]]()
    for name, home in deck.subdecks.items():
        some = [note for note in notes if note.deck == f"{deck.name}::{home}"]
        apart += [(folder / f"{deck.slug}-{name}.apkg", some)] if some and len(deck.subdecks) > 1 else []
    for path, some in [(folder / f"{deck.slug}.apkg", notes), *apart]:
        write_package(path, deck, some, built.types, lock, built.contents)
        yield path


def _documents(folder: Path, built: Built, statuses: Mapping[str, str], last: str, then: Then, packages: list[Path]) -> list[str]:
    """Writes what stands beside the packages; what an importer will do, in words."""
    deck, names = built.deck, {name for entry in built.entries for name in entry.media}
    news: list[str] = []
    log = told.first(deck, built.entries)
    if last:
        found = changes(f"version {last}", then, built, statuses)
        news, log = told.importer(found), told.markdown(found, deck.version)
        write(folder / PAGE, page(found, then.media, lambda name: built.media(name) if name in names else None).encode())
    write(folder / CHANGES, log.encode())
    write(folder / FORM, share.share(deck, built.entries, news, last, packages[0], screenshots(built, folder)).encode())
    write(folder / share.SUMS, share.sums(packages).encode())
    return news


def _tried(found: Rehearsed | None, last: str) -> str:
    if found is None:
        return "by nobody: it was released with --no-rehearsal"
    used = ", ".join(f"{number:,} {what if number != 1 else _one(what)}" for what, number in found.used.items())
    who = f"Anki {found.anki}, a learner of {found.notes:,} notes with {used}"
    if not last:
        return f"{who} imported it again: nothing changed, nothing lost"
    came = ", ".join(f"{number:,} {what}" for what, number in found.found.items())
    return f"{who} imported it over {last}: {came}, as told; {found.edits_gone:,} of the edits gone, on changed notes; nothing lost"


def _one(what: str) -> str:
    """1 review, 1 card suspended."""
    first, *rest = what.split(" ")
    return " ".join([first.removesuffix("s"), *rest])


def _settings(order: Order) -> Path:
    return order.cards / "deck.yml"
