"""Pictures on their way into a note: a kernel's drawing, or an image file of the author, in; HTML and named media out.

Names carry a hash of the content, so that a changed picture is a changed field, and every picture has a name for a light
card and one for a dark card; the style sheet shows the right one.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kernels.results import Result

SHOWN = ("gif", "jpeg", "jpg", "png", "svg", "webp")  # what every Anki client shows


class Figure(NamedTuple):
    """A drawing as two SVG files, its alt text, and its size in CSS pixels."""

    light: bytes
    dark: bytes
    alt: str
    width: int = 0
    height: int = 0


def figure(result: Result, measured: Result | None = None) -> Figure:
    """The figure of a result, drawn, a prediction's with what was measured. Raises kernels.KernelError where its kernel has none."""
    from kernels.declare import find
    from kernels.plot import draw

    drawing = draw(find(result.kernel), result, measured)
    return Figure(drawing.light, drawing.dark, drawing.alt, drawing.width, drawing.height)


def embed(figure: Figure, slug: str) -> tuple[str, Mapping[str, bytes]]:
    """HTML that shows a figure in either theme, and the two files that it names."""
    light, dark = media_name(slug, "svg", figure.light), media_name(f"{slug}-dark", "svg", figure.dark)
    size = f' width="{figure.width}" height="{figure.height}"' if figure.width and figure.height else ""
    images = _twins(light, dark, figure.alt, size)
    return f'<figure class="fig">{images}</figure>', {light: figure.light, dark: figure.dark}


def picture(path: Path, alt: str) -> tuple[str, Mapping[str, bytes]]:
    """HTML that shows an image file, and the files that it names.

    A file `name.dark.svg` beside `name.svg` is its twin for dark cards; an image without one gets a light plate there.
    """
    light = path.read_bytes()
    slug, extension = path.stem, path.suffix[1:].lower()
    name = media_name(slug, extension, light)
    twin = path.with_name(f"{path.stem}.dark{path.suffix}")
    if not twin.is_file():
        return f'<img class="plate" src="{name}" alt="{escape(alt)}">', {name: light}
    dark = twin.read_bytes()
    dark_name = media_name(f"{slug}-dark", extension, dark)
    return _twins(name, dark_name, alt, ""), {name: light, dark_name: dark}


def find_image(source: str, directory: Path) -> Path | None:
    """The file that an image's path names: relative to the card's folder, or in media/ of the cards' root. None: there is none."""
    roots = [folder for folder in (directory, *directory.parents) if (folder / "deck.yml").is_file()]
    root = (roots[0] if roots else directory).resolve()
    for candidate in (directory / source, root / "media" / source):
        if candidate.is_file() and candidate.resolve().is_relative_to(root):
            return candidate
    return None


def media_name(slug: str, extension: str, content: bytes) -> str:
    """`slug-hash.ext` in lower-case ASCII, at most 120 bytes, never beginning with `_` (Anki would not update it)."""
    plain = unicodedata.normalize("NFKD", slug).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:80].strip("-") or "image"
    return f"{plain}-{hashlib.sha256(content).hexdigest()[:8]}.{extension}"


def _twins(light: str, dark: str, alt: str, size: str) -> str:
    alt = escape(" ".join(alt.split()))
    return "".join(f'<img class="{theme}" src="{name}" alt="{alt}"{size}>' for theme, name in (("light", light), ("dark", dark)))
