"""Problems as programs read them: JSON, and the lines that compilers write and editors' problem matchers know.

In: problems, warnings and notes with their places. Out: text. A place is a line; of that line, the column is where the thing stands that
the message quotes, else where its text begins.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.problems import Problem, visible
from kernels.files import read

_QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"|(!?\[\[.+?\]\]|\{\{.+?\}\})")


def text(shape: str, found: Mapping[str, Sequence[Problem]]) -> str:
    """What was found, by severity ("error", "warning", "note"), in the shape "json" or "gcc"."""
    every = list(_diagnostics(found))
    if shape == "json":
        return json.dumps(every, ensure_ascii=False, indent=1) + "\n"
    return "".join(f"{d['file']}:{d['line']}:{d['column']}: {d['severity']}: {d['message']}{_hint(d['hint'])}\n" for d in every)


def _diagnostics(found: Mapping[str, Sequence[Problem]]) -> Iterator[dict[str, Any]]:
    lines = functools.cache(_lines)
    for severity, problems in found.items():
        for place, message, hint in problems:
            start, end = _columns(lines(place.path)[place.line - 1 : place.line], message)
            where = {"file": visible(place.path), "line": place.line, "column": start, "end_column": end}
            yield {**where, "severity": severity, "message": visible(message), "hint": visible(hint)}


def _lines(path: str) -> list[str]:
    try:
        return read(path).decode("utf-8-sig").split("\n")
    except (OSError, ValueError):  # a folder, a file that is not there, or is no text: which the message says
        return []


def _columns(line: Sequence[str], message: str) -> tuple[int, int]:
    """Columns, from 1, of what the message is about: its first, and the one behind its last."""
    if not line:
        return 1, 1
    for match in _QUOTED.finditer(message):
        quoted = re.escape(next(filter(None, match.groups())))
        if stands := re.search(rf"(?<![\w-]){quoted}(?![\w-])", line[0]):
            return stands.start() + 1, stands.end() + 1
    return len(line[0]) - len(line[0].lstrip()) + 1, max(len(line[0].rstrip()), 0) + 1


def _hint(hint: str) -> str:
    return f" ({hint})" if hint else ""
