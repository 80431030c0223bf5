"""Fields as Anki's editor leaves them, as Markdown: what is written, and that the card shows what the field showed, whatever it was."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("markdownify", reason="markdownify is not installed")
from generator.elsewhere.alike import seen
from generator.elsewhere.from_html import FORMS, converted
from generator.notes import Text
from generator.problems import Place
from generator.read.body import Scope, body
from generator.render import note as rendering

WRITTEN = {
    "a<br>b": "a<br>\nb",
    "<div>a</div><div>b<br></div><div><br></div><div>c</div>": "a<br>\nb\n\nc",
    "x <b>bold</b>, <i>it</i> *star* _u_ a_b $5": "x **bold**, *it* \\*star\\* \\_u\\_ a_b \\$5",
    "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>": "- a\n- b\n  - c",
    "<i>x ==a== ~~b~~</i> %%c%% d[^1] [ ] e [!f] ^[g]": "*x =&#61;a=&#61; &#126;&#126;b~&#126;* %&#37;c%&#37; d&#91;^1] &#91; ] e &#91;!f] ^&#91;g]",
    "1. not a list": "1\\. not a list",
    "<s>old</s> <strike>a <b>b</b></strike> <del>c~d</del>": "~~old~~ ~~a **b**~~ <del>c~d</del>",
    "x^2^ H~2~O ~e~ about ~5": "x&#94;2^ H&#126;2&#126;O &#126;e~ about ~5",
    "<div>: no definition</div>": "\\: no definition",
    "# no heading<br>- no list<br>&gt; no quotation": "\\# no heading<br>\n\\- no list<br>\n&gt; no quotation",
    "H<sub>2</sub>O": "H<sub>2</sub>O",
    r"\(x_1^2 &lt; 3\) and \[\frac{a}{b}\]": r"$x_1^2 < 3$ and $$\frac{a}{b}$$",
    r"[latex]\begin{align*}a\\b\end{align*}[/latex] [$]a[/$] [$$]b[/$$]": r"$$\begin{align*}a\\b\end{align*}$$ $a$ $$b$$",
    r"\(a\)2": r"\(a\)2",
    '<img src="a b.png" alt="two">': "![two](a-b.png)",
    '<font color="#00f">blue</font>': '<span style="color: #00f">blue</span>',
    "<table><tr><th>a</th><th>b</th></tr><tr><td>1|2</td><td>b*</td></tr></table>": "| a | b |\n| --- | --- |\n| 1\\|2 | b\\* |",
    '<pre><code class="language-python">def f(x):\n    return x &lt; 3\n</code></pre>': "```python\ndef f(x):\n    return x < 3\n```",
    "a <code>x*y</code> `tick`": "a `x*y` \\`tick\\`",
    "<b>a<br></b>b": "**a**<br>\nb",
    "w<b> x </b>y": "w **x** y",
    "{{c1::std:<!-- -->:vector::hint}}": "{{c1::std:&#58;vector::hint}}",
    "line1\nline2": "line1 line2",
    "<blockquote>q<br>r</blockquote>": "> q<br>\n> r",
    '<span class="x"><span>y</span></span>': '<span class="x">y</span>',
    "[x](y) [[z]] ![w] [a]: b": "[x]&#40;y) &#91;[z]] !&#91;w] [a]&#58; b",
}
LOST = {
    "<script>x()</script>a": ("a", ["a script was left out"]),
    '<img src="https://example.org/x.png">': (
        "[https://example.org/x.png](https://example.org/x.png)",
        ["https://example.org/x.png is remote, and is linked to instead of shown"],
    ),
    '<b onclick="x()">a</b>': ("**a**", ["the handler onclick was left out"]),
    "<h2>Title</h2>text": ("**Title**\n\ntext", ["a heading became bold text"]),
    '<a href="other.html">there</a>': ("there", ["a link to other.html became text"]),
    '<span style="background: url(x.png)">a</span>': ("a", ["the style 'background: url(x.png)' was left out"]),
    '<iframe src="https://example.org"></iframe>a': ("a", ["a page inside the card was left out"]),
}


def as_markdown(html: str, form: str = FORMS[0], clozes: bool = True):
    return converted(html, form, clozes, lambda name: name.replace(" ", "-") if name.endswith(".png") else None)


def rendered(markdown: str, tmp_path: Path) -> tuple[str, list[str]]:
    """What a card shows of it, and what the compiler says against it."""
    problems: list = []
    scope = Scope("x.md", 1, tmp_path, tmp_path, {}, ())
    body(f"# x {{#xx .none}}\n\n{markdown}\n", scope, problems, [])
    page = rendering._Page(
        SimpleNamespace(note=SimpleNamespace(directory=tmp_path, place=Place("x.md")), results={}), None, lambda code, language: code
    )
    text = Text(markdown, Place("x.md"))
    html = page.finished(rendering._html(text, page, True), text, True)
    return html, [one.message for one in (*problems, *page.problems) if "note type" not in one.message]


@pytest.fixture(scope="module")
def media(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    (folder / "deck.yml").write_text("name: x\n")
    (folder / "a-b.png").write_bytes((Path(__file__).parent / "table" / "dot.png").read_bytes())
    return folder


@pytest.mark.parametrize("html", WRITTEN)
def test_what_is_written(html, media):
    one = as_markdown(html)
    assert one.text == WRITTEN[html]
    assert one.lost == ()
    shown, problems = rendered(one.text, media)
    assert problems == []
    assert seen(shown) == seen(one.shows)


@pytest.mark.parametrize("html", LOST)
def test_what_is_lost_is_said(html, media):
    one = as_markdown(html)
    assert (one.text, list(one.lost)) == LOST[html]
    assert rendered(one.text, media)[1] == []


def test_only_a_cloze_note_has_clozes():
    assert as_markdown("{{c1::a}}", clozes=False).text == "{&#123;c1::a}}"


WORDS = ["a", "b*", "_c_", "#", "1.", "-", "$", "`", "[x](y)", "[[", "\\", "&lt;b&gt;", "&amp;", "|", "!", "~~~", "---", "é\u00a0", "{{", "}}", "::"]
WORDS += ["x^2^", "H~2~O", "~g~", ":", "==m==", "%%c%%", "~~s~~", "[^1]", "^[n]", "[ ]", "[!n]"]  # marks of Obsidian, which on a card are none
INLINE = ["b", "i", "u", "sub", "span", "code", "a", "font", "kbd", "s"]
BLOCKS = ["div", "p", "ul", "ol", "table", "blockquote", "pre", "center", "h3", "dl"]


def field(draw: random.Random, depth: int = 0) -> str:
    """HTML as an editor, a browser's clipboard or an add-on may leave it; some of it is broken."""
    parts = []
    for _ in range(draw.randint(1, 4)):
        kind = draw.random()
        if kind < 0.45 or depth > 3:
            parts.append(" ".join(draw.choices(WORDS, k=draw.randint(1, 4))))
        elif kind < 0.55:
            parts.append(
                draw.choice(
                    ["<br>", "<br><br>", "<hr>", '<img src="a b.png">', r"\(x &lt; y_1\)", "<!-- note -->", "\n", "&nbsp;", "</div>", "<o:p></o:p>"]
                )
            )
        elif kind < 0.75:
            name = draw.choice(INLINE)
            with_it = {"span": ' style="color: red"', "a": ' href="https://example.org/a_(b)"', "font": ' color="red"'}.get(name, "")
            parts.append(f"<{name}{with_it}>{field(draw, depth + 1)}</{name}>")
        else:
            name = draw.choice(BLOCKS)
            inside = field(draw, depth + 1)
            inside = {"ul": f"<li>{inside}</li><li>x</li>", "ol": f"<li>{inside}</li>", "table": f"<tr><td>{inside}</td><td>y</td></tr>"}.get(
                name, inside
            )
            inside = f"<dt>{inside}</dt><dd>z</dd>" if name == "dl" else inside
            parts.append(f"<{name}>{inside}</{name}>")
    return draw.choice(["", " "]).join(parts)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_a_field_holds_the_card_shows_it(seed, media):
    """As Markdown or as HTML; and the last form, plain text, is always sound."""
    draw = random.Random(seed)
    for _ in range(40):
        html = field(draw)
        outcomes = {form: rendered(as_markdown(html, form, False).text, media) for form in FORMS}
        assert outcomes["text"][1] == [], html
        alike = [form for form in FORMS[:2] if not outcomes[form][1] and seen(outcomes[form][0]) == seen(as_markdown(html, form, False).shows)]
        assert alike, html
