"""Numbers beside their signs and units: what may stand at a line's end, and what may not."""

from __future__ import annotations

import re

import pytest

from generator.render.numbers import whole
from kernels import units

# _ stands for a space that does not break, [ ] around what does not break at its hyphen or dash
HELD = [
    "5_GB of 3_%, 7_km/h and 4_°C",
    "16_bits, 70_billion, 5_€, a price of 3_USD",
    "about 4,096_tokens, not 5 as is, a 3 of 4",
    "5_±_0.3_GB and ±_5_%",
    "3_× as fast, but 4 ×_5 ×_6",
    "2_×_10<sup>9</sup>_B",
    "&lt;_10_GB, &gt;_5, ≈_7, ≥_1, a = b, x =_3, −_2",
    '≈_<span class="num">512</span>_tokens',
    "<strong>5</strong>_<em>GB</em>",
    "[10–20]_GB, [3-5]_% or [2-4x] of a [16-bit] sum, [−5–−3]_K",
    "[16-bit]_±_5_%",
    "2021-03-04, gpt-3-8b, llama-3, 1710.03740, section 3-",
    '<img alt="5 GB" title="10-20 s">, <a href="https://x.org/3-5 s">5_s</a>',
    "\ue0041\ue0055\ue007_GB",
    "<td>5_ms</td><td>10 rows</td>",
]


@pytest.mark.parametrize("text", HELD)
def test_what_holds_together(text: str):
    html = text.replace("_", "\u202f").replace("[", '<span class="whole">').replace("]", "</span>")
    assert whole(re.sub(r"[\[\]]", "", text.replace("_", " "))) == html


def test_a_unit_that_the_deck_declares():
    assert whole("3 pages") == "3 pages"
    units.declare(["page"])
    assert whole("3 pages") == "3\u202fpages"


def test_a_line_s_end_in_the_source_parts_nothing():
    assert whole("some 5\nGB") == "some 5\u202fGB"
