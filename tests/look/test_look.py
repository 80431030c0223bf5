"""The look: one sample card of each type (tests/look/*.md), measured in Chromium on a phone's page, by day and by night."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import phone
import pytest
from browser import CHROMIUM, browsing
from our_types import note_types
from rendering import CLAIM, FORMULA, MEASURED, draw, rendered, resolved

from generator.look.notetypes import LOOK
from generator.notes import Judged, Option, Rendered, Text
from generator.problems import Place
from generator.read.looks import OCCLUSION
from generator.render.note import render
from generator.show.anki_template import card, masked

SAMPLES = Path(__file__).parent
CSS = (LOOK / "style.css").read_text(encoding="utf-8")
TYPED = {  # what Anki puts in place of [[type:Expected]]
    "front": '<center><input type="text" id="typeans"></center>',
    "back": '<div><code id="typeans"><span class="typeGood">2.</span><span class="typeBad">00</span><br><span id="typearrow">↓</span><br>'
    '<span class="typeGood">2.</span><span class="typeMissed">15</span></code></div>',
}


def sample(key: str) -> Rendered:
    front, *sections = re.split(r"^## (.+)\n", (SAMPLES / f"{key}.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    title, main = front.split("\n", 1)
    fields = {"Front": title[2:], note_types()[key].main: main, **dict(zip(sections[::2], sections[1::2], strict=True))}
    fields = {name: re.sub(r"!\[\[(\w+)(?: (\|) ((?:before|hide): \w+))?\]\]", "\ue000figure:\\1\\2\\3\ue001", text) for name, text in fields.items()}
    claims = tuple(Judged(CLAIM, v, "143 GB" if v else "", "14 times more" if v == "wrong" else "") for v in ("holds", "wrong", "misleading", None))
    results = {"full": FORMULA, "rate": MEASURED, "gone": None}
    more = {"expected": "2.15"} if key == "numeric" else {"options": options(fields)} if key == "choice" else {}
    result, problems = rendered(key, fields, results, claims=claims, missing=("gone",), **more)
    assert result is not None, problems
    return result


def options(fields: dict[str, str]) -> tuple[Option, ...]:
    items = re.findall(r"^- (<span.*?</span>): (.*)", fields["Mistakes"], re.MULTILINE)
    return (Option(fields["Answer"].strip(), None), *(Option(value, Text(said, Place("cards/x.md", 10))) for value, said in items))


def test_the_right_option_may_stand_anywhere():
    """Over ids, each letter is the right one about as often; a fifth option moves none of the four."""
    fields = {"Front": "How much?", "Given": "It.", "Answer": "1 GB", "Mistakes": "- 2 GB: a."}
    found = []
    for number in range(200):
        orders = []
        for count in (4, 5):
            offered = tuple(Option(f"{value} GB", Text("so", Place("cards/x.md", 1)) if value else None) for value in range(count))
            made = resolved("choice", fields, options=offered)
            page = render(made._replace(note=made.note._replace(id=f"note-{number}")), note_types(), draw, [])
            assert page is not None
            orders.append([int(value) for value in re.findall(r"<li>(\d)", page.fields["Options"])])
        assert [value for value in orders[1] if value != 4] == orders[0] and sorted(orders[1]) == [0, 1, 2, 3, 4]
        found.append(orders[0].index(0))
    assert all(30 < found.count(place) < 70 for place in range(4))


# --------------------------------------------------------------------------------- templates and style


def test_ids_follow_from_the_deck_s():
    types = note_types("ML Interviews", 1720310000)
    numbers = {"qa": 1, "trap": 2, "numeric": 3, "cloze": 4, "basic": 5, "reversed": 6, "typed": 7, "choice": 8, "sketch": 9, "occlusion": 10}
    assert {key: kind.id - 1720310000 for key, kind in types.items()} == numbers
    for kind in types.values():
        assert list(kind.fields.values()) == [kind.id * 1000 + number for number in range(1, len(kind.fields) + 1)]
        assert [one.id for one in kind.templates] == [kind.id * 1000 + 101 + number for number in range(len(kind.templates))]
    assert types["qa"].fields["Answer"] == 1720310001004 and types["qa"].name == "ML Interviews: question"


def test_fields_stand_where_they_must():
    types = note_types()
    assert all(next(iter(t.fields)) == "Id" and list(t.fields)[-2:] == ["Spare 1", "Spare 2"] and t.main in t.fields for t in types.values())


def test_templates_are_whole_and_plain():
    for note_type in note_types().values():
        for _, _, front, back in note_type.templates:
            if note_type.key == "occlusion":  # the one that runs a script, which is Anki's own and finds its elements by their ids
                assert all(len(OCCLUSION.findall(side)) == side.count("<script") == 1 for side in (front, back))
                front, back = (re.sub(r' id="(?!answer)[\w-]+"', "", OCCLUSION.sub("", side)) for side in (front, back))
                front = front.replace("{{cloze:Masks}}", "")
            assert "<<" not in front + back and "<%" not in front + back
            assert not re.search(r"<script|https?:|url\(|@import|javascript:|\bon\w+=", front + back + note_type.css)
            assert back.count('<hr id="answer">') == 1 == back.count('id="answer"') and "id=" not in front
            assert "{{Id}}" in back.split("<footer")[1]  # for whoever reports an error
            whole = back.replace("{{FrontSide}}", front)  # with which the app does not play the front's sounds once more
            shown = {name.split(":")[-1] for name in re.findall(r"\{\{([^#^/].*?)\}\}", whole)}
            shown |= {"Options", "Sketch"} & set(re.findall(r"\w+", front))  # which the back has as Mistakes, with the right one, and as Whole
            assert shown == set(note_type.fields) - {"Spare 1", "Spare 2", *note_type.switches}


def test_style_follows_anki_s_theme_alone():
    assert (
        "prefers-color-scheme" not in CSS
        and {"only light", "only dark"} == set(re.findall(r"color-scheme: ([^;]*);", CSS))
        and ".nightMode" in CSS
        and ".night_mode" in CSS
    )


def test_the_mark_under_numbers_is_longhand():
    """An older Safari drops the shorthand whole where it has several values."""
    assert re.findall(r"text-decoration: [^;]+ [^;]+;", CSS) == []
    assert {"line", "style", "color"} <= set(re.findall(r"text-decoration-(\w+)", re.search(r"\.num \{(.*?)\}", CSS)[1]))


def palette(theme: str) -> dict[str, str]:
    block = re.search(r"\.card \{(.*?)\}" if theme == "light" else r"\.card\.nightMode.*?\{(.*?)\}", CSS, re.DOTALL)
    assert block
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block[1]))


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return sum(w * (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4) for w, c in zip((0.2126, 0.7152, 0.0722), channels, strict=True))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_ink_is_legible_on_every_ground(theme: str):
    colours = palette(theme)
    for ink, ground in itertools.product(("ink", "muted", "accent", "amber", "red", "green"), ("ground", "tint")):
        low, high = sorted((luminance(colours[ink]), luminance(colours[ground])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (theme, ink, ground)


def test_figures_have_the_card_s_colours():
    plot = pytest.importorskip("kernels.plot")
    light, dark = palette("light"), palette("dark")
    for name in ("ground", "ink", "muted", "accent", "amber", "red", "green", "hairline"):
        assert getattr(plot, name.upper()) == light[name] and plot.DARK[light[name]] == dark[name]


# ------------------------------------------------------------------------------------- in the browser


def frames() -> dict[str, str]:
    """Every side of every sample in both themes and both apps, *Depth* open: name -> page."""
    pages = {}
    for key, shell, theme in itertools.product(sorted(note_types()), phone.SHELLS, ("light", "dark")):
        note, note_type = sample(key), note_types()[key]
        for name, _, *sides in note_type.templates:
            for side, body in zip(("front", "back"), card(*sides, note.fields), strict=True):
                body = re.sub(r"\[\[type:\w+\]\]", TYPED[side], body).replace("<details>", "<details open>")
                pages[f"{key}-{name} {side} {theme} {shell}"] = phone.page(masked(body), note_type.css, theme, shell)
    return pages


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    folder = tmp_path_factory.mktemp("look")
    for key in note_types():
        for name, content in sample(key).media.items():
            (folder / name).write_bytes(content)
    return phone.measured(folder, frames())


def test_the_page_never_scrolls_sideways(measured: dict[str, dict]):
    assert len(measured) == 8 * sum(len(note_type.templates) for note_type in note_types().values())
    assert {name: (m["page"], m["over"]) for name, m in measured.items() if m["page"] > 360 or m["over"]} == {}


def test_all_text_is_legible(measured: dict[str, dict]):
    assert {name: m["low"] + m["small"] for name, m in measured.items() if m["low"] or m["small"]} == {}
    assert all(m["text"] >= 17 and m["answer"] == 20 for m in measured.values())


def test_the_theme_is_the_card_s_own(measured: dict[str, dict]):
    grounds = {"light": "rgb(251, 250, 247)", "dark": "rgb(22, 24, 28)"}
    assert all(m["body"] == grounds[name.split()[2]] for name, m in measured.items())


def test_one_twin_of_a_figure_shows(measured: dict[str, dict]):
    for name, m in measured.items():
        theme = name.split()[2]
        assert all(shown == (twin == theme) for twin, shown, _ in m["images"]), name
        assert all(loaded for twin, _, loaded in m["images"] if twin == theme), name
    assert sum(len(m["images"]) for m in measured.values()) == 24


# ---------------------------------------------------------------------- what a line's end must not part

SENTENCE = (
    "A run of 16-bit sums takes 5 GB ± 0.3 GB, or ≈ 10–20 % of 2 × 10<sup>9</sup> B; `squeeze(-1)` at < 3 ms is 4 × as fast, "
    "and 3-5 % of `torch.nn.functional.scaled_dot_product_attention(q, k, v)` is under − 2 °C."
)
TABLE = "| way | time |\n|-----|------|\n| the frozen weights of the base | 16 GB |\n| cache | 10–20 GB |\n"
LINES = """(() => {
  const parted = new Set(), text = document.querySelector('#qa .answer > p'), head = document.querySelector('#qa h1');
  const rects = range => new Set([...range.getClientRects()].filter(r => r.width > 1).map(r => Math.round(r.bottom / 12))).size;
  for (const part of [text, head]) for (let width = 130; width < 340; width += 3) {
    part.style.width = width + 'px';
    const nodes = [], walk = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) if (!walk.currentNode.parentElement.closest('code:not(.whole), sup')) nodes.push(walk.currentNode);
    for (const node of nodes) for (const word of node.data.matchAll(/[^ \\n]+/g)) {
      const range = document.createRange();
      range.setStart(node, word.index); range.setEnd(node, word.index + word[0].length);
      if (/[0-9(]/.test(word[0]) && rects(range) > 1) parted.add(word[0]);
    }
    part.style.width = '';
  }
  const size = e => parseFloat(getComputedStyle(e).fontSize), ratio = e => size(e) / size(e.parentElement);
  const table = document.querySelector('#qa table'), cell = table.querySelector('tbody td');
  const long = document.querySelector('#qa code:not(.whole)');
  return {parted: [...parted], codes: [...document.querySelectorAll('#qa .side code.whole')].filter(e => !e.closest('footer')).map(ratio),
    rows: cell.getBoundingClientRect().height, clone: getComputedStyle(long).webkitBoxDecorationBreak || getComputedStyle(long).boxDecorationBreak};
})()"""


def test_no_line_s_end_parts_a_number_and_no_code_breaks_open(tmp_path: Path):
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    fields = {"Front": SENTENCE, "Answer": f"{SENTENCE}\n\n{TABLE}", "Why": "Of `x`."}
    result, problems = rendered("qa", fields)
    assert result is not None, problems
    kind = note_types()["qa"]
    body = card(*kind.templates[0][2:], result.fields)[1]
    (tmp_path / "page.html").write_text(phone.page(body, kind.css, "light"), encoding="utf-8")
    with browsing(tmp_path / "profile") as page:
        page.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=1, mobile=False)
        page.go((tmp_path / "page.html").as_uri())
        seen = page.value(LINES)
    assert seen["parted"] == []
    assert len(seen["codes"]) == 3 and all(0.8 < ratio < 0.9 for ratio in seen["codes"])  # as large as its text lets it be
    assert seen["clone"] == "clone"
    assert seen["rows"] < 40  # a narrow table's text takes the room that there is
