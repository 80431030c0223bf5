"""What the rules of teaching cost: a file is judged once, while its notes are what they were, and a build judges none."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

from workshop import Workshop

from generator.learning import rules

DECK = "name: T\nid: 1400000000000\n"
NOTE = "# Does {} keep a master copy? {{#{}}}\n\nNo: the loop does.\n"


def write(folder: Path, **notes: str) -> None:
    (folder / "cards").mkdir(exist_ok=True)
    (folder / "cards/deck.yml").write_text(DECK)
    for name, text in notes.items():
        (folder / f"cards/{name}.md").write_text(text)


def judged(shop: Workshop, *command: str) -> list[list[str]]:
    """The notes that were judged, file by file."""
    asked: list[list[str]] = []

    def counted(lessons, real=rules.judged):
        asked.append([lesson.id for lesson in lessons])
        return real(lessons)

    with patch.object(rules, "judged", counted):
        assert shop.run(*command).status == 0
    return asked


def test_a_file_is_judged_once(tmp_path: Path):
    shop = Workshop(tmp_path)
    write(tmp_path, one=NOTE.format("Adam", "one"), two=NOTE.format("Lion", "two"))
    assert judged(shop, "check") == [["one"], ["two"]]
    assert judged(shop, "check") == []
    write(tmp_path, two=NOTE.format("Muon", "two"))
    assert judged(shop, "check") == [["two"]]
    write(tmp_path, two=f"\n{NOTE.format('Muon', 'two')}")
    assert judged(shop, "check") == []
    assert "cards/two.md:2: the front can be answered yes or no" in shop.run("check").out


def test_a_build_judges_none(tmp_path: Path):
    write(tmp_path, one=NOTE.format("Adam", "one"))
    assert judged(Workshop(tmp_path), "deck") == []


def test_a_waiver_is_seen_though_the_note_is_what_it_was(tmp_path: Path):
    shop, text = Workshop(tmp_path), NOTE.format("Adam", "one")
    write(tmp_path, one=text)
    assert "rule yes-or-no" in shop.run("check").out
    write(tmp_path, one=f"---\nwaive: {{one: {{yes-or-no: argued below}}}}\n---\n{text}")
    assert "warning" not in shop.run("check").out
    assert "warning" not in shop.run("check", "--strict").out


def test_fronts_are_compared_across_files(tmp_path: Path):
    shop = Workshop(tmp_path)
    write(
        tmp_path,
        one="# What does AdamW hold in mixed precision? {#one}\n\nTwo moments.\n",
        two="# In mixed precision, what does AdamW hold? {#two}\n\nIt.\n",
    )
    assert "cards/two.md:1: the front asks nearly what that of 'one' asks" in shop.run("check").out
    assert "near-duplicate" not in shop.run("check", "cards/two.md").out
    write(tmp_path, one="# What is sharded by ZeRO-1? {#one}\n\nTwo moments.\n")
    assert "near-duplicate" not in shop.run("check").out


def test_cases_of_a_family_may_be_alike():
    from generator.learning.alike import near_duplicates

    words = frozenset({"how", "large", "cache"})
    assert list(near_duplicates({"kv--a": words, "kv--b": words, "kv": words, "other": words})) == [("kv", "kv--a"), ("other", "kv--a")]
