"""Figures and their parts as Chromium paints them: what is left out leaves the rest as it was, pixel by pixel, and a part lies in its box."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator

import pytest
from browser import CHROMIUM, Page, browsing
from test_plot import SHOWN

from kernels import declare, plot

SCALE = 2  # device pixels for each of CSS, as a phone has them at least
DIFFERS = """async (one, other) => {
  const painted = async source => {
    const image = new Image(), canvas = document.createElement('canvas');
    image.src = 'data:image/svg+xml;base64,' + source;
    await image.decode();
    [canvas.width, canvas.height] = [image.naturalWidth * SCALE, image.naturalHeight * SCALE];
    canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
    return [canvas.width, canvas.height, canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data];
  };
  const [wide, high, first] = await painted(one), [otherWide, otherHigh, second] = await painted(other), points = [];
  if (wide !== otherWide || high !== otherHigh) return null;
  for (let at = 0; at < first.length; at += 4)
    if ([0, 1, 2, 3].some(band => first[at + band] !== second[at + band])) points.push([(at / 4) % wide / SCALE, Math.floor(at / 4 / wide) / SCALE]);
  return points;
}""".replace("SCALE", str(SCALE))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with browsing(tmp_path_factory.mktemp("anatomy")) as page:
        yield page


def differing(page: Page, one: bytes, other: bytes) -> list[tuple[float, float]]:
    """The points, in CSS pixels, at which two pictures of one size differ."""
    sources = ", ".join(json.dumps(base64.b64encode(svg).decode()) for svg in (one, other))
    points = page.value(f"({DIFFERS})({sources})")
    assert points is not None
    return [(x, y) for x, y in points]


def near(point: tuple[float, float], part, drawing: plot.Drawing, margin: float) -> bool:
    (left, top, width, height), (x, y) = part.box, point
    across = left * drawing.width - margin <= x <= (left + width) * drawing.width + margin
    return across and top * drawing.height - margin <= y <= (top + height) * drawing.height + margin


@pytest.mark.parametrize("name", ["attention_flops", "attention_memory", "kv_cache", "allreduce_cost"])
def test_the_rest_stays_pixel_by_pixel_in_both_themes(page: Page, name: str):
    kernel = declare.find(name)
    result = kernel(**SHOWN[name])
    whole = plot.draw(kernel, result, with_parts=True)
    series = [part for part in whole.parts if part.kind == "series"]
    labels = [part for part in whole.parts if part.kind == "label"]
    for without, within in (("series", [*series, *labels]), *((part.name, [part, *labels]) for part in series)):
        less = plot.draw(kernel, result, without=without)
        points = differing(page, whole.light, less.light)
        assert points and differing(page, whole.dark, less.dark)
        for point in points + differing(page, whole.dark, less.dark):
            assert any(near(point, part, whole, 6) for part in within), (without, point)  # a mark is wider than its line
    assert not {plot.ACCENT, plot.AMBER} & set(re.findall("#[0-9a-f]{6}", plot.draw(kernel, result, without="series").light.decode()))


@pytest.mark.parametrize("name", ["zero_memory", "quantized_size"])
def test_a_label_lies_in_its_box(page: Page, name: str):
    kernel = declare.find(name)
    result = kernel(**SHOWN[name])
    whole = plot.draw(kernel, result, with_parts=True)
    alone = [part for part in whole.parts if part.kind == "label" and part.name.endswith((", value", ", total"))]
    assert alone
    for part in alone:
        points = differing(page, whole.light, plot.draw(kernel, result, without=part.name).light)
        assert points and all(near(point, part, whole, 1) for point in points), part


def test_a_label_below_its_bar_is_named_by_it_and_ends_where_its_words_do():
    """Its name holds no value, so that it lasts; what stands behind a row's name is not in the name's box."""
    kernel = declare.find("training_memory")
    boxes = {part.name: part for part in plot.draw(kernel, kernel(parameters=70e9), with_parts=True).parts if part.kind == "label"}
    assert [boxes[name].text for name in ("weights", "gradients", "master")] == ["weights 140 GB", "gradients 140 GB", "master"]
    left, _, wide, _ = boxes["total"].box
    assert left + wide + 2 / plot.WIDTH < boxes["total, value"].box[0]


def test_a_mark_may_have_a_name_without_its_value():
    kernel = declare.find("roofline")
    result = kernel(operation="gemv")
    parts = [part for part in plot.draw(kernel, result, with_parts=True).parts if part.kind == "label"]
    assert {part.name: part.text.split()[0] for part in parts} == {"ridge": "ridge", "gemv": "gemv"}
    assert "ridge" not in plot.draw(kernel, result, without="ridge").alt


def test_a_bar_of_nothing_is_no_part():
    kernel = declare.find("training_memory")
    result = kernel(parameters=70e9, master="none")
    assert "master" not in {part.name for part in plot.draw(kernel, result, with_parts=True).parts}
    assert "weights" in plot.draw(kernel, result, without="optimizer").alt
