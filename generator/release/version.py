"""The version of a release: numbers joined by dots, each release a greater one; and the line of deck.yml that says it.

In: what was asked for, the versions that were released, deck.yml. Out: problems, and the text of deck.yml with that version.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from generator.problems import DeckError, Place, Problem
from generator.read import yaml

VERSION = re.compile(r"\d{1,9}(\.\d{1,9})*", re.ASCII)
LINE = re.compile(r"^(version[ \t]*:[ \t]*)(\"[^\"\n]*\"|'[^'\n]*'|[^\s#\"'][^#\n]*?)?([ \t]*(?:#[^\n]*?)?\r?)$", re.MULTILINE)


def unfit(version: str, released: Collection[str], last: str, place: Place) -> Iterator[Problem]:
    """Why a version cannot be the next one. last: the version of the last release."""
    if not VERSION.fullmatch(version):
        yield Problem(place, f"{version!r} is no version", f"numbers joined by dots, greater than the last release's: {following(last)}, say")
        return
    if version in released:
        yield Problem(place, f"the version {version} was released before", f"take a greater one: {following(last)}, say")
    elif later := [one for one in released if VERSION.fullmatch(one) and _numbers(one) >= _numbers(version)]:
        newest = max(later, key=_numbers)
        same = _numbers(newest) == _numbers(version)
        message = f"the version {version} is {'the same as' if same else 'older than'} {newest}, which was released"
        yield Problem(place, message, f"take a greater one: {following(newest)}, say")


def following(version: str) -> str:
    """2026.12 after 2026.11; 1 after none."""
    if not VERSION.fullmatch(version):
        return "1"
    *before, last = version.split(".")
    return ".".join([*before, str(int(last) + 1)])


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in version.split(".")]
    while numbers and numbers[-1] == 0:  # 2.0 is 2
        numbers.pop()
    return tuple(numbers)


def written(text: str, version: str, path: str) -> str | None:
    """deck.yml with this version in its line, or in a new one where it has none, and all else as it is; None where that is no longer deck.yml."""
    if _said(text, path) == version:
        return text
    said, end = f'"{version}"', "\r\n" if "\r\n" in text else "\n"
    made = LINE.sub(lambda found: f"{found[1].rstrip()} {said}{found[3]}", text, count=1)
    if not LINE.search(text):
        made = f"{text.rstrip()}{end}version: {said}{end}"
    return made if _said(made, path) == version else None


def _said(text: str, path: str) -> str:
    try:
        entries = yaml.load(text, path).value
    except DeckError:
        return ""
    return entries["version"].raw if isinstance(entries, dict) and "version" in entries else ""
