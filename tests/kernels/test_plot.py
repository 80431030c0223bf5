"""The figures as a phone shows them: 330 px wide, readable in both themes, and the same bytes each time."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from test_worked import WORKED

from kernels import Bound, Series, Spread, anatomy, catalogue, declare, kernel, plot, record
from kernels.results import Result

CARDS = Path(__file__).parents[2] / "cards"

SHOWN = {
    "training_memory": {"parameters": 70e9},
    "model_shape": {"model": "mixtral-8x7b"},
    "zero_memory": {"parameters": 7.5e9, "gpus": 64, "stage": 2},
    "finetune_flops": {"model": "llama-2-70b", "rank": 16},
    "finetune_memory": {"model": "llama-2-70b"},
    "kv_cache": {"model": "llama-3-70b", "tokens": 131072},
    "attention_flops": {"d_model": 4096, "tokens": 2048},
    "attention_memory": {"tokens": 4096},
    "quantized_size": {"model": "llama-2-70b", "bits": 4},
    "allreduce_cost": {"gpus": 64, "size": 1e9, "bandwidth": 50e9, "latency": 1e-5},
    "speculative_speedup": {"acceptance": 0.8, "draft_tokens": 5, "cost_ratio": 0.1},
}


@pytest.fixture(scope="module", params=SHOWN)
def figure(request):
    found = declare.find(request.param)
    return found, found(**SHOWN[request.param]), plot.draw(found, found(**SHOWN[request.param]))


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def seen_by_deuteranope(color: str) -> list[float]:
    """Linear RGB under full deuteranopia (Machado, Oliveira and Fernandes 2009, table 1, severity 1)."""
    rgb = [(int(color[i : i + 2], 16) / 255) ** 2.2 for i in (1, 3, 5)]
    matrix = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))
    return [sum(m * c for m, c in zip(row, rgb)) ** (1 / 2.2) if sum(m * c for m, c in zip(row, rgb)) > 0 else 0.0 for row in matrix]


def test_the_same_bytes_twice(figure):
    found, result, drawing = figure
    assert plot.draw(found, result) == drawing


def test_it_is_a_small_picture_for_a_phone(figure):
    *_, drawing = figure
    head = drawing.light.decode()[:400]
    assert f'width="330" height="{drawing.height}" viewBox="0 0 330 {drawing.height}"' in head
    assert drawing.width == 330 and 60 <= drawing.height <= 400
    assert len(drawing.light) < 40_000 and len(drawing.dark) < 40_000


def test_text_is_at_least_11_px(figure):
    """Glyph outlines come in units of 100 to the em; the scale before them gives the size."""
    *_, drawing = figure
    sizes = {100 * float(size) for size in re.findall(r"scale\((0\.\d+) -", drawing.light.decode())}
    assert sizes and min(sizes) >= 11 and max(sizes) <= 13


def test_nothing_is_loaded_or_run_and_no_date_is_kept(figure):
    *_, drawing = figure
    text = drawing.light.decode()
    assert not re.search(r"<script|<style|<image|<metadata|<!|href=\"[^#]|url\([^#]|\bon\w+=|20\d\d-\d\d", text)
    assert set(re.findall(r"https?://[^\"]+", text)) == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_the_dark_twin_keeps_no_colour_of_the_light_one(figure):
    *_, drawing = figure
    light, dark = (set(re.findall(r"#[0-9a-f]{6}\b", svg.decode())) for svg in (drawing.light, drawing.dark))
    assert light <= set(plot.DARK) and dark == {plot.DARK[color] for color in light}
    assert not dark & set(plot.DARK)
    without = [re.sub(r"#[0-9a-f]{6}\b", "", svg.decode()) for svg in (drawing.light, drawing.dark)]
    assert without[0] == without[1]


def test_everything_lies_inside_the_picture(figure):
    *_, drawing = figure
    for x, y in re.findall(r"translate\((-?[\d.]+) (-?[\d.]+)\)(?= scale)", drawing.light.decode()):
        assert 0 <= float(x) <= 330 and 8 <= float(y) <= drawing.height


@pytest.mark.parametrize("text", ["INK", "MUTED", "ACCENT", "AMBER", "RED", "GREEN"])
def test_text_has_contrast_on_both_grounds(text):
    color = getattr(plot, text)
    assert contrast(color, plot.GROUND) >= 4.5
    assert contrast(plot.DARK[color], plot.DARK[plot.GROUND]) >= 4.5


@pytest.mark.parametrize("fill", sorted({*plot.FILLS, *plot.STROKES}))
def test_text_has_contrast_on_every_fill(fill):
    on = plot._on(fill)
    assert contrast(on, fill) >= 4.5
    assert contrast(plot.DARK[on], plot.DARK[fill]) >= 4.5


@pytest.mark.parametrize("twin", [lambda c: c, plot.DARK.get], ids=["light", "dark"])
def test_neighbouring_fills_differ_to_the_colour_blind(twin):
    fills = plot.FILLS[:4]
    for one, other in itertools.pairwise(fills):
        assert sum((a - b) ** 2 for a, b in zip(seen_by_deuteranope(twin(one)), seen_by_deuteranope(twin(other)))) ** 0.5 > 0.08


def test_the_alt_text_has_the_numbers(figure):
    found, _, drawing = figure
    expected = {
        "training_memory": ["1,120 GB", "weights 140 GB", "optimizer 560 GB"],
        "model_shape": ["46.7B", "experts 45.1B"],
        "zero_memory": ["120 GB", "31.4 GB", "16.6 GB", "1.88 GB"],
        "finetune_flops": ["412 GFLOP/token", "gradient of W 137 GFLOP/token", "LoRA: 276 GFLOP/token"],
        "finetune_memory": ["1,100 GB", "39.7 GB", "85.5 GB GPU"],
        "kv_cache": ["42.9 GB", "weights, 141 GB"],
        "attention_flops": ["half at 49.2k", "72.7 % at 128K"],
        "attention_memory": ["2.22 TB at 128K", "Level: 85.5 GB", "25.6k tokens"],
        "quantized_size": ["138 GB", "36.3 GB"],
        "allreduce_cost": ["ring, over GPUs", "63 GB at 64"],
        "speculative_speedup": ["2.46 times", "break-even 0.33"],
    }
    for words in expected[found.name]:
        assert words in drawing.alt


@pytest.mark.parametrize(
    "value, unit, shown",
    [
        (1.12e12, "B", "1.12 TB"),
        (143e9, "B", "143 GB"),
        (999.6e6, "B", "1 GB"),
        (0, "B", "0 B"),
        (24.93e-6, "s", "24.9 µs"),
        (2.5, "s", "2.5 s"),
        (125, "s", "125 s"),
        (3.35e12, "B/s", "3.35 TB/s"),
        (989e12, "FLOP/s", "989 TFLOP/s"),
        (0.1299, "percent", "13 %"),
        (2.464, "", "2.46"),
        (6738415616, "", "6.74B"),
        (0.00012, "", "0.00012"),
        (-0.427, "", "−0.427"),
        (-1e-4, "", "−0.0001"),
    ],
)
def test_numbers_are_shown_with_three_digits_and_their_unit(value, unit, shown):
    assert plot.show(value, unit).replace("\N{NO-BREAK SPACE}", " ") == shown


@pytest.mark.parametrize(
    "value, shown",
    [(0, "0"), (512, "512"), (1536, "1,536"), (4096, "4K"), (131072, "128K"), (1e4, "10k"), (2.5e6, "2.5M"), (2**20, "1Mi"), (-2, "−2")],
)
def test_ticks_are_short_and_true(value, shown):
    assert plot.tick(value, "") == shown


def made(draw):
    @kernel(kind="formula", outputs={"curve": Series("rows", "B/s")})
    def made_up(top: Annotated[float, Bound(low=0)] = 3e12):
        spread = [None, Spread(1e12, 0.8e12, 1.2e12), Spread(2e12, 1.9e12, 2.1e12), Spread(top, top * 0.9, top)]
        return {"curve": {"rows": [1024, 2048, 4096, 8192], "eager": [0.5e12] * 4, "fused": spread}}

    made_up.figure(draw)
    return made_up, made_up()


def test_lines_show_measured_spread_ceilings_and_gaps():
    def draw(result, ax):
        plot.lines(ax, result["curve"], xlog=True, y_label="rate", labels={"fused": "fused\nTriton"})
        plot.hline(ax, 3.3e12, "copy, 3.3 TB/s")
        plot.vline(ax, 4096, "fits the L2")

    drawing = plot.draw(*made(draw))
    assert "fill-opacity" in drawing.light.decode()
    assert "fused Triton, over rows: from 1 TB/s at 2K to 3 TB/s at 8K." in drawing.alt
    assert "copy, 3.3 TB/s" in drawing.alt


def test_bars_name_their_values_and_their_limit():
    def draw(result, ax):
        plot.bars(ax, {"eager": 1e12, "a fused kernel written in Triton": 3e12}, "B/s", "eager", limit=(3.3e12, "copy bandwidth, 3.3 TB/s"))

    assert plot.draw(*made(draw)).alt == "eager: 1 TB/s; a fused kernel written in Triton: 3 TB/s. Line at 3.3 TB/s: copy bandwidth, 3.3 TB/s."


def test_a_draw_function_may_write_its_own_alt_text():
    assert plot.draw(*made(lambda result, ax: "Nothing at all.")).alt == "Nothing at all."


def test_colours_without_a_dark_twin_are_refused():
    with pytest.raises(declare.KernelError, match="#ff0000, which has no dark twin"):
        plot.draw(*made(lambda result, ax: str(ax.plot([0, 1], color="red"))))


def test_a_silent_figure_and_a_missing_one_are_refused():
    with pytest.raises(declare.KernelError, match="says nothing in words"):
        plot.draw(*made(lambda result, ax: None))
    bare = kernel(kind="formula", outputs={"x": ""})(lambda: {"x": 1})
    with pytest.raises(declare.KernelError, match="has no figure"):
        plot.draw(bare, bare())


def test_each_bar_names_its_parts():
    drawn = []

    def draw(result, ax):
        plot.stacked_bars(ax, {"plain": {"weights": 60, "rest": 40}, "small": {"weights": 6, "rest": 2}}, "B")
        drawn.extend(text.get_text() for text in ax.texts)

    plot.draw(*made(draw))
    assert "weights" in drawn and "rest" in drawn
    assert {"weights 6\N{NO-BREAK SPACE}B", "rest 2\N{NO-BREAK SPACE}B"} <= set(drawn)


@pytest.mark.parametrize("names", [{"x_label": ""}, {"y_label": ""}])
def test_an_axis_without_a_name_is_refused(names):
    with pytest.raises(declare.KernelError, match=f"the {next(iter(names))[0]} axis has no name"):
        plot.draw(*made(lambda result, ax: plot.axes(ax, **{"x_label": "x", "y_label": "y", **names})))


@pytest.mark.parametrize(
    "low, high, shown",
    [
        (1.2, 1.9, {"1.2", "1.4", "1.6", "1.8"}),
        (2, 9, {"3", "5"}),
        (3, 20, {"3", "10"}),
        (1.5, 4, {"2", "3"}),
        (40, 4000, {"100", "1,000"}),
        (1, 1e9, {"10", "1,000", "100k", "10M", "1B"}),
    ],
)
def test_a_log_axis_has_two_ticks_at_least(low, high, shown):
    found = []

    def draw(result, ax):
        ax.plot([1, 2], [low, high])
        ax.set_ylim(low, high)
        plot.axes(ax, "x", y_label="y", ylog=True)
        found.extend(ax.yaxis.get_major_formatter()(v, None) for v in ax.yaxis.get_major_locator()())
        return "A line."

    plot.draw(*made(draw))
    assert len(found) >= 2 and shown & set(found)


# ------------------------------------------------------------------------------- every figure of the library


def results() -> dict[str, Result]:
    """Of each kernel with a figure: formulas at parameters of the tests and the cards, others as recorded. A measurement that waits is left out."""
    given: dict[str, list[dict]] = {name: [parameters] for name, parameters in SHOWN.items()}
    for name, parameters, _ in WORKED:
        given.setdefault(name, []).append(parameters)
    for path in sorted(CARDS.rglob("*.md")):
        front = path.read_text(encoding="utf-8").split("---\n")
        for run in ((yaml.safe_load(front[1]) or {}).get("runs") or {}).values() if not front[0] else ():
            parameters = {name: float(value) if re.fullmatch(r"[\d.]+e\d+", str(value)) else value for name, value in run.items()}
            given.setdefault(parameters.pop("kernel"), []).append(parameters)
    recorded = {path.parent.name: path for path in record.paths()}
    found = {}
    for name in catalogue.names():
        kernel = declare.find(name)
        if kernel.draw is not None and kernel.evaluated:
            needed = {parameter.name for parameter in kernel.parameters.values() if parameter.required}
            found[name] = kernel(**next(one for one in given.get(name, [{}]) if needed <= one.keys()))  # a family's cases give the rest
        elif kernel.draw is not None and name in recorded:
            found[name] = record.from_json(record.read(recorded[name]))
    return found


@pytest.fixture(scope="module")
def drawn() -> dict[str, Any]:
    """Every figure as matplotlib has it once it is drawn: its only axes."""
    kept = {}
    with pytest.MonkeyPatch.context() as patch:
        figures: list[Any] = []
        fit = plot._fit
        patch.setattr(plot, "_fit", lambda figure, **rounds: fit(figure, **rounds) or figures.append(figure))
        for name, result in results().items():
            plot.draw(declare.find(name), result)
            kept[name] = figures[-1].axes[0]
    assert len(kept) > 100
    return {name: ax for name, ax in kept.items() if ax.axison}  # bars have no axes: what they show is written at them


def ticks(axis) -> list[float]:
    low, high = sorted(axis.get_view_interval())
    shown = [v for v in axis.get_major_locator()() if low * (1 - 1e-9) <= v <= high * (1 + 1e-9)]
    return [v for v in shown if axis.get_major_formatter()(v, None)]


def test_every_figure_names_its_axes(drawn):
    for name, ax in drawn.items():
        titles = [text.get_text() for text in ax.texts if getattr(text, "xycoords", "") == "axes fraction" and tuple(text.xy) == (0, 1)]
        assert ax.get_xlabel(), name
        assert any(titles) or not ticks(ax.yaxis), name


def test_every_log_axis_can_be_read(drawn):
    axes = [(name, axis) for name, ax in drawn.items() for axis in (ax.xaxis, ax.yaxis) if axis.get_scale() == "log"]
    assert len(axes) > 40 and [name for name, axis in axes if len(ticks(axis)) < 2] == []


def test_lines_can_be_told_apart_without_colour(drawn):
    """By their dashes or markers: whatever the colours do. A line of two points is a level or a span, with its text on it."""
    for name, ax in drawn.items():
        curves = [line for line in ax.get_lines() if len(line.get_xdata()) > 2]
        seen = [(str(line._dash_pattern), line.get_marker()) for line in curves]
        assert len(set(seen)) == len(seen), (name, seen)


def test_many_small_parts_find_room_for_their_labels():
    def draw(result, ax):
        plot.stacked_bars(ax, {"": {"embeddings": 1, "norms": 1, "router": 0.2, "attention": 2, "experts": 90, "head": 1, "biases": 0.1}}, "B")

    alt = plot.draw(*made(draw)).alt
    assert "router 0.2 B" in alt and "biases 0.1 B" in alt


# ---------------------------------------------------------------------------------------- the parts of a figure


def of_kind(drawing: plot.Drawing, kind: str) -> list[str]:
    return [part.name for part in drawing.parts if part.kind == kind]


def curves(result, ax):
    plot.lines(ax, result["curve"], xlog=True, y_label="rate", labels={"fused": "fused\nTriton"})
    plot.hline(ax, 3.3e12, "copy, 3.3 TB/s")
    plot.mark(ax, 4096, 2e12, "2 TB/s here", where="below")
    plot.mark(ax, 4096, 1e12, "on none")


def test_a_figure_tells_its_parts_and_is_drawn_alike():
    asked = plot.draw(*made(curves), with_parts=True)
    assert dataclasses.replace(asked, parts=()) == plot.draw(*made(curves))
    assert of_kind(asked, "series") == ["eager", "fused Triton"]
    assert of_kind(asked, "label") == ["eager", "fused Triton", "copy, 3.3 TB/s", "2 TB/s here", "on none"]
    assert of_kind(asked, "axis") == ["x title", "x 1K", "x 2K", "x 4K", "x 8K", "y title", "y 0", "y 1", "y 2", "y 3"]
    assert {part.text for part in asked.parts if part.name == "y title"} == {"rate (TB/s)"}
    assert all(0 <= left < left + wide <= 1.00001 and 0 <= top < top + high <= 1.00001 for *_, (left, top, wide, high) in asked.parts)


def test_bars_and_cells_are_parts_too():
    def stacked(result, ax):
        plot.stacked_bars(ax, {"LoRA": {"weights": 90, "adapters": 2}}, "B")

    def cells(result, ax):
        from matplotlib.patches import Rectangle

        for number, fill in enumerate((plot.SKY, plot.STONE, plot.SAND)):
            ax.add_patch(Rectangle((number % 2, number // 2), 0.9, 0.9, facecolor=fill))
        ax.text(0.45, 0.45, "q·k")
        ax.set(xlim=(0, 2), ylim=(2, 0))
        return "Three cells."

    drawing = plot.draw(*made(stacked), with_parts=True)
    assert of_kind(drawing, "bar") == ["LoRA: weights", "LoRA: adapters"]
    assert of_kind(drawing, "label")[:2] == ["LoRA: weights", "LoRA: weights, value"]
    assert of_kind(plot.draw(*made(cells), with_parts=True), "cell") == ["q·k", "row 1, column 2", "row 2, column 1"]


def groups(ax) -> list[anatomy.Group]:
    return [anatomy.Group(*group) for group in plot._kept(ax.figure, "groups")]


def pixels(figure):
    import numpy
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return numpy.asarray(canvas.buffer_rgba()).astype(int)


@pytest.mark.parametrize("name", ["training_memory", "stacked_filters", "ece_floor"])
def test_the_order_in_which_a_figure_is_asked_for_changes_none(name):
    """Whole, without its series, whole again, after another figure: the same bytes as alone."""
    kernel, other = declare.find(name), declare.find("mg1_wait")
    if kernel.evaluated:
        result = kernel(**SHOWN.get(name, {}))
    else:
        result = record.from_json(record.read(next(path for path in record.paths() if path.parent.name == name)))
    alone = plot.draw(kernel, result)
    parts = plot.draw(kernel, result, with_parts=True)
    lacking = plot.draw(kernel, result, without=next(part.name for part in parts.parts if part.kind in ("series", "label")))
    assert plot.draw(kernel, result) == alone and (parts.light, parts.alt) == (alone.light, alone.alt) != (lacking.light, lacking.alt)
    plot.draw(other, other())
    assert plot.draw(kernel, result) == alone


def test_all_series_of_a_figure_go_and_nothing_else_moves(drawn):
    """Of every figure of the library: what differs without its series lies where these and their labels did, by matplotlib's own account."""
    import numpy

    found = 0
    for name, ax in drawn.items():
        figure = ax.figure
        parts = anatomy.parts(figure, groups(ax))
        if not any(part.kind == "series" for part in parts):
            continue
        gone = anatomy.left_out(figure, groups(ax), "series", name)
        whole, boxes = pixels(figure), [artist.get_window_extent(plot._renderer(figure)).padded(5) for artist in gone]
        for artist in gone:
            artist.set_visible(False)
        left, said = pixels(figure), anatomy.what_is_left(figure, groups(ax))
        for artist in gone:
            artist.set_visible(True)
        differs = numpy.abs(whole - left).sum(axis=2) > 0
        high = differs.shape[0]
        for box in boxes:
            differs[max(int(high - box.y1), 0) : int(high - box.y0) + 1, max(int(box.x0), 0) : int(box.x1) + 1] = False
        assert (whole != left).any() and not differs.any(), name
        texts = [part.text for part in parts if part.kind == "label" and len(part.text) > 2]
        levels = [anatomy._text(text) for group in groups(ax) if group.kind == "level" for text in group.artists[1:]]
        axes = [part.text for part in parts if part.kind == "axis"]
        assert [text for text in texts if text in said and not any(text in kept for kept in (*levels, *axes))] == [], (name, said)
        found += 1
    assert found > 60


def drawn_of(drawing: plot.Drawing) -> list[str]:
    """The elements of the SVG, without the ids that count them."""
    return re.sub(r' id="\w+_\d+"', "", drawing.light.decode()).split("\n")


@pytest.mark.parametrize("name", ["attention_flops", "attention_memory", "speculative_speedup"])
def test_a_figure_without_a_part_has_nothing_that_the_whole_one_lacks(name):
    found = declare.find(name)
    result = found(**SHOWN[name])
    whole = plot.draw(found, result, with_parts=True)
    series = of_kind(whole, "series")
    for without in ("series", *series):
        left = plot.draw(found, result, without=without)
        assert (left.width, left.height) == (whole.width, whole.height) and not left.parts
        assert Counter(drawn_of(left)) - Counter(drawn_of(whole)) == Counter()
        assert len(drawn_of(left)) < len(drawn_of(whole)) and left.alt.startswith("To be drawn: ") and f"Shown: {without}" not in left.alt


def test_a_series_takes_what_is_said_of_it_and_leaves_the_others():
    def said(without: str) -> str:
        return plot.draw(*made(curves), without=without).alt

    assert said("series") == "To be drawn: rate (TB/s), 0 to 3 over rows, 1K to 8K. Shown: copy, 3.3 TB/s."
    assert said("fused Triton") == "To be drawn: rate (TB/s), 0 to 3 over rows, 1K to 8K. Shown: eager, copy, 3.3 TB/s, on none."
    assert said("on none").endswith("Shown: eager, fused Triton, copy, 3.3 TB/s, 2 TB/s here.")
    assert said("copy, 3.3 TB/s").endswith("Shown: eager, fused Triton, 2 TB/s here, on none.")


@pytest.mark.parametrize(
    "draw, without, message",
    [
        (lambda result, ax: plot.bars(ax, {"eager": 1e12}, "B/s"), "series", "the figure of made_up has no series"),
        (curves, "fused Tritn", "neither a series nor a label .fused Tritn. .did you mean .fused Triton."),
        (curves, "rows", "neither a series nor a label 'rows'"),
    ],
)
def test_what_a_figure_lacks_cannot_be_left_out(draw, without, message):
    with pytest.raises(declare.KernelError, match=message):
        plot.draw(*made(draw), without=without)
