"""Notes as rendered to an Anki package, and the lock that remembers what was released."""

from __future__ import annotations

import functools
import sys
from types import ModuleType
from typing import Any


@functools.cache
def library() -> Any:
    """genanki, imported when something is to be packed: that costs what an idle build lasts.

    Half of it is asyncio, which the package `cached_property` imports; genanki gets the standard library's own in its place.
    """
    standin = ModuleType("cached_property")
    standin.cached_property = functools.cached_property  # type: ignore[attr-defined]
    real = sys.modules.setdefault("cached_property", standin) is not standin
    try:
        import genanki
    finally:
        if not real:
            del sys.modules["cached_property"]
    return genanki
