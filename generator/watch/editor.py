"""The address that opens a file at a line in an editor, as a template with {path} (which begins with a slash) and {line}."""

from __future__ import annotations

import re

VSCODE = "vscode://file{path}:{line}"
RUNS_CODE = {"javascript", "data", "vbscript", "blob", "filesystem", "about", "view-source"}  # in a link these run, or show, what is no editor


def checked(template: str) -> str:
    """The template, if it may stand in a link. Raises ValueError with what is wrong."""
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", template)
    if scheme is None or scheme[1].lower() in RUNS_CODE:
        raise ValueError(f"EDITOR_URL is {template!r}, which opens no editor; such as {VSCODE}")
    if "{path}" not in template:
        raise ValueError(f"EDITOR_URL is {template!r}, which names no {{path}}; such as {VSCODE}")
    return template
