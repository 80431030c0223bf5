"""What a medium's name says: whether it is a picture, a sound or a film. And Anki's own `[sound:name]`, as authors write it too."""

from __future__ import annotations

import re

IMAGES = (".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp")
SOUNDS = (".aac", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav")
FILMS = (".3gp", ".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".webm")
KINDS = {"image": IMAGES, "sound": SOUNDS, "film": FILMS}

_KIND = {suffix: kind for kind, suffixes in KINDS.items() for suffix in suffixes}
PLAYS = re.compile(r"\[sound:[ \t]*(?P<path>[^\[\]\n]*?)[ \t]*(?P<close>\]|(?=[\[\n]|\Z))", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
WIDTH = r"\{:?[ \t]*width[ \t]*=[ \t]*[\"']?(?P<width>[\w.%]+)[\"']?[ \t]*\}"
_ASKED = re.compile(rf"(?:\\?\|[ \t]*(?P<bar>[0-9]+(?:x[0-9]+)?(?:px|%)?)|{WIDTH})\Z")
_SIZED = re.compile(rf"!\[(?P<alt>[^\[\]\n]*)\](?P<path>\([ \t]*(?:<[^<>\n]*>|(?:[^\s()]|\([^\s()]*\))+)(?:[ \t][^()\n]*)?\))(?:[ \t]?{WIDTH})?")
_IN_TAG = re.compile(r"(<[^<>]*>)|\[sound:([^\[\]]+)\]")


def kind_of(name: str) -> str:
    """ "image", "sound" or "film", by the suffix; "" for whatever else."""
    return _KIND.get(f".{name.rpartition('.')[2].lower()}", "")


def as_images(text: str) -> str:
    """The text with `![perro](<perro.mp3>)` in place of each `[sound:perro.mp3]`."""

    def written(match: re.Match[str]) -> str:
        stem = match["path"].rpartition("/")[2].rpartition(".")[0]
        return f"![{' '.join(_WORD.findall(stem)) or 'sound'}](<{match['path']}>)"

    return PLAYS.sub(written, text) if "sound:" in text.lower() else text


def parted(alt: str) -> tuple[str, str]:
    """What an image shows, and the width that is asked for behind it: `![plan|300](plan.png)`, `![plan {width=50%}](plan.png)`."""
    found = _ASKED.search(alt.rstrip())
    return (alt[: found.start()].rstrip(), found["bar"] or found["width"]) if found else (alt, "")


def sized(text: str) -> str:
    """The text with each image's width as `{width=300}` right behind it, wherever and however it was written."""

    def written(image: re.Match[str]) -> str:
        alt, width = parted(image["alt"])
        width = width or image["width"]
        return f"![{alt}]{image['path']}" + (f"{{width={width}}}" if width else "")

    return _SIZED.sub(written, text) if "![" in text else text


def players(html: str) -> str:
    """HTML with a player in place of each `[sound:name]` that stands in no tag."""

    def player(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        element = "video" if kind_of(match[2]) == "film" else "audio"
        return f'<{element} controls preload="metadata" src="{match[2]}"></{element}>'

    return _IN_TAG.sub(player, html) if "[sound:" in html else html
