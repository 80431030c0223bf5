"""The laboratory's command line: list, oracles, run, record, rehearse, verify. Arguments in, text or JSON out, and an exit code.

0: all is well. 1: a run failed or a record differs. 2: what was asked for makes no sense. 130: Ctrl-C ended it (`parts.stops`).
"""

from __future__ import annotations

import sys

if vars(sys.modules["kernels"]).get("__file__") is None:  # `python -m` took a deck's folder of this name, in which it runs, for this package
    del sys.path[0], sys.modules["kernels"]

from kernels.parts import stops

if __name__ == "__main__":  # before the rest is loaded, which Ctrl-C may interrupt as well
    stops()

import argparse
import contextlib
import functools
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from kernels import home, lab, listing, oracles, recording, summary
from kernels.catalogue import names
from kernels.declare import Kernel
from kernels.machine import cores
from kernels.parameters import nearest, read
from kernels.progress import indented, reporting
from kernels.record import sealed, to_json
from kernels.remote import Remote, find
from kernels.results import Curve, KernelError, Number, Result


def main(arguments: Sequence[str] | None = None, program: str = "python -m kernels") -> int:
    stops("stopped; what is recorded stays")
    parser = _parser(program)
    asked, rest = parser.parse_known_args(arguments)
    if rest and (asked.command != "run" or any(word.startswith("-") for word in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if asked.command == "run":
        asked.assignments += rest  # argparse takes no more of them after an option
    try:
        _settle(asked)
        code = asked.act(asked)
        sys.stdout.flush()
        return code
    except lab.RunError as error:
        _say(f"error: {error}", error.log)
        return 1
    except KernelError as error:
        _say(f"error: {error}")
        return 2
    except BrokenPipeError:  # `list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _settle(asked: argparse.Namespace) -> None:
    """Puts the deck's own kernels beside the library's, and its records where no other folder is named."""
    if "deck" not in vars(asked):  # oracles, which are the library's
        return
    folder = Path(os.path.abspath(asked.deck or "."))
    cards = home.cards_from(folder)
    if asked.deck and (cards is None or folder not in (cards, cards.parent)):
        raise KernelError(f"{asked.deck} is no deck: it has no cards/deck.yml")
    try:
        deck = home.home_of(cards) if cards else None
    except ModuleNotFoundError:  # of YAML, on a host that has the laboratory alone
        deck = None
        _say(f"{cards}/{home.DECK} is not read, since pyyaml is not installed here: the library's kernels alone count")
    home.use(deck)
    if "records" in vars(asked):
        asked.known = [*vars(asked).get("known", []), *([deck.records] if deck else [])]
        asked.records = asked.records or (deck and deck.records)
        if asked.records is None:
            raise KernelError("no deck is here, nor in a folder above (cards/deck.yml): name it with --deck DIR, or a folder with --records DIR")


def _parser(program: str = "python -m kernels") -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description="The laboratory: kernels that make every number and figure of the deck.")
    add_commands(parser)
    return parser


def add_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    command = commands.add_parser("list", help="the kernels by area, and whole where they are few: parameters and outputs with their units")
    command.add_argument("words", nargs="*", metavar="WORD", help="only the kernel of this name, or those in which all the words occur")
    command.add_argument("--json", action="store_true")
    command.set_defaults(act=_list)

    command = commands.add_parser("oracles", help="what each formula is held against, and the share of them that has an oracle; 1 where one has none")
    command.add_argument("--share", action="store_true", help="the last line alone")
    command.set_defaults(act=_oracles)

    command = commands.add_parser("run", help="execute a kernel once and print its outputs in SI base units; writes no record")
    command.add_argument("name", metavar="NAME")
    command.add_argument("assignments", nargs="*", metavar="key=value", help="its parameters")
    command.add_argument("--json", action="store_true")
    command.set_defaults(act=_run)

    command = commands.add_parser("record", help="execute the wanted runs whose record is missing or stale")
    command.add_argument(
        "file", metavar="FILE", help="JSON objects, one run a line, as `python -m generator wanted` prints them; - is standard input"
    )
    command.add_argument("--fresh", action="store_true", help="execute all of them")
    command.add_argument("--device", default="this", help="measure only on a GPU of these classes (h100,h200); this: on whatever GPU is here")
    command.add_argument("--budget", type=_seconds, metavar="SECONDS", help="what is most wanted first, for so long by the clock")
    command.add_argument("--known", action="append", default=[], type=Path, metavar="DIR", help="a further folder whose fresh records count")
    command.add_argument("--cluster", metavar="WHERE", help="by the workers of tcp://HOST:PORT, ssh:HOST[:CHECKOUT][=GPUS],... or local:N")
    command.add_argument("--dry-run", action="store_true", help="say which of the cluster's workers would take which run, and execute none")
    command.add_argument("--stdout", action="store_true", help="print each record as a line of JSON text in place of writing it")
    command.add_argument("--made", action="store_true", help="FILE holds such lines, made elsewhere: write these records, execute nothing")
    command.set_defaults(act=_record)

    rehearsal = commands.add_parser("rehearse", help="execute measurements on the CPU, small, so that none fails on a GPU for a typing error")
    rehearsal.add_argument("names", nargs="*", metavar="NAME", help="only these kernels (all measurements)")
    rehearsal.add_argument("--wanted", metavar="FILE", help="the cases that cards ask for too, as `record` reads them; - is standard input")
    rehearsal.add_argument("--into", default=Path("build/rehearsal"), type=Path, metavar="DIR", help="where records and figures go (build/rehearsal)")
    rehearsal.add_argument("--jobs", type=int, default=cores(), metavar="N", help="how many at a time (as many as there are cores)")
    rehearsal.set_defaults(act=_rehearse)

    verify = commands.add_parser("verify", help="execute again what is recorded, compare, and write nothing")
    verify.add_argument("names", nargs="*", metavar="NAME", help="only the records of these kernels")
    verify.add_argument("--all", action="store_true", help="every draw of a simulation, not a few of them")
    verify.add_argument("--seeds", type=int, metavar="FIRST", help="draws with the seeds from FIRST on: are their medians within the bands?")
    verify.set_defaults(act=_verify)

    for one in (command, verify):
        one.add_argument("--records", type=Path, metavar="DIR", help="the folder of the records (the deck's)")
    for name in ("list", "run", "record", "rehearse", "verify"):
        commands.choices[name].add_argument("--deck", metavar="DIR", help="the deck whose own kernels count too (the one here, or in a folder above)")
    for name in ("run", "record", "rehearse", "verify"):
        commands.choices[name].add_argument("--timeout", type=_seconds, metavar="SECONDS", help="CPU time, in place of each kernel's own limit")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < math.inf:
        raise ValueError
    return seconds


def _list(asked: argparse.Namespace) -> int:
    words = " ".join(asked.words).split()
    exact = words[0] if len(words) == 1 and words[0] in names() else None
    kernels, wrong = _found([exact] if exact else names())
    shown = kernels if exact else listing.matching(kernels, words)
    if words and not shown and not exact:
        wrong.append(f"no kernel has {' and '.join(map(repr, words))} in its name, summary, parameters or outputs{nearest('_'.join(words), names())}")
    if asked.json:
        print(json.dumps([listing.described(kernel) for kernel in shown], indent=1))
    elif shown:
        print(listing.whole(shown[0]) if exact else listing.by_area(shown))
    for message in wrong:
        _say(f"error: {message}")
    return 2 if wrong else 0


def _oracles(asked: argparse.Namespace) -> int:
    kernels, found = [find(name) for name in names()], oracles.oracles()
    print((oracles.share if asked.share else oracles.listed)(kernels, found))
    return 1 if oracles.lacking(kernels, found) else 0


def _found(names: Iterable[str]) -> tuple[list[Remote], list[str]]:
    """The kernels of these names, and what is wrong with the files of those that cannot be had."""
    found, wrong = [], []
    for name in names:
        try:
            found.append(find(name))
        except KernelError as error:
            wrong.append(str(error))
    return found, wrong


def _run(asked: argparse.Namespace) -> int:
    kernel = find(asked.name)
    parameters = kernel.bind(_parsed(kernel, asked.assignments))
    try:
        result = lab.run(kernel, parameters, timeout=asked.timeout)
    except lab.RunError:
        raise
    except KernelError as error:  # a formula refused what each parameter alone allows
        raise lab.RunError(str(error)) from error
    if asked.json:
        content = to_json(result, {})
        print(json.dumps({name: {**content["outputs"], **content["series"]}[name] for name in result.outputs}))
        return 0
    width = max(map(len, result.outputs))
    for name, output in result.outputs.items():
        print(f"{name:{width}}  {_number(output) if isinstance(output, Number) else _table(output)}")
    for end in result.ends:
        print(f"with {end.parameter} {end.value}")
        for name, output in end.outputs.items():
            if isinstance(output, Number):
                print(f"  {name:{width}}  {_number(output)}")
    return 0


def _parsed(kernel: Kernel, assignments: Sequence[str]) -> dict[str, Any]:
    """The key=value words as parameters: each value read as its parameter's type, 70e9 as an integer too."""
    given: dict[str, Any] = {}
    for word in assignments:
        name, equals, text = word.partition("=")
        if not equals:
            raise KernelError(f"{word!r} is no parameter (write key=value)")
        if name in given:
            raise KernelError(f"the parameter {name!r} is given twice")
        if name not in kernel.parameters:
            raise KernelError(f"{kernel.name} has no parameter {name!r}{nearest(name, kernel.parameters)}")
        given[name] = read(kernel.parameters[name], text)
    return given


def _number(number: Number) -> str:
    ends = "10 % to 90 % of the draws" if number.draws else "20 % to 80 %"
    spread = "" if number.low is None or number.high is None else f"  ({ends}: {number.low:.6g} to {number.high:.6g})"
    side = {"lower": "at least ", "upper": "at most ", "": ""}[number.bound]
    value = f"{number.value:,}" if isinstance(number.value, int) else f"{number.value:.6g}"
    return f"{side}{value} {number.unit}".rstrip() + spread


def _table(curve: Curve) -> str:
    head = "  ".join(f"{name:>12}" for name in (curve.x_name, *curve.lines))
    rows = zip(curve.x, *(curve.values(line) for line in curve.lines))
    body = ("  ".join(f"{'' if value is None else f'{value:.6g}':>12}" for value in row) for row in rows)
    return "\n".join([f"in {curve.unit or 'numbers'}", *(f"  {line}" for line in (head, *body))])


def _record(asked: argparse.Namespace) -> int:
    if asked.dry_run and not asked.cluster or asked.budget and asked.cluster:
        raise KernelError("--dry-run goes with --cluster, and --budget without")
    out = sys.stdout  # which a bar redirects
    with reporting() as report:
        if asked.made:
            outcome = recording.take(*_lines(asked.file), root=asked.records, report=report)
        else:
            outcome = _executed(asked, _read(asked.file), out, report)
    for message in outcome.wrong:
        _say(f"error: {message}")
    if asked.dry_run:
        return 0
    with contextlib.redirect_stdout(sys.stderr if asked.stdout else out):
        print(summary.table(outcome.done), end="")
        return _summed_up(outcome, ("recorded", "kept", "fresh", "skipped", "failed"))


def _executed(asked: argparse.Namespace, runs: Sequence[recording.Run], out: TextIO, report: recording.Report) -> recording.Outcome:
    options: dict[str, Any] = {name: vars(asked)[name] for name in ("fresh", "device", "known", "timeout")}
    options |= {"root": asked.records, "write": functools.partial(_printed, out) if asked.stdout else None, "report": report}
    if not asked.cluster:
        return recording.record_runs(runs, budget=asked.budget, **options)
    from kernels import cluster

    return cluster.record_runs(runs, asked.cluster, dry=asked.dry_run, say=functools.partial(print, file=out) if asked.dry_run else _say, **options)


def _printed(out: TextIO, run: recording.Run, result: Result, code: Mapping[str, str]) -> recording.State:
    print(json.dumps(sealed(to_json(result, code)), allow_nan=False), file=out, flush=True)
    return "recorded"


def _rehearse(asked: argparse.Namespace) -> int:
    """Each case once: the defaults of each kernel, and what the cards ask for."""
    kernels = [find(name) for name in asked.names or names()]
    if other := [kernel.name for kernel in kernels if asked.names and kernel.kind != "measurement"]:
        raise KernelError(f"{', '.join(other)}: only measurements are rehearsed")
    measured = [kernel for kernel in kernels if kernel.kind == "measurement"]
    cases = [recording.Run(kernel, kernel.bind({})) for kernel in measured if not any(p.required for p in kernel.parameters.values())]
    cases += [run for run in _read(asked.wanted) if run.kernel in measured] if asked.wanted else []
    runs = {str(run): run for run in cases}
    with reporting() as report:
        outcome = recording.rehearse(list(runs.values()), asked.into, jobs=asked.jobs, timeout=asked.timeout, report=report)
    print(summary.table(outcome.done), end="")
    return _summed_up(outcome, ("recorded", "failed"))


def _read(name: str) -> tuple[recording.Run, ...]:
    return recording.read_runs(*_lines(name))


def _lines(name: str) -> tuple[Iterable[str], str]:
    """The lines of a file, or of standard input as they come, and what to call it."""
    if name == "-":
        return _heard(sys.stdin), "standard input"
    try:
        return Path(name).read_text(encoding="utf-8").split("\n"), name
    except OSError as error:
        raise KernelError(f"{name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise KernelError(f"{name}:{line}: this is not UTF-8") from error


def _heard(lines: Iterable[str]) -> Iterable[str]:
    try:
        yield from lines
    except UnicodeDecodeError as error:
        raise KernelError("standard input is not UTF-8") from error


def _verify(asked: argparse.Namespace) -> int:
    with reporting() as report:
        outcome = recording.verify(
            asked.names, again=recording.Again(asked.all, asked.seeds), root=asked.records, timeout=asked.timeout, report=report
        )
    for message in outcome.wrong:
        _say(f"error: {message}")
    for done in outcome.of("differs"):
        print(f"{done.run}", *done.message.split("\n"), sep="\n  ")
    return _summed_up(outcome, ("agrees", "differs", "skipped", "failed"))


def _summed_up(outcome: recording.Outcome, states: Sequence[recording.State]) -> int:
    counts = {state: len(outcome.of(state)) for state in states}
    print(", ".join(f"{count} {WORDS.get(state, state)}" for state, count in counts.items() if count) or "nothing to do")
    return 0 if outcome.good else 1


WORDS: Mapping[str, str] = {"kept": "made again with the values recorded", "agrees": "agree", "differs": "differ"}


def _say(message: str, log: str = "") -> None:
    print(f"{message}{indented(log)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
