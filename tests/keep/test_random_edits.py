"""Whatever is edited, in whatever order: the build that keeps things gives the same bytes as a clean one, and the same problems.

The deck of tests/keep/edited with kernels, records and a look of its own. Edits are drawn at random from a seed; after each of
them the deck is built twice from the same lock at the same time, once with all that earlier builds kept and once from nothing.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from workshop import FIRST, Done, Workshop

from generator import build as commands
from generator.keep import files, stamp
from kernels import remote
from kernels.anatomy import Part
from kernels.declare import find
from kernels.plot import Drawing
from kernels.record import save, sealed
from kernels.remote import Remote
from kernels.results import Number, Result

EDITED = Path(__file__).parent / "edited"
SEEDS, STEPS = 5, 40
SO = "  - {note: one-total, says: It is so., holds: full.total > full.each, verdict: holds}\n"
FOLDERS = ("alpha", "beta", "gamma")
SOURCES = ("cards", "library", "records", "generator")  # the folders that an edit may change
WORDS = ("memory", "bandwidth", "warp", "of", "the", "[[1 + 1]]", "$x_1$", "**bold**", "`a < b`", "ü", "32 GB", "*so*")
CASES = (("shaken", {"roll": 1}, None), ("shaken", {"roll": 2}, None), ("rate", {"rows": 8}, "h100"), ("rate", {"rows": 64}, "h100"))
CASES += (("rate", {"rows": 8}, "h200"), ("rate", {"rows": 64}, "h200"))


def read(path: Path) -> str:
    """A file's text, even one that is none."""
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="surrogateescape")


@dataclass
class Author:
    """Who edits the deck, at random."""

    shop: Workshop
    chance: random.Random
    number: int = 0
    version: int = 0  # of a library under the compiler
    names: list[str] = field(default_factory=list)  # that files had

    def next(self) -> int:
        self.number += 1
        return self.number

    def path(self, *parts: str) -> Path:
        return self.shop.folder.joinpath(*parts)

    def one(self, pattern: str) -> Path:
        """One of the files below the workshop's folder."""
        return self.chance.choice(sorted(self.shop.folder.glob(pattern)) or [self.path("cards/deck.yml")])

    def replace(self, path: Path, pattern: str, new: str | Callable[[re.Match[str]], str]) -> None:
        """Replaces one of the places where the pattern stands, if there is any."""
        text = read(path)
        found = list(re.finditer(pattern, text, re.MULTILINE))
        if found:
            place = self.chance.choice(found)
            text = text[: place.start()] + (new if isinstance(new, str) else new(place)) + text[place.end() :]
            write(path, text)

    def append(self, path: Path, text: str) -> None:
        write(path, read(path) + text)

    def cards(self) -> Path:
        return self.one("cards/*/*.md")

    def word(self) -> str:
        return f"{self.chance.choice(WORDS)} {self.next()}"

    # ------------------------------------------------------------------------------------ deck.yml and the files

    def topics(self) -> dict[str, list[str]]:
        text = self.path("cards/deck.yml").read_text(encoding="utf-8")
        found = re.findall(r"^  (\w+): \{.*topics: \[(.*)\]\}", text, re.MULTILINE)
        return {folder: [name for name in names.split(", ") if name] for folder, names in found}

    def list_topics(self, topics: dict[str, list[str]]) -> None:
        for folder, names in topics.items():
            self.replace(self.path("cards/deck.yml"), rf"^(  {folder}: .*topics: )\[.*\]", lambda m, names=names: f"{m[1]}[{', '.join(names)}]")

    def move(self, name: str, home: str | None = None) -> None:
        """A file of cards gets this name, in its own folder or another."""
        source, topics = self.cards(), self.topics()
        home = home or source.parent.name
        target = self.path("cards", home, f"{name}.md")
        if target.exists():
            return
        self.names.append(source.stem)
        source.rename(target)
        topics[source.parent.name] = [one for one in topics.get(source.parent.name, []) if one != source.stem]
        topics.setdefault(home, []).insert(self.chance.randint(0, len(topics.get(home, []))), name)
        self.list_topics(topics)

    def add(self) -> None:
        """A file of cards more, in front or behind."""
        home, name, topics = self.chance.choice(FOLDERS), f"new-{self.next()}", self.topics()
        topics[home].insert(self.chance.randint(0, len(topics[home])), name)
        text = self.chance.choice(("", "---\ntags: [memory]\nruns:\n  full: {kernel: held, parameters: 3e9}\n---\n"))
        text += f"# What is new in {name}? {{#{name}-a}}\n\n{'![[full]]' if text else 'A word.'}\n\n# What else is new? {{#{name}-b}}\n\nNothing.\n"
        self.path("cards", home, f"{name}.md").write_text(text, encoding="utf-8")
        self.list_topics(topics)

    def delete(self) -> None:
        source, topics = self.cards(), self.topics()
        if len(list(source.parent.glob("*.md"))) > 1:
            source.unlink()
            topics[source.parent.name] = [one for one in topics[source.parent.name] if one != source.stem]
            self.list_topics(topics)

    def retire(self) -> None:
        """The last note of a file goes, and the file says so."""
        source = self.one("cards/*/*.md")
        before, heading, rest = read(source).rpartition("\n# ")
        id = re.search(r"\{#([\w-]+)", rest)
        if heading and id:
            front = f"---\nretired: {{{id[1]}: it was edited away}}\n---\n"
            write(source, before.replace("---\n", front[:-4], 1) if before.startswith("---\n") else front + before)

    def swap(self, pattern: str) -> None:
        one, other = self.one(pattern), self.one(pattern)
        content = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(content)

    def carry(self) -> None:
        """The last note of a file moves to the end of another."""
        one, other = self.cards(), self.cards()
        before, heading, rest = read(one).rpartition("\n# ")
        if heading and one != other:
            write(one, before + "\n")
            self.append(other, f"\n# {rest}")

    # -------------------------------------------------------------------------------------- pictures, records

    def twin(self) -> None:
        """A picture's twin for dark cards comes or goes."""
        dark = self.path("cards/media", self.chance.choice(("lines.dark.svg", "dot.dark.svg")))
        dark.unlink() if dark.exists() else dark.write_text(f"<svg><!-- dark {self.next()} --></svg>")

    def shadow(self) -> None:
        """A picture beside the cards, in place of the one in media/, comes or goes."""
        near = self.path("cards", self.chance.choice(FOLDERS), self.chance.choice(("lines.svg", "dot.svg", "dot.dark.svg")))
        near.unlink() if near.exists() else near.write_text(f"<svg><!-- near {self.next()} --></svg>")

    def record(self, *cases: tuple[str, dict[str, int], str | None]) -> None:
        """Records as if the kernels as they are now had been run."""
        with self.shop.at_home():
            for name, parameters, device in cases:
                kernel = find(name)
                ((output, unit),) = kernel.outputs.items()
                made = {"kind": kernel.kind, **({"device": f"NVIDIA {device.upper()}", "device_class": device} if device else {})}
                value = 2e12 + self.number if device else parameters["roll"] / 4
                save(kernel, Result(name, kernel.kind, kernel.bind(parameters), {output: Number(value, str(unit))}, made), self.path("records"))

    def remade(self, path: Path, pattern: str, new: str) -> None:
        """A record as a later run gives it."""
        self.replace(path, pattern, new)
        if path.suffix == ".json":
            write(path, json.dumps(sealed(json.loads(read(path)))))

    # ------------------------------------------------------------------------------ what is kept, and the machine

    def spoil(self) -> None:
        """The cache loses something, or everything."""
        (cache,) = self.path("build/cache").glob("*.sqlite") or [None]
        how = self.chance.choice(("gone", "cut", "some", "stamp"))
        if how == "gone":
            cache.unlink()
        elif how == "cut":
            cache.write_bytes(cache.read_bytes()[: self.chance.randint(0, cache.stat().st_size)])
        elif how == "some":
            with sqlite3.connect(cache) as file:
                file.execute("delete from piece where rowid % 3 = ?", (self.chance.randint(0, 2),))
        else:
            self.path("build/cache/published.json").unlink(missing_ok=True)

    def release(self) -> Done:
        """What is there is released, if it can be built, under a new version."""
        with patch.object(commands, "_unready", lambda built, update, *_, **more: list(update.problems)):  # a deck for tests says some things twice
            return self.shop.run("release", str(self.next()), "--no-rehearsal", "--build", "released", now=FIRST)

    def install(self) -> None:
        self.version += 1

    def copy_kernel(self) -> None:
        """A kernel stands in another area too."""
        self.path("library/area").mkdir(exist_ok=True)
        shutil.copy(self.one("library/[a-z]*.py"), self.path("library/area"))


def front(pattern: str, new: Callable[[Author, re.Match[str]], str]) -> Callable[[Author], None]:
    """Replaces something in a file of cards."""
    return lambda author: author.replace(author.cards(), pattern, lambda match: new(author, match))


def other(*choices: str) -> Callable[[Author, re.Match[str]], str]:
    return lambda author, _: author.chance.choice(choices)


def yml(pattern: str, new: Callable[[Author, re.Match[str]], str], name: str = "deck") -> Callable[[Author], None]:
    return lambda author: author.replace(author.path("cards", f"{name}.yml"), pattern, lambda match: new(author, match))


def kernel(name: str, pattern: str, new: Callable[[Author, re.Match[str]], str]) -> Callable[[Author], None]:
    return lambda author: author.replace(author.path("library", f"{name}.py"), pattern, lambda match: new(author, match))


def shuffled(author: Author, match: re.Match[str]) -> str:
    names = match[1].split(", ")
    author.chance.shuffle(names)
    return f"[{', '.join(names)}]"


EDITS: dict[str, Callable[[Author], Any]] = {
    "a word": front(r"(?<=[a-z]) (?=[a-z]+[ .,\n])", lambda author, _: f" {author.word()} "),
    "a word more": front(r"\.$", lambda author, _: f", {author.word()}."),
    "the same word everywhere": front(r"\.\n\n", other(" once more.\n\n")),
    "blank lines": front(r"\n\n(?=#)", other("\n\n\n\n\n")),
    "blank lines gone": front(r"\n\n\n+(?=#)", other("\n\n")),
    "a section": front(r"\n(?=\n# )", lambda author, _: f"\n\n## Depth\n\nMore of {author.word()}.\n"),
    "a figure more": front(r"(?<=\[\[)(full|copy|few|held|luck)\.\w+[^\n]*\n", lambda author, match: f"{match[0]}\n![[{match[1]}]]\n"),
    "a figure that lacks another part": front(r"before: \w+", other("before: series", "before: whole", "before: half")),
    "a figure less": front(r"\n!\[\[\w+\]\]\n", other("\n")),
    "a picture more": front(r"\.\n(?=\n#)", other(".\n\n![A dot](dot.svg)\n", ".\n\n![Lines](lines.svg)\n", ".\n\n![Lines](../media/lines.svg)\n")),
    "the tags": front(r"^tags: \[.*\]", other("tags: [memory]", "tags: [chance]", "tags: [speed, memory]")),
    "a parameter": front(r"parameters: \w+", other("parameters: 70e9", "parameters: 7e9", "parameters: 8e9")),
    "a type of number": front(r"dtype: \w+", other("dtype: bf16", "dtype: fp32")),
    "a case": front(r"roll: \d", other("roll: 1", "roll: 2", "roll: 3")),
    "a case more": front(r"(?<=^    for:\n)", lambda author, _: "      c{0}: {{parameters: 1e9, roll: 2, name: w{0}}}\n".format(author.next())),
    "a case less": front(r"^      \w+: \{parameters: \w+, roll.*\n(?=      )", other("")),
    "the words of a case": front(r"(?<=, name: )\w+", lambda author, _: f"w{author.next()}"),
    "the runs of a family": front(r"(?<=^  six-many:\n)(?=    for)", other("    runs: [held]\n", "    runs: [held, luck]\n", "    runs: [luck]\n")),
    "a run": front(r"^runs:\n", lambda author, _: f"runs:\n  r{author.next()}: {{kernel: {author.chance.choice(('rate', 'shaken'))}}}\n"),
    "a claim's words": front(r"says: (?!\")", lambda author, _: f"says: Indeed {author.next()}, "),
    "a claim": front(r"(?<=^claims:\n)(?=  - .*one-total)", other(SO)),
    "a claim's verdict": front(r"verdict: \w+", other("verdict: holds", "verdict: wrong", "verdict: open")),
    "an answer": front(r"^answers:(?= \{|\n)", other("answers:")),
    "a cloze's hint": front(r"(?<=\{\{c1::)(\w+)", lambda author, match: f"{match[1]}s"),
    "a mask's hint": front(r"(?<=^1\. shade: )(\w+)", lambda author, match: f"{match[1]}s"),
    "the masks gone": front(r"\n\n## Masks\n(\n\d+\..*)+", other("")),
    "one mask at a time": front(r"\.occlusion\}", other(".occlusion hide-one}")),
    "notes in another order": front(r"^(# (?:.|\n)*?\n)\n(# (?:.|\n)*)\Z", lambda author, match: f"{match[2]}\n{match[1]}"),
    "a note carried over": Author.carry,
    "two files swapped": lambda author: author.swap("cards/*/*.md"),
    "a file renamed": lambda author: author.move(f"name-{author.next()}"),
    "a file renamed back": lambda author: author.move(author.chance.choice(author.names or ["one"])),
    "a file moved": lambda author: author.move(f"moved-{author.next()}", author.chance.choice(FOLDERS)),
    "a file moved under an old name": lambda author: author.move(author.chance.choice(author.names or ["one"]), author.chance.choice(FOLDERS)),
    "a file more": Author.add,
    "a file less": Author.delete,
    "a note retired": Author.retire,
    "a subdeck's name": yml(r"name: [A-G]\w*", lambda author, match: f"{match[0]}{author.chance.choice('ab')}"),
    "the order of the topics": yml(r"\[([\w-]+, .*)\](?=\})", shuffled),
    "the deck's tags": yml(r"^tags: \[", lambda author, _: f"tags: [tag-{author.next()}, "),
    "a release": Author.release,
    "the version": yml(r"^version: .*", lambda author, _: f'version: "{author.next()}"'),
    "the devices": yml(r"^devices: .*", other("devices: [h100]", "devices: [h200]", "devices: [h100, h200]", "devices: [h200, h100]")),
    "a question": yml(r"How \w+", other("How much", "How fast", "How often"), "sources"),
    "a question more": yml(r"^    (\d+): .*\n(?=  claims)", lambda author, match: f"{match[0]}    {int(match[1]) + 1}: And what else?\n", "sources"),
    "a question less": yml(r"^    [2-9]: .*\n(?=  claims)", other(""), "sources"),
    "a claim that is quoted": yml(r"It reaches \d TB/s", other("It reaches 2 TB/s", "It reaches 3 TB/s"), "sources"),
    "what is assumed": front(r"^runs:\n", other("assumes: {full.parameters: many}\nruns:\n", "assumes: {copy.rows: [a few, some]}\nruns:\n")),
    "a topic whole": yml(r"^  title: .*", lambda author, match: f"{match[0]}\n  whole: true", "sources"),
    "a constant": kernel("held", r"SCALE = \d", other("SCALE = 1", "SCALE = 2", "SCALE = 1 * 1")),
    "a constant that kernels share": kernel("_sizes", r'"fp32": \d', other('"fp32": 4', '"fp32": 5')),
    "a kernel's comment": lambda author: author.append(author.one("library/*.py"), f"# {author.next()}\n"),
    "a kernel's figure": lambda author: author.replace(author.one("library/[a-z]*.py"), r"shade \d+", f"shade {author.next()}"),
    "a kernel's code": kernel("shaken", r"FACES = \d", other("FACES = 6", "FACES = 8")),
    "a record's number": lambda author: author.remade(author.one("records/*/*.json"), r'(?<="value": )[\d.e+]+', f"{author.chance.randint(1, 9)}.5"),
    "a record's device": lambda author: author.remade(author.one("records/rate/*.json"), r'"NVIDIA [^"]*"', f'"NVIDIA {author.next()}"'),
    "a record gone": lambda author: author.one("records/*/*.json").unlink() if list(author.path("records").glob("*/*.json")) else None,
    "records made again": lambda author: author.record(*author.chance.sample(CASES, 3)),
    "a picture": lambda author: author.replace(author.one("cards/*/*.svg"), r"<!--", f"<!-- {author.next()}"),
    "two pictures swapped": lambda author: author.swap("cards/*/*.svg"),
    "a picture's dark twin": Author.twin,
    "a picture nearer by": Author.shadow,
    "the style": lambda author: author.append(author.path("generator/look/style.css"), f".new-{author.next()} {{ color: red }}\n"),
    "a template": lambda author: author.append(author.one("generator/look/*/back.html"), f"<p>{author.next()}</p>\n"),
    "a front": lambda author: author.append(author.one("generator/look/*/front.html"), f"<p>{author.next()}</p>\n"),
    "a note type's name": lambda author: author.replace(author.one("generator/look/*/type.yml"), r"^name: .*", f"name: Renamed {author.next()}"),
    "the page": lambda author: author.append(author.path("generator/look/preview/page.css"), f".new-{author.next()} {{ color: red }}\n"),
    "a touch": lambda author: os.utime(author.one(f"{author.chance.choice(SOURCES)}/**/*.*")),
    "the same bytes": lambda author: (lambda path: path.write_bytes(path.read_bytes()))(author.cards()),
    "nothing": lambda author: None,
    "what is kept": Author.spoil,
    "a library under the compiler": Author.install,
}  # fmt: skip

FAULTS: dict[str, Callable[[Author], Any]] = {
    "an id twice": front(r"\{#[\w-]+", other("{#one-total", "{#five-warp")),
    "a run that is none": front(r"\.\n", other(" [[none.total]].\n")),
    "an output that is none": front(r"(?<=\[\[)(\w+)\.\w+", lambda author, match: f"{match[1]}.nothing"),
    "a fence": front(r"\n\n(?=#)", other("\n\n```\n\n")),
    "a picture that is none": front(r"\]\(\w+\.svg", other("](gone.svg")),
    "a picture gone": lambda author: author.one("cards/media/*.svg").unlink() if list(author.path("cards/media").glob("*.svg")) else None,
    "a tag that is none": front(r"^tags: \[", other("tags: [none, ")),
    "yaml": front(r"^tags: \[", other("tags: [[")),
    "a tag that is used gone": yml(r"(?<=[\[ ])(memory|chance|speed), ", other("")),
    "a key": yml(r"^version:", other("vresion:")),
    "a topic without its file": yml(r"topics: \[", other("topics: [none, ")),
    "a file that is not listed": lambda author: author.path("cards/alpha/unlisted.md").write_text("# Who lists this file? {#unlisted}\n\nNobody.\n"),
    "a claim that does not hold": front(r"value: \d+ GB", other("value: 1 GB")),
    "a mask of no part": front(r"^1\. shade", other("1. shades", "2. shade")),
    "a cloze of other text": front(r"\{\{c2::[^}]*\}\}", lambda author, _: f"{{{{c2::{author.chance.random()}}}}}"),
    "another type": front(r"(?<=\{#)([\w-]+)\}", lambda author, match: f"{match[1]} .cloze}}"),
    "a kernel that refuses": front(r"parameters: \w+", other("parameters: 70e12")),
    "a kernel that is none": front(r"kernel: \w+", other("kernel: helt", "kernel: rates")),
    "a kernel that does not load": kernel("_sizes", r"BYTES", other("BITES")),
    "a kernel without its figure": kernel("held", r"^@held.figure\n", other("")),
    "a kernel of the same name": Author.copy_kernel,
    "a record's number by hand": lambda author: author.replace(author.one("records/*/*.json"), r'(?<="value": )[\d.e+]+', "7.5"),
    "a record that is none": lambda author: author.replace(author.one("records/*/*.json"), r'"outputs"', '"inputs"'),
    "a record of half": lambda author: (lambda path: path.write_bytes(path.read_bytes()[:-40]))(author.one("records/*/*.json")),
    "another id of the deck": yml(r"^id: \d+", other("id: 1720310991")),
    "a template": lambda author: author.replace(author.one("generator/look/*/type.yml"), r"^  Spare 2: ", "  Spare 3: "),
    "a file that is no text": lambda author: author.cards().write_bytes(b"\xff\xfe\x00"),
}  # fmt: skip


def snapshot(shop: Workshop) -> dict[Path, bytes]:
    return {path: path.read_bytes() for name in SOURCES for path in (shop.folder / name).rglob("*") if path.is_file() and path.name != "deck.lock"}


def restore(shop: Workshop, kept: dict[Path, bytes]) -> None:
    now = snapshot(shop)
    for path in now.keys() - kept.keys():
        path.unlink()
    for path, content in kept.items():
        if now.get(path) != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


@dataclass(frozen=True)
class Came:
    """All that a build came to."""

    deck: Done
    preview: Done
    wanted: Done
    lock: bytes | None
    files: dict[str, bytes]
    report: Any = None


WORD = re.compile(r"^build/cache/.*; it is made anew\n", re.MULTILINE)  # of a cache that was spoilt


def build(shop: Workshop, now: int, folder: str, idle: bool) -> Came:
    home = shop.folder / folder
    ran = [shop.run(command, *more, "--build", folder, now=now, idle=idle) for command, *more in (("deck",), ("preview",), ("wanted", "--due"))]
    deck, preview, wanted = (Done(done.status, done.out.replace(folder, "build"), WORD.sub("", done.err)) for done in ran)
    lock = shop.lock.read_bytes() if shop.lock.exists() else None
    if deck.status:
        return Came(deck, preview, wanted, lock, {})
    written = {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file() and path.parent.name != "cache"}
    report = json.loads(written.pop("report.json"))
    return Came(deck, preview, wanted, lock, written, report)


def differences(warm: Came, clean: Came) -> Iterator[str]:
    for name in ("deck", "preview", "wanted", "lock"):
        if getattr(warm, name) != getattr(clean, name):
            yield f"{name}: {getattr(warm, name)}\n  clean: {getattr(clean, name)}"
    if warm.deck.status == clean.deck.status == 0:
        for name in sorted(warm.files.keys() | clean.files.keys()):
            if warm.files.get(name) != clean.files.get(name):
                yield f"{name} differs"
        for name in clean.report:
            if warm.report.get(name) != clean.report[name]:
                yield f"report, {name}: {warm.report.get(name)}\n  clean: {clean.report[name]}"


def sketch(asked: Remote, result: Result, measured: Result | None = None, without: str = "", with_parts: bool = False) -> Drawing:
    """A figure by the kernel's own function, but in this process and without Matplotlib, which is not what is tested here."""
    kernel, lines = find(asked.name), list[str]()
    alt = (kernel.draw(result, lines, measured) if kernel.draws_measured else kernel.draw(result, lines)) or "a figure"
    lines += [f"without {without}"] * bool(without)
    light, dark = (f"<svg><!-- {theme} {' '.join(lines)} --></svg>".encode() for theme in ("light", "dark"))
    parts = [Part("label", name, name, (0.1, 0.1 * number, 0.2 + len(str(lines)) / 1e3, 0.1)) for number, name in enumerate(("shade", *lines), 1)]
    return Drawing(light, dark, alt, 330, 60, tuple(parts * with_parts))


@pytest.fixture
def author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Author:
    seed = request.param
    shutil.copytree(EDITED, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    shop = Workshop(tmp_path)
    shop.takes_look()
    author = Author(shop, random.Random(seed))
    author.record(*CASES)
    monkeypatch.setattr(Remote, "drawn", sketch)
    monkeypatch.setattr(remote, "_request", lambda limit, function, *arguments: function(*arguments))  # no worker is begun 640 times
    monkeypatch.setattr(remote, "_as_before", nullcontext(), raising=False)
    monkeypatch.setattr(stamp, "versions", lambda libraries: [f"{library} {author.version}" for library in libraries])
    assert author.release().status == 0
    if seed % 2:
        monkeypatch.setattr(files, "SETTLED", 10_000_000)  # stats are trusted at once, as they are of files edited a while ago
    return author


@pytest.mark.parametrize("author", range(SEEDS), indirect=True)
def test_a_kept_build_is_a_clean_build(author: Author):
    shop, chance, did, builds = author.shop, author.chance, ["the beginning"], 0
    good: dict[Path, bytes] = {}
    for step in range(STEPS):
        now = FIRST + 1000 * step
        lock = shop.lock.read_bytes() if shop.lock.exists() else None
        warm = build(shop, now, "build", idle=True)
        shop.lock.write_bytes(lock) if lock is not None else shop.lock.unlink(missing_ok=True)
        shutil.rmtree(shop.folder / "afresh", ignore_errors=True)
        clean = build(shop, now, "afresh", idle=False)
        assert list(differences(warm, clean)) == [], did
        assert "Traceback" not in clean.deck.err
        if clean.deck.status == 0:
            good, builds = snapshot(shop), builds + 1
        if clean.deck.status and chance.random() < 0.6:
            did.append("all is mended")
            restore(shop, good)
        else:
            table = FAULTS if chance.random() < 0.2 else EDITS
            did.append(chance.choice(list(table)))
            table[did[-1]](author)
    assert builds > STEPS / 2, did  # or the edits are no good
