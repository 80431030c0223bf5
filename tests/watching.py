"""`python -m generator watch` in a folder of its own, with a copy of the program, so that a test may edit cards, style, templates and kernels."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
LIMIT = 60.0  # seconds for what is waited for: far more than it takes


HOUSE = Path(__file__).parent / "watch" / "house"  # a small deck, with kernels of its own


def house(folder: Path) -> Path:
    """The folder, with the program, the small deck and its kernels in it."""
    shutil.copytree(HOUSE / "cards", folder / "cards")
    return copied(folder, HOUSE / "library")


def copied(folder: Path, library: Path | None = None) -> Path:
    """The folder, with the program in it. library: the kernels in place of ours."""
    leave = shutil.ignore_patterns("__pycache__", "records", *(("library",) if library else ()))
    for name in ("generator", "kernels"):
        shutil.copytree(ROOT / name, folder / name, ignore=leave)
    if library:
        shutil.copytree(library, folder / "kernels" / "library", ignore=leave)
    (folder / "records").mkdir()
    return folder


@dataclass(frozen=True)
class Served:
    """A server, the folder that it runs in, and what it says."""

    folder: Path
    url: str
    process: subprocess.Popen[str]
    said: Path

    def ask(self, path: str = "/", method: str = "GET", **headers: str) -> http.client.HTTPResponse:
        """The answer, unread. Headers with _ for -; without Host the server's own."""
        where = urlsplit(self.url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=LIMIT)
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        return connection.getresponse()

    def page(self) -> dict[str, Any]:
        """The data of the page as it is now."""
        text = self.ask().read().decode()
        return json.loads(text.split('id="data">')[1].partition("</script>")[0])

    def events(self, start: str | None = None) -> Stream:
        """The stream from a state on, by default from the one that a page shows now."""
        start = self.page()["live"]["at"] if start is None else start
        return Stream(self.ask(f"/events?from={start}"))

    def write(self, path: str, text: str) -> float:
        """Writes a file in one go; returns the time at which it was there."""
        (self.folder / path).write_text(text, encoding="utf-8")
        return time.monotonic()

    def edit(self, path: str, *changes: tuple[str, str]) -> float:
        text = (self.folder / path).read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, (path, old)
            text = text.replace(old, new)
        return self.write(path, text)


class Stream:
    """Server-sent events as they come. at: the mark of the last one."""

    def __init__(self, answer: http.client.HTTPResponse):
        self.answer, self.at = answer, ""

    def next(self) -> dict[str, Any]:
        end = time.monotonic() + LIMIT
        while True:
            assert time.monotonic() < end, "no event came"
            line = self.answer.readline()
            assert line, "the stream ended"
            if line.startswith(b"id: "):
                self.at = line[4:].decode().strip()
            if line.startswith(b"data: "):
                return json.loads(line[6:])

    def until(self, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The first event of which that holds; the others are passed over."""
        while not holds(event := self.next()):
            pass
        return event

    def close(self) -> None:
        self.answer.close()


@contextmanager
def serving(folder: Path, *options: str, **environment: str) -> Iterator[Served]:
    """A server of folder/cards, ended as Ctrl-C does."""
    command = [sys.executable, "-m", "generator", "watch", "--port", "0", *options]
    said = folder / "said"
    with said.open("w") as errors:
        own = {**os.environ, "PYTHONPATH": str(folder), **environment}
        process = subprocess.Popen(command, cwd=folder, env=own, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True)
    try:
        assert process.stdout
        url = process.stdout.readline().strip()
        assert url, said.read_text()
        yield Served(folder, url, process, said)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(LIMIT)
        finally:
            process.kill()
