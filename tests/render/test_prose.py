"""Markdown: what is left out for want of a sign would have found nothing."""

from __future__ import annotations

import random

import pytest
from rendering import CASES

from generator.render import prose

ALL = "".join(prose.SIGNS)
PIECES = [
    *(
        "a",
        "b c",
        "*",
        "**",
        "_",
        "__",
        "~~",
        "`",
        "\\",
        "\\*",
        "[",
        "]",
        "(x)",
        "[r]",
        "[r]: https://a.b\n",
        "![",
        "<b>",
        "</b>",
        "<https://x.y>",
        "<a@b.c>",
    ),
    *(
        "&",
        "&amp;",
        "&#39;",
        "\n",
        "\n\n",
        "  \n",
        "    ",
        "\t\n",
        "- ",
        "* ",
        "1. ",
        "> ",
        "| a | b |\n|---|---|\n| c | d |\n",
        "|",
        "<div>",
        "</div>",
    ),
    *("<!-- x -->", "\ue0020\ue003", "# ", "===\n", "---\n", "'", '"', ":", "=", "~", "$", "<", "x_y_z", "\u202f"),
]


def both(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    found = prose.prose(text)
    with monkeypatch.context() as patch:
        patch.setattr(prose, "_markdown", lambda signs, convert=prose._markdown: convert(ALL))
        return found, prose.prose(text)


def test_whatever_is_written(monkeypatch: pytest.MonkeyPatch):
    chance = random.Random(3)
    for _ in range(4000):
        text = "".join(chance.choices(PIECES, k=chance.randint(1, 25)))
        found, whole = both(text, monkeypatch)
        assert found == whole, text


@pytest.mark.parametrize("path", sorted(CASES.glob("good/*.md")), ids=lambda path: path.stem)
def test_the_cases(path, monkeypatch: pytest.MonkeyPatch):
    found, whole = both(path.read_text(encoding="utf-8"), monkeypatch)
    assert found == whole


def test_a_plain_text_is_looked_at_for_little():
    """A name that Python-Markdown has no more would be looked for in vain here too."""
    import markdown

    whole = markdown.Markdown(extensions=["tables", "sane_lists"])
    known = {
        *(
            name
            for registry in (whole.preprocessors, whole.parser.blockprocessors, whole.inlinePatterns, whole.treeprocessors)
            for name in names(registry)
        )
    }
    assert {name for found in prose.SIGNS.values() for name in found} - known <= {
        "em_strong2",
        "struck",
        "broken",
    }  # newer ones do the first with em_strong, and the others are ours


def names(registry) -> list[str]:
    return [entry.name for entry in registry._priority]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("~~two moments~~", "<del>two moments</del>"),
        ("a ~~b~~ c ~~*d*~~", "a <del>b</del> c <del><em>d</em></del>"),
        ("~~over\ntwo lines~~", "<del>over\ntwo lines</del>"),
        (r"\~~no~~ ~one~ ~~ no ~~ ~~~no~~~", "~~no~~ ~one~ ~~ no ~~ ~~~no~~~"),
    ],
)
def test_what_is_struck(text: str, html: str):
    assert prose.prose(text) == f"<p>{html}</p>"
