"""What of a picture is hidden does not show through: by pixels, at 360 px, in both themes, with Anki's own script and with the preview's boxes."""

from __future__ import annotations

import base64
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import phone
import pytest
from browser import CHROMIUM, Page, browsing
from our_types import note_types
from rendering import rendered

from generator.notes import Rendered, Text
from generator.problems import Place, Problem
from generator.render import masks
from generator.render.figures import Figure
from generator.show.anki_template import card, masked

SECRETS = {  # theme -> the colours of what is hidden: a rectangle, an ellipse, and of the third card a triangle and a rectangle
    "light": ("#ff0000", "#00c000", "#0000ff", "#0000ff"),
    "dark": ("#ff00ff", "#ffff00", "#00ffff", "#00ffff"),
}
PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" width="330" height="200" viewBox="0 0 330 200">
<path d="M5 195 H325" stroke="#808080" stroke-width="2"/>
<rect x="35" y="42" width="62" height="26" fill="{}"/><ellipse cx="198" cy="60" rx="28" ry="16" fill="{}"/>
<path d="M40 174 L70 110 L100 174 Z" fill="{}"/><rect x="302" y="172" width="26" height="16" fill="{}"/></svg>"""
MASKS = """1. a (rect 0.1 0.2 0.2 0.15): which?
2. b (ellipse 0.5 0.2 0.2 0.2)
3. c (polygon 0.1 0.9, 0.21 0.5, 0.33 0.9)
3. d (rect 0.91 0.85 0.09 0.1)"""
SEEN = """((picture, colours) => new Promise(done => {
  const image = new Image();
  image.onload = () => {
    const canvas = Object.assign(document.createElement('canvas'), {width: image.width, height: image.height}), drawn = canvas.getContext('2d');
    drawn.drawImage(image, 0, 0);
    const data = drawn.getImageData(0, 0, image.width, image.height).data;
    done(colours.map(colour => {
      const [r, g, b] = [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16));
      let count = 0;
      for (let at = 0; at < data.length; at += 4) count += Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 90;
      return count;
    }));
  };
  image.src = picture;
}))"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with browsing(tmp_path_factory.mktemp("profile")) as found:
        yield found


def script() -> Path:
    """Anki's own script for the pages of cards, and its style, which come with its window."""
    found = importlib.util.find_spec("_aqt")
    web = Path((found.submodule_search_locations or [""])[0]) / "data/web" if found else Path()
    if not (web / "js/reviewer.js").is_file():
        pytest.skip("Anki's reviewer.js is not here (pip install --no-deps aqt)")
    return web


def note(folder: Path, **switches: str) -> Rendered:
    for name, theme in (("masked.svg", "light"), ("masked.dark.svg", "dark")):
        (folder / name).write_text(PICTURE.format(*SECRETS[theme]), encoding="utf-8")
    fields = {"Front": "What is it?", "Image": "![Four shapes](masked.svg)", "Masks": MASKS, **switches}
    made, problems = rendered("occlusion", fields, directory=folder)
    assert made is not None, problems
    for name, content in made.media.items():
        (folder / name).write_bytes(content)
    return made


def sides(made: Rendered, drawn: str) -> Iterator[tuple[int, str, str]]:
    """Each card's number, and HTML of its front and back."""
    (template,) = note_types()["occlusion"].templates
    for number in sorted(made.clozes):
        both = card(template.front, template.back, made.fields, number)
        yield number, *(both if drawn == "anki" else map(masked, both))


def seen(page: Page, folder: Path, body: str, theme: str, drawn: str, colours: tuple[str, ...]) -> list[int]:
    """How many pixels have each of the colours, on a phone's page."""
    html = phone.page(body, note_types()["occlusion"].css, theme, "desktop")
    if drawn == "anki":
        web = script()
        head = f'<link rel="stylesheet" href="{(web / "css/reviewer.css").as_uri()}"><script src="{(web / "js/reviewer.js").as_uri()}"></script>'
        html = html.replace("<style>", f"{head}<style>", 1)
    (folder / "page.html").write_text(html, encoding="utf-8")
    page.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=1, mobile=False)
    page.go((folder / "page.html").as_uri())
    if drawn == "anki":
        page.until("document.getElementById('image-occlusion-canvas').width > 300")
    page.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")
    shot = page.call("Page.captureScreenshot")["data"]
    assert base64.b64decode(shot)[:4] == b"\x89PNG"
    return page.value(f"{SEEN}({json.dumps('data:image/png;base64,' + shot)}, {json.dumps(colours)})")


@pytest.mark.parametrize("drawn", ["anki", "preview"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_that_is_hidden_shows_through(theme: str, drawn: str, page: Page, tmp_path: Path):
    other = SECRETS["dark" if theme == "light" else "light"]
    made = note(tmp_path)
    for number, front, back in sides(made, drawn):
        own = [number == 1, number == 2, number == 3, number == 3]
        colours = (*dict.fromkeys(SECRETS[theme]), *dict.fromkeys(other))
        assert seen(page, tmp_path, front, theme, drawn, colours) == [0] * 6, (number, "front")
        found = seen(page, tmp_path, back, theme, drawn, colours)
        assert [count > 300 for count in found] == [*own[:3], False, False, False] and 0 in found[:3], (number, "back", found)
    assert not page.complaints


@pytest.mark.parametrize("drawn", ["anki", "preview"])
def test_one_at_a_time_hides_that_one_alone(drawn: str, page: Page, tmp_path: Path):
    made = note(tmp_path, **{"Hide one": "hide-one"})
    for number, front, back in sides(made, drawn):
        colours = SECRETS["dark"][:3]
        assert [count > 300 for count in seen(page, tmp_path, front, "dark", drawn, colours)] == [number != one for one in (1, 2, 3)]
        assert all(count > 300 for count in seen(page, tmp_path, back, "dark", drawn, colours))


def test_an_anki_that_knows_no_masks_shows_no_picture(page: Page, tmp_path: Path):
    """What is hidden stays hidden where nothing draws the masks; the card says why."""
    _, front, _ = next(iter(sides(note(tmp_path), "anki")))
    html = phone.page(front, note_types()["occlusion"].css, "light", "android")
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    page.go((tmp_path / "page.html").as_uri())
    assert page.value("document.querySelector('#image-occlusion-container img').getBoundingClientRect().height") == 0
    assert "Is your Anki version up to date?" in page.value("document.getElementById('err').innerText")


def test_numbers_are_held_by_what_they_hide(tmp_path: Path):
    made = note(tmp_path)
    assert (made.cards, dict(made.clozes)) == ((0, 1, 2), {1: "a", 2: "b", 3: "c / d"})


# ------------------------------------------------------------------------------------------ the parts of a figure

FIGURES = {  # a stack of bars, lines, cells, an attention's grid: each that draws its texts in another way
    "training_memory": {"parameters": 70e9},
    "kv_cache": {"model": "llama-3-70b", "tokens": 131072},
    "attention_memory": {"tokens": 4096},
    "speculative_speedup": {"acceptance": 0.8, "draft_tokens": 5, "cost_ratio": 0.1},
}
INK = """((whole, without) => Promise.all([whole, without].map(svg => new Promise(done => {
  const image = new Image();
  image.onload = () => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 3 * image.width, height: 3 * image.height});
    const drawn = canvas.getContext('2d');
    drawn.drawImage(image, 0, 0, canvas.width, canvas.height);
    done(drawn.getImageData(0, 0, canvas.width, canvas.height));
  };
  image.src = 'data:image/svg+xml;base64,' + svg;
}))).then(([one, other]) => {
  const box = [1, 1, 0, 0];
  for (let at = 0; at < one.data.length; at += 4) {
    if (![0, 1, 2, 3].some(side => Math.abs(one.data[at + side] - other.data[at + side]) > 3)) continue;
    const x = at / 4 % one.width, y = Math.floor(at / 4 / one.width);
    box[0] = Math.min(box[0], x / one.width); box[2] = Math.max(box[2], (x + 1) / one.width);
    box[1] = Math.min(box[1], y / one.height); box[3] = Math.max(box[3], (y + 1) / one.height);
  }
  return box;
}))"""


@pytest.mark.parametrize("name", FIGURES)
def test_a_mask_covers_all_of_its_label(name: str, page: Page, monkeypatch: pytest.MonkeyPatch):
    """The pixels that go with a label, in either theme, lie under its mask, which is not much larger, or as wide as another."""
    plot, anatomy, declare = (pytest.importorskip(f"kernels.{module}") for module in ("plot", "anatomy", "declare"))
    kernel = declare.find(name)
    result = kernel(**FIGURES[name])
    whole = plot.draw(kernel, result, with_parts=True)
    monkeypatch.setattr(anatomy, "left_out", lambda figure, groups, without, of: faded(figure, without))
    problems: list[Problem] = []
    hide = Text("labels", Place("cards/x.md", 1))
    found = masks.of_figure(hide, None, whole, problems)
    assert not problems and [mask.number for mask in found] == list(range(1, len(found) + 1))
    page.go("about:blank")
    assert len(found) >= 2
    for mask in found[:6]:
        plot._last.clear()  # a figure that was faded is drawn anew
        without = plot.draw(kernel, result, without=mask.name)
        for theme in ("light", "dark"):
            pictures = [base64.b64encode(getattr(drawing, theme)).decode() for drawing in (whole, without)]
            left, top, right, bottom = page.value(f"{INK}({json.dumps(pictures[0])}, {json.dumps(pictures[1])})")
            assert left < right and top < bottom, (mask.name, "no ink")
            x, y, wide, high = mask.numbers
            assert x <= left and y <= top and right <= x + wide and bottom <= y + high, (mask.name, theme)
            alike = any(other is not mask and other.numbers[2] == wide for other in found)
            assert alike or (wide - right + left) * whole.width < 12, (mask.name, theme)
            assert (high - bottom + top) * whole.height < 16, (mask.name, theme)


LABELS = {  # text -> left, top and width in a picture of 100 by 100: at the ends of lines, before bars, and heads of bars with a total behind each
    "RoPE": (0.6, 0.1, 0.1),
    "interpolated": (0.6, 0.3, 0.3),
    "MHA": (0.2, 0.5, 0.2),
    "GQA-8": (0.1, 0.6, 0.3),
    "PPO": (0, 0.7, 0.1),
    "all": (0, 0.9, 0.2),
}


def test_the_length_of_a_mask_does_not_tell_the_word():
    anatomy = pytest.importorskip("kernels.anatomy")
    labels = [anatomy.Part("label", name, name, (left, top, wide, 0.05)) for name, (left, top, wide) in LABELS.items()]
    total = anatomy.Part("label", "PPO, total", "252 GB", (0.13, 0.7, 0.1, 0.05))
    figure = Figure(b"", b"", "", 100, 100, (*labels, total))
    found = masks.of_figure(Text(", ".join(LABELS), Place("cards/x.md", 1)), None, figure, [])
    boxes = {mask.name: tuple(round(side, 5) for side in (mask.numbers[0], mask.numbers[2])) for mask in found}
    assert boxes["RoPE"] == boxes["interpolated"] == (0.58, 0.34)
    assert boxes["MHA"] == boxes["GQA-8"] == (0.08, 0.34)
    assert (boxes["PPO"], boxes["all"]) == ((0, 0.12), (0, 0.22))  # a wider one would hide the total


def test_what_is_hidden_in_several_places_is_said_once():
    places = [masks.Mask(1, f"{row}: gradients", "gradients", "", "rect", (0.1, top, 0.2, 0.1), 0) for row, top in (("a", 0.1), ("b", 0.5))]
    assert masks.asked(places) == "{{c1::gradients::?}}"


def faded(figure: Any, name: str) -> list[Any]:
    """Takes the ink of one label away, and nothing else of the figure."""
    texts = [text for ax in figure.axes for text in ax.texts if (text.get_label() or " ".join(text.get_text().split())) == name]
    assert len(texts) == 1, name
    texts[0].set_alpha(0)
    return []
