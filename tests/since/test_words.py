"""Texts of fields held against one another word by word."""

from __future__ import annotations

import pytest

from generator.since.changes import lines
from generator.since.words import marked

CASES = {
    "a word": (
        "<p>so <b>it is</b> cold</p>",
        "<p>so <b>it was</b> cold</p>",
        "<p>so <b>it <del>is</del></b> cold</p>",
        "<p>so <b>it <ins>was</ins></b> cold</p>",
        [],
    ),
    "no mark spans a tag": (
        "<p>a</p><p>b</p>",
        "<p>c d</p><p>e</p>",
        "<p><del>a</del></p><p><del>b</del></p>",
        "<p><ins>c d</ins></p><p><ins>e</ins></p>",
        [],
    ),
    "a number with its unit": (
        "10\u202fGB",
        "12\u202fGB",
        "<del>10\u202fGB</del>",
        "<ins>12\u202fGB</ins>",
        ["10\u202fGB → 12\u202fGB (+20\u202f%)"],
    ),
    "another unit of its kind": (
        "500\u202fMB",
        "1\u202fGB",
        "<del>500\u202fMB</del>",
        "<ins>1\u202fGB</ins>",
        ["500\u202fMB → 1\u202fGB (+100\u202f%)"],
    ),
    "another kind of unit": ("5\u202fs", "5\u202fB", "<del>5\u202fs</del>", "<ins>5\u202fB</ins>", ["5\u202fs → 5\u202fB"]),
    "percents": ("5\u202f%", "6\u202f%", "<del>5\u202f%</del>", "<ins>6\u202f%</ins>", ["5\u202f% → 6\u202f%"]),
    "from nothing": ("0 of", "3 of", "<del>0</del> of", "<ins>3</ins> of", ["0 → 3"]),
    "below nothing": ("−4 of", "−3 of", "<del>−4</del> of", "<ins>−3</ins> of", ["−4 → −3 (+25\u202f%)"]),
    "a formula is one word": ("is \\(a+b\\)", "is \\(a+c\\)", "is <del>\\(a+b\\)</del>", "is <ins>\\(a+c\\)</ins>", []),
    "an entity is one character": ("a &lt; b", "a &gt; b", "a <del>&lt;</del> b", "a <ins>&gt;</ins> b", []),
    "only tags": ("<b>a</b>", "<i>a</i>", "<b>a</b>", "<i>a</i>", []),
    "nothing": ("", "a", "", "<ins>a</ins>", []),
}


@pytest.mark.parametrize(("old", "new", "gone", "come", "numbers"), CASES.values(), ids=CASES)
def test_words(old: str, new: str, gone: str, come: str, numbers: list[str]):
    found = marked(old, new)
    assert (found.old, found.new, list(map(str, found.numbers))) == (gone, come, numbers)


def test_pictures_in_one_place():
    old, new = ('<img class="light" src="a-00000000.svg"><img class="dark" src="b-00000000.svg"> x', '<img class="light" src="c-00000000.svg"> x')
    assert marked(old, new).pictures == (('<img class="light" src="a-00000000.svg">', '<img class="light" src="c-00000000.svg">'),)


def test_masks_are_told_in_words():
    masks = "{{c1::image-occlusion:rect:left=.1:top=.2:width=.3:height=.1:oi=1}}<br>{{c2::image-occlusion:polygon:left=0:top=0:points=0,0 .1,0 0,.1}}"
    assert lines(masks) == ["rect: left .1, top .2, width .3, height .1", "polygon: left 0, top 0, points 0,0 .1,0 0,.1"]
