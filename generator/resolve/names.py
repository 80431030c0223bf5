"""Which runs a note names, found without parsing an expression or loading a kernel, so that a note without any costs little."""

from __future__ import annotations

import re
from collections.abc import Iterable

from generator.notes import Note, Resolved
from generator.resolve.references import references


def used(note: Note) -> tuple[str, ...]:
    """The aliases of the runs that the note's fields and claims name, sorted; found without parsing their expressions."""
    found: set[str] = set()
    for text in note.fields.values():
        found.update(*(names_in(r.expression, note.runs) for r in references(text, [])))
    for claim in note.claims:
        found.update(*(names_in(e, note.runs) for e in claim.expressions))
    return tuple(sorted(found))


def plain(note: Note) -> Resolved | None:
    """The note as it resolves where there is nothing to resolve: no reference, no claim, nothing to type. None for other notes."""
    texts = {name: field.text for name, field in note.fields.items()}
    if note.claims or note.type == "numeric" or any("[[" in text for text in texts.values()):
        return None
    return Resolved(note, texts, {}, (), None, None, ())


def names_in(text: str, known: Iterable[str]) -> set[str]:
    """The known names that stand in an expression. Asks no parser, so that an unchanged note costs little."""
    plain = re.sub(r"'[^']*'|\"[^\"]*\"", " ", text)
    return set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", plain)) & set(known)
