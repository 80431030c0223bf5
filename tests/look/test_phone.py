"""Cards of the deck itself on a phone's page, in Chromium at 360 px: nothing scrolls sideways, all text is legible, one twin of a figure shows.

Not every card, or it would take minutes: the longest back of each type, and others spread evenly over the deck.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import phone
import pytest
from browser import CHROMIUM
from our_types import note_types
from workshop import Packed, packed

from generator.keep.deck import Built
from generator.show import anki_template
from generator.show.preview import with_mathml

MOST = 36  # notes
SIDES = (("front", "light"), ("back", "light"), ("back", "dark"))
TALLEST = 2.05 * 740  # of a back, *Depth* folded: two screens, and a little because MathML is not quite as tall as MathJax


def chosen(notes: Sequence[Packed]) -> list[Packed]:
    """The longest back of each type, and every n-th note."""
    types = {note.entry.type for note in notes}
    longest = [max((n for n in notes if n.entry.type == key), key=lambda n: len("".join(n.fields.values()))) for key in types]
    spread = list(notes)[:: -(-len(notes) // (MOST - len(longest)))]
    ids = {note.entry.id for note in (*longest, *spread)}
    return [note for note in notes if note.entry.id in ids]


def side_of(note: Packed, side: str, theme: str) -> str:
    """A page as AnkiDroid makes it of the note's first card."""
    kind = note_types()[note.entry.type]
    bodies = anki_template.card(*kind.templates[0][2:], note.fields, note.entry.cards[0] + 1)
    body = with_mathml(anki_template.typed(bodies[side == "back"], note.fields, answer=side == "back"))
    return phone.page(body, kind.css, theme)


@pytest.fixture(scope="module")
def measured(real_deck: Built, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    folder: Path = tmp_path_factory.mktemp("phone")
    notes = chosen(packed(real_deck))
    for note in notes:
        for name, content in note.media.items():
            (folder / name).write_bytes(content)
    return phone.measured(folder, {f"{note.entry.id} {side} {theme}": side_of(note, side, theme) for note in notes for side, theme in SIDES})


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
