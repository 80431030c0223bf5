"""What a deck is handed out with: the form that AnkiWeb has for a shared deck, filled in; and the hashes of the packages.

In: the deck, its notes, what changed. Out: Markdown for the author, with the description in the HTML that AnkiWeb keeps.
"""

from __future__ import annotations

import hashlib
import html
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from generator.notes import FAMILY, Deck, Entry
from generator.pack.package import preset_in_words
from generator.since.told import subdeck

TITLE, TAGS, DESCRIPTION = 60, 60, 65_000  # characters that AnkiWeb takes
SUMS = "SHA256SUMS"


def sums(packages: Iterable[Path]) -> str:
    """What `sha256sum --check` reads."""
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in packages)


def sound(folder: Path) -> Path | None:
    """The package of the whole deck in the folder of a release, the first of its sums; None where it is not there, or another."""
    try:
        said, _, name = (folder / SUMS).read_text(encoding="utf-8").partition("\n")[0].partition("  ")
        path = folder / name
        return path if name and hashlib.sha256(path.read_bytes()).hexdigest() == said else None
    except OSError:
        return None


def share(deck: Deck, notes: Sequence[Entry], news: Sequence[str], last: str, package: Path, pictures: Sequence[Path]) -> str:
    """news: what an importer does on an update from the release `last`; of a first release there is none."""
    said = description(deck, notes, news, last)
    shown = [f"![A card of the deck]({path.name})" for path in pictures]
    lines = [
        f"# Sharing {deck.name} {deck.version}",
        "",
        "On AnkiWeb a deck is shared from a collection, since it takes no package: import the package into a profile of its own "
        f"(`{package.name}`, with *Import any deck presets* ticked), synchronize, open the deck list on AnkiWeb, and choose *Share* beside the deck. "
        "What follows goes into its form. For an update use the same profile and keep the deck's name: AnkiWeb knows it by that, and downloads and "
        "ratings stay. Elsewhere, hand out the package with `SHA256SUMS` and `CHANGES.md`.",
        *("", "## Title", "", deck.name),
        *(("", f"(It has {len(deck.name)} characters, and AnkiWeb takes {TITLE}.)") if len(deck.name) > TITLE else ()),
        *("", "## Tags", "", tags(notes) or "(none)"),
        *("", "## Support page", "", deck.source or "(deck.yml names no source)"),
        *("", "## Description", "", "```html", said, "```"),
        *(("", f"(It has {len(said):,} characters, and AnkiWeb takes {DESCRIPTION:,}.)") if len(said) > DESCRIPTION else ()),
        *("", "## Licence", "", deck.licence or "(deck.yml names no licence: without one nobody may hand the deck on)"),
        *("", "AnkiWeb has you confirm that all of it is your own work, or that who owns it lets you share it."),
        *("", "## Screenshots", "", *(shown or ["(no Chromium was here to make them)"])),
        *(
            ("", 'AnkiWeb keeps no pictures: put them where they have an address, and add `<img src="https://…">` to the description.')
            if shown
            else ()
        ),
    ]
    return "\n".join(lines) + "\n"


def description(deck: Deck, notes: Sequence[Entry], news: Sequence[str], last: str) -> str:
    """For AnkiWeb, which keeps b, i, code, ul, ol, li, a and img, and takes blank lines for paragraphs."""
    count = sum(len(note.cards) for note in notes)
    parts = [_safe(deck.description)] if deck.description else []
    inside = [f"{_safe(name)}: {_count(many, 'note')}" for name, many in _by_subdeck(deck, notes)]
    parts += [f"<b>{_count(len(notes), 'note')}, {_count(count, 'card')}</b>", _list(inside) if len(inside) > 1 else ""]
    parts += [f"<b>New in version {_safe(deck.version)}</b>, for those who have {_safe(last)}:", _list(map(_safe, news))] if news else []
    parts += [
        "<b>Updating</b> changes only the notes whose content changed: there it overwrites your edits and tags. Schedules, review history, flags and "
        "suspended cards stay, and retired notes stay until you delete them. Keep Anki's default import options.",
        f"<b>To study</b> with the deck's preset, tick <i>Import any deck presets</i> once, when you import: {_safe(preset_in_words(deck))}. "
        "It touches no other deck.",
    ]
    source = f', from <a href="{html.escape(deck.source)}">{_safe(deck.source)}</a>' if deck.source else ""
    licence = f" Licence: {_safe(deck.licence)}." if deck.licence else ""
    parts.append(f"Version {_safe(deck.version)}{source}.{licence}")
    return "\n\n".join(filter(None, parts))


def tags(notes: Sequence[Entry]) -> str:
    """The first levels of the notes' tags, the most frequent first, as many as AnkiWeb takes."""
    counted = Counter(tag.partition("::")[0] for note in notes for tag in {*note.tags} if not tag.startswith(FAMILY))
    said = ""
    for tag, _ in sorted(counted.items(), key=lambda one: (-one[1], one[0])):
        if len(more := f"{said} {tag}".strip()) <= TAGS:
            said = more
    return said


def _by_subdeck(deck: Deck, notes: Sequence[Entry]) -> Iterator[tuple[str, int]]:
    """The subdecks in their order, each with how many notes it has."""
    for name, many in Counter(note.deck for note in notes).items():
        yield (subdeck(name, deck.name) if name != deck.name else name), many


def _list(lines: Iterable[str]) -> str:
    return "\n".join(["<ul>", *(f"<li>{line}</li>" for line in lines), "</ul>"])


def _safe(text: str) -> str:
    """Text as HTML, in which Markdown, which AnkiWeb reads as well, finds none of its marks."""
    return "".join(f"&#{ord(sign)};" if sign in "*_`[]\\~" else sign for sign in html.escape(text, quote=False))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
