"""Three cards as a phone shows them, for whoever looks at the deck before getting it: made by the Chromium that is here.

In: a deck that is built. Out: PNG files; none where no Chromium is here, or where it fails, which stops no release.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from generator.keep.deck import Built
from generator.keep.sheets import END
from generator.notes import Entry
from generator.show.preview import faces
from kernels import parts

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
QUIET = ("--headless", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--disable-background-networking", "--disable-component-update")
WIDTH, HEIGHT, SCALE = 360, 720, 2
THEMES = ("", " nightMode night_mode", "")
LIMIT = 60  # seconds
STYLE = "body{margin:0;padding:.5em;min-height:100vh;box-sizing:border-box}"


def screenshots(built: Built, into: Path) -> list[Path]:
    """The backs of three notes of different types, those with a figure first; the second at night."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        return []
    made = []
    with parts.folder() as name:
        folder = Path(name)
        for number, (note, theme) in enumerate(zip(_chosen(built), THEMES), 1):
            for file in note.media:
                (folder / file).write_bytes(built.media(file))
            for file in built.types[note.type].media:
                (folder / file).write_bytes(built.media(file))
            (folder / "page.html").write_text(_page(note, built, theme), encoding="utf-8")
            target = into / f"card-{number}.png"
            if _taken(chromium, folder, target):
                made.append(target)
    return made


def _taken(chromium: str, folder: Path, target: Path) -> bool:
    """Whether Chromium made the picture. It refuses its sandbox to root, and the page holds nothing that runs."""
    rootly = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    options = [*QUIET, *rootly, f"--user-data-dir={folder / 'profile'}", f"--window-size={WIDTH},{HEIGHT}", f"--force-device-scale-factor={SCALE}"]
    words = [chromium, *options, f"--screenshot={target.resolve()}", (folder / "page.html").as_uri()]
    try:
        done = subprocess.run(words, capture_output=True, check=False, timeout=LIMIT)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and target.is_file()


def _chosen(built: Built) -> Iterator[Entry]:
    """A note of each type, and then the others, those with pictures first. A type with a script needs Anki to be seen."""
    still = {key for key, kind in built.types.items() if not any("<script" in card.back for card in kind.templates)}
    ordered = sorted((note for note in built.entries if note.type in still), key=lambda note: not note.media)
    first = {note.type: note for note in reversed(ordered)}
    return chain((note for note in ordered if first[note.type] is note), (note for note in ordered if first[note.type] is not note))


def _page(note: Entry, built: Built, theme: str) -> str:
    kind = built.types[note.type]
    fields = dict(zip(kind.fields, next(built.texts([note])).decode().split(END), strict=True))
    (card, *_) = faces(fields, kind, note.deck, note.tags, note.cards)
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE}{kind.css}</style><body class="card{theme}">{card["answer"]}'
