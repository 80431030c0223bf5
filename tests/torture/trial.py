"""A command of the generator in a process of its own, inside limits; and what must never come out of one.

In: a folder with cards/, the command's arguments. Out: what was said, and faults as sentences: a traceback, a hang, a problem without a
place, a process that outlived it, a package that Anki refuses or in which something runs. Processes are forked from this one, which has
all modules loaded: a build of a small deck then takes some 50 ms.
"""

from __future__ import annotations

import importlib
import io
import os
import re
import resource
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

from workshop import FIRST, ROOT, rows

from generator import __main__ as front_door
from kernels.parts import stops

for module in ("genanki", "jinja2", "markdown", "pygments.lexers", "matplotlib.figure", "generator.keep.deck", "generator.pack.package"):
    importlib.import_module(module)

CPU, WALL = 60, 300  # seconds: so long that only what never ends takes them, on a busy machine too
HANG = -1
PLACED = re.compile(r"\S.*:\d+: \S")
WORD = re.compile(r"\d+ problems?; nothing was written|\S+: .*; it is made anew")  # what is no problem
RAW = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
RUNS = re.compile(r"^(?:script|iframe|object|embed|form|input|button|base|meta|link|frame|frameset|applet|svg|math|template|style|textarea|portal)$")

LOADS = {"href": r"^(?!https?:|mailto:|#|$)", "xlink:href": "^[^#]", "src": ":|^//", "data": ":|^//", "poster": ":|^//"}


class Outcome(NamedTuple):
    """status: as a shell tells it, 128 + n for the signal n; HANG for what had to be stopped."""

    status: int
    out: str
    err: str


def forked(work: Callable[[], object], seconds: int = CPU) -> Outcome:
    """What a function says in a process of its own, which may use so many seconds of CPU."""
    sys.stdout.flush()
    sys.stderr.flush()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if not child:
            _apart(work, out.fileno(), err.fileno(), seconds)
        handle = os.pidfd_open(child)
        ended, _, _ = select.select([handle], [], [], WALL)
        if not ended:
            os.killpg(child, signal.SIGKILL)
        os.close(handle)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(file.read().decode("utf-8", "surrogateescape"))
    outlived = "" if _gone(child) else "\nTraceback: a process outlived the command"
    if not ended or status == -signal.SIGXCPU:
        return Outcome(HANG, *said)
    return Outcome(128 - status if status < 0 else status, said[0], said[1] + outlived)


def _apart(work: Callable[[], object], out: int, err: int, seconds: int) -> None:
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdout, sys.stderr = (io.TextIOWrapper(io.FileIO(number, "w", closefd=False), "utf-8", "backslashreplace") for number in (1, 2))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        status = work()
        code = status if isinstance(status, int) else 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _gone(session: int) -> bool:
    """Whether all processes of a session end within ten seconds; those that do not are ended."""
    for _ in range(1000):
        try:
            os.killpg(session, 0)
        except (ProcessLookupError, PermissionError):
            return True
        time.sleep(0.01)
    os.killpg(session, signal.SIGKILL)
    return False


def command(folder: Path, *arguments: str, now: int = FIRST, before: Callable[[], object] | None = None, seconds: int = CPU) -> Outcome:
    """`warpdeck ARGUMENTS` inside a folder at the time `now`. before: what the process does first."""

    def work() -> None:
        os.chdir(folder)
        os.environ["SOURCE_DATE_EPOCH"] = str(now)
        sys.argv = ["warpdeck", *arguments]
        if before:
            before()
        stops()
        front_door.run()

    return forked(work, seconds)


def misbehaved(outcome: Outcome, statuses: Sequence[int] = (0, 1)) -> list[str]:
    """What must never be said or done, whatever the input was."""
    status, out, err = outcome
    found = []
    if status == HANG:
        return ["it hangs"]
    if "Traceback" in err or "Traceback" in out:
        found.append(f"a traceback: {err.strip().splitlines()[-1] if err.strip() else out.strip()[-200:]}")
    elif status not in statuses:
        found.append(f"exit status {status}: {err.strip()[-300:]}")
    elif status == 1:
        lines = err.rstrip("\n").split("\n")
        found += [f"a problem without a place: {line[:300]!r}" for line in lines if not PLACED.match(line) and not WORD.fullmatch(line)][:3]
        if not err.strip():
            found.append("it failed without a word")
    found += [f"a raw {match.group()!r} in what is said" for text in (out, err) if (match := RAW.search(text.replace("\r\n", "\n")))]
    return found


# ----------------------------------------------------------------------------------------------------- packages


class _Markup(HTMLParser):
    """What runs or loads in a piece of HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if RUNS.match(tag):
            self.found.append(f"<{tag}>")
        for name, value in attributes:
            value = re.sub(r"[\0-\x20]", "", value or "").lower()
            if name.startswith("on") or name in ("srcdoc", "formaction", "srcset", "ping", "background", "action"):
                self.found.append(f"{name}= in <{tag}>")
            elif re.search(LOADS.get(name, "^$"), value):
                self.found.append(f"{name}={value[:40]}")
            elif name == "style" and re.search(r"url\(|expression|position|@import|\\|/\*", value):
                self.found.append(f"style={value[:60]}")

    handle_startendtag = handle_starttag


def runs(html: str) -> list[str]:
    """What runs or loads in a field, found by another parser than the compiler's."""
    markup = _Markup()
    markup.feed(html)
    markup.close()
    return markup.found


def package_faults(package: Path) -> list[str]:
    """What is wrong with a package: by its own tables, and by the real Anki where it is installed."""
    found = []
    for (fields,) in rows(package, "select flds from notes"):
        for number, field in enumerate(fields.split("\x1f")):
            found += [f"{what} in field {number} of {fields[:40]!r}" for what in runs(field)]
    imported = forked(lambda: _import(package))
    if imported.status:
        found.append(f"Anki refuses it: {imported.err.strip()[-300:]}")
    return found


def _import(package: Path) -> int:
    """A fresh collection takes every note, and every card has a front and a back."""
    import anki.lang
    from anki.collection import Collection, ImportAnkiPackageOptions, ImportAnkiPackageRequest
    from anki.template import TemplateRenderContext

    anki.lang.set_lang("en")
    ((notes,),) = rows(package, "select count(*) from notes")
    with tempfile.TemporaryDirectory() as folder:
        col = Collection(str(Path(folder) / "collection.anki2"))
        log = col.import_anki_package(ImportAnkiPackageRequest(package_path=str(package), options=ImportAnkiPackageOptions())).log
        if len(log.new) != notes:
            sys.exit(f"{len(log.new)} of {notes} notes were taken")
        for card in map(col.get_card, col.find_cards("")):
            TemplateRenderContext.from_existing_card(card, False)._partially_render()  # raises where a template is at fault
            if not card.question() or "No cloze" in card.question():
                sys.exit(f"a card of the note {card.nid} asks nothing")
        col.close()
    return 0


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()}


__all__ = ["FIRST", "HANG", "ROOT", "Outcome", "command", "forked", "misbehaved", "package_faults", "runs", "tree"]
