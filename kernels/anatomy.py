"""The anatomy of a drawn figure: what it is made of, where each part lies, and what goes with a part that is left out.

In: a matplotlib figure that has its final fit. Out: Parts with boxes as fractions of the picture, and artists. What the helpers of `plot` draw
they group themselves; what a draw function draws by hand is told by what it is and by what it touches. Asked for alone: a figure that is
only drawn costs nothing of this.
"""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from kernels.parameters import nearest
from kernels.results import KernelError

SERIES = "series"  # what `without` names where all of them are meant
ALONE = ("mark", "level", "label")  # groups that go as a whole when their label is left out


class Part(NamedTuple):
    """kind: `label` is text on the plot, `axis` a tick's text or an axis' title. name: unique among its kind, and the same while the drawing says the
    same: the series' label, the bar's row and part, else the text. box: left, top, width and height as fractions of the picture's."""

    kind: Literal["label", "series", "cell", "axis", "bar"]
    name: str
    text: str
    box: tuple[float, float, float, float]


class Group(NamedTuple):
    """Artists that stand and fall together. kind: a Part's, or "mark" (a point of interest with its text), "level" (a line across the axes)."""

    kind: str
    name: str
    artists: list[Any]


def parts(figure: Any, groups: Sequence[Group]) -> tuple[Part, ...]:
    """The figure's parts, in the order in which they were drawn, the axes' last. groups: those that the drawing made itself."""
    from matplotlib.backends.backend_svg import RendererSVG

    wide, high = figure.bbox.width, figure.bbox.height
    renderer = RendererSVG(wide, high, io.StringIO(), image_dpi=72)  # whose texts are as wide as those that are printed
    found = []
    for kind, name, text, artists, _ in _pieces(figure, groups):
        boxes = [box for artist in artists if all(map(math.isfinite, (box := _place(artist, renderer)).extents))]
        left, right = max(min((box.x0 for box in boxes), default=0.0), 0.0), min(max((box.x1 for box in boxes), default=0.0), wide)
        bottom, top = max(min((box.y0 for box in boxes), default=0.0), 0.0), min(max((box.y1 for box in boxes), default=0.0), high)
        if right > left and top > bottom:
            box = (left / wide, 1 - top / high, (right - left) / wide, (top - bottom) / high)
            found.append(Part(kind, name, text, tuple(round(float(side), 5) for side in box)))  # type: ignore[arg-type]
    return tuple(found)


class _Piece(NamedTuple):
    """What a Part is made of: the artists that it covers, and the group that they are of."""

    kind: Any
    name: str
    text: str
    artists: list[Any]
    group: Group


def _pieces(figure: Any, groups: Sequence[Group]) -> Iterator[_Piece]:
    """All of a figure, each by a name that no other of its kind has."""
    counts: Counter[tuple[str, str]] = Counter()
    for piece in _all(figure, groups):
        counts[piece.kind, piece.name] += 1
        number = counts[piece.kind, piece.name]
        yield piece._replace(name=f"{piece.name} ({number})") if number > 1 else piece


def _all(figure: Any, groups: Sequence[Group]) -> Iterator[_Piece]:
    every = grouped(figure, groups)
    for group in every:
        texts = [artist for artist in group.artists if _is_text(artist)]
        ink = [artist for artist in group.artists if artist not in texts]  # none, of a bar of nothing
        if group.kind in ("series", "bar", "cell") and ink:
            yield _Piece(group.kind, group.name, " ".join(map(_text, texts)), ink, group)
        if group.kind != "axis":
            yield from (_Piece("label", text.get_label() or _text(text), _text(text), [text], group) for text in texts if _text(text))
    for axis in (group for group in every if group.kind == "axis"):
        for text in _on(axis):
            yield _Piece("axis", f"{axis.name} {'title' if text in axis.artists else _text(text)}", _text(text), [text], axis)


def left_out(figure: Any, groups: Sequence[Group], without: str, of: str) -> list[Any]:
    """The artists that a figure lacks without all its series (SERIES), without one, or without a label, by its name; axes and levels stay.

    A series takes with it what is written of it, its band and each mark that lies on it; all of them, all marks and labels. A mark's or a
    level's label takes the mark or the level. Raises KernelError where there is none such.
    """
    pieces = [piece for piece in _pieces(figure, groups) if piece.kind in ("series", "label")]
    every = grouped(figure, groups)
    if without == SERIES:
        if not any(piece.kind == "series" for piece in pieces):
            raise KernelError(f"the figure of {of} has no series")
        return [artist for group in every if group.kind in ("series", "mark", "label") for artist in group.artists]
    for piece in pieces:
        if piece.name == without and piece.kind == "series":
            marks = [group.artists for group in every if group.kind == "mark"]
            on = [mark for mark in marks if any(_lies_on(mark[0].get_xydata()[0], line) for line in piece.artists)]
            return [artist for artists in (piece.group.artists, *on) for artist in artists]
    for piece in pieces:
        if without in (piece.name, piece.text) and piece.kind == "label":
            return piece.group.artists if piece.group.kind in ALONE else piece.artists
    raise KernelError(f"the figure of {of} has neither a series nor a label {without!r}{nearest(without, dict.fromkeys(p.name for p in pieces))}")


def what_is_left(figure: Any, groups: Sequence[Group]) -> str:
    """The alt text of a figure that lacks a part: axes and texts that are still seen, and nothing of what is drawn."""
    pieces = [piece for piece in _pieces(figure, groups) if piece.artists[0].get_visible()]
    ranges = []
    for letter in "yx":
        title, *ticks = [piece.text for piece in pieces if piece.kind == "axis" and piece.group.name == letter] or [""]
        ranges += [f"{title}, {ticks[0]} to {ticks[-1]}" if ticks else title] * bool(title)
    seen = dict.fromkeys(piece.text for piece in pieces if piece.kind == "label")
    return " ".join([f"To be drawn: {' over '.join(ranges) or 'a part of the figure'}.", *[f"Shown: {', '.join(seen)}."] * bool(seen)])


def grouped(figure: Any, groups: Sequence[Group]) -> list[Group]:
    """The groups that the drawing made, and then those of what was drawn by hand."""
    found = [group._replace(artists=[artist for artist in group.artists if artist is not None]) for group in groups]
    for ax in figure.axes:
        known = {id(artist) for group in found for artist in group.artists}
        lines, bands, patches, texts = (
            [artist for artist in artists if id(artist) not in known and artist.get_visible()]
            for artists in (ax.lines, ax.collections, ax.patches, ax.texts)
        )
        for line in lines:
            across = line.get_transform() != ax.transData  # axhline, axvline
            found.append(Group("level" if across else "series", _own(line), [line]))
        for band in bands:
            same = [group for group in found if group.kind == "series" and _color(group.artists[0]) == _color(band)]
            same[0].artists.append(band) if same else found.append(Group("series", _own(band), [band]))
        found += [Group("cell", _own(patch), [patch]) for patch in patches if patch.get_facecolor()[3] > 0]
        if ax.axison:
            ours = {group.name: group.artists for group in found if group.kind == "axis" and group.artists[0].axes is ax}
            found = [group for group in found if group.kind != "axis" or group.artists[0].axes is not ax]
            found += [Group("axis", name, [axis, *ours.get(name, ()), axis.label]) for name, axis in (("x", ax.xaxis), ("y", ax.yaxis))]
        for text in filter(_text, texts):
            home = next((group for group in found if group.kind in ("series", "cell") and _belongs(text, group, found)), None)
            home.artists.append(text) if home else found.append(Group("label", "", [text]))
    return list(_named(found))


def _named(groups: Sequence[Group]) -> Iterator[Group]:
    """Each with a name: its own, that of the first text that it holds, or its number or its place among its like."""
    cells = [group for group in groups if group.kind == "cell"]
    rows = sorted({round(_middle(cell)[1]) for cell in cells}, reverse=True)
    columns = sorted({round(_middle(cell)[0]) for cell in cells})
    nameless = 0
    for group in groups:
        name = group.name or next((text.get_label() or _text(text) for text in group.artists if _is_text(text)), "")
        if not name and group.kind == "cell":
            x, y = map(round, _middle(group))
            name = f"row {rows.index(y) + 1}, column {columns.index(x) + 1}"
        if not name and group.kind == "series":
            nameless += 1
            name = f"series {nameless}"
        yield group._replace(name=name)


def _middle(group: Group) -> tuple[float, float]:
    box = group.artists[0].get_window_extent()
    return (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2


def _belongs(text: Any, group: Group, groups: Sequence[Group]) -> bool:
    """Whether a text that was written by hand is said of the group: it stands in it, at it, or in its colour, which no other series has."""
    ax, shape = text.axes, group.artists[0]
    anchor = getattr(text, "xy", text.get_position())
    system = getattr(text, "xycoords", "data" if text.get_transform() == ax.transData else "")
    if group.kind == "cell":
        return system == "data" and bool(shape.get_window_extent().contains(*ax.transData.transform(anchor)))
    if system == "data" and _lies_on(anchor, shape):
        return True
    shared = [other for other in groups if other.kind == "series" and _color(other.artists[0]) == _color(text)]
    return shared == [group] and not _is_grey(_color(text))


def _lies_on(point: Any, line: Any) -> bool:
    """Whether a point in data coordinates lies on a line, to three pixels."""
    if not hasattr(line, "get_xydata"):
        return False
    x, y = line.axes.transData.transform(point)
    path = line.axes.transData.transform(line.get_xydata())
    ends = [(*one, *other) for one, other in zip(path, path[1:])] or [(*one, *one) for one in path]
    return any(_distance(x, y, *map(float, end)) <= 3 for end in ends)


def _distance(x: float, y: float, x0: float, y0: float, x1: float, y1: float) -> float:
    long = (x1 - x0) ** 2 + (y1 - y0) ** 2
    along = min(max(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / long, 0), 1) if long else 0.0
    return math.hypot(x0 + along * (x1 - x0) - x, y0 + along * (y1 - y0) - y)


def _color(artist: Any) -> tuple[float, ...]:
    from matplotlib.colors import to_rgb

    if hasattr(artist, "get_color"):
        return to_rgb(artist.get_color())
    return to_rgb([*artist.get_facecolor(), *artist.get_edgecolor()][0])


def _is_grey(color: Sequence[float]) -> bool:
    return max(color) - min(color) < 0.1


def _own(artist: Any) -> str:
    label = str(artist.get_label())
    return "" if label.startswith("_") else " ".join(label.split())


def _is_text(artist: Any) -> bool:
    return hasattr(artist, "get_text")


def _text(artist: Any) -> str:
    return " ".join(artist.get_text().split())


def _on(group: Group) -> Iterator[Any]:
    """An axis' titles and the labels of those of its ticks that are in view."""
    axis, *titles = group.artists
    yield from filter(_text, titles)
    axis.get_majorticklabels()  # brings them up to date
    low, high = sorted(axis.get_view_interval())
    spare = (high - low) * 1e-9
    for tick in axis.get_major_ticks():
        if tick.label1.get_visible() and low - spare <= tick.get_loc() <= high + spare and _text(tick.label1):
            yield tick.label1


def _place(artist: Any, renderer: Any) -> Any:
    """Where an artist leaves ink: a text without the leader that an annotation may have, all else inside its axes where it is clipped there."""
    import numpy as np
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

    if _is_text(artist):
        if hasattr(artist, "update_positions"):
            artist.update_positions(renderer)
        written = artist.get_text()
        if artist.get_ha() == "left":
            artist.set_text(written.rstrip())  # what a blank takes is its neighbour's
        box = Text.get_window_extent(artist, renderer)
        artist.set_text(written)
        return box
    box = artist.get_window_extent(renderer).padded(float(np.max(artist.get_linewidth())) / 2)
    if artist.get_clip_on() and artist.get_clip_box() is not None:
        box = Bbox.intersection(box, artist.get_clip_box()) or Bbox.null()
    return box
