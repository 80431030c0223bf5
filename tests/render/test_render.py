"""Markdown to HTML, as data: tests/render/good/*.md beside the *.html expected, bad/*.md beside the *.txt of its problems.

A file whose name begins with `cloze-` is the text of a cloze note, another one the answer of a question. To accept new output:
pytest --accept tests/test_render.py, then read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from our_types import note_types
from rendering import CASES, CLAIM, FORMULA, MEASURED, of_case, rendered
from workshop import cpu

from generator.notes import Judged, Text
from generator.problems import Place
from generator.read.media import find
from generator.render.figures import media_name


@pytest.mark.parametrize("path", sorted(CASES.glob("good/*.md")), ids=lambda path: path.stem)
def test_good(path: Path, expect):
    result, problems = of_case(path)
    assert result is not None, problems
    expect(path.with_suffix(".html"), result.fields["Text" if result.type == "cloze" else "Answer"] + "\n")
    assert of_case(path)[0] == result


@pytest.mark.parametrize("path", sorted(CASES.glob("bad/*.md")), ids=lambda path: path.stem)
def test_bad(path: Path, expect):
    result, problems = of_case(path)
    assert result is None
    expect(path.with_suffix(".txt"), "".join(f"{problem}\n" for problem in sorted(set(problems))))


def test_there_are_cases():
    assert len(list(CASES.glob("good/*.md"))) >= 6 and len(list(CASES.glob("bad/*.md"))) >= 12


MAIN = {  # what the text of a type must hold
    "cloze": "{{c1::x}}",
    "sketch": "\ue000figure:full|before: series\ue001",
    "occlusion": "\ue000figure:full|hide: labels\ue001",
}


def test_every_field_of_the_type_is_there():
    for key, note_type in note_types().items():
        fields = {"Front": "F", note_type.main: MAIN.get(key, "main"), **({s: s for s in note_type.sections})}
        result, problems = rendered(key, fields, expected="1.5" if key == "numeric" else None)
        assert result is not None and not problems
        assert list(result.fields) == list(note_type.fields)
        assert result.fields["Id"] == "an-id" and result.fields["Breadcrumb"] == "Training · LoRA"
        assert result.fields.get("Expected", "1.5") == "1.5"


def test_figure_twins_are_named_by_content():
    result, _ = rendered("qa", {"Front": "F", "Answer": "Yes.\n\n\ue000figure:full\ue001\n\nAfter."}, {"full": FORMULA})
    assert result is not None
    light, dark = result.media
    assert sorted(result.media) == list(result.media) and all(len(name.encode()) <= 120 and not name.startswith("_") for name in result.media)
    html = result.fields["Answer"]
    assert 'alt="one &lt;bar&gt; of &quot;1 B&quot;"' in html and html.count('width="330" height="60"') == 2
    assert html.index('<figure class="fig">') > html.index("Yes.</p>") and "<p><figure" not in html
    assert {name.rsplit("-", 1)[0] for name in (light, dark)} == {"made-up", "made-up-dark"}


def test_what_is_left_out_shows_nothing_but_its_mistakes():
    fields, results = {"Front": "F", "Answer": "A"}, {"gone": None, "full": FORMULA, "rate": MEASURED}
    picture = Text("![x](figure.png) \ue000figure:gone\ue001", Place("cards/x.md", 12))
    result, problems = rendered(
        "qa", fields, results, left_out={"Depth": (Text("Fine.", Place("cards/x.md", 10)), Text("\ue000figure:full\ue001", Place("cards/x.md", 11)))}
    )
    assert result is not None and not problems and not result.media
    runs = "<ul><li><code>made_up()</code></li><li><code>made_up_rate()</code></li></ul>"
    made = f'<details class="made"><summary>computed · measured on NVIDIA H100</summary>{runs}</details>'
    assert result.fields["Depth"] == "" and result.fields["Footer"] == made
    result, problems = rendered("qa", fields, results, left_out={"Depth": (picture,)})
    assert result is None and [str(problem.place) for problem in problems] == ["cards/x.md:12"] * 2


def test_sources_stand_in_the_footer():
    result, _ = rendered("qa", {"Front": "F", "Answer": "A", "Source": "Hu et al., [arXiv 2106.09685](https://arxiv.org/abs/2106.09685)"})
    assert result is not None and result.fields["Footer"] == '<p>Hu et al., <a href="https://arxiv.org/abs/2106.09685">arXiv 2106.09685</a></p>'


@pytest.mark.parametrize(
    ("verdict", "says"),
    [
        ("holds", ["✓ holds", 'Computed: <span class="num">143\u202fGB</span>.']),
        ("wrong", ["✗ wrong", "143\u202fGB</span>, 14 times more."]),
        ("misleading", ["◐ misleading", "True at rank 1."]),
    ],
)
def test_claims(verdict: str | None, says: list[str]):
    judged = Judged(CLAIM, verdict, "143 GB" if verdict else "", "14 times more" if verdict in ("wrong", "misleading") else "")
    result, _ = rendered("qa", {"Front": "F", "Answer": "A"}, {"lora": FORMULA}, claims=(judged,))
    assert result is not None
    html = result.fields["Claims"]
    assert all(text in html for text in ["Often said:", "<em>under</em> 10\u202fGB.", *says]), html
    assert ("True" in html) == (verdict == "misleading")


def test_an_open_claim_is_left_out():
    result, _ = rendered("qa", {"Front": "F", "Answer": "A"}, {"lora": FORMULA}, claims=(Judged(CLAIM, None, "", ""),))
    assert result is not None and result.fields["Claims"] == ""


def test_a_claim_says_how_its_number_was_made():
    judged = Judged(CLAIM._replace(computed="rate.rate / full.total"), "wrong", "2 TB/s", "")
    result, _ = rendered("qa", {"Front": "F", "Answer": "A"}, {"rate": MEASURED, "full": FORMULA}, claims=(judged,))
    assert result is not None and "Measured:" in result.fields["Claims"]


def test_cloze_cards_and_sources():
    result, _ = rendered("cloze", {"Front": "F", "Text": "{{c3::a}} {{c1::$x$::what}} {{c3::b}}"})
    assert result is not None and result.cards == (0, 2) and dict(result.clozes) == {1: "$x$", 3: "a / b"}


def test_images_by_content(tmp_path: Path):
    (tmp_path / "area").mkdir()
    (tmp_path / "media").mkdir()
    (tmp_path / "deck.yml").write_text("")
    (tmp_path / "area" / "Ünï Kode.png").write_bytes((CASES.parent / "elsewhere" / "table" / "dot.png").read_bytes())
    (tmp_path / "media" / "plan.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (tmp_path / "media" / "plan.dark.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/> ')
    text = "One ![first](<Ünï Kode.png>) and ![second, with <b>](plan.svg)."
    result, problems = rendered("qa", {"Front": "F", "Answer": text}, directory=tmp_path / "area")
    assert result is not None, problems
    assert [name.rsplit("-", 1)[0] for name in result.media] == ["plan", "plan-dark", "uni-kode"]
    assert 'class="plate"' in result.fields["Answer"] and 'class="dark"' in result.fields["Answer"]
    assert find("../../etc/passwd", tmp_path / "area", tmp_path) is None


def test_media_names_are_plain():
    assert media_name("_Figure: Ä/b%", "svg", b"x") == "figure-a-b-2d711642.svg"
    assert len(media_name("é" * 500, "png", b"x").encode()) <= 120


@pytest.mark.parametrize(
    "unit",
    ["<b>x</b>", "<b>", "<a ", "*x* ", "$a$ ", "`a` ", "&lt;", "- a\n", "x<br>", "[a](https://x.y) ", "**a *b* c** ", "\\\\ ", "| a\n", "a\n\n"],
)
def test_a_field_of_anything_is_rendered_in_linear_time(unit: str):
    """Eight times as much takes about eight times as long, not sixty-four times."""
    little, much = ({"Front": "A front", "Answer": unit * (size // len(unit))} for size in (2_500, 20_000))  # the most that a field may have
    assert cpu(lambda: rendered("qa", much), 1) < 24 * max(cpu(lambda: rendered("qa", little)), 0.001)
