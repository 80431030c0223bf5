"""The command line: python -m generator deck | release | preview | watch | check | wanted.

In: the folder of cards. Out: files under build/, the lock beside the cards, and what is said of them. Exit status 1 and every
problem as path:line where the author has something to mend; nothing is written then.
"""

from __future__ import annotations

import sys

from kernels.parts import stops

if __name__ == "__main__":  # before the rest is loaded, which Ctrl-C may interrupt as well
    stops()

import argparse
import gc
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from generator import build
from generator.build import Order
from generator.keep.files import LOCK
from generator.problems import DeckError, Place, Problem, visible


def main(arguments: Sequence[str] | None = None, parser: argparse.ArgumentParser | None = None) -> int:
    asked = (parser or _parser()).parse_args(arguments)
    try:
        return _told(asked, *_done(asked))
    except BrokenPipeError:  # wanted | head
        pass
    except OSError as error:
        print(f"standard output: {error.strerror}", file=sys.stderr)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _done(asked: argparse.Namespace) -> tuple[str, DeckError | None]:
    """What a command says; or what was wrong, a file that cannot be read or written too."""
    try:
        return asked.command(asked), None
    except DeckError as error:
        return "", error
    except BrokenPipeError:
        raise
    except OSError as error:
        return "", DeckError([Problem(Place(os.fsdecode(error.filename or "")), f"cannot be read or written: {error.strerror or error}")])


def _told(asked: argparse.Namespace, said: str, error: DeckError | None) -> int:
    """Says it; returns the exit status. A terminal gets nothing that steers it."""
    if error and getattr(asked, "format", "text") in ("json", "gcc"):
        from generator.show.diagnostics import text

        said = text(asked.format, {"error": error.problems, "warning": error.warnings})
    elif error:
        count = len(error.problems)
        print("\n".join([*map(str, error.problems), f"{count} problem{'s' * (count != 1)}; nothing was written"]), file=sys.stderr)
    out = visible(said, lines=True)
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(out.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()
    return 1 if error else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m generator", description="Compiles Markdown cards into Anki packages.")
    add_commands(parser.add_subparsers(required=True, metavar="COMMAND"))
    return parser


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declares the compiler's commands: here, and for `warpdeck`, which has more."""
    for name, command, what in (
        ("deck", _deck, "write build/<slug>.apkg, the lock and the report"),
        ("release", _release, "write them, and in the lock that learners have them from now on"),
        ("preview", _preview, "write build/preview/index.html"),
        ("watch", _watch, "serve the preview of the cards as they stand, until Ctrl-C"),
        ("check", _check, "judge everything that can be judged without packaging"),
        ("diff", _diff, "tell what changed since the last release"),
        ("wanted", _wanted, "print the runs that the cards ask for, one JSON object a line"),
    ):
        one = commands.add_parser(name, help=what, description=what)
        one.set_defaults(command=command, device="published")
        if name == "diff":
            one.add_argument(
                "since", nargs="?", default="", metavar="BASE", help="a commit, or a package that warpdeck wrote, in place of the last release"
            )
            one.add_argument("--cards", default=Path("cards"), type=Path, metavar="DIR", help="the folder of cards (cards)")
            about = "plain text, Markdown for a change log, or a page: build/diff.html (text)"
            one.add_argument("--format", choices=("text", "markdown", "html"), default="text", help=about)
        elif name == "check":
            one.add_argument("cards", nargs="*", default=[Path("cards")], type=Path, help="the folder of cards, or single files of it")
        else:
            one.add_argument("cards", nargs="?", default=Path("cards"), type=Path, help="the folder of cards (cards)")
        quoted = ["published", "this", *["rehearsal"] * (name in ("check", "preview"))]
        if name != "release":
            one.add_argument("--device", choices=quoted, default="published", help="quote deck.yml's devices, or those of this machine")
        one.add_argument("--build", default=Path("build"), type=Path, metavar="DIR", help="the folder for what comes out (build)")
        one.add_argument("--jobs", default=_cores(), type=int, metavar="N", help="processes that a large build may use (as many as there are cores)")
    taken = commands.add_parser("import", help="make topics of decks from elsewhere", description="Makes topics of decks from elsewhere.")
    taken.set_defaults(command=_import)
    taken.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".apkg, .colpkg, .csv, .tsv, .txt, .md of md2anki or Obsidian, or a vault")
    taken.add_argument("--into", default=Path("cards"), type=Path, metavar="DIR", help="the folder of cards (cards); made if it is not there")
    deck, watch, check, wanted = (commands.choices[name] for name in ("deck", "watch", "check", "wanted"))
    deck.add_argument("--open", action="store_true", help="hand the package to the Anki of this desktop")
    deck.add_argument("--frozen", action="store_true", help="fail if the lock would change")
    deck.add_argument("--each", action="store_true", help="write a package for each subdeck as well")
    watch.add_argument("--port", default=8642, type=_port, metavar="N", help="of http://127.0.0.1:N/ (8642); 0: any free one")
    watch.add_argument("--run", action="store_true", help="execute, in the background, the runs that the cards wait for")
    check.add_argument("--strict", action="store_true", help="fail on stale measurements too, as a release must")
    check.add_argument("--format", choices=("text", "json", "gcc"), default="text", help="for a program: JSON, or lines as compilers write them")
    check.add_argument("--verbose", action="store_true", help="list what is covered, typed by hand and missing")
    wanted.add_argument("--due", action="store_true", help="only the runs that this machine has to execute")
    wanted.add_argument("--fresh", action="store_true", help="with --due: as if nothing had been executed yet")
    about = "make the folder of a new deck, with a card of each kind"
    init = commands.add_parser("init", help=about, description=about)
    init.set_defaults(command=_init)
    init.add_argument("folder", type=Path, metavar="NAME", help="the folder, which must not be there yet; its name is the deck's")
    about = "write the frame of a new note"
    new = commands.add_parser("new", help=about, description=f"{about}, into the topic's file, which is made where there is none")
    new.set_defaults(command=_new)
    new.add_argument("note", metavar="[FOLDER/]TOPIC/ID", help="the topic's file, with its folder where that is not clear, and the note's id")
    new.add_argument("--type", default="qa", help="the note's type (qa)")
    new.add_argument("--kernel", default="", metavar="NAME", help="the kernel that makes its numbers; its parameters are written out as a run")
    new.add_argument("--cards", default=Path("cards"), type=Path, metavar="DIR", help="the folder of cards (cards)")
    about = "write JSON schemas of deck.yml, sources.yml, type.yml and front matter, for editors"
    schema = commands.add_parser("schema", help=about, description=about)
    schema.set_defaults(command=_schema)
    schema.add_argument("cards", nargs="?", default=Path("cards"), type=Path, help="the folder of cards (cards)")
    schema.add_argument("--into", default=Path("build/schemas"), type=Path, metavar="DIR", help="the folder for them (build/schemas)")


def _init(asked: argparse.Namespace) -> str:
    from generator.start.folder import init

    return init(asked.folder)


def _new(asked: argparse.Namespace) -> str:
    from generator.start.frame import new

    return new(asked.cards, asked.cards / LOCK, asked.note, asked.type, asked.kernel)


def _schema(asked: argparse.Namespace) -> str:
    from generator.start.schema import schemas

    return schemas(asked.cards, asked.into)


def _deck(asked: argparse.Namespace) -> str:
    said = build.deck(_order(asked, asked.cards), _now(), asked.frozen, asked.each) + "\n"
    if asked.open:
        _open(build.package(_order(asked, asked.cards)))
    return said


def _open(package: Path) -> None:
    """Hands a file to the program that the desktop opens it with."""
    import shutil
    import subprocess

    if sys.platform == "win32":
        os.startfile(package)
        return
    opener = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if opener is None or subprocess.run([opener, package.resolve()], check=False).returncode:
        sys.exit(f"nothing here opens {package}: install Anki, or take the file to where it is")


def _release(asked: argparse.Namespace) -> str:
    return build.release(_order(asked, asked.cards), _now()) + "\n"


def _import(asked: argparse.Namespace) -> str:
    return build.take(asked.files, asked.into, _now()) + "\n"


def _preview(asked: argparse.Namespace) -> str:
    return build.preview(_order(asked, asked.cards), _now()) + "\n"


def _watch(asked: argparse.Namespace) -> str:
    import errno
    import signal
    from functools import partial

    from generator.watch import editor

    def say(address: str) -> None:
        print(address, flush=True)

    try:
        opens = editor.checked(os.environ.get("EDITOR_URL") or editor.VSCODE)
    except ValueError as error:
        sys.exit(str(error))
    for end in (signal.SIGTERM, signal.SIGHUP) if hasattr(signal, "SIGHUP") else (signal.SIGTERM,):
        signal.signal(end, lambda *_: sys.exit(0))
        os.register_at_fork(after_in_child=partial(signal.signal, end, signal.SIG_DFL))  # the pool of the first build ends its processes so
    try:
        build.watch(_order(asked, asked.cards), asked.port, asked.run, opens, _now, say)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.exit(f"port {asked.port} is taken; --port 0 takes any free one")
    return ""


def _diff(asked: argparse.Namespace) -> str:
    return build.diff(_order(asked, asked.cards), _now(), asked.since, asked.format)


def _check(asked: argparse.Namespace) -> str:
    files = [path for path in asked.cards if path.is_file()]
    folders = {path for path in asked.cards if path not in files} | {_folder_of(file) for file in files}
    if len(folders) > 1:
        raise DeckError([Problem(Place(str(path)), "files of one deck are judged at a time") for path in sorted(folders)])
    return build.check(_order(asked, folders.pop()), _now(), asked.strict, asked.verbose, files, asked.format)


def _wanted(asked: argparse.Namespace) -> str:
    return "".join(f"{line}\n" for line in build.wanted(_order(asked, asked.cards), asked.due, asked.fresh))


def _order(asked: argparse.Namespace, cards: Path) -> Order:
    return Order(cards, asked.build, asked.device, asked.jobs)


def _folder_of(file: Path) -> Path:
    """The folder of cards that a file belongs to: the nearest one above it with a deck.yml."""
    return next((folder for folder in file.parents if (folder / "deck.yml").is_file()), file.parent)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 2**16:
        raise ValueError
    return port


def _now() -> int:
    """Seconds since 1970: SOURCE_DATE_EPOCH where it is set, so that even a changed deck can be built twice alike."""
    said = os.environ.get("SOURCE_DATE_EPOCH")
    if not said:
        return int(time.time())
    if not (said.isascii() and said.isdecimal() and len(said) <= 11):
        sys.exit(f"SOURCE_DATE_EPOCH must be seconds since 1970, but is {visible(said)}")
    return int(said)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(parser: argparse.ArgumentParser | None = None) -> NoReturn:
    """A command as a process of its own, to its end. What Ctrl-C does is its caller's to say, before all this is imported."""
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # noqa: SIM115  # one that the shell closed
    gc.set_threshold(100_000)  # a build makes many values and few circles: looking for these more often takes a tenth of an edit's time
    status = main(parser=parser)
    if "kernels.remote" in sys.modules:
        sys.modules["kernels.remote"].forget()  # ends the worker
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # everything is written: taking a large deck apart again would cost as much as some edits


if __name__ == "__main__":
    run()
