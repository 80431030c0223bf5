"""The page itself, with all that lies beside it: one folder that needs no server, no network and no script.

In: a Built, the package, and what the lock says. Out: each file's name with its content. Each card lies in a shadow root of its own, so that
its style reaches nothing else; it is there twice, by day and by night, since a card's style tells them by a class.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from generator.keep.age import told
from generator.keep.deck import Built
from generator.keep.shown import cards_of, fields_of
from generator.look.notetypes import LOOK, environment
from generator.notes import Entry, day_of
from generator.pack.lock import Update
from generator.pack.package import media_of
from generator.site.errata import errata
from generator.site.showcase import showcase

INDEX = "index.html"


def site(built: Built, update: Update, package: bytes) -> dict[str, bytes]:
    """The files of the page for readers, all in one folder, so that a card names its pictures as it does in Anki."""
    deck, folder = built.deck, LOOK / "preview"
    chosen = showcase(built.entries, deck.showcase, built.types)
    types = {key: built.types[key] for key in dict.fromkeys(entry.type for entry in chosen)}
    styles = {_style_of(key): kind.css for key, kind in types.items()}
    fonts = dict.fromkeys(font for style in styles.values() for font in _FONT.findall(style))  # those of a shadow root count nowhere
    styles |= {name: (folder / name).read_text(encoding="utf-8") for name in ("site.css", "flip.css")}
    styles["site.css"] += "".join(f"{font}\n" for font in fonts)
    about = {
        "deck": deck,
        "subdecks": _subdecks(built),
        "notes": len(built.entries),
        "cards_of_all": sum(len(entry.cards) for entry in built.entries),
        "numbers": _numbers(built),
        "edition": _edition(built, update),
        "cards": list(_cards(built, chosen)),
        "errata": errata(built),
        "package": {"name": f"{deck.slug}.apkg", "size": _size(len(package)), "sha256": hashlib.sha256(package).hexdigest()},
        "id": next((entry.id for entry in chosen if "Id" in types[entry.type].fields), ""),
    }
    page = environment(autoescape=True).from_string((folder / "site.html").read_text(encoding="utf-8")).render(about)
    files = {INDEX: page.encode(), f"{deck.slug}.apkg": package, **{name: style.encode() for name, style in styles.items()}}
    return {**{name: built.media(name) for name in media_of(chosen, built.types)}, **files}


_FONT = re.compile(r"@font-face\s*\{[^{}]*\}")


def _style_of(key: str) -> str:
    return f"card-{key}.css"


def _cards(built: Built, chosen: list[Entry]) -> Iterator[dict[str, Any]]:
    """The first card of each note, its two sides."""
    for entry, text in zip(chosen, built.texts(chosen)):
        card = cards_of(entry, fields_of(entry, text, built), built)[0]
        yield {
            "id": entry.id,
            "style": _style_of(entry.type),
            "class": f"card card{card['ordinal'] + 1}",
            "question": card["question"],
            "answer": card["answer"],
        }


def _subdecks(built: Built) -> list[tuple[str, int]]:
    """The subdecks with how many notes each has, by the names that say something; none where there is only one."""
    counts = Counter(entry.deck for entry in built.entries)
    named = [(deck.removeprefix(f"{built.deck.name}::").replace("::", " · "), count) for deck, count in counts.items()]
    return named if len(named) > 1 else []


def _numbers(built: Built) -> int:
    """How many computed values the cards show."""
    return sum(len(json.loads(line)["values"]) for sheet in built.sheets for line in sheet.facts.split("\n") if line)


def _edition(built: Built, update: Update) -> str:
    """The version with the day of its release; of a deck that changed since, or was never released, that of its newest change."""
    lock, version = update.lock, built.deck.version
    if version and version == lock.last and not {"new", "changed", "retired"} & set(update.statuses.values()):
        return f"Version {version}, released {told(day_of(lock.last_at))}"
    newest = max((lock.mod(entry.id) for entry in built.entries), default=0)
    return f"{f'Version {version}, not released' if version else 'Not released'} yet{f'; last changed {told(day_of(newest))}' * bool(newest)}"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
