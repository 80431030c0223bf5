"""Decks of other formats, tests as data: what the files beside become, word for word, and that it builds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("markdownify", reason="markdownify is not installed")
from workshop import SECOND

from generator.elsewhere import table

HERE = Path(__file__).parent
CASES = {
    "md2anki": "md2anki/deck.md",
    "obsidian": "obsidian/vault",
    "anki-text": "table/anki.txt",
    "csv": "table/plain.csv",
    "semicolons": "table/semicolon.csv",
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_file_becomes(case, elsewhere, expect):
    done = elsewhere.imports(HERE / CASES[case])
    assert done.status == 0, done.err
    types = {path.relative_to(elsewhere.cards).as_posix(): path.read_text(encoding="utf-8") for path in sorted(elsewhere.cards.glob("look/*/*.yml"))}
    deck = re.sub(r"(?m)^id: \d+", "id: (drawn)", (elsewhere.cards / "deck.yml").read_text(encoding="utf-8"))
    shown = {"": done.out.replace(HERE.as_posix(), "tests/elsewhere"), "deck.yml": deck, **types, **elsewhere.topics()}
    expect(HERE / f"expected-{case}.txt", "\n".join(f"======== {path}\n{text}" for path, text in shown.items()))
    done = elsewhere.run("deck")
    assert done.status == 0, done.err
    again = elsewhere.imports(HERE / CASES[case])
    assert (again.status, "no note is new here" in again.err) == (1, True)


def test_several_files_become_one_deck(elsewhere):
    done = elsewhere.imports(HERE / "table/plain.csv", HERE / "table/anki.txt")
    assert done.status == 0, done.err
    assert sorted(elsewhere.topics()) == ["plain/plain.md", "words-spanish/spanish.md", "words/words.md"]
    assert elsewhere.run("deck").status == 0


def test_a_deck_that_is_there_gets_topics(elsewhere):
    (elsewhere.cards / "own").mkdir(parents=True)
    (elsewhere.cards / "deck.yml").write_text("name: Mine\nid: 1234567890000\nsubdecks:\n  own: {name: Own}\n")
    (elsewhere.cards / "own/plain.md").write_text("# What is $\\$5$? {#what-is-5}\n\nA dollar sign, then a digit.\n")
    before = (elsewhere.cards / "own/plain.md").read_bytes()
    done = elsewhere.imports(HERE / "table/plain.csv")
    assert done.status == 0, done.err
    assert "cards/deck.yml:1: the folders mine are no subdecks yet (list them)" in done.out
    assert (elsewhere.cards / "own/plain.md").read_bytes() == before
    text = elsewhere.topics()["mine/plain.md"]
    assert re.search(r"\{#what-is-5-[0-9a-f]{4} \.basic\}", text)
    with (elsewhere.cards / "deck.yml").open("a") as file:
        file.write("  mine: {name: Mine}\n")
    done = elsewhere.run("deck", now=SECOND)
    assert "3 notes, 3 cards; 3 new" in done.out, done.err


@pytest.mark.parametrize(
    ("text", "fields"),
    {
        "tabs": ("a\tb, c\n", [{"Front": "a", "Back": "b, c"}]),
        "commas": ('a,"b, c"\nd,e\n', [{"Front": "a", "Back": "b, c"}, {"Front": "d", "Back": "e"}]),
        "semicolons, as spreadsheets write them": ("\ufeffa;b\r\n", [{"Front": "a", "Back": "b"}]),
        "a head": ("Question,Answer\nx,y\n", [{"Front": "x", "Back": "y"}]),
        "comments": ("# no note\na\tb\n", [{"Front": "a", "Back": "b"}]),
        "clozes": ("A {{c1::b}}\tmore\n", [{"Front": "words", "Text": "A {{c1::b}}", "Why": "more"}]),
        "text is no HTML": ("a<b>\t&amp;\n", [{"Front": "a&lt;b&gt;", "Back": "&amp;amp;"}]),
        "HTML": ("#html:true\na<b>b</b>\tc\n", [{"Front": "a<b>b</b>", "Back": "c"}]),
        "a literal separator": ("#separator:|\na|b\n", [{"Front": "a", "Back": "b"}]),
    }.values(),
    ids=lambda value: "",
)
def test_tables(text, fields):
    notes = table.read(Path("words.csv"), text).notes
    assert [dict(note.fields) for note in notes] == fields


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("deck.docx", b"", ".docx is no format that can be imported"),
        ("deck.csv", b"", "the file holds no notes"),
        ("note.md", b"# A heading\n\nSome text.\n", "no card was found"),
        ("note.md", b"\xff\xfa", "the file is not UTF-8"),
        ("none", None, "there is no such file"),
    ],
)
def test_what_cannot_be_imported_is_named(name, content, message, elsewhere):
    path = elsewhere.folder / name
    if content is not None:
        path.write_bytes(content)
    done = elsewhere.imports(path)
    assert done.status == 1
    assert message in done.err
    assert not elsewhere.cards.exists()
