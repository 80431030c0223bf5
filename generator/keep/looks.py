"""The note types with their templates rendered, kept by the content of look/: without Jinja, which costs more than an edit does."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from generator.keep.cache import Cache, key
from generator.keep.files import Files
from generator.look.notetypes import LOOK, NoteType, forget, note_types, templates


def types_of(cache: Cache, files: Files, code: str) -> Mapping[str, NoteType]:
    """The note types by key, as `note_types` gives them. code: the hash of what renders them."""
    look = sorted(name for name in files.stats if name.startswith(f"{LOOK}{os.sep}") and not name.startswith(f"{LOOK / 'preview'}{os.sep}"))
    kept = cache.kept(key("types", code, [(name, files.hash(name)) for name in look]), _encoded)
    return {kind.key: kind for kind in map(_decoded, json.loads(kept))}


def _encoded() -> bytes:
    forget()
    plain = [{**kind._asdict(), "look": str(kind.look), "fields": dict(kind.fields), "ready": templates(kind)} for kind in note_types().values()]
    return json.dumps(plain, ensure_ascii=False).encode()


def _decoded(plain: Mapping[str, Any]) -> NoteType:
    tuples = {name: tuple(plain[name]) for name in ("required", "sections", "template", "ready")}
    return NoteType(**{**plain, **tuples, "look": LOOK})
