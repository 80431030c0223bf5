"""Cards of the deck itself on a phone's page, in Chromium at 360 px: nothing scrolls sideways, all text is legible, one twin of a figure shows.

Not every card, or it would take minutes: the longest back of each type, and others spread evenly over the deck.
"""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from our_types import note_types
from test_look import CHROMIUM, MEASURE, NIGHT, SHELLS
from workshop import Packed, packed

from generator.keep.deck import Built
from generator.show import anki_template
from generator.show.preview import with_mathml

MOST = 36  # notes
SIDES = (("front", "light"), ("back", "light"), ("back", "dark"))
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--virtual-time-budget=30000")
TALLEST = 2.05 * 740  # of a back, *Depth* folded: two screens, and a little because MathML is not quite as tall as MathJax


def chosen(notes: Sequence[Packed]) -> list[Packed]:
    """The longest back of each type, and every n-th note."""
    types = {note.entry.type for note in notes}
    longest = [max((n for n in notes if n.entry.type == key), key=lambda n: len("".join(n.fields.values()))) for key in types]
    spread = list(notes)[:: -(-len(notes) // (MOST - len(longest)))]
    ids = {note.entry.id for note in (*longest, *spread)}
    return [note for note in notes if note.entry.id in ids]


def frame(note: Packed, side: str, theme: str) -> str:
    """A page as AnkiDroid makes it of the note's first card."""
    kind = note_types()[note.entry.type]
    bodies = anki_template.card(*kind.templates[0][2:], note.fields, note.entry.cards[0] + 1)
    body = with_mathml(anki_template.typed(bodies[side == "back"], note.fields, answer=side == "back"))
    classes = "card" + (NIGHT if theme == "dark" else "")
    page = f'<!doctype html><meta charset="utf-8"><style>{SHELLS["android"]}</style><body class="{classes}">'
    page += f'<div id="content"><div id="qa"><style>{kind.css}</style>{body}</div></div></body>'
    title = f"{note.entry.id} {side} {theme}"
    return f'<iframe title="{title}" width="360" height="740" style="border:0" srcdoc="{html.escape(page)}"></iframe>'


@pytest.fixture(scope="module")
def measured(real_deck: Built, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    folder: Path = tmp_path_factory.mktemp("phone")
    notes = chosen(packed(real_deck))
    for note in notes:
        for name, content in note.media.items():
            (folder / name).write_bytes(content)
    frames = "".join(frame(note, *side) for note in notes for side in SIDES)
    script = MEASURE.replace("const images =", "out.height = d.documentElement.scrollHeight;\n  const images =").replace(
        "'sup, sub'", "'sup, sub, math'"
    )
    page = f'<!doctype html><meta charset="utf-8">{frames}<pre id="out"></pre><script>{script}</script>'
    (folder / "page.html").write_text(page, encoding="utf-8")
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", (folder / "page.html").as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = re.search(r'<pre id="out">(.+?)</pre>', dom, re.DOTALL)
    assert found, dom[-2000:]
    sides = {entry["name"]: entry for entry in json.loads(html.unescape(found[1]))}
    assert len(sides) == len(SIDES) * len(notes)
    return sides


def test_the_page_never_scrolls_sideways(measured: dict[str, dict]):
    assert {name: (m["page"], m["over"]) for name, m in measured.items() if m["page"] > 360 or m["over"]} == {}


def test_all_text_is_legible(measured: dict[str, dict]):
    assert {name: m["low"] + m["small"] for name, m in measured.items() if m["low"] or m["small"]} == {}


def test_one_twin_of_a_figure_shows(measured: dict[str, dict]):
    for name, m in measured.items():
        theme = name.split()[2]
        assert [twin for twin, shown, _ in m["images"] if twin in ("light", "dark") and shown != (twin == theme)] == [], name
        assert all(loaded for _, shown, loaded in m["images"] if shown), name


def test_no_back_is_longer_than_two_screens(measured: dict[str, dict]):
    assert {name: m["height"] for name, m in measured.items() if m["height"] > TALLEST} == {}
