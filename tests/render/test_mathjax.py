"""Math reaches MathJax letter by letter, between the delimiters that Anki knows."""

from __future__ import annotations

import pytest
from rendering import rendered

from generator.render import mathjax as math
from generator.render.mathjax import MathError, glyphs
from generator.text.safe import MATH


def mathjax(source: str, in_cloze: bool = False) -> str:
    return math.mathjax(source, in_cloze).replace(MATH, "\\")


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("$a_b*c*$", r"\(a_b*c*\)"),
        (r"\(a\)", r"\(a\)"),
        ("$$ x\\\\y $$", '<span class="math">\\[x\\\\y\\]</span>'),
        (r"\[ x \]", r'<span class="math">\[x\]</span>'),
        ("$a<b \\& c>d$", r"\(a&lt;b \&amp; c&gt;d\)"),
    ],
)
def test_delimiters_and_escapes(source: str, html: str):
    assert mathjax(source) == html


@pytest.mark.parametrize("source", ["$$ $$", r"$\frac{1}{2$", "$a}$", r"$\left( x$", r"$$\begin{aligned} a $$"])
def test_what_cannot_typeset_is_refused(source: str):
    with pytest.raises(MathError):
        mathjax(source)


def test_inside_a_cloze_braces_stand_apart():
    assert mathjax("$a^{b^{c}}$", in_cloze=True) == r"\(a^{b^{c} }\)"
    assert mathjax("$a^{b^{c}}$") == r"\(a^{b^{c}}\)"


def test_long_inline_math_gets_a_box_that_scrolls():
    short, long = r"$h = W_0 x + \frac{\alpha}{r} BAx$", r"$2 \cdot 32 \cdot 32 \cdot 128 \cdot 2\,\text{B} \cdot 4096 = 2.15\,\text{GB}$"
    assert mathjax(short).startswith("\\(") and mathjax(long).startswith('<span class="wide">')
    assert glyphs(r"\frac{1}{2}") == 1


@pytest.mark.parametrize("around", ["*{}*", "**{}**", "- {}", "> {}", "[{}](https://example.org)", "| a |\n|---|\n| {} |"])
def test_markdown_never_touches_math(around: str):
    tex = r"a_1 * b_2 * c \\ \_ <i> `x` | [y](z) {_}"
    result, problems = rendered("qa", {"Front": "F", "Answer": around.format(f"${tex}$")})
    assert result is not None, problems
    assert r"\(" + tex.replace("<", "&lt;").replace(">", "&gt;") + r"\)" in result.fields["Answer"]
