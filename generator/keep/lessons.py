"""What the rules of teaching say of a deck, of which each file is judged once.

In: a built deck. Out: warnings. `check` alone asks for them: no build waits for a rule. Of a file whose notes are those that it had, what was
found and the words of its fronts are in the cache; fronts are compared anew, by their rarest words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from generator.keep.cache import key
from generator.keep.deck import Built
from generator.keep.sheets import END
from generator.notes import Sheet
from generator.problems import Problem


def warnings(built: Built) -> list[Problem]:
    """Those of the notes that are packed, but for what they are excused from, and of excuses that nothing needs."""
    from generator.learning.alike import near_duplicates

    known = [_of_file(sheet, built) for sheet in built.sheets]
    entries = {entry.id: entry for entry in built.entries}
    found = {(id, rule): Problem(entries[id].place, message, hint) for file in known for id, rule, message, hint in file["findings"]}
    for id, other in near_duplicates({id: frozenset(words) for file in known for id, words in file["fronts"].items()}):
        message = f"the front asks nearly what that of {other!r} asks: the two are taken for one another"
        hint = f"say first what tells them apart; the other stands at {entries[other].place}"
        found[id, "near-duplicate"] = Problem(entries[id].place, message, hint)
    waived = {(one.note, one.rule): one for sheet in built.sheets for one in sheet.waived if one.note in entries}
    told = [problem._replace(hint=f"{problem.hint}; rule {rule}") for (id, rule), problem in found.items() if (id, rule) not in waived]
    needed = {waived[broken].place for broken in found.keys() & waived.keys()}
    for (id, rule), one in waived.items():
        if one.place not in needed:
            told.append(Problem(one.place, f"{id!r} is excused from {rule}, which it does not break", "take the line away"))
    return sorted(told)


def _of_file(sheet: Sheet, built: Built) -> Mapping[str, Any]:
    """findings: (note, rule, message, hint) of each; fronts: the words that each note's front says something with."""
    made: bytes = built.cache.kept(key("lessons", [entry.pieces[0] for entry in sheet.entries]), lambda: json.dumps(_judged(sheet, built)).encode())
    return json.loads(made)


def _judged(sheet: Sheet, built: Built) -> Mapping[str, Any]:
    from generator.learning.lesson import lesson
    from generator.learning.rules import content, judged

    fields = (dict(zip(built.types[entry.type].fields, text.decode().split(END))) for entry, text in zip(sheet.entries, built.texts(sheet.entries)))
    lessons = [lesson(entry.id, built.types[entry.type], of) for entry, of in zip(sheet.entries, fields) if not built.types[entry.type].elsewhere]
    findings = [[id, *finding] for id, found in judged(lessons).items() for finding in found]
    return {"findings": findings, "fronts": {one.id: sorted(content(one.heading if one.deletions else one.front)) for one in lessons}}
