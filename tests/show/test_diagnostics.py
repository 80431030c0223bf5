"""What check finds, for programs: JSON, and lines that the problem matchers of editors read."""

from __future__ import annotations

import json
import re

from workshop import SECOND, Workshop

GCC = re.compile(r"^(.*?):(\d+):(\d*):?\s+(?:fatal\s+)?(warning|error|note):\s+(.*)$")  # VS Code's $gcc, and its notes


def broken(shop: Workshop) -> None:
    shop.edit("training/memory.md", ("[[full.total | GB]]", "[[full.totl | GB]]"), ("{#frozen .trap}", "{#frozen .trapp}"))
    shop.edit("deck.yml", ("tags: [memory, speed]", "tags: [memory, speed]\ncolour: red"))


def test_every_problem_in_both_shapes(shop: Workshop):
    broken(shop)
    text, as_json, as_gcc = (shop.run("check", *options) for options in ((), ("--format", "json"), ("--format", "gcc")))
    assert [done.status for done in (text, as_json, as_gcc)] == [1, 1, 1] and as_json.err == as_gcc.err == ""
    found = json.loads(as_json.out)
    lines = text.err.splitlines()[:-1]
    assert lines == [f"{d['file']}:{d['line']}: {d['message']}" + (f" ({d['hint']})" if d["hint"] else "") for d in found if d["severity"] == "error"]
    matched = [match.groups() for match in map(GCC.match, as_gcc.out.splitlines()) if match]
    assert [(file, int(line), int(column), severity) for file, line, column, severity, _ in matched] == [
        (d["file"], d["line"], d["column"], d["severity"]) for d in found
    ]


def test_a_column_is_where_the_quoted_thing_stands(shop: Workshop):
    broken(shop)
    for d in json.loads(shop.run("check", "--format", "json").out):
        line = (shop.folder / d["file"]).read_text(encoding="utf-8").split("\n")[d["line"] - 1]
        stands = line[d["column"] - 1 : d["end_column"] - 1]
        assert stands in ("[[full.totl | GB]]", "trapp", "colour"), (d, stands)


def test_warnings_and_a_deck_without_problems(shop: Workshop):
    assert shop.run("check", "--format", "json").out == "[]\n" and shop.run("check", "--format", "gcc").out == ""
    (shop.folder / "cards/training/late.md").write_text("# Which topic is not listed? {#late-one}\n\nThis one.\n", encoding="utf-8")
    done = shop.run("check", "--format", "json", now=SECOND)
    (found,) = json.loads(done.out)
    assert done.status == 0 and found == {
        "file": "cards/training/late.md",
        "line": 1,
        "column": 1,
        "end_column": 41,
        "severity": "warning",
        "message": "the topic 'late' is not listed and comes last",
        "hint": "list it under training: of deck.yml",
    }


def test_a_place_without_a_line_to_show(shop: Workshop):
    (shop.folder / "cards/deck.yml").unlink()
    found = json.loads(shop.run("check", "--format", "json").out)
    assert ("cards/deck.yml", 1, 1, 1) in [(d["file"], d["line"], d["column"], d["end_column"]) for d in found]
