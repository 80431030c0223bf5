"""Packages that a run needs and that are not here, each with the command that installs it.

In: names as they are imported ("torch", "faiss"). Out: words for a message. Nothing is imported to find out.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

OURS = "warpdeck"
DEVELOPERS = ("bench", "lint", "test")  # extras of who works on this program
DISTRIBUTIONS = {
    "faiss": "faiss-cpu",
    "pynvml": "nvidia-ml-py",
    "cuda": "nvidia-cuda-nvrtc",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
    "PIL": "pillow",
}


def absent(names: Iterable[str]) -> list[str]:
    """Those of the packages that are not here; ours, of which a part may be misspelt, is no package to install."""
    packages = dict.fromkeys(name.partition(".")[0] for name in names)
    return [package for package in packages if package != "kernels" and importlib.util.find_spec(package) is None]


def named(packages: Iterable[str]) -> str:
    """ "torch, which is not installed here: pip install 'warpdeck[kernels]'"."""
    packages = list(packages)
    extras = {package: _extra(package) for package in packages}
    ours = sorted(set(filter(None, extras.values())))
    words = [f"'{OURS}[{','.join(ours)}]'"] * bool(ours) + [DISTRIBUTIONS.get(package, package) for package in packages if not extras[package]]
    return f"{', '.join(packages)}, which {'is' if len(packages) == 1 else 'are'} not installed here: pip install {' '.join(words)}"


def _extra(package: str) -> str:
    return _extras().get(DISTRIBUTIONS.get(package, package).lower().replace("_", "-"), "")


@cache
def _extras() -> dict[str, str]:
    """Distribution -> which of our extras brings it, the smallest of several: as our own metadata say."""
    from importlib import metadata  # 30 ms that nobody needs who lacks nothing

    try:
        requirements = metadata.requires(OURS) or []
    except metadata.PackageNotFoundError:
        return {"torch": "kernels"}
    found: dict[str, list[str]] = {}
    for requirement in requirements:
        if match := re.match(r"([\w.-]+).*extra\s*==\s*[\"']([\w-]+)[\"']", requirement):
            found.setdefault(match[1].lower().replace("_", "-"), []).extend({match[2]}.difference(DEVELOPERS))
    size = {extra: sum(extra in extras for extras in found.values()) for extras in found.values() for extra in extras}
    return {name: min(extras, key=lambda extra: size[extra]) for name, extras in found.items() if extras}


def lacking(kernel: str) -> list[str]:
    """What is not here of the packages that a kernel declares as needed, or that its file, and those of the library that it shares, import."""
    from kernels import library
    from kernels.key import files_of
    from kernels.remote import find

    folders = tuple(map(os.path.abspath, library.__path__))
    files = [file for file in files_of(kernel) if str(file).startswith(folders)]
    return absent([*find(kernel).needs, *sorted(set().union(*map(imported, files)))])


def imported(file: Path) -> set[str]:
    """The packages that a source imports, at its top or inside its functions, but for Python's own."""
    found = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names
