"""Imports inside the compiler run one way, those inside functions and for type checkers too, and no two modules import one another."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from workshop import ROOT

PACKAGE = ROOT / "generator"
LEVELS = (
    ("command",),
    ("__main__",),
    ("build",),
    ("release",),
    ("elsewhere", "since", "site", "start", "watch"),
    ("keep",),
    ("render",),
    ("learning", "read", "resolve", "show"),
    ("text", "pack"),
    ("look", "notes"),
    ("gate",),
    ("problems",),
)
LEVEL = {name: number for number, names in enumerate(LEVELS) for name in names}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)


def module_of(path: Path) -> str:
    """generator.keep.cache, and generator.keep for its __init__.py."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in FILES}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, module of the compiler) for each import in a file, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are written out"
            names = [f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in MODULES else node.module or "" for alias in node.names]
        else:
            continue
        yield from ((node.lineno, name) for name in names if name.partition(".")[0] == "generator")


def part(module: str) -> str:
    """keep for generator.keep.cache, build for generator.build."""
    return module.split(".")[1] if "." in module else ""


def test_the_top_holds_the_order_and_the_values_alone():
    assert {path.stem for path in PACKAGE.glob("*.py")} == {"__init__", "__main__", "build", "command", "notes", "problems"}
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert packages == {path.parent.name for path in PACKAGE.glob("*/*.py")} == set(LEVEL) - {"__main__", "build", "command", "notes", "problems"}
    assert not list(PACKAGE.glob("*/*/*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_imports_what_is_below_it(path: Path):
    mine = part(module_of(path))
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {mine} imports {name}"
        for line, name in imports(path)
        if mine and part(name) not in (mine, "") and LEVEL[part(name)] <= LEVEL[mine]
    ]
    assert wrong == []


def test_no_two_modules_import_one_another():
    graphlib.TopologicalSorter({name: {found for _, found in imports(path)} - {name} for name, path in MODULES.items()}).prepare()
