"""What may lie where a file should, and what a disk refuses: a line with the place, never a traceback, never a wait."""

from __future__ import annotations

import errno
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from workshop import ROOT

from generator.__main__ import main
from generator.pack import output
from generator.start.folder import init

LINE = re.compile(r"[^\n]+:\d+: [^\n]+|\d+ problems?; nothing was written")
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\uf8ff]")
COMMANDS = ("deck", "check")


@pytest.fixture(autouse=True)
def _no_wait() -> Iterator[None]:
    """A pipe that is waited for would hold the tests up for ever."""
    signal.alarm(300)
    yield
    signal.alarm(0)


@pytest.fixture
def deck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    init(Path("deck"))
    monkeypatch.chdir("deck")
    with Path("cards/first-cards.md").open("a", encoding="utf-8") as file:
        file.write("\n# What else is there? {#else}\n\nA picture.\n\n![x](pic.svg)\n")
    Path("cards/pic.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>', encoding="utf-8")
    return tmp_path / "deck"


def fits(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command says; every line of an error has its place."""
    capsys.readouterr()
    status = main(arguments)
    said = capsys.readouterr()
    assert not STEERS.search(said.out + said.err)
    assert status in (0, 1)
    assert not status or all(LINE.fullmatch(line) for line in said.err.strip().split("\n")), said.err
    return said.err if status else said.out


def _bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(path))


KINDS: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "socket": _bind,
    "folder": Path.mkdir,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "loop": lambda path: path.symlink_to(path.name),
    "broken link": lambda path: path.symlink_to("nowhere"),
    "no text": lambda path: path.write_bytes(b"\xe9\xff"),
    "zeros": lambda path: path.write_bytes(bytes(100)),
}
PLACES = (
    *("cards/deck.yml", "cards/sources.yml", "cards/first-cards.md", "cards/deck.lock", "cards/pic.svg"),
    *("cards/look/style.css", "cards/look/mine/type.yml", "kernels/stopping_distance.py", "kernels/other.py"),
    *("build/cache/published.sqlite", "build/cache/published.json", "build/report.json", "build/deck.apkg", "build/media"),
)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_lies_where_a_file_should_is_told(kind: str, place: str, deck: Path, capsys: pytest.CaptureFixture[str]):
    path = deck / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    KINDS[kind](path)
    for command in COMMANDS:
        said = fits(capsys, command)
        if place in ("cards/deck.yml", "cards/first-cards.md") and kind != "broken link" and command in ("deck", "check"):
            assert place in said


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "loop", "broken link", "zeros"])
def test_whatever_lies_in_place_of_what_a_build_made_is_replaced(kind: str, deck: Path, capsys: pytest.CaptureFixture[str]):
    fits(capsys, "release", "1", "--no-rehearsal")
    fits(capsys, "deck")
    made = [path for path in sorted(Path("build").rglob("*")) if path.is_file() and not path.name.endswith(("-shm", "-wal"))]
    assert {"media", "released", "cache", "1"} <= {path.parent.name for path in made}
    package = Path("build/deck.apkg").read_bytes()
    for path in made:
        path.unlink(missing_ok=True)
        KINDS[kind](path)
        fits(capsys, "deck")
        assert Path("build/deck.apkg").read_bytes() == package, path
    fits(capsys, "release", "2")


@pytest.mark.parametrize("name", ["build", "build/cache", "build/preview", "build/schemas", "build/deck.apkg", "build/report.json"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "no text", "loop"])
def test_whatever_lies_where_something_is_written_is_told(kind: str, name: str, deck: Path, capsys: pytest.CaptureFixture[str]):
    (deck / name).parent.mkdir(parents=True, exist_ok=True)
    KINDS[kind](deck / name)
    for command in COMMANDS:
        fits(capsys, command)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EFBIG])
@pytest.mark.parametrize("step", ["replace", "makedirs"])
def test_what_the_disk_refuses_is_told_with_its_path(step: str, number: int, deck: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    def refuse(path: str, *_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr(output.os, step, refuse)
    said = fits(capsys, "deck")
    assert os.strerror(number) in said and ("build" in said or "cards" in said)


@pytest.mark.parametrize("size", [0, 4096, 60_000])
def test_a_limit_of_the_size_of_files_is_told(size: int, deck: Path):
    for command in ("deck", "preview", "new first-cards/one-more"):
        done = generator(*command.split(), before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr
    assert not list(deck.rglob("*.part"))


def generator(*arguments: str | bytes, before: Callable[[], object] | None = None, **around: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "generator", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **around}
    return subprocess.run(
        command, env=environment, preexec_fn=before, capture_output=True, text=True, errors="backslashreplace", timeout=300, check=False
    )


@pytest.mark.parametrize("said", ["abc", "-1", "1e5", "\u0661\u0662", "9" * 20, " 5", "0x5"])
def test_a_clock_that_is_none(said: str, deck: Path):
    done = generator("deck", SOURCE_DATE_EPOCH=said)
    assert done.returncode == 1 and done.stderr.startswith("SOURCE_DATE_EPOCH must be") and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "around",
    [{"MPLBACKEND": "nope"}, {"PYTHONIOENCODING": "ascii"}, {"COLUMNS": "abc"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
    ids=str,
)
def test_an_environment_that_is_odd(around: dict[str, str], deck: Path):
    done = generator("deck", **around)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["deck", "check", "deck nowhere", "wanted"])
@pytest.mark.parametrize("to", [">/dev/full", "2>/dev/full", ">&-", "2>&-", ">&- 2>&-"])
def test_an_output_that_is_full_or_closed(to: str, command: str, deck: Path):
    shell = f"{sys.executable} -m generator {command} {to}"
    done = subprocess.run(shell, shell=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1) and "Traceback" not in done.stderr and done.stderr.count("\n") <= 3


@pytest.mark.parametrize("to", [None, "a file", "/proc/1", "/dev/null", "made/anew", "nowhere"])
@pytest.mark.parametrize("name", ["HOME", "MPLCONFIGDIR", "TMPDIR", "XDG_CACHE_HOME"])
def test_a_folder_of_the_environment_that_is_none(name: str, to: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """From an empty folder on: no word of it, and nothing that stays."""
    for folder in ("work", "temporary", "home"):
        (tmp_path / folder).mkdir()
    (tmp_path / "a file").write_text("", encoding="utf-8")
    (tmp_path / "nowhere").symlink_to("gone")
    around = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "temporary")}
    for one in ("MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(one, raising=False)
    if to is None:
        around.pop(name, None)
        monkeypatch.delenv(name, raising=False)
    else:
        around[name] = str(tmp_path / to)
    monkeypatch.chdir(tmp_path / "work")
    for words in ("init deck", "check", "deck"):
        done = generator(*words.split(), **around)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        monkeypatch.chdir(tmp_path / "work" / "deck")
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["deck"] and not list((tmp_path / "temporary").glob("matplotlib-*"))


# -------------------------------------------------------------------------------------------------------- names

NAMES = [b"\xff", b"\xe9t\xe9", b"a\x1b[31mb", b"a\nb", b"a\x7f", "a\u202eb".encode(), b"a" * 250, "\ue000".encode(), b"con", b" ", b"\x85"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", ["{}/a.md", "{}.md", "gpu/{}.md", "media/{}.png", "{}.png", "look/{}/type.yml", "look/{}.css"])
def test_names_of_files_and_folders(what: str, name: bytes, deck: Path, capsys: pytest.CaptureFixture[str]):
    before, after = what.encode().split(b"{}")
    if len(name + after.partition(b"/")[0]) > 255:
        pytest.skip("no such name fits")
    path = os.path.join(os.fsencode(deck), b"cards", before + name + after)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(b"# What is it? {#some-note}\n\nThis.\n")
    for command in COMMANDS:
        fits(capsys, command)


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_the_folder_of_cards(name: bytes, deck: Path, capsys: pytest.CaptureFixture[str]):
    shutil.move(b"cards", name)
    for command in ("deck", "check", "preview", "wanted"):
        fits(capsys, command, os.fsdecode(name))
        fits(capsys, command, os.fsdecode(name), "--build", os.fsdecode(name + b"2"))


@pytest.mark.parametrize(("one", "other"), [("gpu", "GPU"), ("e\u0301t\u00e9", "\u00e9t\u00e9"), ("stra\u00dfe", "STRASSE"), ("\u00e9", "E\u0301")])
def test_folders_whose_decks_are_one_to_anki(one: str, other: str, deck: Path, capsys: pytest.CaptureFixture[str]):
    for number, name in enumerate((one, other)):
        (deck / "cards" / name).mkdir()
        (deck / "cards" / name / "a.md").write_text(f"# What is it? {{#note-{number}}}\n\nThis.\n", encoding="utf-8")
    said = fits(capsys, "check")
    assert "is taken" in said or "two folders are called" in said


@pytest.mark.parametrize(
    "arguments", [("new", "a" * 300 + "/b-c"), ("new", "first-cards/" + "a" * 300), ("new", "../x/a-b"), ("init", "a" * 300)], ids=str
)
def test_names_that_are_too_long(arguments: tuple[str, ...], deck: Path, capsys: pytest.CaptureFixture[str]):
    assert fits(capsys, *arguments).endswith("nothing was written\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: Deck", f"name: {'a' * 3000}"),
        ("name: Deck", f"name: Deck\nslug: {'a' * 300}"),
        ("name: Deck", f"name: Deck\nkernels: {'a' * 300}"),
        ("name: Deck", f"name: Deck\nrecords: {'a/' * 3000}"),
        ("name: Deck", f"name: Deck\ntags: [{'a' * 3000}]"),
    ],
    ids=lambda text: text[-20:],
)
def test_settings_that_are_too_long(old: str, new: str, deck: Path, capsys: pytest.CaptureFixture[str]):
    settings = deck / "cards" / "deck.yml"
    settings.write_text(settings.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    for command in COMMANDS:
        fits(capsys, command)


@pytest.mark.parametrize("makes", [os.mkfifo, Path.mkdir, lambda path: path.write_bytes(b"\xff: ["), lambda path: path.write_text("font.size: x\n")])
def test_settings_of_matplotlib_are_not_read(makes: Callable[[Path], object], deck: Path):
    makes(deck / "matplotlibrc")
    with Path("cards/first-cards.md").open("a", encoding="utf-8") as file:
        file.write("\n# Which? {#which}\n\n$\\color{red}{x}$\n")
    done = generator("deck")
    assert done.returncode == 0 and not done.stderr, done.stderr
