"""A rehearsal: what a learner in the real Anki, who has the last release and uses it, meets on importing the next one.

In: the packages of both, what the lock says of each note, and the notes that are packed. Out: what was used and what was found; a DeckError with
each thing that was lost, and each count that is not the one that is told.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from generator.notes import Entry
from generator.problems import DeckError, Place, Problem
from generator.since.changes import Side
from kernels import parts

LEARNER = Path(__file__).with_name("learner.py")
MOST = 100  # notes that change and are used in every way
SHOWN = 20  # faults, which mostly have one cause
MINE, TAG, WORDS = "Mine of a rehearsal", "mine::rehearsal", "<p>My own words.</p>"
GONE = ("retired", "vanished", "withheld")
CARD = ("id", "note", "deck", "ordinal", "type", "queue", "due", "interval", "ease", "reviews", "lapses", "steps left", "flag")
State = Mapping[str, Any]


class Rehearsed(NamedTuple):
    """What a learner had, and what the import did. edits_gone: of the edited notes, those that changed."""

    anki: str
    notes: int
    used: Mapping[str, int]
    found: Mapping[str, int]
    edits_gone: int


def missing() -> Problem | None:
    """What to do where there is no Anki to rehearse with."""
    try:
        version("anki")
    except PackageNotFoundError:
        hint = "pip install 'warpdeck[release]', or release with --no-rehearsal and say that nobody tried it"
        return Problem(Place("release"), "a release is rehearsed with a learner in the real Anki, which is not installed", hint)
    return None


class Package(NamedTuple):
    """A package and what it holds, by GUID."""

    path: Path
    sides: Mapping[str, Side]


def rehearse(
    package: Package, before: Package | None, notes: Sequence[Entry], statuses: Mapping[str, str], ids: Mapping[str, str], now: int
) -> Rehearsed:
    """Imports a package over the one that learners have, or over itself where there is none; and then once more.

    notes: those that it was made of. statuses: what became of each since the last release, by its id. ids: of all notes that there ever were, by
    GUID. now: seconds since 1970, the time of the release.
    """
    packed, had = package.sides, {guid: ids.get(guid, guid) for guid in (before or package).sides}
    with parts.folder() as folder:
        change = [guid for guid, id in had.items() if before and statuses.get(id) == "changed"]
        until = min([now, *(packed[guid].mod for guid in change)]) - 1  # nobody wrote after a change that another release brought already
        first, used, after, again = _life(Path(folder) / "collection.anki2", package.path, (before or package).path, until, change[:MOST])
    told = {what: sum(status == what for status in statuses.values()) for what in ("new", "changed", "retired")} if before else {}
    new, changed = _found(used, after)
    gone = [id for guid, id in had.items() if guid not in packed]
    found = {"new": len(new), "changed": len(changed), "retired": sum(statuses.get(id) == "retired" for id in gone)}
    faults = [*_lost(used, after, statuses if before else {}, had), *_arrived(after, packed, notes)]
    faults += [f"{id} is in the package no more, and is not told to be retired" for id in gone if statuses.get(id) not in GONE]
    faults += [f"{told[what]:,} {what} are told, and {found[what]:,} found" for what in told if told[what] != found[what]]
    faults += [f"once more imported, {fault}" for fault in _differing(after, again)]
    if faults:
        place = Place(package.path.name)
        more = [Problem(place, f"and {len(faults) - SHOWN} faults more")] if len(faults) > SHOWN else []
        raise DeckError([*(Problem(place, f"the rehearsal in Anki {version('anki')} found: {fault}") for fault in faults[:SHOWN]), *more])
    return Rehearsed(version("anki"), len(first["notes"]), _used(used), found, len(_edited(used) & changed))


def _life(collection: Path, package: Path, before: Path, until: int, change: Sequence[str]) -> Iterator[State]:
    """The learner's collection after the first import, after a while of use, after the import of the package, and after another one.

    until: seconds since 1970, when that while is over. change: the GUIDs of notes that are used in every way, since the package changes them.
    """
    words = [sys.executable, str(LEARNER), str(collection)]
    takes, again = ({"do": "takes", "package": str(path.resolve())} for path in (before, package))
    asked: list[dict[str, Any]] = [takes, {"do": "lives", "at": until, "tag": TAG, "words": WORDS, "deck": MINE, "change": change}, again, again]
    done = subprocess.run(words, input="".join(f"{json.dumps(one)}\n" for one in asked), capture_output=True, text=True, check=False)
    answers = done.stdout.splitlines()
    if done.returncode or len(answers) != len(asked):
        said = done.stderr.strip().split("\n")[-1]
        raise DeckError([Problem(Place(package.name), f"Anki failed as it was to {asked[min(len(answers), 3)]['do'][:-1]} it: {said}")])
    yield from map(json.loads, answers)


def _used(state: State) -> dict[str, int]:
    """What the learner did, in numbers."""
    cards, notes = state["cards"], state["notes"]
    return {
        "reviews": len(state["reviews"]),
        "cards suspended": sum(card[5] == -1 for card in cards),
        "flagged": sum(card[12] > 0 for card in cards),
        "moved": sum(card[2] in _mine(state) for card in cards),
        "notes tagged": sum(TAG in row[3].split() for row in notes),
        "edited": len(_edited(state)),
    }


def _mine(state: State) -> set[int]:
    return {id for id, name in state["names"] if name == MINE}


def _edited(state: State) -> set[str]:
    return {row[0] for row in state["notes"] if row[4].endswith(WORDS)}


def _found(before: State, after: State) -> tuple[set[str], set[str]]:
    """The notes that an import added, and those that it wrote anew, by GUID."""
    mods = {row[0]: row[1] for row in before["notes"]}
    new = {row[0] for row in after["notes"]} - mods.keys()
    return new, {row[0] for row in after["notes"] if row[0] not in new and row[1] != mods[row[0]]}


def _lost(before: State, after: State, statuses: Mapping[str, str], had: Mapping[str, str]) -> Iterator[str]:
    """What a learner had and has no more, or has otherwise. had: the notes' ids by GUID."""
    names = {row[5]: had[row[0]] for row in before["notes"]}
    known = {row[0]: row for row in after["cards"]}
    for row in before["cards"]:
        if (now := known.get(row[0])) != row:
            change = ", ".join(f"{title} {was} is {is_now}" for title, was, is_now in zip(CARD, row, now) if was != is_now) if now else "it is gone"
            yield f"a card of {names[row[1]]} changed: {change}"
    lost = {tuple(row) for row in before["reviews"]} - {tuple(row) for row in after["reviews"]}
    yield from [f"{len(lost):,} of the reviews are lost"] if lost else []
    rows = {row[0]: row for row in after["notes"]}
    yield from [f"{len(after['notes']) - len(rows):,} of the notes stand there twice"] if len(rows) < len(after["notes"]) else []
    for row in before["notes"]:
        id, now = names[row[5]], rows.get(row[0])
        if now is None:
            yield f"{id} is gone"
        elif now[2] != row[2]:
            yield f"{id} has another note type"
        elif now != row and statuses.get(id) != "changed":
            yield f"{id} is overwritten, with what the learner wrote, though it is not told to change"
    yield from (f"the preset {one['name']} is another" for id, one in before["presets"].items() if after["presets"].get(id) != one)
    yield from (f"the deck {name} has other options" for name, preset in before["decks"].items() if after["decks"].get(name) != preset)
    yield from (f"the file {name} is gone" for name in before["media"] if name not in after["media"])


def _arrived(after: State, packed: Mapping[str, Side], notes: Sequence[Entry]) -> Iterator[str]:
    """What a package holds and the collection after it does not. Notes on which a learner's own words or tags stand are his."""
    rows = {row[0]: row for row in after["notes"]}
    cards, media, edited = {(card[1], card[3]) for card in after["cards"]}, set(after["media"]), _edited(after)
    for note in notes:
        if not (row := rows.get(note.guid)):
            yield f"{note.id} does not arrive"
            continue
        side, tags = packed[note.guid], row[3].split()
        if (row[4].split("\x1f") != list(side.fields.values()) and note.guid not in edited) or (sorted(tags) != list(side.tags) and TAG not in tags):
            yield f"{note.id} arrives otherwise than it is packed"
        yield from (f"card {ordinal + 1} of {note.id} does not arrive" for ordinal in note.cards if (row[5], ordinal) not in cards)
        yield from (f"the file {name} of {note.id} does not arrive" for name in note.media if name not in media)


def _differing(before: State, after: State) -> Iterator[str]:
    """What another import of the same package changed, which is nothing."""
    yield from (f"{what} change" for what in ("notes", "cards", "reviews", "types", "decks", "presets", "media") if before[what] != after[what])
