"""The files that a card shows or plays: where they lie, whether they are what their names say, and what a phone cannot play.

In: a path as a card names it, relative to the card's folder or to media/ of the deck. Out: what is wrong with it, or a warning.
"""

from __future__ import annotations

import errno
import functools
import os
import re
import zlib
from html import unescape
from pathlib import Path
from unicodedata import normalize

from generator.problems import nearest
from generator.text.media import IMAGES, kind_of
from kernels.files import opened

LARGEST = 100 << 20  # bytes; AnkiWeb's own limit
HEAD = 1 << 14  # bytes in which a file says what it is
UNCOMPRESSED = 1_000_000  # bytes of sound, beyond which compression is worth the trouble

# What files begin with, most telling first: an MP3 may begin with anything.
HEADS = {
    "png": rb"\x89PNG",
    "jpeg": rb"\xff\xd8\xff",
    "gif": rb"GIF8",
    "webp": rb"RIFF....WEBP",
    "wav": rb"RIFF....WAVE",
    "avi": rb"RIFF....AVI ",
    "svg": rb"(?:\xef\xbb\xbf)?\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE\s.*?>\s*)*<(?:\w+:)?svg\b",
    "ogg": rb"OggS",
    "flac": rb"fLaC|ID3.*?fLaC",
    "mp4": rb"....(?:ftyp|moov|mdat|wide|free|skip)",
    "webm": rb"\x1aE\xdf\xa3",
    "mpeg": rb"\x00\x00\x01[\xb0-\xbf]",
    "aac": rb"\xff[\xf0\xf1\xf8\xf9]|ADIF",
    "mp3": rb"ID3|.*?\xff[\xe2\xe3\xf2\xf3\xfa\xfb]",
}
_HEADS = {format: re.compile(head, re.DOTALL) for format, head in HEADS.items()}
_SAME = {
    "jpg": "jpeg",
    "oga": "ogg",
    "opus": "ogg",
    "ogv": "ogg",
    "m4a": "mp4",
    "m4v": "mp4",
    "mov": "mp4",
    "3gp": "mp4",
    "mkv": "webm",
    "mpg": "mpeg",
}
_KIND_OF = {"mp4": ("sound", "film"), "ogg": ("sound", "film"), "webm": ("film",)}

PORTABLE = {"image": "png, jpg", "sound": "mp3 or m4a", "film": "mp4 with H.264 and AAC"}
UNPORTABLE = {".oga", ".ogg", ".opus", ".flac", ".ogv", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".3gp"}  # which an iPhone does not play
_ACTIVE_SVG = re.compile(
    rb"<(?:\w+:)?script|<(?:\w+:)?foreignObject|<!ENTITY|<\?xml-stylesheet|\son[a-z]+\s*=|javascript:|@import"
    rb"|\b(?:href|src)\s*=\s*[\"'](?!\s*(?:#|[\"']|data:image/(?:png|jpeg|gif|webp)[;,]))[^\"']{0,40}"
    rb"|url\(\s*(?:[\"']|&quot;|&apos;)?(?!\s*(?:#|data:(?:image/(?:png|jpeg|gif|webp)|font/|application/(?:x-)?font)))[^)]{0,40}",
    re.IGNORECASE,
)


def address_of(path: str) -> str:
    """The path that an author's `![alt](path)` means."""
    return unescape(path).strip()


def find(path: str, directory: Path, cards: Path) -> Path | None:
    """The file that a card in `directory` names, where it lies in the deck's folder; None: there is none."""
    root = os.path.realpath(cards) + os.sep
    candidates = (directory / path, cards / "media" / path)
    return next((c for c in candidates if os.path.isfile(c) and os.path.realpath(c).startswith(root)), None)


def problem(path: str, directory: Path, cards: Path) -> tuple[str, str] | None:
    """What is wrong with the path of a picture, sound or film as a card in `directory` names it, as (message, hint), or None."""
    address = address_of(path)
    kind = kind_of(address)
    what = kind or "image"
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+:|//", address):
        return f"the {what} {path!r} is remote", "keep a copy in cards/media; a card loads nothing"
    if address.startswith(("/", "\\", "~")) or re.match(r"[a-zA-Z]:", address):
        return f"the {what} path {path!r} is absolute", "write it relative to the card, or to cards/media"
    if any(part.startswith(".") and part.strip(".") for part in re.split(r"[/\\]", address)):
        return f"the {what} {path!r} is hidden", "a name that does not begin with a dot"
    shown = find(address, directory, cards)
    root, candidates = os.path.realpath(cards) + os.sep, [] if shown else [directory / address, cards / "media" / address]
    inside = [c for c in candidates if os.path.realpath(c).startswith(root)]
    if "\\" in address or (shown is None and (not inside or any(os.path.isfile(c) for c in candidates))):
        return f"the {what} path {path!r} leads out of {cards.name}/", f"keep {what}s beside the card or in cards/media"
    if not kind:
        return f"{path!r} is no image, sound or film that Anki shows", f"one of {', '.join(IMAGES)}; .mp3, .mp4 and the like"
    if shown is None:
        if there := next(filter(os.path.lexists, inside), None):
            return f"the {kind} {path!r} cannot be read: {_no_file(there)}", f"put the {kind} itself in its place"
        if any(_composed_otherwise(address, folder) for folder in (directory, cards / "media")):
            return f"the {kind} {path!r} is there, under a name whose accents are apart from their letters (NFD)", "rename it, typing the name anew"
        near = sorted({name for folder in {c.parent for c in inside} for name in _names(folder) if kind_of(name)})
        return f"there is no {kind} {path!r}", nearest(Path(address).name, near) or "a path from the card's folder, or from cards/media"
    twin = shown.with_name(f"{shown.stem}.dark{shown.suffix}")
    dark = kind == "image" and twin.is_file()
    return _content_problem(path, kind, shown) or (
        _content_problem(f"{path.removesuffix(shown.suffix)}.dark{shown.suffix}", kind, twin) if dark else None
    )


def _no_file(path: Path) -> str:
    """What a path leads to that is no file."""
    try:
        opened(path).close()
    except OSError as error:
        return "a broken link" if error.errno == errno.ENOENT else str(error.strerror)
    return "another file took its place meanwhile"


def _composed_otherwise(address: str, folder: Path) -> bool:
    """Whether a file lies there whose path has the same letters. Text is read in the form NFC, names are often in NFD where macOS made them."""
    found: Path | None = folder
    for part in Path(address).parts:
        found = found and next((found / name for name in ("..", *_names(found)) if normalize("NFC", name) == normalize("NFC", part)), None)
    return found is not None and found.is_file()


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (OSError, ValueError):  # none that can be read
        return []


def _content_problem(path: str, kind: str, file: Path) -> tuple[str, str] | None:
    try:
        stat = file.stat()
        return _judged(path, kind, file, stat.st_size, (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino))
    except OSError as error:
        return f"the {kind} {path!r} cannot be read: {error.strerror}", "check its permissions"


@functools.lru_cache(maxsize=1024)  # by all that changes with a file's content: many cards show one picture
def _judged(path: str, kind: str, file: Path, size: int, stat: tuple[int, ...]) -> tuple[str, str] | None:
    format = _format(file)
    if not size:
        return f"the {kind} {path!r} is empty", "save it again"
    if size > LARGEST:
        return f"the {kind} {path!r} has {size / 2**20:.0f} MiB", f"at most {LARGEST >> 20} MiB: AnkiWeb syncs no larger file"
    suffix = file.suffix[1:].lower()
    if kind not in (_KIND_OF.get(format) or (kind_of(f".{format}"),)):
        is_what = f"it is {format}" if format else "its content is of no kind known here"
        return f"the {kind} {path!r} is no {suffix}: {is_what}", "a page that was saved in place of the file?" if not format else ""
    if kind != "image":
        return None
    content = file.read_bytes()
    if format == "svg" and (active := _ACTIVE_SVG.search(content)):
        return f"the image {path!r} holds {active.group().decode('ascii', 'replace').strip()}", "an SVG carries no scripts and loads nothing"
    if fault := _FAULT[format](content):
        return f"the image {path!r} {fault}", "save or download it again"
    return None


# -------------------------------------------------------------------------------- pictures that would not show


def _png_fault(content: bytes) -> str:
    at, sort = 8, b""
    while sort != b"IEND":
        head = content[at : at + 8]
        size, sort = int.from_bytes(head[:4], "big"), head[4:]
        end = at + 12 + size
        if len(head) < 8 or end > len(content):
            return _CUT
        if zlib.crc32(memoryview(content)[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end], "big"):
            return f"is damaged in its part {sort.decode('ascii', 'replace')!r}"
        at = end
    return ""


def _jpeg_fault(content: bytes) -> str:
    at = 2
    while content[at : at + 1] == b"\xff" and content[at + 1 : at + 2] != b"\xda":  # segments, and in one perhaps a small picture of its own
        at += 1 if content[at + 1 : at + 2] == b"\xff" else 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return "" if content.rfind(b"\xff\xd9") > at else _CUT


def _gif_fault(content: bytes) -> str:
    def table(packed: int) -> int:
        return 6 << (packed & 7) if packed & 128 else 0

    try:
        at = 13 + table(content[10])
        while content[at] != 0x3B:  # an extension, or an image; and the blocks of either
            at += 2 if content[at] == 0x21 else 11 + table(content[at + 9])
            while content[at]:
                at += 1 + content[at]
            at += 1
    except IndexError:
        return _CUT
    return ""


def _webp_fault(content: bytes) -> str:
    return "" if len(content) >= 8 + int.from_bytes(content[4:8], "little") else _CUT


def _svg_fault(content: bytes) -> str:
    from xml.parsers import expat

    names: list[str] = []
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, attributes: names.append(name)
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        return f"is broken on its line {error.lineno}: {expat.ErrorString(error.code)}"
    return "" if names[0] == "http://www.w3.org/2000/svg svg" else 'lacks xmlns="http://www.w3.org/2000/svg" in its <svg>, and would show nothing'


_CUT = "is cut off: its end is missing"
_FAULT = {"png": _png_fault, "jpeg": _jpeg_fault, "gif": _gif_fault, "webp": _webp_fault, "svg": _svg_fault}


def warning(path: str, directory: Path, cards: Path) -> tuple[str, str] | None:
    """What a learner's phone makes of a file that is there, as (message, hint), or None where it is at ease with it."""
    file = find(address_of(path), directory, cards)
    if file is None:
        return None
    suffix, kind = file.suffix.lower(), kind_of(file.name)
    format = _format(file)
    if format != _SAME.get(suffix[1:], suffix[1:]):
        right = "m4a" if (kind, format) == ("sound", "mp4") else format
        return f"the {kind} {path!r} is {right} by its content", f"rename it to {file.stem}.{right}"
    if suffix in UNPORTABLE:
        return f"the {kind} {path!r} is {suffix[1:]}, which an iPhone does not play", f"{PORTABLE[kind]} plays everywhere"
    if suffix == ".wav" and (size := file.stat().st_size) > UNCOMPRESSED:
        return f"the sound {path!r} is {size / 1e6:.1f} MB of wav, which is not compressed", "mp3 or m4a takes a tenth of it"
    return None


def _format(file: Path) -> str:
    with file.open("rb") as opened:
        head = opened.read(HEAD)
    return next((format for format, pattern in _HEADS.items() if pattern.match(head)), "")
