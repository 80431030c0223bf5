"""What a note and its results are called: the runs that it names, the device that measured. Nothing here parses or loads a kernel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from generator.notes import Note, Resolved
from generator.resolve.references import references


def used(note: Note) -> tuple[str, ...]:
    """The aliases of the runs that the note's fields and claims name, sorted; found without parsing their expressions."""
    if not note.runs:
        return ()
    found: set[str] = set()
    for text in note.fields.values():
        found.update(*(names_in(r.runs, note.runs) for r in references(text, [])))
    for claim in note.claims:
        found.update(*(names_in(e, note.runs) for e in claim.expressions))
    return tuple(sorted(found))


def plain(note: Note) -> Resolved | None:
    """The note as it resolves where there is nothing to resolve: no reference, no claim, nothing to type or to choose from. None for other notes."""
    texts = {name: field.text for name, field in note.fields.items()}
    if note.claims or note.type in ("numeric", "choice") or any("[[" in text for text in texts.values()):
        return None
    return Resolved(note, texts, {}, (), None, None)


def names_in(text: str, known: Iterable[str]) -> set[str]:
    """The known names that stand in an expression. Asks no parser, so that an unchanged note costs little."""
    plain = re.sub(r"'[^']*'|\"[^\"]*\"", " ", text)
    return set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", plain)) & set(known)


def device_name(made: Mapping[str, Any]) -> str:
    """ "NVIDIA H100 80GB HBM3" of class "h100" as "NVIDIA H100"."""
    device, name = str(made.get("device", "")), str(made.get("device_class", ""))
    at = device.lower().find(name) if name else -1
    return device[: at + len(name)] if at >= 0 else device or name.upper() or "an unnamed device"
