"""The steps in their order, one function for each command: what is made, judged and written, and what is said of it.

In: an Order and what else the command line asked. Out: files, and lines for the terminal. Raises DeckError with every problem.
What an idle build does not need is imported inside the functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from generator.keep import stamp
from generator.keep.order import Order
from generator.problems import DeckError, Place, Problem
from kernels.gpu import may_have_gpu
from kernels.parts import alone, sweep

if TYPE_CHECKING:
    from generator.keep.cache import Cache
    from generator.keep.deck import Built
    from generator.notes import Deck
    from generator.pack.lock import Lock, Update
    from generator.resolve.wanted import Wanted
    from generator.show.coverage import Coverage

T = TypeVar("T")


# ----------------------------------------------------------------------------------------------- commands


def deck(order: Order, now: int, frozen: bool = False, each: bool = False) -> str:
    """Writes package, lock, media and report. frozen: refuse where the lock would change. each: a package for each subdeck as well."""
    order.sweep()
    idle = None if each else order.standing()
    return idle.said if idle else _with_cache(order, lambda cache: _deck(order, cache, now, frozen, each))


def release(order: Order, now: int, version: str, rehearsed: bool = True) -> str:
    """Writes what is handed out, and in the lock that learners have it from now on. Refuses what a strict check does, and what is not committed.

    rehearsed: whether a learner in the real Anki tries the update first.
    """
    order.sweep()
    sweep(order.build / "release")
    return _with_cache(order, lambda cache: _release(order, cache, now, version, rehearsed))


def preview(order: Order, now: int) -> str:
    """Writes the preview, whose cards are those that the package would have."""
    return _with_cache(order, lambda cache: _preview(order, cache, now))


def site(order: Order, now: int) -> str:
    """Writes what `deck` writes, and the page for readers."""
    deck(order, now)
    after = Order(order.cards, order.build, order.quoting, order.jobs)  # which has read none of what was written
    return _with_cache(after, lambda cache: _site(after, cache, now))


def diff(order: Order, now: int, since: str = "", shape: str = "text") -> str:
    """What changed since the last release, or since a commit or a package that is named. shape: "text", "markdown", or "html" for a page."""
    return _with_cache(order, lambda cache: _diff(order, cache, now, since, shape))


def package(order: Order) -> Path:
    """The package that the last build wrote."""
    import json

    about = json.loads((order.build / "report.json").read_bytes())
    return order.build / f"{about['deck']['slug']}.apkg"


def check(order: Order, now: int, strict: bool = False, verbose: bool = False, only: Sequence[Path] = (), shape: str = "text") -> str:
    """Judges cards, claims, records and the lock. strict: stale measurements too. only: these files alone. shape: "json", "gcc" for programs."""
    return _with_cache(order, lambda cache: _check(order, cache, now, strict, verbose, only, shape))


def wanted(order: Order, due: bool = False, fresh: bool = False) -> list[str]:
    """The runs that a kernel has to execute, as lines of JSON. due: those that this machine has to; fresh: as if none had been yet."""
    idle = order.standing() if due and not fresh else None
    return idle.due if idle else _with_cache(order, lambda cache: list(_wanted(order, cache, due, fresh)))


def take(files: Sequence[Path], cards: Path, now: int) -> str:
    """Writes decks from elsewhere into the folder of cards, as topics of it."""
    from generator.elsewhere.take import take

    return take(files, cards, now)


def watch(order: Order, port: int, run: bool, editor: str, now: Callable[[], int], say: Callable[[str], None]) -> None:
    """Serves the preview of the cards as they stand, until it is interrupted. run: executes what they wait for. say: hears the address."""
    from threading import Event, Thread

    from generator.watch import renewal
    from generator.watch.deck import Live
    from generator.watch.notices import notices
    from generator.watch.server import Server

    def follow() -> None:
        for _ in notices(lambda: order.folders, stop):
            deck.refresh()

    stop, deck = Event(), Live(order, now, lambda: renewal.start_again(server.server_port), run)
    server = Server(deck, port, editor)
    say(server.url)
    try:
        deck.refresh(order.jobs)
        for work in (follow, renewal.warm):
            Thread(target=work, daemon=True).start()
        server.serve_forever()
    finally:
        stop.set()
        deck.end()


def _with_cache(order: Order, work: Callable[[Cache], T]) -> T:
    from generator.keep.cache import with_cache

    return with_cache(order.cache, work)


def _deck(order: Order, cache: Cache, now: int, frozen: bool, each: bool) -> str:
    built = _made(order, cache)
    with alone(order.lock.parent):
        built, read, update, sure, told = _locked(order, built, now)
        if update.problems:
            raise DeckError(update.problems)
        if frozen:
            _refuse_change(order, read, update, told)
        found = _coverage(built)
        told = told if read.lines or update.lock.releases else (*told, _first(order))
        package, wrote = _write(order, built, update, found, each)
        if not sure:
            _remember(order, built, update)
        said = _said(built, update, found, package)
        _keep(order, built, wrote, said)
    return "\n".join([said, *(f"notice   {problem}" for problem in told)])


def _release(order: Order, cache: Cache, now: int, version: str, rehearsed: bool) -> str:
    from generator.keep.age import overdue
    from generator.pack import lock
    from generator.release import outcome
    from generator.show.report import released

    built = _made(order, cache)
    with alone(order.lock.parent):
        built, _, update, _, told = _locked(order, built, now, everywhere=True, aged_at=now)
        told += tuple(overdue(built.entries, now))
        found = _coverage(built)
        problems = _unready(built, update, found, strict=True)
        problems += outcome.refused(order, version, update.lock, rehearsed)
        if problems:
            raise DeckError(problems)
        settings = outcome.settings(order, version)
        built = built._replace(deck=built.deck._replace(version=version))
        new = lock.release(update.lock, built.deck, built.entries, built.types, now)
        after = _updated(order, built, new, now).lock
        _keep(order, built)  # what was made is of use whatever comes of the release
        with outcome.made(order, built, update, after, now, rehearsed) as made:
            made.put(order, settings, lock.text(after).encode())
        _remember(order, built, update._replace(lock=after))
    said = released(_warned(built, update, told), made.statuses, built.withheld)
    return "\n".join([said, *made.said(order)])


def _preview(order: Order, cache: Cache, now: int) -> str:
    from generator.keep.shown import write_preview
    from generator.show.report import waiting

    built, _, update, *_ = _locked(order, _made(order, cache), now)
    path = write_preview(built, update.statuses, order.build / "preview")
    _keep(order, built)
    return f"{path}: {len(built.entries)} notes" + (f"; {waiting(built.withheld)}" if built.withheld else "")


def _site(order: Order, cache: Cache, now: int) -> str:
    from generator.pack.output import write_media
    from generator.site.page import INDEX, site

    built, _, update, *_ = _locked(order, _made(order, cache), now)
    if problems := _unknown(built):
        raise DeckError(problems)
    files = site(built, update, (order.build / f"{built.deck.slug}.apkg").read_bytes())
    folder = order.build / "site"
    write_media(folder, {name: len(content) for name, content in files.items()}, files.__getitem__)
    _keep(order, built)
    return f"{folder / INDEX}: {len(files)} files, {sum(map(len, files.values())) / 1e6:.1f} MB"


def _check(order: Order, cache: Cache, now: int, strict: bool, verbose: bool, only: Sequence[Path], shape: str) -> str:
    from generator.keep import lessons
    from generator.keep.age import ahead, overdue
    from generator.show import diagnostics
    from generator.show.coverage import table
    from generator.show.report import summary

    built = _made(order, cache, only)
    taught = lessons.warnings(built)
    _keep(order, built)
    built, _, update, _, told = _locked(order, built, now, everywhere=strict)
    found = _coverage(built)
    problems = _unready(built, update, found, strict, bool(only))
    warnings = (*built.deck.warnings, *taught, *overdue(built.entries, now))
    deck = built.deck._replace(warnings=warnings if only else (*warnings, *told, *update.warnings))
    if problems:
        raise DeckError(problems, deck.warnings)
    if shape != "text":
        return diagnostics.text(shape, {"warning": deck.warnings, "note": built.notices})
    typed = [f"typed by hand: {problem}" for sheet in built.sheets for problem in sheet.typed]
    unsaid = [f"not on the front: {problem}" for sheet in built.sheets for problem in sheet.unsaid]
    if verbose:
        return "\n".join(
            [
                table(found),
                *typed,
                *unsaid,
                *ahead(built.entries, now),
                _noticed(summary(built.sheets, deck, update.statuses, found, since=update.lock.last), built),
            ]
        )
    return _noticed("\n".join([_well(built, len(typed), len(unsaid)), *(f"warning  {warning}" for warning in deck.warnings)]), built) + "\n"


def _diff(order: Order, cache: Cache, now: int, since: str, shape: str) -> str:
    from contextlib import nullcontext

    from generator.pack.output import write
    from generator.since import past, told
    from generator.since.changes import NOTHING, changes, of_deck, of_package, statuses

    built = _made(order, cache)
    _keep(order, built)
    built, _, update, *_ = _locked(order, built, now)
    last = update.lock.last
    if not since and not last:
        return "nothing was released yet; `diff COMMIT` and `diff PACKAGE` tell what changed since then\n"
    commit = "" if since.endswith(".apkg") else since or past.commit_of(order.cards, last)
    with past.package(order.cards, commit) if commit else nullcontext(Path(since)) as path:
        then = of_package(path, built.deck.id) if since or commit else NOTHING  # where the release was not committed, its texts are not known
    found = statuses(then.sides, of_deck(built), update.statuses) if since else update.statuses
    about = since or (f"version {last}" if commit else f"version {last}, whose lock is not committed")
    made = changes(about, then, built, found)
    if shape != "html":
        return told.markdown(made) if shape == "markdown" else told.text(made)
    from generator.since.page import page

    names = {name for entry in built.entries for name in entry.media}
    target = order.build / "diff.html"
    write(target, page(made, then.media, lambda name: built.media(name) if name in names else None).encode())
    return "\n".join([*told.importer(made), str(target)]) + "\n"


def _wanted(order: Order, cache: Cache, due: bool, fresh: bool) -> Iterator[str]:
    from generator.keep.deck import wanted_runs
    from generator.resolve import wanted

    runs = wanted_runs(order.cards, cache, order.devices, order.roots, order.files, order.circumstances, order.home)
    return wanted.lines(wanted.due(runs, may_have_gpu(), fresh) if due else runs)


# -------------------------------------------------------------------------------------------------- steps


def _made(order: Order, cache: Cache, only: Sequence[Path] = ()) -> Built:
    from generator.keep.deck import build

    return build(order.cards, cache, order.devices, order.roots, order.files, order.circumstances, order.jobs, only, order.home)


class _Locked(NamedTuple):
    """The lock as it was read, and what it becomes when this deck is built.

    built: the deck, whose overdue notes say so as they did in the last release. sure: whether our own build wrote the lock as it is. told: what was
    put back into it, and what could not be known.
    """

    built: Built
    read: Lock
    update: Update
    sure: bool
    told: tuple[Problem, ...]


def _locked(order: Order, built: Built, now: int, everywhere: bool = False, aged_at: int | None = None) -> _Locked:
    """everywhere: whether what was released on other branches counts as well, and not knowing all that was is a problem, as for a release.

    aged_at: when what is overdue was so, if not at the last release.
    """
    from generator.pack import lock

    problems: list[Problem] = []
    deck, sure = built.deck.id, order.wrote_last(order.lock)
    read = old = lock.load(order.lock, problems, sure)
    sure = sure and (not read.releases or order.released(deck).exists())
    told: tuple[Problem, ...] = ()
    if order.published and not problems and (everywhere or not sure):
        from generator.since.released import mended

        here = [entry.id for entry in (*built.entries, *built.withheld)]
        old, told, unknown = mended(old, order.lock, order.cards, order.released(deck), deck, here, everywhere)
        refused = everywhere and bool(old.releases)
        problems += unknown if refused else ()
        told += () if refused else unknown
    problems += lock.unfounded(old, order.lock.as_posix()) if not problems else ()
    aged_at = old.last_at if aged_at is None else aged_at
    if any(entry.is_overdue(aged_at) for entry in built.entries):
        from generator.keep.age import aged

        built = aged(built, aged_at)
    update = _updated(order, built, old, now)
    return _Locked(built, read, update._replace(problems=(*problems, *update.problems)), sure, told)


def _remember(order: Order, built: Built, update: Update) -> None:
    """What was released, for a later build that finds another lock, or none."""
    from generator.since.released import remember

    if order.published and update.lock.releases:
        remember(order.released(built.deck.id), update.lock)


def _first(order: Order) -> Problem:
    """What the first lock of a deck is told with: where another one was lost, nobody else would notice."""
    return Problem(Place(order.lock.as_posix()), "the lock is new, since no release is known here", "if learners have this deck, bring its lock back")


def _updated(order: Order, built: Built, old: Lock, now: int) -> Update:
    from generator.pack import lock

    return lock.update(old, built.deck, built.entries, built.types, now, order.lock.as_posix(), [entry.id for entry in built.withheld])


def _coverage(built: Built) -> Coverage:
    from generator.show.coverage import coverage

    return coverage(built.deck.topics, [*built.entries, *built.withheld])


def _refuse_change(order: Order, old: Lock, update: Update, told: Sequence[Problem]) -> None:
    """What a frozen build is for: it fails where the lock in git is not the one that this deck needs."""
    from generator.pack import lock

    if lock.text(update.lock) == lock.text(old):
        return
    was, is_now = old.drafts, update.lock.drafts
    differing = [id for id in sorted({*was, *is_now}) if was.get(id) != is_now.get(id)]
    changes = ", ".join(f"{id} {update.statuses.get(id, 'gone').replace('unchanged', 'as released')}" for id in differing)
    message = f"the lock is not current: {changes or ('releases went' if told else 'a note type changed')}"
    raise DeckError([*told, Problem(Place(order.lock.as_posix()), message, "run make deck and commit it")])


def _write(order: Order, built: Built, update: Update, found: Coverage, each: bool = False) -> tuple[Path, Mapping[Path, str | None]]:
    """Package, lock, media and report. The package's path, and those of all files with their SHA-256 where it is known."""
    from generator.pack import lock
    from generator.pack.output import write, write_media
    from generator.pack.package import media_of, write_package
    from generator.show.report import report

    deck, notes, contents = built.deck, built.entries, built.contents
    package, text = order.build / f"{deck.slug}.apkg", lock.text(update.lock).encode()
    digest = write_package(package, deck, notes, built.types, update.lock, contents)
    for folder, name in deck.subdecks.items() if each else ():
        some = [note for note in notes if note.deck == f"{deck.name}::{name}"]
        if some:
            write_package(order.build / f"{deck.slug}-{folder}.apkg", deck, some, built.types, update.lock, contents)
    if not order.lock.exists() or order.lock.read_bytes() != text:
        write(order.lock, text)
    media = write_media(order.build / "media", media_of(notes, built.types), built.media, stamp.proven(order.before))
    about = order.build / "report.json"
    write(about, report(built.sheets, _warned(built, update), update.statuses, found, package, digest, update.lock.last).encode())
    return package, {package: digest, **dict.fromkeys((order.lock, about, *map(Path, media)))}


def _keep(order: Order, built: Built, wrote: Mapping[Path, str | None] | None = None, said: str = "") -> None:
    """What the next build need not make again; nothing where a file was written meanwhile, and what was read may not be what was hashed."""
    from generator.pack.output import write
    from generator.resolve.wanted import lines

    finished = order.stamped(order.files, wrote, said, lines(_due(built)), _lacking(built)) if wrote else None
    if order.files.moved():  # asked when all is hashed
        return
    built.cache.save((lambda: _live(built)) if finished else None)  # who packed nothing knows not what is old
    if finished:
        write(order.stamp, stamp.encoded(finished))


def _due(built: Built) -> list[Wanted]:
    """The runs that this machine has to execute."""
    from generator.resolve.wanted import due, merged

    return due(merged(run for sheet in built.sheets for run in sheet.wanted), may_have_gpu())


def _lacking(built: Built) -> dict[str, list[str]]:
    """Packages that runs which this machine has to execute need and that are not here, each with the kernels of those runs."""
    found: dict[str, list[str]] = {}
    for name in sorted({run["kernel"] for run in _due(built)}):
        from kernels import packages

        for package in packages.lacking(name):
            found.setdefault(package, []).append(name)
    return found


def _live(built: Built) -> list[str]:
    """The keys of what the deck and its preview stand on."""
    from generator.keep import sheets, shown

    return [*sheets.live(built.sheets), *shown.live(built), *(f"media:{name}" for kind in built.types.values() for name in kind.media)]


# -------------------------------------------------------------------------------------- what is wrong, what is said


def _unready(built: Built, update: Update, found: Coverage, strict: bool, some: bool = False) -> list[Problem]:
    """What a check refuses. some: of the files alone that were read."""
    from generator.resolve.told import told_twice

    problems = [*_unfinished(built, strict), *told_twice([*built.entries, *built.withheld]), *update.problems]
    return problems if some else [*problems, *found.problems, *update.vanished, *_unknown(built)]


def _unknown(built: Built) -> list[Problem]:
    """Notes that the showcase names and that are not there."""
    if not built.deck.showcase:
        return []
    from generator.site.showcase import unknown

    return list(unknown([*built.entries, *built.withheld], built.deck.showcase))


def _unfinished(built: Built, strict: bool) -> Iterator[Problem]:
    """Runs without a fresh record; of measurements those that are stale, where a release is to be made: what is missing nobody sees."""
    needed = _lacking(built)
    for run in _waiting(built):
        if run["kind"] != "measurement" or (strict and run["state"] == "stale"):
            why = f" ({'; '.join(run['reasons'])})" if run["reasons"] else ""
            path, _, line = run["place"].rpartition(":")
            absent = [package for package, kernels in needed.items() if run["call"].partition("(")[0] in kernels]
            hint = f"it needs {_named(absent)}" if absent else "run make records where its device is"
            yield Problem(Place(path, int(line)), f"{run['call']} is {run['state']}{why}", hint)


def _named(absent: Iterable[str]) -> str:
    from kernels import packages

    return packages.named(absent)


def _waiting(built: Built) -> list[Mapping[str, Any]]:
    from generator.show.report import merged_runs

    return [run for run in merged_runs(run for sheet in built.sheets for run in sheet.runs) if run["state"] in ("stale", "missing")]


def _said(built: Built, update: Update, found: Coverage, package: Path) -> str:
    from generator.show.report import summary

    return _noticed(summary(built.sheets, _warned(built, update), update.statuses, found, package, update.lock.last), built)


def _warned(built: Built, update: Update, told: Sequence[Problem] = ()) -> Deck:
    """The deck with what a learner will see and cannot be helped among its warnings."""
    return built.deck._replace(warnings=(*built.deck.warnings, *told, *update.warnings, *update.vanished))


def _noticed(text: str, built: Built) -> str:
    needed = _lacking(built)
    needs = [f"notice   {', '.join(sorted({name for names in needed.values() for name in names}))}: needs {_named(needed)}"] * bool(needed)
    return "\n".join([text, *(f"notice   {notice}" for notice in built.notices), *needs])


def _well(built: Built, typed: int, unsaid: int) -> str:
    """The one line for a deck that has no problem."""
    from generator.show.report import waiting

    notes, missing = built.entries, len(_waiting(built))
    parts = [f"{len(notes):,} notes, {sum(len(note.cards) for note in notes):,} cards: no problems"]
    parts += [waiting(built.withheld)] * bool(built.withheld) + [f"{missing} runs wait for a measurement"] * bool(missing)
    parts += [f"{typed} number{'s' * (typed != 1)} typed by hand"] * bool(typed)
    parts += [f"{unsaid} premise{'s' * (unsaid != 1)} not on the front"] * bool(unsaid)
    return "; ".join(parts) + (" (--verbose lists them)" if len(parts) > 1 else "")
