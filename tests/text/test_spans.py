"""Spans: where code, math and raw HTML lie, one row for each rule."""

from __future__ import annotations

import random

import pytest
from workshop import cpu

from generator.text.spans import SpanError, line_of, scan, spans

ROWS = [
    ("plain text", []),
    ("a $x^2$ b", [("math", "$x^2$")]),
    ("it costs $5, or $6", []),
    ("$5 and $x$", [("math", "$x$")]),
    ("US$ 5 and 5$ or (5$)", []),
    ("$x $ and $y$2", None),
    (r"\$x$ ", []),
    (r"$a \$ b$", [("math", r"$a \$ b$")]),
    ("$$\nx\n$$", [("math", "$$\nx\n$$")]),
    (r"\(x\) \[y\]", [("math", r"\(x\)"), ("math", r"\[y\]")]),
    (r"\(a \\) b\)", [("math", r"\(a \\) b\)")]),
    (r"\\(x) \[[not math]]", []),
    ("`$x` $y$", [("code", "`$x`"), ("math", "$y$")]),
    ("$a`b$ `c$`", [("math", "$a`b$"), ("code", "`c$`")]),
    ("`` a ` b `` `", [("code", "`` a ` b ``")]),
    ("a ` b\n\nc ` d", []),
    ("- a ` b\n- c ` d", []),
    ("a ` b\n# c ` d", []),
    ("```py\n# x\n```\nb", [("fence", "```py\n# x\n```\n")]),
    ("~~~ a`b\n```\n~~~~", [("fence", "~~~ a`b\n```\n~~~~")]),
    ("````\n```\n````", [("fence", "````\n```\n````")]),
    ("- a\n\n    ```\n    x\n    ```\n", [("fence", "    ```\n    x\n    ```\n")]),
    ("```a```", [("code", "```a```")]),
    ("<b>x</b>", [("html", "<b>"), ("html", "</b>")]),
    ("<!-- # $\n\n` -->x", [("html", "<!-- # $\n\n` -->")]),
    ("<pre>\n$ x `\n</pre> <code>$</code>", [("html", "<pre>\n$ x `\n</pre>"), ("html", "<code>$</code>")]),
    ('<a title="a>b">', [("html", '<a title="a>b">')]),
    ("a < b and c > d, 1<2", []),
    ("<https://a.b/$c$> <a@b.org> $c$", [("math", "$c$")]),
    ("[[ a.b <c and d> e | $x ]]", []),
    ("[[ a.at('x')[0] | GB ]] `[[b]]`", [("code", "`[[b]]`")]),
]


@pytest.mark.parametrize(("text", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_spans(text, expected):
    if expected is None:
        with pytest.raises(SpanError):
            spans(text)
        return
    assert [(s.kind, text[s.start : s.end]) for s in spans(text) if s.kind != "text"] == expected


def test_the_info_of_a_fence():
    assert [s.info for s in spans("```python computed\nx\n```\n")] == ["python computed"]


UNCLOSED = [
    ("a\n\n```\nb", 3, "the code fence ``` is not closed"),
    ("~~~\nb\n```", 0, "the code fence ~~~ is not closed"),
    ("x $$ y\n\nz $$", 2, "the math $$ is not closed in its paragraph"),
    (r"x \( y", 2, r"the math \( is not closed in its paragraph"),
    (r"x \[ y", 2, r"the math \[ is not closed in its paragraph"),
    ("the $x is open", 4, "the math $ is not closed in its paragraph"),
    ("a <!-- b", 2, "the comment <!-- is not closed"),
    ("> ```\n> x\n> ```", 0, "a code fence stands behind a list mark or in a quotation"),
]


@pytest.mark.parametrize(("text", "offset", "message"), UNCLOSED, ids=[row[2] for row in UNCLOSED])
def test_what_does_not_close(text, offset, message):
    with pytest.raises(SpanError) as raised:
        spans(text)
    assert (raised.value.offset, raised.value.message) == (offset, message)


def test_spans_cover_any_text():
    pieces = [
        "`",
        "```\n",
        "$",
        "$$",
        "\\(",
        "\\)",
        "\\",
        "<b>",
        "<!--",
        "-->",
        "[[",
        "]]",
        "\n",
        "\n\n",
        "# ",
        "x",
        " ",
        "- ",
        "<pre>",
        "</pre>",
        "5",
        "~~~\n",
    ]
    chance = random.Random(7)
    for _ in range(3000):
        text = "".join(chance.choices(pieces, k=chance.randint(0, 40)))
        found, _ = scan(text)
        assert "".join(text[s.start : s.end] for s in found) == text
        assert [s.start for s in found[1:]] == [s.end for s in found[:-1]]


@pytest.mark.parametrize("unit", ["`", "$", "$a ", "\\(", "<!--", "<b ", "[[a [", "<a \"'", "~~~\n", "`a``b", "<code>", "<pre>\n", "```\n~~~~\n"])
def test_no_text_takes_quadratic_time(unit):
    """Eight times as much takes about eight times as long, not sixty-four times."""
    little, much = (unit * (size // len(unit)) for size in (50_000, 400_000))
    assert cpu(lambda: scan(much), times=1) < 24 * max(cpu(lambda: scan(little)), 0.001)


def test_line_of():
    assert [line_of("a\nb\n", offset) for offset in (0, 1, 2, 4)] == [1, 1, 2, 3]
