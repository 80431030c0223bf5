"""The command line: python -m generator deck | preview | check | wanted.

In: the folder of cards. Out: files under build/, the lock beside the cards, and a summary. Exit status 1 and every
problem as path:line where the author has something to mend; nothing is written then.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from generator.keep.cache import Cache
from generator.problems import DeckError, Place, Problem
from kernels.record import RECORDS

BUILD = Path("build")


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    try:
        status = asked.command(asked)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # wanted | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except DeckError as error:
        print("\n".join(map(str, error.problems)), file=sys.stderr)
        count = len(error.problems)
        print(f"{count} problem{'s' if count != 1 else ''}; nothing was written", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m generator", description="Compiles Markdown cards into Anki packages.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command, what in (
        ("deck", _deck, "write build/<slug>.apkg, the lock and the report"),
        ("preview", _preview, "write build/preview/index.html"),
        ("check", _check, "judge everything that can be judged without packaging"),
        ("wanted", _wanted, "print the runs that the cards ask for, one JSON object a line"),
    ):
        one = commands.add_parser(name, help=what, description=what)
        one.set_defaults(command=command)
        one.add_argument("cards", nargs="?", default=Path("cards"), type=Path, help="the folder of cards (cards)")
        one.add_argument("--device", choices=["published", "this"], default="published", help="quote deck.yml's devices, or the GPU of this machine")
        one.add_argument("--build", default=BUILD, type=Path, metavar="DIR", help="the folder for what comes out (build)")
    deck, check, wanted = (commands.choices[name] for name in ("deck", "check", "wanted"))
    deck.add_argument("--frozen", action="store_true", help="fail if the lock would change")
    deck.add_argument("--each", action="store_true", help="write a package for each subdeck as well")
    check.add_argument("--strict", action="store_true", help="fail on stale or missing measurements too, as a release must")
    wanted.add_argument("--due", action="store_true", help="only the runs that this machine has to execute")
    wanted.add_argument("--fresh", action="store_true", help="with --due: as if nothing had been executed yet")
    return parser


# ---------------------------------------------------------------------------------------------- commands


def _deck(asked: argparse.Namespace) -> int:
    from generator.build import build, due
    from generator.keep import stamp
    from generator.look.notetypes import note_types
    from generator.pack import lock, package
    from generator.show.coverage import coverage
    from generator.show.report import report_json, summary
    from kernels.machine import may_have_gpu

    devices, roots = _devices(asked)
    read = stamp.hash_of_all(asked.cards, roots, devices, may_have_gpu())
    idle = None if asked.each else stamp.standing(_stamp_path(asked), read)
    if idle is not None:
        print(idle.said)
        return 0
    cache, lock_path = _cache(asked), _lock_path(asked)
    built = build(asked.cards, cache, devices, roots)
    problems: list[Problem] = []
    old = lock.load(lock_path, problems)
    update = lock.update(old, built.deck, built.rendered, note_types(), _now(), _shown(lock_path))
    problems += update.problems
    if asked.frozen and lock.text(update.lock) != lock.text(old):
        differing = [id for id, line in sorted(update.lock.notes.items()) if old.notes.get(id) != line]
        changes = ", ".join(f"{id} {update.statuses[id] if update.statuses[id] != 'unchanged' else 'moved'}" for id in differing)
        problems.append(
            Problem(Place(_shown(lock_path)), f"the lock is not current: {changes or 'a note type changed'}", "run make deck and commit it")
        )
    if problems:
        raise DeckError(problems)
    path = asked.build / f"{built.deck.slug}.apkg"
    package.write(path, package.pack(built.deck, built.rendered, note_types(), update.lock))
    if asked.each:
        for folder, name in built.deck.subdecks.items():
            notes = [note for note in built.rendered if note.deck == f"{built.deck.name}::{name}"]
            if notes:
                one = asked.build / f"{built.deck.slug}-{folder}.apkg"
                package.write(one, package.pack(built.deck, notes, note_types(), update.lock))
    package.write(lock_path, lock.text(update.lock).encode())
    package.write_media(asked.build / "media", built.rendered)
    cache.save()
    deck = replace(built.deck, warnings=(*built.deck.warnings, *update.warnings))
    found, hashes = coverage(deck), {id: line.hash for id, line in update.lock.notes.items()}
    report = report_json(deck, built.rendered, update.statuses, found, hashes, path, built.roots)
    package.write(asked.build / "report.json", (json.dumps(report, ensure_ascii=False, indent=1) + "\n").encode())
    print(summary(deck, built.rendered, update.statuses, found, path, built.roots), *_notices(built.notices), sep="\n")

    again = lock.update(update.lock, built.deck, built.rendered, note_types(), _now(), _shown(lock_path))  # as the next build would find it
    deck = replace(built.deck, warnings=(*built.deck.warnings, *again.warnings))
    said = "\n".join([summary(deck, built.rendered, again.statuses, found, path, built.roots), *_notices(built.notices)])
    wrote = [path, lock_path, asked.build / "report.json", *sorted((asked.build / "media").iterdir())]
    stamp.keep(_stamp_path(asked), read, wrote, said, due(built.deck, roots, may_have_gpu(), False, devices))
    return 0


def _preview(asked: argparse.Namespace) -> int:
    from generator.build import build
    from generator.look.notetypes import note_types
    from generator.pack import lock
    from generator.show.preview import write_preview

    cache, lock_path = _cache(asked), _lock_path(asked)
    built = build(asked.cards, cache, *_devices(asked))
    update = lock.update(lock.load(lock_path, []), built.deck, built.rendered, note_types(), _now(), _shown(lock_path))
    path = write_preview(built.deck, built.rendered, note_types(), update.statuses, asked.build / "preview", built.roots)
    cache.save()
    print(f"{path}: {len(built.rendered)} notes")
    return 0


def _check(asked: argparse.Namespace) -> int:
    from generator.build import build
    from generator.look.notetypes import note_types
    from generator.pack import lock
    from generator.resolve.typed_numbers import typed_numbers
    from generator.show.coverage import coverage, table
    from generator.show.report import all_runs, summary

    cache, lock_path = _cache(asked), _lock_path(asked)
    built = build(asked.cards, cache, *_devices(asked))
    cache.save()
    problems: list[Problem] = []
    update = lock.update(lock.load(lock_path, problems), built.deck, built.rendered, note_types(), _now(), _shown(lock_path))
    problems += update.problems
    found = coverage(built.deck)
    problems += found.problems
    for run in all_runs(built.rendered, built.roots):
        if run["state"] in ("stale", "missing") and (asked.strict or run["kind"] == "simulation"):
            why = f" ({'; '.join(run['reasons'])})" if run["reasons"] else ""
            path, _, line = run["place"].rpartition(":")
            problems.append(Problem(Place(path, int(line)), f"{run['call']} is {run['state']}{why}", "run make records where its device is"))
    for id, status in sorted(update.statuses.items()):
        if status == "vanished":
            problems += [w for w in update.warnings if repr(id) in w.message]
    print(table(found))
    typed = [problem for note in built.deck.notes for problem in typed_numbers(note)]
    for problem in typed:
        print(f"typed by hand: {problem}")
    deck = replace(built.deck, warnings=(*built.deck.warnings, *update.warnings))
    print(summary(deck, built.rendered, update.statuses, found, None, built.roots), *_notices(built.notices), sep="\n")
    if problems:
        raise DeckError(problems)
    return 0


def _wanted(asked: argparse.Namespace) -> int:
    from generator.read.folder import read
    from generator.resolve.wanted import lines

    found = _due(asked) if asked.due else lines(read(asked.cards))
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 0


def _due(asked: argparse.Namespace) -> Iterable[str]:
    from generator.build import due
    from generator.keep import stamp
    from generator.read.folder import read
    from kernels.machine import may_have_gpu

    devices, roots = _devices(asked)
    if not asked.fresh:
        idle = stamp.standing(_stamp_path(asked), stamp.hash_of_all(asked.cards, roots, devices, may_have_gpu()))
        if idle is not None:
            return idle.due
    return due(read(asked.cards), roots, may_have_gpu(), asked.fresh, devices)


# ------------------------------------------------------------------------- where things lie, and what time it is


def _devices(asked: argparse.Namespace) -> tuple[tuple[str, ...] | None, tuple[Path, ...]]:
    """The device classes to quote (None: deck.yml's) and the folders of records; this machine's own lie under build/."""
    if asked.device == "published":
        return None, (RECORDS,)
    from kernels.lab import devices

    return devices(), (asked.build / "records", RECORDS)


def _lock_path(asked: argparse.Namespace) -> Path:
    return (asked.build if asked.device == "this" else asked.cards) / "deck.lock"


def _cache(asked: argparse.Namespace) -> Cache:
    return Cache(asked.build / "cache" / f"{asked.device}.sqlite")


def _stamp_path(asked: argparse.Namespace) -> Path:
    return asked.build / "cache" / f"{asked.device}.json"


def _now() -> int:
    """Seconds since 1970: SOURCE_DATE_EPOCH where it is set, so that even a changed deck can be built twice alike."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())


def _shown(path: Path) -> str:
    return path.as_posix()


def _notices(notices: Sequence[Problem]) -> list[str]:
    return [f"notice   {notice}" for notice in notices]


if __name__ == "__main__":
    raise SystemExit(main())
