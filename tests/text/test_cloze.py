"""Clozes as parsed, and as the real Anki reads what is written for it."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from rendering import CASES, of_case, rendered

from generator.notes import Rendered
from generator.text.cloze import ClozeError, by_number, clozes, in_math
from generator.text.spans import spans

CLOZES = sorted(path for path in CASES.glob("good/cloze-*.md"))


def parsed(text: str) -> list[tuple[int, str, str | None]]:
    return [(c.number, text[c.inside : c.stop], text[c.hinted + 2 : c.end - 2] if c.hinted is not None else None) for c in clozes(text, spans(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{c1::a}} {{c12::b::hint}}", [(1, "a", None), (12, "b", "hint")]),
        (r"{{c1::$\frac{a}{\sqrt{b}}$}}", [(1, r"$\frac{a}{\sqrt{b}}$", None)]),
        (r"$x = {{c1::\frac{1}{2}}} + 1$", [(1, r"\frac{1}{2}", None)]),
        (r"$x = {{c1::\frac{1}{\sqrt{2}}::half}}$", [(1, r"\frac{1}{\sqrt{2}}", "half")]),
        (r"$\frac{{{c1::a}}}{b}$", [(1, "a", None)]),
        (r"$\{ {{c1::x\}}}$", [(1, r"x\}", None)]),
        ("{{c1::`std::vector<{{1}}>`::kind}}", [(1, "`std::vector<{{1}}>`", "kind")]),
        ("`std::{{c1::vector::x}}`", [(1, "vector::x", None)]),
        ("{{c1::a {b} and {c}}}", [(1, "a {b} and {c}", None)]),
        ("{{c1::a lone { brace}}", [(1, "a lone { brace", None)]),
        ("{{c1::out {{c2::in::i}} er::o}}", [(1, "out {{c2::in::i}} er", "o"), (2, "in", "i")]),
        ("no {{ c }} and {{x}} here", []),
    ],
)
def test_parsed(text: str, expected: list):
    assert parsed(text) == expected


@pytest.mark.parametrize(
    "text", ["{{c1::a", "{{c1,2::a}}", "{{C1::a}}", "{{c0::a}}", "{{c501::a}}", "{{c1: a}}", "{{c1::}}", "$x {{c1::a$}}", "`{{c1::a` b}}"]
)
def test_refused(text: str):
    with pytest.raises(ClozeError) as caught:
        clozes(text, spans(text))
    assert text[caught.value.offset :].lower().startswith("{{c")


def test_by_number_keeps_the_author_s_words():
    text = "{{c2::[[a.b | GB]]}} {{c1::x}} {{c2:: $y$ ::hint}}"
    assert by_number(text, clozes(text, spans(text))) == {1: "x", 2: "[[a.b | GB]] / $y$"}


def test_math_is_pulled_apart():
    assert in_math("a^{b^{c}}\ue007") == "a^{b^{c} } \ue007"
    assert in_math("\ue0042\ue005x_{1}\ue007::\ue007") == "\ue0042\ue005x_{1} \ue007: :\ue007"


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory):
    anki = pytest.importorskip("anki.collection", reason="the real Anki is not installed")
    collection = anki.Collection(str(tmp_path_factory.mktemp("anki") / "collection.anki2"))
    yield collection
    collection.close()


def shown(collection, field: str, ordinal: int) -> tuple[str, str]:
    note = collection.new_note(collection.models.by_name("Cloze"))
    note["Text"] = field
    card = note.ephemeral_card(ordinal)
    return card.question(), card.answer()


@pytest.mark.parametrize("path", CLOZES, ids=lambda path: path.stem)
def test_anki_makes_the_same_cards(path: Path, collection):
    result = of_case(path)[0]
    assert isinstance(result, Rendered)
    note = collection.new_note(collection.models.by_name("Cloze"))
    note["Text"] = result.fields["Text"]
    assert sorted(number - 1 for number in note.cloze_numbers_in_fields()) == list(result.cards)
    for ordinal in result.cards:
        question, answer = shown(collection, result.fields["Text"], ordinal)
        assert question != answer and "[" in question
        assert "{{c" not in question + answer


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        (r"{{c1::$\frac{a}{\sqrt{b}}$}}.", "[...].", r"\(\frac{a}{\sqrt{b} }\)."),
        (r"$y = {{c1::\frac{1}{2}::half}}$.", r"\(y = [half]\).", r"\(y = \frac{1}{2}\)."),
        ("{{c1::`std::vector<{{1}}>`}}.", "[...].", "std::vector<{{1}}>."),
        ("{{c1::a set {x, {y}}}}.", "[...].", "a set {x, {y}}."),
        ("{{c1::`a::b`::see `c::d`}}.", "[see c::d].", "a::b."),
        ("{{c1::ends in colon:::why}}.", "[:why].", "ends in colon."),
    ],
)
def test_anki_shows_what_was_meant(text: str, question: str, answer: str, collection):
    result = rendered("cloze", {"Front": "F", "Text": text})[0]
    assert result is not None
    sides = shown(collection, result.fields["Text"], 0)
    plain = [unescape(re.sub(r"<style>.*?</style>|<!--.*?-->|<[^>]*>", "", side, flags=re.DOTALL)).strip() for side in sides]
    assert plain == [question, answer]
