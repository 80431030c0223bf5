"""Decks whose numbers would mislead, each by one kind of mistake: what is said of them, word for word, in decks/bad/<kind>/expected.txt."""

from __future__ import annotations

from pathlib import Path

import pytest
from workshop import workshop

KINDS = sorted(path.parent for path in (Path(__file__).parent / "decks" / "bad").glob("*/library"))


def test_each_kind_has_its_deck():
    assert {kind.name for kind in KINDS} == {
        "toy-constant", "another-sentence", "hidden-premise", "unsaid-premise", "wrong-model", "seen-text", "told-twice", "broken-invariant",
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda path: path.name)
def test_what_would_mislead_is_told(kind, expect, tmp_path):
    shop = workshop(tmp_path, like=kind)
    failed = shop.simulates()
    done = shop.run("check", "--verbose")
    said = "\n".join(line for line in (done.out + done.err).splitlines() if ".md:" in line or "problem" in line)
    expect(kind / "expected.txt", "\n".join([*failed, said]) + "\n")
