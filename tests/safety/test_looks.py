"""What a look of a deck's own may hold: templates, style sheets and names that neither run nor load anything."""

from __future__ import annotations

import pytest
from our_types import note_types

from generator.read.looks import OCCLUSION
from generator.text.safe import in_css, in_name, shown
from generator.text.taken import lost


def test_our_own_templates_hold_what_a_template_may():
    import re

    for kind in note_types().values():
        assert in_css(kind.css) == ""
        for template in kind.templates:
            for side in (template.front, template.back):
                bare = re.sub(r"\{\{[^{}]*\}\}", "", OCCLUSION.sub("", side) if kind.key == "occlusion" else side)
                assert lost(bare, shown(bare)) == [], template.name


@pytest.mark.parametrize(
    "css",
    [
        "@import 'x.css';",
        r"@\69mport 'x.css';",
        "a { background: url(//evil.example/x) }",
        r"a { background: u\72l(//evil.example/x) }",
        "a { background: u/**/rl(//evil.example/x) }",
        "a { background: image-set('//evil.example/x' 1x) }",
        "a { background: -webkit-image-set(url(x) 1x) }",
        "a { background: URL( '_x.png' ) }",
        "a { behavior: url(#x) }",
        "a { content: '</style><script>alert(1)</script>' }",
        r"a { content: '\3c/style>' }",
    ],
)
def test_a_style_sheet_that_loads_or_ends_is_seen(css: str):
    assert in_css(css)


def test_a_style_sheet_of_what_is_packed_is_well():
    assert (
        in_css('@font-face { src: url("_serif-12345678.woff2") } a { mask: url("#m"); color: red } /* url(//x) */ .a::after { content: "\\201c" }')
        == ""
    )


@pytest.mark.parametrize("name", ["<b>", "a<img/src=x>", "&lt;b", "[sound:x.mp3]", "[latex]x", "{{c1::x}}", r"\(x\)", "[$]x[/$]", "[[type:Front]]"])
def test_a_name_that_a_template_would_show_as_markup_is_seen(name: str):
    assert in_name(name)


@pytest.mark.parametrize("name", ["R & D", "a > b", "Größe: 3", "gpu::memory", 'My "best" deck', "[1]", "{x}", "C\\C++"])
def test_other_names_are_well(name: str):
    assert in_name(name) == ""


HELD = [
    "<b>",
    "<h1>",
    '<div class="a" id="x">',
    "<details>",
    '<img src="_logo-12345678.svg">',
    '<a href="https://example.org">',
    "<hr>",
    "<input>",
    "<canvas>",
]
NOT_HELD = [
    "<script>",
    "<style>",
    "<svg>",
    '<b onclick="x">',
    '<a href="javascript:x">',
    '<img src="//x.example/y.png">',
    "<iframe>",
    '<b style="position:fixed">',
    "<meta>",
]


@pytest.mark.parametrize("tag", HELD)
def test_what_a_template_may_hold(tag: str):
    assert lost(tag, shown(tag)) == []


@pytest.mark.parametrize("tag", NOT_HELD)
def test_what_no_template_may_hold(tag: str):
    assert lost(tag, shown(tag))
