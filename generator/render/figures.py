"""Media on their way into a note: a kernel's drawing, or a picture, sound or film of the author, in; HTML and named media out.

Names carry a hash of the content, so that a changed picture is a changed field, and every picture has a name for a light
card and one for a dark card; the style sheet shows the right one.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from generator.text.media import kind_of

if TYPE_CHECKING:
    from kernels.anatomy import Part
    from kernels.results import Result


class Figure(NamedTuple):
    """A drawing as two SVG files, its alt text, its size in CSS pixels, and its parts where they were asked for."""

    light: bytes
    dark: bytes
    alt: str
    width: int = 0
    height: int = 0
    parts: Sequence[Part] = ()


Draw = Callable[..., Figure]  # `figure`, or what keeps its figures


def figure(result: Result, measured: Result | None = None, without: str = "", with_parts: bool = False) -> Figure:
    """The figure of a result, drawn, a prediction's with what was measured, whole or without what plot.draw may leave out.

    Raises kernels.KernelError where its kernel has none, or the figure no such part.
    """
    from kernels.remote import find

    drawing = find(result.kernel).drawn(result, measured, without, with_parts)
    return Figure(drawing.light, drawing.dark, drawing.alt, drawing.width, drawing.height, drawing.parts)


def embed(figure: Figure, slug: str) -> tuple[str, Mapping[str, bytes]]:
    """HTML that shows a figure in either theme, and the two files that it names."""
    light, dark = media_name(slug, "svg", figure.light), media_name(f"{slug}-dark", "svg", figure.dark)
    size = f' width="{figure.width}" height="{figure.height}"' if figure.width and figure.height else ""
    images = _twins(light, dark, figure.alt, size)
    return f'<figure class="fig">{images}</figure>', {light: figure.light, dark: figure.dark}


def player(path: Path, alt: str, bare: bool) -> tuple[str, Mapping[str, bytes]]:
    """Anki's tag for a sound or film, which every app turns into a player, and the file that it names. bare: without its alt text."""
    content = path.read_bytes()
    name = media_name(path.stem, path.suffix[1:].lower(), content)
    tag = f"[sound:{name}]"
    said = _attribute(alt).replace("}}", "}&#125;").replace("::", ":&#58;")  # it may stand in a cloze
    return tag if bare else f'<span class="{kind_of(name)}" role="group" aria-label="{said}">{tag}</span>', {name: content}


def picture(path: Path, alt: str, width: str = "") -> tuple[str, Mapping[str, bytes]]:
    """HTML that shows an image file, and the files that it names. width: in CSS pixels, or in % of the card's.

    A file `name.dark.svg` beside `name.svg` is its twin for dark cards; an image without one gets a light plate there.
    """
    slug, extension = path.stem, path.suffix[1:].lower()
    settled = _settled if extension == "svg" else lambda content, theme: content
    light = settled(path.read_bytes(), "light")
    name = media_name(slug, extension, light)
    size = f' width="{width.removesuffix("px")}"' if width else ""
    twin = path.with_name(f"{path.stem}.dark{path.suffix}")
    if not twin.is_file():
        return f'<img class="plate" src="{name}" alt="{escape(alt)}"{size}>', {name: light}
    dark = settled(twin.read_bytes(), "dark")
    dark_name = media_name(f"{slug}-dark", extension, dark)
    return _twins(name, dark_name, alt, size), {name: light, dark_name: dark}


def _settled(content: bytes, theme: str) -> bytes:
    """The picture; of an SVG that goes by the theme itself, the look that it has in this one: what it asks is the system, not the card."""
    if not _THEMED.search(content):
        return content
    content = _SCHEME.sub(f"color-scheme: only {theme}".encode(), content)
    return _PREFERS.sub(lambda asked: b"(min-width: 0)" if asked[1].lower() == theme.encode() else b"(max-width: 0)", content)


_THEMED = re.compile(rb"color-scheme\s*:", re.IGNORECASE)
_SCHEME = re.compile(rb"(?<![\w-])color-scheme\s*:[^;}\"'<>]*", re.IGNORECASE)
_PREFERS = re.compile(rb"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)


def cards_of(directory: Path) -> Path:
    """The folder of the deck that a card in `directory` belongs to."""
    return next((folder for folder in (directory, *directory.parents) if (folder / "deck.yml").is_file()), directory)


def media_name(slug: str, extension: str, content: bytes) -> str:
    """`slug-hash.ext` in lower-case ASCII, at most 120 bytes, never beginning with `_` (Anki would not update it)."""
    plain = unicodedata.normalize("NFKD", slug).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:80].strip("-") or "image"
    return f"{plain}-{hashlib.sha256(content).hexdigest()[:8]}.{extension}"


def _twins(light: str, dark: str, alt: str, size: str) -> str:
    return "".join(f'<img class="{theme}" src="{name}" alt="{_attribute(alt)}"{size}>' for theme, name in (("light", light), ("dark", dark)))


def _attribute(text: str) -> str:
    return escape(" ".join(text.split()))
