"""Draws a kernel's figure: a Result in, two SVG twins (light, dark) and an alt text out.

Made for a phone: 330 CSS px wide, text of 11 px and more, direct labels, no legend, a transparent ground. A kernel's
draw function gets an empty axes and uses the helpers below; one unit of the picture is one CSS pixel.
Apart from the numbers, so that the look can change without running a kernel again. Matplotlib is imported on use.
"""

from __future__ import annotations

import functools
import io
import itertools
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from kernels import defaults, units
from kernels.declare import Kernel
from kernels.results import Curve, KernelError, Result

if TYPE_CHECKING:
    from kernels.anatomy import Part

os.environ["MPLBACKEND"] = "svg"  # which matplotlib asks for when it is imported; one that the shell names may not be there

# Light colour -> its twin on the dark card. The style sheet of the cards uses the same first eight.
GROUND, INK, MUTED, ACCENT, AMBER, RED, GREEN, HAIRLINE = "#fbfaf7", "#1f2328", "#5c636b", "#0b5cad", "#8a5a00", "#b3261e", "#1a6b3c", "#d9d6ce"
SKY, SAND, STONE, MINT, ROSE = "#a8cbea", "#ecd29b", "#cdcac1", "#b5dbc3", "#f3c3bd"  # fills that carry text in INK
DARK = {
    GROUND: "#16181c",
    INK: "#e8e6e1",
    MUTED: "#a3a9b1",
    ACCENT: "#7ab8ff",
    AMBER: "#e5b454",
    RED: "#ff8a80",
    GREEN: "#7fd1a0",
    HAIRLINE: "#3a3f47",
    SKY: "#2b5582",
    SAND: "#6a4e1b",
    STONE: "#4b5159",
    MINT: "#285a3f",
    ROSE: "#7b3a35",
}
STROKES = (ACCENT, AMBER, INK, GREEN, RED, MUTED)  # neighbours differ in lightness too
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1, 1.6)), (0, (5, 1.5, 1, 1.5)), (0, (2.5, 1.5)), (0, (8, 2, 1, 2, 1, 2)))  # apart without colour
FILLS = (STONE, SAND, SKY, ACCENT, MINT, ROSE)

WIDTH, HEIGHT = 330, 200
SMALL, TEXT = 11.0, 12.0  # font sizes in CSS px
STYLE: Any = {
    "figure.dpi": 72,  # one point is one pixel
    "font.family": ["DejaVu Sans"],
    "font.size": SMALL,
    "text.color": INK,
    "text.hinting": "none",
    "text.parse_math": False,
    "axes.facecolor": "none",
    "axes.edgecolor": HAIRLINE,
    "axes.labelcolor": MUTED,
    "axes.labelsize": SMALL,
    "axes.linewidth": 1.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.xmargin": 0.0,
    "axes.unicode_minus": True,
    "axes.prop_cycle": "cycler('color', [" + ", ".join(repr(c) for c in STROKES) + "])",
    "xtick.color": HAIRLINE,
    "ytick.color": HAIRLINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "grid.color": HAIRLINE,
    "grid.linewidth": 0.7,
    "lines.linewidth": 2.0,
    "lines.solid_capstyle": "round",
    "patch.linewidth": 0.0,
    "svg.fonttype": "path",
    "svg.hashsalt": "warpdeck",
    "path.simplify": True,
}


@dataclass(frozen=True)
class Drawing:
    """A figure as SVG for the light and the dark card, what it says in words, and its size in CSS pixels."""

    light: bytes
    dark: bytes
    alt: str
    width: int
    height: int
    parts: tuple[Part, ...] = ()


def draw(kernel: Kernel, result: Result, measured: Result | None = None, without: str = "", with_parts: bool = False) -> Drawing:
    """The figure of a result: one drawing, recoloured for the dark card; the same result gives the same bytes.

    measured: of a prediction, the measurement that stands beside it, for a figure that draws one. without: "series", for all of them, or the name
    of a part that is left out, while all else stays where it is (anatomy.left_out). with_parts: whether the parts of the figure are asked for.

    The alt text is what the kernel's draw function returns, else it is made from what was drawn.
    Raises KernelError where the kernel has no figure, or draws in a colour that has no dark twin.
    """
    defaults.load()
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    if kernel.draw is None:
        raise KernelError(f"{kernel.name} has no figure (give it one with @{kernel.name}.figure)")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        figure, alt = _laid_out(kernel, result, measured)
        said = alt or " ".join(_kept(figure, "said"))
        parts: tuple[Part, ...] = ()
        hidden: list[Any] = []
        if without or with_parts:
            from kernels import anatomy

            groups = [anatomy.Group(*group) for group in _kept(figure, "groups")]
            hidden = [artist for artist in anatomy.left_out(figure, groups, without, kernel.name) if artist.get_visible()] if without else []
            parts = anatomy.parts(figure, groups) if with_parts else ()
        out = io.StringIO()
        try:
            for artist in hidden:
                artist.set_visible(False)
            said = anatomy.what_is_left(figure, groups) if without else said
            FigureCanvasSVG(figure).print_svg(out, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        finally:
            for artist in hidden:
                artist.set_visible(True)
    if not said:
        raise KernelError(f"the figure of {kernel.name} says nothing in words (return the alt text, or draw with the helpers of kernels.plot)")
    width, height = (round(side * 72) for side in figure.get_size_inches())
    light = _slim(out.getvalue(), width, height)
    return Drawing(light.encode(), _recoloured(light, kernel.name).encode(), said, width, height, parts)


def _laid_out(kernel: Kernel, result: Result, measured: Result | None) -> tuple[Any, Any]:
    """The figure with everything in its place and what its draw function gave, the last one again where it is asked for again: a note shows a figure
    with a part left out on its front, and whole on its back."""
    from matplotlib.figure import Figure

    of = (kernel, result, measured)
    if _last and _last[0] == of:
        return _last[1]
    assert kernel.draw is not None
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), facecolor="none", edgecolor="none")
    axes = figure.add_subplot()
    alt = kernel.draw(result, axes, measured) if kernel.draws_measured else kernel.draw(result, axes)
    _fit(figure, rounds=1)  # so that what is placed by the lines is placed near where they will be
    for finish in _kept(figure, "finish"):
        finish()
    _fit(figure)
    _last[:] = [of, (figure, alt)]
    return figure, alt


_last: list[Any] = []  # what was laid out last, and its figure


# ------------------------------------------------------------------------------- what draw functions use


def stacked_bars(
    ax, rows: Mapping[str, Mapping[str, float]], unit: str, limit: tuple[float, str] | None = None, fills: Mapping[str, str] | None = None
) -> None:
    """One horizontal bar a row, cut into its parts; totals and parts are labelled directly, in every row.

    limit: (value, text) of a vertical line, such as the memory of one GPU. fills: part -> colour, else by order.
    """
    from matplotlib.patches import Rectangle

    parts = list(dict.fromkeys(part for row in rows.values() for part in row))
    fills = dict(zip(parts, itertools.cycle(FILLS))) | dict(fills or {})
    totals = {name: sum(row.values()) for name, row in rows.items()}
    largest = max((value for row in rows.values() for value in row.values()), default=0.0)
    span = max([*totals.values(), limit[0] if limit else 0.0]) or 1.0
    px = (WIDTH - 4) / span

    canvas, top, spans = _Canvas(ax), 18.0 if limit else 0.0, []
    for name, row in rows.items():
        head = f"{name}  " if name else "total "
        canvas.text(0, top + 13, head, color=INK if name else MUTED, size=TEXT)
        total = show(totals[name], unit, largest)
        canvas.text(_width(head, TEXT), top + 13, total, color=INK, size=TEXT, weight="bold", label=f"{name}, total" if name else "total, value")
        top += 20
        left, apart = 0.0, []
        for part, value in row.items():
            wide, fill, shown = value * px, fills[part], show(value, unit)
            called = f"{name.rstrip(':')}: {part}" if name else part
            bar = _group(ax, "bar", called)
            if value > 0:
                bar.append(ax.add_patch(Rectangle((left, top), max(wide - 1.5, 0.75), 34, facecolor=fill)))
            if wide >= 8 + max(_width(part, SMALL), _width(shown, SMALL)):
                for text, base, its in ((part, 15, called), (shown, 28, f"{called}, value")):
                    bar.append(canvas.text(left + wide / 2, top + base, text, color=_on(fill), size=SMALL, ha="center", label=its))
            elif value > 0:
                apart.append((left + max(wide - 1.5, 0.75) / 2, f"{part} {shown}", called))
            left += wide
        spans.append((top, top + 34))
        top = _callouts(canvas, apart, top + 34) + 12
        said = ", ".join(f"{part} {show(value, unit)}" for part, value in row.items() if value)
        _say(ax, f"{name or 'Total'}: {show(totals[name], unit, largest)} ({said}).")
    if limit:
        canvas.limit(limit[0] * px, limit[1], spans, RED)
        _say(ax, f"Line at {show(limit[0], unit)}: {limit[1]}.")
    canvas.close(top - 10)


def bars(ax, values: Mapping[str, float], unit: str, highlight: str | None = None, limit: tuple[float, str] | None = None) -> None:
    """One horizontal bar a name, the value at its end; `highlight` names the one that the figure is about.

    limit: (value, text) of a vertical line that the values are held against, such as the copy bandwidth.
    """
    from matplotlib.patches import Rectangle

    room = max(_width(name, TEXT) for name in values) + 10
    beside = room <= 130  # else each name stands above its bar
    left = room if beside else 0.0
    tail = max(_width(show(v, unit), TEXT, "bold") for v in values.values()) + 8
    px = (WIDTH - 4 - left - tail) / (max([*values.values(), limit[0] if limit else 0.0]) or 1.0)

    canvas, top, spans = _Canvas(ax), 18.0 if limit else 0.0, []
    for name, value in values.items():
        if not beside:
            top += 18
        wide, high = max(value * px, 1.0), 20
        canvas.text(left - 10 if beside else 0, top + 14.5 if beside else top - 5, name, color=INK, size=TEXT, ha="right" if beside else "left")
        fill = ACCENT if name == highlight else (SKY if highlight is None else STONE)
        bar = _group(ax, "bar", name, ax.add_patch(Rectangle((left, top), wide, high, facecolor=fill)))
        crossed = limit is not None and left + wide + 2 < left + limit[0] * px < left + wide + 10 + _width(show(value, unit), TEXT)
        start = left + limit[0] * px + 6 if limit and crossed else left + wide + 6
        weight = "bold" if name == highlight else "normal"
        bar.append(canvas.text(start, top + 14.5, show(value, unit), color=INK, size=TEXT, weight=weight, label=f"{name}, value"))
        spans.append((top, top + high))
        top += high + 8
    _say(ax, "; ".join(f"{name}: {show(value, unit)}" for name, value in values.items()) + ".")
    if limit:
        canvas.limit(left + limit[0] * px, limit[1], spans, MUTED)
        _say(ax, f"Line at {show(limit[0], unit)}: {limit[1]}.")
    canvas.close(top - 6)


def lines(
    ax,
    curve: Curve,
    xlog: bool = False,
    ylog: bool = False,
    labels: Mapping[str, str] | None = None,
    unit: str | None = None,
    x_label: str | None = None,
    y_label: str = "",
    highlight: str | None = None,
    zero: bool = True,
) -> None:
    """The lines of a curve, each with its name at its end; the spread of measured points as a band.

    labels: line -> what to write (the line's own name otherwise, "" for none). unit: how to show y, the curve's own
    otherwise ("percent" for shares). highlight: the one line in the accent, the others quiet. zero: y starts at 0.
    Coordinates stay in base units, so that mark and hline take what the kernel computed.
    """
    unit, labels, x_label = curve.unit if unit is None else unit, labels or {}, x_label or curve.x_name.replace("_", " ")
    ends: list[End] = []
    quiet = itertools.cycle(DASHES[1:] if highlight in curve.lines else DASHES)
    for number, (line, points) in enumerate(curve.lines.items()):
        color, dash = STROKES[number % len(STROKES)], DASHES[number % len(DASHES)]
        if highlight is not None:
            color, dash = (ACCENT, "-") if line == highlight else (MUTED, next(quiet))
        given = [(x, p) for x, p in zip(curve.x, points) if p is not None and (not ylog or p.value > 0)]
        if not given:
            continue
        xs, ys = [x for x, _ in given], [p.value for _, p in given]
        (drawn,) = ax.plot(xs, ys, color=color, linestyle=dash, linewidth=2.4 if line == highlight else 2.0, zorder=4 if line == highlight else 3)
        name = labels.get(line, line)
        series = _group(ax, "series", _flat(name) or line, drawn)
        if any(p.low is not None for _, p in given):
            low, high = ([getattr(p, side) if getattr(p, side) is not None else p.value for _, p in given] for side in ("low", "high"))
            series.append(ax.fill_between(xs, low, high, color=color, alpha=0.18, linewidth=0, zorder=2))
        if name:
            ends.append(End(name, color, xs[-1], ys[-1], series))
        path = f"from {show(ys[0], unit)} at {tick(xs[0], curve.x_unit)} to {show(ys[-1], unit)} at {tick(xs[-1], curve.x_unit)}"
        _say(ax, f"{name or line}, over {x_label}: {path}.")
    axes(ax, x_label, curve.x_unit, unit, y_label=y_label, xlog=xlog, ylog=ylog, xs=curve.x)
    if zero and not ylog:
        low, high = ax.get_ylim()
        ax.set_ylim(min(0.0, low if min((end.y for end in ends), default=0.0) < 0 else 0.0), high)
    _kept(ax.figure, "finish").append(lambda: _label_ends(ax, ends))


def axes(
    ax, x_label: str, x_unit: str = "", unit: str = "", y_label: str = "", xlog: bool = False, ylog: bool = False, xs: Sequence[float] = ()
) -> None:
    """Axes in the deck's manner for what was plotted in base units: few ticks, units scaled, y's name above its axis."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

    if not (x_label and y_label):
        raise KernelError(f"the {'y' if x_label else 'x'} axis has no name (give {'y_label' if x_label else 'x_label'})")

    def scale() -> tuple[float, str]:  # asked late: a level drawn afterwards may have moved the axis' end
        return scaled(max(map(abs, ax.get_ylim())), unit)

    if xlog:
        ax.set_xscale("log", base=2 if _binary(xs) else 10)
        _log_ticks(ax.xaxis, 2 if _binary(xs) else 10, 5)
        ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: tick(v, x_unit)))
        ax.set_xlabel(x_label)
    else:
        last = max(map(abs, xs), default=1.0)
        factor, shown = scaled(last, x_unit)
        binary = factor == 1 and last >= 1024 and math.log2(last).is_integer()
        ax.xaxis.set_major_locator(MultipleLocator(last / (4 if last >= 4096 else 2)) if binary else MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: tick(v / factor, "")))
        ax.set_xlabel(f"{x_label} ({shown})" if shown not in ("", "tokens") else x_label)
    if ylog:
        ax.set_yscale("log")
        _log_ticks(ax.yaxis, 10, 5)
        ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: tick(v, unit)))
    else:
        ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: tick(v / scale()[0], "%" if unit == "percent" else "")))
    ax.grid(axis="y")
    ax.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
    title = ax.annotate("", (0, 1), xycoords="axes fraction", xytext=(0, 10), textcoords="offset points", color=MUTED, ha="left", va="bottom")
    _group(ax, "axis", "y", title)

    def name() -> None:
        shown = "" if ylog or unit == "percent" else scale()[1]
        title.set_text(f"{y_label} ({shown})" if shown else y_label)
        title.set_position((-_left(ax), 10))

    _kept(ax.figure, "finish").append(name)


def mark(ax, x: float, y: float, text: str, color: str = INK, where: str = "", name: str = "") -> None:
    """A dot at the point of interest, with its text where nothing is in its way; `where` ("left above", "below") is tried first.

    name: of its label as a part of the figure, where the text holds a value, which may change.
    """
    (dot,) = ax.plot([x], [y], "o", color=color, markersize=8, markeredgecolor=GROUND, markeredgewidth=1.5, zorder=6, clip_on=False)
    sides = [(7, 4), (-7, 4), (7, -4), (-7, -4), (0, 9), (0, -9), (10, 0), (-10, 0), (16, 12), (-16, 12), (16, -12), (-16, -12)]
    wanted = [("right" in where) - ("left" in where), ("above" in where) - ("below" in where)]
    sides.sort(key=lambda side: sum(want != 0 and want * part <= 0 for want, part in zip(wanted, side)))
    label = _float(ax, (x, y), text, color, sides)
    label.set_label(name)
    _group(ax, "mark", name or _flat(text), dot, label)
    _say(ax, f"Marked: {_flat(text)}.")


def hline(ax, y: float, text: str, color: str = MUTED) -> None:
    """A dashed level, such as the memory of one GPU, its text on the line where nothing is in its way."""
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, y), max(high, y * 1.15 if y > 0 else y))
    line = ax.axhline(y, color=color, linewidth=1.2, linestyle=(0, (3, 2)), zorder=2)
    _group(ax, "level", _flat(text), line, _float(ax, (0, y), text, color, [(2, 3), (2, -3)], ("left", "right"), ("axes fraction", "data")))
    _say(ax, f"Level: {_flat(text)}.")


def vline(ax, x: float, text: str, color: str = MUTED) -> None:
    """A dashed line at an x of interest, its text beside the line where nothing is in its way."""
    line = ax.axvline(x, color=color, linewidth=1.2, linestyle=(0, (3, 2)), zorder=2)
    _group(ax, "level", _flat(text), line, _float(ax, (x, 1), text, color, [(5, -1), (-5, -1)], ("top", "bottom"), ("data", "axes fraction")))
    _say(ax, f"Line: {_flat(text)}.")


def height(ax, pixels: int) -> None:
    """Sets the figure's height in CSS pixels (200 otherwise; bars find their own)."""
    ax.figure.set_size_inches(WIDTH / 72, pixels / 72)


# ------------------------------------------------------------------------------------ numbers as shown


def scaled(value: float, unit: str) -> tuple[float, str]:
    """The factor and the name of the unit in which a value of that size reads well: 4.2e10 B -> (1e9, "GB")."""
    if unit == "percent":
        return 0.01, "%"
    if units.counts(unit):
        return 1.0, re.sub(r"^token\b", "tokens", unit)
    return next((size for size in units.sizes(unit) if abs(value) >= size[0] * (1 - 1e-12)), (1.0, units.label(unit)))


def show(value: float, unit: str, like: float | None = None) -> str:
    """A number for reading, three significant digits with its own unit: "1.12 TB", "24.9 µs", "13 %".

    like: a neighbour whose unit is kept where the number is up to ten thousand of it: "1,120 GB" above "560 GB".
    """
    factor, name = scaled(float(f"{value:.3g}"), unit)
    if like:
        shared, its = scaled(like, unit)
        factor, name = (shared, its) if shared < factor <= shared * 1000 and abs(value) < shared * 10_000 else (factor, name)
    if not name:
        return _short(value) if abs(value) >= 1e4 else _digits(value)
    return f"{_digits(value / factor)}\N{NO-BREAK SPACE}{name}"


def tick(value: float, unit: str) -> str:
    """A number at an axis, as short as can be: "4K" (4096, K being 1024), "10k", "2.5M", "100 GB", "40%"."""
    if unit == "%":
        return f"{_digits(value)}%"
    if not units.counts(unit):
        return show(value, unit)
    if value >= 1024 and value % 1024 == 0 and value % 1000:
        return f"{value / 1024:g}K" if value < 2**20 else f"{value / 2**20:g}Mi" if value % 2**20 == 0 else _short(value)
    return _short(value)


def _short(value: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * (1 if size > 1e3 else 10):
            return f"{_digits(value / size)}{letter}"
    return _signed(f"{value:,.0f}") if float(value).is_integer() else _digits(value)


def _digits(value: float) -> str:
    rounded = float(f"{value:.3g}")
    if rounded == 0:
        return "0"
    if abs(rounded) >= 1000 or (rounded.is_integer() and abs(value) >= 100):
        return _signed(f"{rounded:,.0f}")
    if abs(rounded) < 1e-3:
        return _signed(f"{rounded:.2g}")
    return _signed(f"{rounded:.10f}".rstrip("0").rstrip("."))


def _signed(number: str) -> str:
    return number.replace("-", "\N{MINUS SIGN}", 1) if number.startswith("-") else number


# ---------------------------------------------------------------------------------------- inner works


class _Canvas:
    """An axes without axes whose data coordinates are pixels from the top left."""

    def __init__(self, ax) -> None:
        self.ax = ax
        ax.set_axis_off()
        ax.set_xlim(-1, WIDTH - 1)

    def text(self, x: float, y: float, text: str, **style: Any) -> Any:
        return self.ax.text(x, y, text, **style)

    def limit(self, x: float, text: str, spans: Sequence[tuple[float, float]], color: str) -> None:
        """A dashed vertical over each bar, from (top, bottom) to (top, bottom), its text at the picture's upper edge."""
        level = _group(self.ax, "level", _flat(text))
        for top, bottom in spans:
            level += self.ax.plot([x, x], [top - 3, bottom + 3], color=color, linewidth=1.4, linestyle=(0, (3, 2)))
        half = _width(text, SMALL) / 2
        written = self.text(min(max(x, half), WIDTH - 4 - half), 11, text, color=color, size=SMALL, ha="center")
        level.append(written)

    def close(self, bottom: float) -> None:
        total = math.ceil(bottom + 4)
        height(self.ax, total)
        self.ax.set_ylim(total - 1, -1)
        self.ax.set_position([0, 0, 1, 1])
        vars(self.ax.figure)["exact"] = True


def _callouts(canvas: _Canvas, labels: Sequence[tuple[float, str, str]], top: float) -> float:
    """Labels under a bar for parts too narrow to hold theirs, each (x, text, name); returns the y below the last one.

    Each on a leader, or, where these would take more than two lines, all on one in the bar's order.
    """
    groups: list[tuple[float, list[str]]] = []
    for x, text, _ in labels:  # parts whose leaders would run into one another share one
        if groups and x - groups[-1][0] < 8:
            groups[-1][1].append(text)
        else:
            groups.append((x, [text]))
    if not groups:
        return top
    drop, line, count = 6.0, 15.0, len(labels)
    placed = next((p for depth in range(1, count + 1) if (p := _arranged(groups, depth)) is not None), None)
    one, names = ", ".join(text for _, text, _ in labels), iter([name for _, _, name in labels])
    if (placed is None or max(level + len(texts) for (_, texts), (level, *_) in zip(groups, placed)) > 2) and _width(one, SMALL) <= WIDTH - 4:
        canvas.text(0, top + 14, one, color=INK, size=SMALL)
        return top + line + 4
    if placed is None:
        raise KernelError("the bars' labels do not fit beside one another (shorten them)")
    for (x, texts), (level, start, _) in zip(groups, placed):
        label = _group(canvas.ax, "label", "", *canvas.ax.plot([x, x], [top + 1, top + drop + level * line + 1], color=MUTED, linewidth=0.8))
        for row, text in enumerate(texts, level):
            at_right = start + max(_width(t, SMALL) for t in texts) > WIDTH - 5 and len(texts) > 1
            edge = WIDTH - 4 if at_right else start
            its = canvas.text(edge, top + drop + row * line + 12, text, color=INK, size=SMALL, ha="right" if at_right else "left", label=next(names))
            label.append(its)
    return top + drop + line * max(level + len(texts) for (_, texts), (level, *_) in zip(groups, placed))


Spot = tuple[int, float, float]


def _arranged(groups: Sequence[tuple[float, Sequence[str]]], depth: int) -> list[Spot] | None:
    """A (level, left, right) for every group, so that no text meets a text or another's leader; None where there is none."""
    gap = 6.0

    def crosses(x: float, level: int, other: Spot) -> bool:
        return level > other[0] and other[1] - gap / 2 < x < other[2] + gap / 2

    def free(x: float, spot: Spot, lines: int, placed: list[Spot]) -> bool:
        for (other_x, texts), other in zip(groups, placed):
            apart = spot[0] + lines <= other[0] or other[0] + len(texts) <= spot[0]
            if not apart and spot[1] < other[2] + gap and other[1] < spot[2] + gap:
                return False
            if crosses(x, spot[0], other) or crosses(other_x, other[0], spot):
                return False
        return True

    def rest(placed: list[Spot]) -> list[Spot] | None:
        if len(placed) == len(groups):
            return placed
        x, texts = groups[len(placed)]
        wide = max(_width(text, SMALL) for text in texts)
        for level in range(depth - len(texts) + 1):
            for start in (x - wide / 2, x - 4, x + 4 - wide):
                left = min(max(start, 0.0), WIDTH - 4 - wide)
                spot = (level, left, left + wide)
                if free(x, spot, len(texts), placed) and (found := rest([*placed, spot])):
                    return found
        return None

    return rest([])


class End(NamedTuple):
    """What is written at a line's last point: its name, in its colour. series: the artists that the text joins."""

    name: str
    color: str
    x: float
    y: float
    series: list[Any]


def _label_ends(ax, ends: Sequence[End]) -> None:
    """Writes each line's name beside its last point, moved apart where two would touch."""
    spots = sorted(((ax.transData.transform((end.x, end.y))[1], end) for end in ends), key=lambda spot: spot[0])
    heights = [SMALL * 1.25 * (1 + end.name.count("\n")) for _, end in spots]
    wanted = [spot[0] for spot in spots]
    for _ in range(200):
        for i in range(len(wanted) - 1):
            short = (heights[i] + heights[i + 1]) / 2 - (wanted[i + 1] - wanted[i])
            if short > 0.01:
                wanted[i], wanted[i + 1] = wanted[i] - short / 2, wanted[i + 1] + short / 2
    for at, (y_px, end) in zip(wanted, spots):
        spot = {"xytext": (6, at - y_px), "textcoords": "offset points", "ha": "left", "va": "center"}
        label = ax.annotate(end.name, (end.x, end.y), color=end.color, zorder=7, linespacing=1.15, **spot)
        end.series.append(label)
        _kept(ax.figure, "taken").append(label.get_window_extent(_renderer(ax.figure)))


def _float(ax, at: tuple[float, float], text: str, color: str, sides: Sequence[tuple[float, float]], ends=("",), coords: Any = "data") -> Any:
    """A text beside a point, at the first of its possible sides where it meets the fewest lines and texts and leaves the axes least."""
    label = ax.annotate(text, at, xycoords=coords, xytext=sides[0], textcoords="offset points", color=color, zorder=5, linespacing=1.2)
    label.set_bbox({"facecolor": GROUND, "edgecolor": "none", "pad": 0.5})  # so that no grid line runs through it

    def put(side: tuple[float, float], end: str) -> None:
        label.xy = {"right": (1, at[1]), "bottom": (at[0], 0)}.get(end, at)
        across, up = (-side[0] if end == "right" else side[0]), (-side[1] if end == "bottom" else side[1])
        label.set_position((across, up))
        label.set_ha("left" if across > 0 else "right" if across < 0 else "center")
        label.set_va("bottom" if up > 0 else "top" if up < 0 else "center")

    def place() -> None:
        renderer = _renderer(ax.figure)
        taken, (xs, ys), frame = _kept(ax.figure, "taken"), _ink(ax), ax.get_window_extent(renderer)

        def trouble(choice: tuple[tuple[float, float], str]) -> float:
            put(*choice)
            box = label.get_window_extent(renderer)
            outside = max(frame.x0 - box.x0, 0) + max(box.x1 - frame.x1, 0) + max(frame.y0 - box.y0, 0) + max(box.y1 - frame.y1 - 12, 0)
            hit = int(((box.x0 - 2 < xs) & (xs < box.x1 + 2) & (box.y0 - 1 < ys) & (ys < box.y1 + 1)).sum())
            return round(outside + 2 * hit + 100 * sum(box.overlaps(other) for other in taken), 3)

        put(*min(itertools.product(sides, ends), key=trouble))
        taken.append(label.get_window_extent(renderer))

    put(sides[0], ends[0])
    _kept(ax.figure, "finish").append(place)
    return label


def _ink(ax) -> Any:
    """Points in pixels, some three apart, along every line drawn in the axes: their x and their y."""
    import numpy

    found: list[tuple[float, float]] = []
    for line in ax.get_lines():
        path = line.get_transform().transform(line.get_xydata())
        found.extend(map(tuple, path))
        for (x0, y0), (x1, y1) in itertools.pairwise(path):
            steps = int(math.hypot(x1 - x0, y1 - y0) / 3)
            found.extend((x0 + (x1 - x0) * k / steps, y0 + (y1 - y0) * k / steps) for k in range(1, steps))
    return numpy.array(found).reshape(-1, 2).T


def _log_ticks(axis, base: int, most: int) -> None:
    """Powers of the base, every second or third of them where there are many; where there is one or none, steps between them."""
    from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

    low, high = axis.get_view_interval()
    first, last = math.ceil(math.log(low, base) - 1e-9), math.floor(math.log(high, base) + 1e-9)
    step = max(1, math.ceil((last - first + 1) / most))
    ticks = [float(base) ** k for k in range(last, first - 1, -step)][::-1]
    for steps in ((1, 3), (1, 2, 5)):  # two ticks at least, or no scale can be read
        if len(ticks) < 2:
            every = [m * 10.0**k for k in range(first - 1, last + 1) for m in steps]
            ticks = [tick for tick in every if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
    if len(ticks) < 2:
        ticks = [tick for tick in MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(low, high) if low <= tick <= high]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())


def _binary(xs: Sequence[float]) -> bool:
    return len(xs) > 1 and all(x > 0 and math.log2(x).is_integer() for x in xs)


def _left(ax) -> float:
    """How far the tick labels of y reach left of the axes, so that the axis' name begins where they do."""
    return max((_width(ax.yaxis.get_major_formatter()(v, None), SMALL) for v in ax.yaxis.get_major_locator()()), default=0.0) + 3.5


def _fit(figure, rounds: int = 4) -> None:
    """Moves the axes' edges so that everything drawn fits the figure, with a pixel to spare."""
    if vars(figure).get("exact"):
        return
    renderer = _renderer(figure)
    wide, high = (side * 72 for side in figure.get_size_inches())
    edges = figure.subplotpars
    left, right, bottom, top = edges.left, edges.right, edges.bottom, edges.top
    for _ in range(rounds):
        box = figure.get_tightbbox(renderer)
        moves = (2 - box.x0 * 72, wide - 2 - box.x1 * 72, 2 - box.y0 * 72, high - 2 - box.y1 * 72)
        if max(map(abs, moves)) < 1e-6:
            return
        left, right, bottom, top = left + moves[0] / wide, right + moves[1] / wide, bottom + moves[2] / high, top + moves[3] / high
        if right - left < 0.2 or top - bottom < 0.2:
            raise KernelError("the figure's labels leave no room for its axes (shorten them)")
        figure.subplots_adjust(left=left, right=right, bottom=bottom, top=top)


def _renderer(figure):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    return FigureCanvasAgg(figure).get_renderer()


@functools.lru_cache(maxsize=4096)
def _width(text: str, size: float, weight: str = "normal") -> float:
    """The width of a text in pixels, its widest line where it has several."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=size, weight=weight)
    return max(text_to_path.get_text_width_height_descent(line or " ", font, ismath=False)[0] for line in text.split("\n"))


def _on(fill: str) -> str:
    """The colour of text that stands on a fill: the dark fills are the light ones of the other card, so ground answers ink."""
    return INK if fill in (SKY, SAND, STONE, MINT, ROSE, HAIRLINE) else GROUND


def _say(ax, sentence: str) -> None:
    _kept(ax.figure, "said").append(_flat(sentence))


def _group(ax, kind: str, name: str, *artists: Any) -> list[Any]:
    """Artists that belong together, as `anatomy` asks of it; more may be appended."""
    found = list(artists)
    _kept(ax.figure, "groups").append((kind, name, found))
    return found


def _kept(figure, what: str) -> list[Any]:
    return vars(figure).setdefault(f"warpdeck_{what}", [])


def _flat(text: str) -> str:
    return " ".join(text.split())


def _slim(svg: str, width: int, height: int) -> str:
    """The SVG with its size in CSS pixels and without what an image needs not: prolog, metadata, comments, a style sheet, long fractions."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<defs>\s*</defs>", "", svg)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}" height="{height}"'
    svg = re.sub(r"<svg[^>]*>", f'{head} viewBox="0 0 {width} {height}" stroke-linejoin="round">', svg, count=1)
    svg = re.sub(r"\d+\.\d{3,}(?=[^\d])", _rounded, svg)
    return re.sub(r">\s+<", ">\n<", svg).strip() + "\n"


def _rounded(number: re.Match) -> str:
    value = float(number.group())
    return f"{value:.2f}".rstrip("0").rstrip(".") if value >= 1 else f"{value:.4f}".rstrip("0").rstrip(".")


def _recoloured(svg: str, name: str) -> str:
    """Every colour exchanged for its dark twin, in one pass."""

    def twin(found: re.Match) -> str:
        if found.group() not in DARK:
            raise KernelError(f"the figure of {name} uses {found.group()}, which has no dark twin (use the colours that kernels.plot names)")
        return DARK[found.group()]

    return re.sub(r"#[0-9a-f]{6}\b(?!-)", twin, svg)
