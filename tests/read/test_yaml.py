"""YAML with places: the core schema, the lines, and what is refused."""

from __future__ import annotations

import math

import pytest

from generator.problems import DeckError, Place, Problem
from generator.read.yaml import load, mapping, sequence, string

SCALARS = [
    ("70e9", 70e9), ("70000000000", 70000000000), ("-1.5", -1.5), (".5", 0.5), ("+3", 3), ("0o17", 15), ("0x1F", 31), ("010", 10),
    ("no", "no"), ("yes", "yes"), ("on", "on"), ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
    ("'70e9'", "70e9"), ('"true"', "true"), ("1_000", "1_000"), ("12:30", "12:30"), ("2026-11-01", "2026-11-01"), ("< 10 GB", "< 10 GB"),
    ("-.inf", -math.inf), ("1e", "1e"), ("-", None), ("9" * 5000, "9" * 5000), ("1.", 1.0), ("0b11", "0b11"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "value"), [row for row in SCALARS if row[0] != "-"], ids=lambda value: str(value)[:12])
def test_core_schema(source, value):
    node = load(f"key: {source}", "p").value["key"]
    assert (node.value, type(node.value)) == (value, type(value))


def test_places_are_those_of_the_keys():
    root = load("a:\n  b: 1\n\n  c:\n    - x\n    - y: 2\nd: {e: 1,\n  f: 2}\n", "p", 10)
    a, d = root.value["a"], root.value["d"]
    lines = [a, a.value["b"], a.value["c"], *a.value["c"].value, d, d.value["e"], d.value["f"]]
    assert [node.place for node in lines] == [Place("p", line) for line in (10, 11, 13, 14, 15, 16, 16, 17)]
    assert root.plain == {"a": {"b": 1, "c": ["x", {"y": 2}]}, "d": {"e": 1, "f": 2}}


REFUSED = [
    ("a: 1\nb: 2\na: 3", ["p:3: the key 'a' stands twice (the first is on line 1)"]),
    (
        "x: {a: 1, 'a': 2}\ny: {b: 1, b: 2}",
        ["p:1: the key 'a' stands twice (the first is on line 1)", "p:2: the key 'b' stands twice (the first is on line 2)"],
    ),
    ("a:\n\tb: 1\n \tc: 2", ["p:2: a tab in YAML's indentation (indent with spaces)", "p:3: a tab in YAML's indentation (indent with spaces)"]),
    ("a: b: c", ["p:1: broken YAML: mapping values are not allowed in this context (put text that holds a colon in quotes)"]),
    ("a: &x 1", ["p:1: a YAML anchor &x has no use here (write the value out where it is needed)"]),
    ("a: !t 1", ["p:1: a YAML tag !t has no use here (quote text that begins with !)"]),
    ("a: 1\n---\nb: 1", ["p:2: a second YAML document (take the line --- away)"]),
    ("? [a]\n: 1", ["p:1: a key must be text, but is a list (put it in quotes if it holds { or [)"]),
    ("[" * 50_000, ["p:1: YAML nested deeper than 16 levels (flatten it)"]),
    ("a: '\x07'", ["p:1: YAML cannot hold the character U+0007 (delete it)"]),
]


@pytest.mark.parametrize(("text", "messages"), REFUSED, ids=[row[0][:12] for row in REFUSED])
def test_refused(text, messages):
    with pytest.raises(DeckError) as raised:
        load(text, "p")
    assert list(map(str, raised.value.problems)) == messages


@pytest.mark.parametrize(("text", "line"), [("a: 'x\nb: 1\n", 1), ("a: [1,\n\n", 1), ("a: 1\n b: 2\n", 2), ("a: @x", 1), ("a\nb: 1", 2), ("a: *", 1)])
def test_broken_text_names_a_line_of_the_text(text, line):
    with pytest.raises(DeckError) as raised:
        load(text, "p")
    (problem,) = raised.value.problems
    assert "broken YAML" in problem.message
    assert problem.place.line == line


def test_what_callers_expect_of_a_value():
    problems: list[Problem] = []
    root = load("a: 1\nb: [x]\nc:\n", "p")
    assert mapping(root.value["c"], "c", problems) == {}
    assert sequence(root.value["c"], "c", problems) == ()
    assert string(root.value["a"], "a", problems) == "1"
    assert string(None, "d", problems, "default") == "default"
    assert not problems
    assert list(mapping(root, "it", problems, ("a", "bb", "d"), ("d",))) == ["a"]
    assert sequence(root.value["a"], "a", problems) == ()
    assert string(root.value["b"], "b", problems) == ""
    assert sorted(map(str, problems)) == [
        "p:1: a must be a list, but is '1' (write [one, two], or a line with - for each)",
        "p:1: it lacks the key 'd' (add d:)",
        "p:2: b must be text, but is a list (put it in quotes if it holds : or [)",
        "p:2: unknown key 'b' in it (did you mean bb? known: a, bb, d)",
        "p:3: unknown key 'c' in it (known: a, bb, d)",
    ]
