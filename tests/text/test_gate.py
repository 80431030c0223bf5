"""What a character may be: in every text that comes in, in values of expressions, in messages."""

from __future__ import annotations

import pytest

from generator.gate.characters import unwanted, without_unwanted
from generator.gate.files import LARGEST, decoded, text_of
from generator.notes import Text
from generator.problems import DeckError, Place, Problem, visible
from generator.read import yaml
from generator.resolve.expression import Scope, evaluate
from generator.resolve.quantity import ExpressionError
from generator.resolve.references import marks

WANTED = "\t\n aé\xa0\xad\u0301\u200b\u202e\u2066\ud7ff\uf900\ufeff\ufffd\U0001f600\U000f0000"
UNWANTED = [
    *map(chr, (*range(9), *range(11, 32), *range(0x7F, 0xA0))),
    "\ud800",
    "\udfff",
    "\ue000",
    "\ue008",
    "\uf8ff",
    "\ufdd0",
    "\uffff",
    "\U0001fffe",
]
ESCAPES = [r"\x1f", r"\0", r"\x1b", r"\x85", r"\ue000", r"\ue008", r"\ufffe", r"\ufdd0", r"\U0010ffff"]


def test_what_a_text_may_hold():
    assert unwanted(WANTED) is None and without_unwanted(WANTED) == WANTED


@pytest.mark.parametrize("character", UNWANTED, ids=lambda character: f"{ord(character):x}")
def test_what_no_text_may_hold(character: str):
    text = f"{WANTED}{character}b"
    found = unwanted(text)
    assert found and found[0] == character and without_unwanted(text) == f"{WANTED}b"
    assert character > "\uffff" or character not in visible(text, lines=True)
    if not "\ud800" <= character <= "\udfff" and character != "\r":
        problems: list[Problem] = []
        assert decoded(f"a\nb{character}".encode(), "a.md", problems) is None
        assert f"U+{ord(character):04X}" in problems[0].message and problems[0].place == Place("a.md", 2)


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("form", ['"a{}b"', '{{"a{}": 1}}', '[["{}"]]', '{{a: {{b: "{}"}}}}'])
def test_escapes_of_yaml(form: str, escape: str):
    with pytest.raises(DeckError, match=r"a.yml:1: .*(U\+|broken YAML)"):
        yaml.load(form.format(escape), "a.yml")


@pytest.mark.parametrize("escape", [*ESCAPES, r"\ud800"])
@pytest.mark.parametrize("form", ["'a{}b'", "'a' if 1 > 0 else 'b' if 1 > 2 else '{}'", "'b' if 1 > 2 else '{}'"])
def test_values_of_expressions(form: str, escape: str):
    if form.startswith("'a' if"):
        assert evaluate(form.format(escape), Scope.of({}, {})).content == "a"
        return
    with pytest.raises(ExpressionError, match=r"U\+"):
        evaluate(form.format(escape), Scope.of({}, {}))


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\nb", "\u202eabc", "a\u200bb", "\udcff", "\U000e0041", "\ue000", "\x9b31m", "\u2028"])
def test_a_message_is_one_line_that_steers_no_terminal(text: str):
    said = str(Problem(Place(f"cards/{text}.md", 3), f"this is {text!s}", text))
    assert said.isprintable() and said.startswith("cards/") and ":3: this is" in said


def test_a_file_that_is_too_large(tmp_path):
    file, problems = tmp_path / "a.md", list[Problem]()
    file.write_bytes(b"a" * (LARGEST + 1))
    assert text_of(file, "a.md", problems) is None
    assert "at most 5 are read" in str(problems[0])


@pytest.mark.parametrize("number", ["1e400", "0*1e400", "-1e400", "max(1e999, 1)", "1e308*10", "[1e400][0]"])
def test_numbers_that_are_not_finite(number: str):
    with pytest.raises(ExpressionError):
        evaluate(number, Scope.of({}, {}))


@pytest.mark.parametrize("unit", ["\\", "[[ ", "[[ 'a ", "\\["])
def test_looking_for_references_costs_what_the_text_is_long(unit: str):
    """Sixteen times as much, at most some hundred times as long: a square would be 256."""
    from workshop import cpu

    few, many = (Text(unit * (size // len(unit)) + "[[1]]", Place("a.md")) for size in (5_000, 80_000))
    assert cpu(lambda: marks(many, []), 1) < 100 * max(cpu(lambda: marks(few, []), 3), 0.001)
