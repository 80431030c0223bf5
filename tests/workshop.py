"""A deck in a folder of its own, built through the front door: what an author edits, and what comes out at a chosen time.

In: tests/anki/cards, and kernels and a look of its own where a test edits them. Out: packages and locks of one release after
another, each with its own clock.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

from generator.__main__ import main
from generator.keep import looks, sheets, stamp
from generator.keep.deck import Built
from generator.keep.sheets import END
from generator.look import notetypes
from generator.notes import Entry
from generator.read import looks as read_looks
from generator.show import preview
from kernels import catalogue, home, library
from kernels.declare import find
from kernels.record import save
from kernels.results import Curve, KernelError, Number, Result

CARDS = Path(__file__).parent / "anki" / "cards"
ROOT = Path(__file__).parent.parent
FIRST, SECOND, THIRD = 1_790_000_000, 1_790_100_000, 1_790_200_000  # when the releases are built
CHOICE = """---
runs:
  mid: {kernel: training_memory, parameters: 13e9}
---

# What does mixed-precision AdamW hold at 13B parameters? {#offered .choice}

bf16 weights and gradients, an fp32 master copy, two fp32 moments.

## Answer

[[mid.total | GB]]

## Mistakes

- [[mid.total - mid.optimizer / 2 | GB]]: one moment forgotten.
- [[mid.total - mid.weights | GB]]: the weights forgotten.
- [[mid.total * 8 | GB]]: bits for bytes.

## Working

Sixteen bytes each.
"""
SKETCH = """---
runs:
  shares: {kernel: attention_flops, d_model: 4096, tokens: 2048}
---

# How does attention's share of a block's FLOP grow with the tokens, at width 4096? {#drawn .sketch}

One sequence, all its tokens at once.

![[shares | before: series]]

## Answer

Slowly at first, then towards all of it.
"""
OCCLUSION = """# What lies where? {#masked .occlusion}

![Two lines that meet](roofline.svg)

## Masks

1. the slope (polygon 0.03 0.9, 0.03 0.65, 0.4 0.15, 0.5 0.2): what grows?
2. the ridge (ellipse 0.4 0.1 0.2 0.3)
3. the roof (rect 0.5 0.2 0.45 0.1): what stays?

## Why

They meet.
"""


@dataclass(frozen=True)
class Done:
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Workshop:
    """A folder with cards/ and, once it is built, build/. Records are those of records/; library/ and generator/look/ count where they are."""

    folder: Path

    @property
    def package(self) -> Path:
        return self.folder / "build" / "test-interviews.apkg"

    @property
    def version(self) -> str:
        """The deck's version, as deck.yml writes it."""
        return next(line for line in (self.folder / "cards/deck.yml").read_text(encoding="utf-8").splitlines() if line.startswith("version: "))[9:]

    @property
    def lock(self) -> Path:
        return self.folder / "cards" / "deck.lock"

    def run(self, command: str, *options: str, now: int = FIRST, idle: bool = False) -> Done:
        """A command of the generator, inside this process, at the time `now`.

        idle: whether the stamp of an earlier build counts. It sees files, not what a test changes inside the process.
        """
        forget()
        out, err = io.StringIO(), io.StringIO()
        stamps = nullcontext() if idle else patch.object(stamp, "standing", return_value=None)
        with _inside(self.folder, now), self.at_home(), stamps, redirect_stdout(out), redirect_stderr(err):
            status = main([command, *options])
        return Done(status, out.getvalue(), err.getvalue())

    @contextmanager
    def at_home(self) -> Iterator[None]:
        """The workshop's own records, kernels and look in place of the real ones, loaded anew as by a new process."""
        kernels, look = self.folder / "library", self.folder / "generator" / "look"
        with ExitStack() as stack:

            def put(where: object, name: str, what: object) -> None:
                stack.enter_context(patch.object(where, name, what))

            stack.callback(home.use, None)
            if kernels.is_dir():
                put(library, "__path__", [str(kernels)])
                put(stamp, "PACKAGE", str(kernels))
                put(sys, "dont_write_bytecode", True)  # which would be taken for an edit's that has the same size and second
                stack.callback(_unload, kernels)
                importlib.invalidate_caches()
            if look.is_dir():
                put(stamp, "GENERATOR", str(look.parent))
                for module in (looks, read_looks, sheets, preview):
                    put(module, "LOOK", look)
            yield

    def takes_kernels(self, *names: str) -> None:
        """From now on the library is library/, with copies of these kernels, to be edited."""
        for name in names:
            place = catalogue.place_of(name)
            assert place is not None
            (self.folder / "library").mkdir(exist_ok=True)
            shutil.copy(place.path, self.folder / "library")
        self.forgets()

    def takes_look(self) -> None:
        """From now on the look is generator/look/, a copy to be edited."""
        shutil.copytree(notetypes.LOOK, self.folder / "generator" / "look", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        self.forgets()

    def forgets(self) -> None:
        """The next build is a clean one, as after `make clean`, but for what is released."""
        shutil.rmtree(self.folder / "build" / "cache", ignore_errors=True)

    def build(self, now: int, *options: str, command: str = "deck") -> Path:
        """A package built at the time `now`, kept under a name of its own."""
        done = self.run(command, *options, now=now)
        assert done.status == 0, done.err
        return Path(shutil.copy(self.package, self.folder / f"{command}-{now}.apkg"))

    def release(self, now: int, version: str = "") -> Path:
        """The same of one that is released, under a version of its own where it is not the first."""
        if version:
            self.edit("deck.yml", (f"version: {self.version}", f'version: "{version}"'))
        return self.build(now, command="release")

    def records(self, device: str, bandwidth: float) -> None:
        """A made-up record of the test deck's one measurement."""
        with self.at_home():
            kernel = find("copy_bandwidth")
            outputs: dict[str, Number | Curve] = {name: Number(bandwidth, unit) for name, unit in kernel.outputs.items() if isinstance(unit, str)}
            line = (Number(bandwidth / 2, "B/s"), Number(bandwidth, "B/s"))
            outputs["sweep"] = Curve("size", "B", "B/s", (2**20, 2**30), {"memory": line, "cached": (line[1], None)})
            made = {"kind": "measurement", "device": f"NVIDIA {device.upper()}", "device_class": device}
            save(kernel, Result(kernel.name, kernel.kind, kernel.bind({"size": 28672}), outputs, made), self.folder / "records")

    def simulates(self) -> list[str]:
        """Executes the simulations that the cards want, in this process, and records them; what those say that fail."""
        failed = []
        wanted = [json.loads(line) for line in self.run("wanted").out.splitlines()]
        with self.at_home():
            for run in wanted:
                kernel = find(run["kernel"])
                try:
                    result = kernel.simulate(**run["parameters"])
                except KernelError as error:
                    failed.append(f"{kernel.name}: {error}")
                else:
                    made = {"kind": kernel.kind, "device": "CPU", "device_class": "cpu"}
                    save(kernel, replace(result, made=made), self.folder / "records")
        return failed

    def edit(self, path: str, *changes: tuple[str, str], under: str = "cards") -> None:
        """Replaces texts in a file under cards/; each must stand there once."""
        file = self.folder / under / path
        text = file.read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, (path, old, text.count(old))
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")

    def state(self) -> tuple[bytes, bytes]:
        """The package and the lock, as bytes."""
        return self.package.read_bytes(), self.lock.read_bytes()


def workshop(folder: Path, like: Path | None = None) -> Workshop:
    """A new workshop with the test deck's cards, or a copy of another one with all that it built."""
    if like is None:
        shutil.copytree(CARDS, folder / "cards")
    else:
        shutil.copytree(like, folder, dirs_exist_ok=True)
    return Workshop(folder)


@dataclass(frozen=True)
class Packed:
    """A note as it is packed: HTML by Anki field name, and the media files that the HTML names."""

    entry: Entry
    fields: dict[str, str]
    media: dict[str, bytes]


def packed(built: Built) -> list[Packed]:
    """The notes of a deck that is built, in reading order."""
    found = []
    for entry, text in zip(built.entries, built.texts(built.entries), strict=True):
        fields = dict(zip(built.types[entry.type].fields, text.decode().split(END), strict=True))
        found.append(Packed(entry, fields, {name: built.media(name) for name in entry.media}))
    return found


def forget() -> None:
    """Empties what a process remembers of files, as a new process would."""
    getattr(catalogue._listed, "cache_clear", lambda: None)()


def _unload(folder: Path) -> None:
    """Takes the kernels that lie in a folder out of this process."""
    for name, module in list(sys.modules.items()):
        if name.startswith("kernels.library.") and Path(getattr(module, "__file__", None) or "/").is_relative_to(folder):
            del sys.modules[name]
            vars(library).pop(name.rpartition(".")[2], None)


@contextmanager
def _inside(folder: Path, now: int) -> Iterator[None]:
    here, then = Path.cwd(), os.environ.get("SOURCE_DATE_EPOCH")
    os.chdir(folder)
    os.environ["SOURCE_DATE_EPOCH"] = str(now)
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.pop("SOURCE_DATE_EPOCH") if then is None else os.environ.update(SOURCE_DATE_EPOCH=then)


def cpu(work: Callable[[], object], times: int = 3) -> float:
    """Seconds of this process's CPU that some work takes, the least of several times. For ratios, since machines differ."""

    def once() -> float:
        gc.disable()  # what other tests left on the heap is not this work's
        begin = time.process_time()
        work()
        taken = time.process_time() - begin
        gc.enable()
        return taken

    return min(once() for _ in range(times))


def environment(**changes: str) -> dict[str, str]:
    """The environment of a process that runs this checkout's generator from anywhere."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": str(FIRST), **changes}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "generator", *arguments]


@contextmanager
def database(package: Path) -> Iterator[sqlite3.Connection]:
    """The database inside a package."""
    with zipfile.ZipFile(package) as archive, tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(archive.extract("collection.anki2", folder))
        try:
            yield connection
        finally:
            connection.close()


def rows(package: Path, query: str) -> list[tuple]:
    with database(package) as connection:
        return connection.execute(query).fetchall()


def notes(package: Path) -> dict[str, tuple[str, int, int, str, str]]:
    """The notes of a package: note id -> (GUID, Anki's id, mod, tags, fields)."""
    found = rows(package, "select guid, id, mod, tags, flds from notes")
    return {row[4].split("\x1f")[0]: row for row in found}
