"""The note types with their templates rendered, kept by the content of what declares them: without Jinja, which costs more than an edit does."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from generator.keep.cache import Cache, key
from generator.keep.files import Files
from generator.look.notetypes import LOOK, NoteType, Template
from generator.problems import Problem
from generator.read.deckfile import Settings
from generator.read.folder import look_in


def types_of(cache: Cache, files: Files, code: str, cards: Path, shown: str, settings: Settings) -> tuple[Mapping[str, NoteType], Sequence[Problem]]:
    """The note types of a deck by key, and what is wrong with them. code: the hash of what renders them."""
    roots = [f"{root}{os.sep}" for root in (LOOK, os.path.normpath(cards / "look"))]
    look = sorted(name for name in files.stats if name.startswith(tuple(roots)) and not name.startswith(f"{LOOK / 'preview'}{os.sep}"))
    about = [settings.name, settings.id, settings.look, shown]
    name = key("types", code, about, [(path, files.hash(path)) for path in look])
    kept = cache.get(name)
    if kept is not None:
        return {kind.key: kind for kind in map(_decoded, json.loads(kept))}, ()
    found, problems = look_in(cards, shown, settings)
    if not problems:
        for file, content in found.media.items():
            cache.put(f"media:{file}", content)
        cache.put(name, json.dumps([kind._asdict() for kind in found.types.values()], ensure_ascii=False).encode())
    return found.types, problems


def _decoded(plain: Mapping[str, Any]) -> NoteType:
    tuples = {name: tuple(plain[name]) for name in ("required", "sections", "switches", "asked", "typed")}
    return NoteType(**{**plain, **tuples, "templates": tuple(Template(*one) for one in plain["templates"])})
