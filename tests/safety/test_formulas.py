"""What a formula may hold: the macros of Anki's MathJax, none that runs, loads, defines or refers, and colours that show in both themes."""

from __future__ import annotations

import re

import pytest
from rendering import rendered

from generator.look.notetypes import LOOK
from generator.render.mathjax import THEMES, faded


def said(answer: str, type: str = "qa") -> list[str]:
    main = {"qa": "Answer", "cloze": "Text"}[type]
    return [f"{problem.place.line}: {problem.message} | {problem.hint}" for problem in rendered(type, {"Front": "F", main: answer})[1]]


@pytest.mark.parametrize(
    ("tex", "told"),
    [
        (r"\bm{x}", r"\boldsymbol"),
        (r"\mathds{1}", r"\mathbb"),
        (r"\aplha", r"did you mean \alpha"),
        (r"\frca{a}{b}", r"\frac"),
        (r"\begin{algin}a\end{algin}", "align"),
        (r"\begin{tikzpicture}\end{tikzpicture}", "tikzpicture"),
        (r"\href{https://example.org}{x}", "lead nowhere"),
        (r"\def\x{\x}\x", "define nothing"),
        (r"\label{a} x", "no numbers"),
        (r"\*", r"\*"),
        ("{" * 3000 + "x" + "}" * 3000, "nests braces 3000 deep"),
    ],
)
def test_what_a_card_cannot_set_is_told_with_what_to_write(tex: str, told: str):
    (problem,) = said(f"First.\n\nThen ${tex}$.")
    assert told in problem and problem.startswith("12: ")


def test_a_macro_has_its_own_line():
    (problem,) = said("$$\na \\\\\n\\bm{x}\n$$")
    assert problem.startswith("12: ")


@pytest.mark.parametrize("text", [r"$x \{{c1::href}}{a}{b}$", r"$x {{c1::y::\href{a}{b}}}$", r"$\hre{{c1::f}}{a}{b}$", r"$\alph{{c1::a}}$"])
def test_what_a_cloze_would_leave_is_looked_at_too(text: str):
    assert said(text, "cloze")


@pytest.mark.parametrize(
    "tex",
    [
        r"\begin{aligned}a &= b \\[2pt] c &< d\end{aligned}",
        r"\operatorname*{arg\,max}_x \left\lVert x \right\rVert_2 \quad \text{if } \ce{H2O} \; \boxed{1} \xrightarrow[a]{b}",
        r"\mathbb{E}\!\left[\sum_{i=1}^n x_i\right] \coloneqq \boldsymbol{\mu} \in \mathcal{N}(0, 1) \tag{1}",
        r"\textcolor{red}{a} + \color{green}{b} + \color[HTML]{3377DD} c + \colorbox{gray}{d}",
        r"\colorbox{yellow}{\color{black}x}",
    ],
)
def test_what_mathjax_knows_is_well(tex: str):
    problems = [one for one in said(f"$${tex}$$") if "letters on it" not in one]
    assert problems == []


@pytest.mark.parametrize(
    ("tex", "theme"),
    [
        (r"\color{black}{x}", "at night"),
        (r"\textcolor{white}{x}", "by day"),
        (r"\color{blue} x", "at night"),
        (r"\textcolor{yellow}{x}", "by day"),
        (r"\color{#111}{x}", "at night"),
        (r"\color[rgb]{1,1,1}{x}", "by day"),
        (r"\color[RGB]{0,0,0}{x}", "at night"),
        (r"\color[gray]{.95}{x}", "by day"),
        (r"\colorbox{black}{x}", "by day"),
        (r"\colorbox{white}{x}", "at night"),
        (r"\color{nocolour}{x}", "names no colour"),
    ],
)
def test_a_colour_that_vanishes_is_told_with_its_contrast(tex: str, theme: str):
    (problem,) = said(f"${tex}$")
    assert theme in problem and ("contrast" in problem or "no colour" in problem)
    assert faded(tex) is not None


def test_the_themes_are_those_of_the_style_sheet():
    css = (LOOK / "style.css").read_text(encoding="utf-8")
    grounds, inks = (re.findall(rf"--{name}: (#\w+);", css) for name in ("ground", "ink"))
    assert list(THEMES.values()) == list(zip(grounds, inks))
