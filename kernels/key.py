"""What the numbers of a run depend on: the kernel's source, reduced, with the modules that it imports; and the key of a case.

In: a kernel's name and parameters. Out: digests by file, and one key. Apart from the records because it reads
source, not results; it imports no kernel.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

SCHEMA = 1  # of the records
PACKAGE = Path(__file__).parent


def code_of(kernel_name: str) -> dict[str, str]:
    """The digest of each file that the kernel's numbers depend on, by its path inside the package.

    These are the kernel's own file and every module of `kernels` that it imports, at any depth, except the
    declarations, the record format, the drawing and the running of workers.
    """
    found: dict[str, str] = {}
    waiting = [f"kernels.library.{kernel_name}"]
    while waiting:
        module = waiting.pop()
        path = None if module in APART else _source(module)
        label = "/".join(module.split(".")[1:]) + ".py"
        if path is None or label in found:
            continue
        found[label], imported = _read(path.read_text(encoding="utf-8"), module)
        waiting.extend(imported)
    return dict(sorted(found.items()))


def key_of(kernel_name: str, parameters: Mapping[str, Any], code: Mapping[str, str]) -> str:
    """The key of a case: schema, kernel, parameters and code. Equal keys mean the same numbers are to be expected."""
    content = json.dumps([SCHEMA, kernel_name, dict(parameters), dict(code)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()[:16]


APART = {
    f"kernels.{name}"
    for name in ("__main__", "declare", "key", "lab", "library", "machine", "plot", "progress", "record", "recording", "results")
}


def _source(module: str) -> Path | None:
    """The file of a module of `kernels`, found without importing it; None for a name that is no module."""
    from kernels import library

    first, *rest = module.split(".")[1:]
    folders = [Path(folder) for folder in library.__path__] if first == "library" else [PACKAGE]
    inner = rest if first == "library" else [first, *rest]
    for folder in folders:
        stem = folder.joinpath(*inner)
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if path.is_file():
                return path
    return None


@functools.cache
def _read(text: str, module: str) -> tuple[str, tuple[str, ...]]:
    """The digest of a source and the modules of `kernels` that it imports; by text, since one build asks for many cases of one kernel."""
    nodes = _nodes(text)
    return hashlib.sha256(_reduced(text, nodes).encode()).hexdigest()[:16], tuple(_imports(nodes, module))


def _imports(nodes: Sequence[ast.AST], module: str) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("kernels."))
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")[: -node.level] if node.level else []
            start = ".".join([*base, *filter(None, [node.module])])
            if f"{start}.".startswith("kernels."):
                yield from (f"{start}.{alias.name}" for alias in node.names)  # modules, or names in `start`, which have no file
                yield from [start] * ("." in start)


def _nodes(text: str) -> list[ast.AST]:
    """All nodes of a source but the insides of `.figure` functions."""
    nodes: list[ast.AST] = [ast.parse(text)]
    for node in nodes:  # which grows
        if not _is_figure(node):
            nodes.extend(ast.iter_child_nodes(node))
    return nodes


def _is_figure(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and any(isinstance(d, ast.Attribute) and d.attr == "figure" for d in node.decorator_list)


# A comment or a whole string; prefixes do not matter, since a backslash keeps a quote from closing raw strings too.
LEXEME = re.compile(r"""#[^\n]*|(?P<quote>\"{3}|'{3}|["'])(?:\\.|(?!(?P=quote))[^\\])*(?P=quote)""", re.DOTALL)


def reduced(source: str) -> str:
    """The source without comments, docstrings, blank lines and `.figure` functions: what numbers depend on.

    Docstrings and functions are found by their positions in `ast`, comments by a pattern, and the text stays as it is, so
    that the result is the same under every Python from 3.10 on (their tokens and dumps differ). Strings stay whole.
    """
    text = source.replace("\r\n", "\n")
    return _reduced(text, _nodes(text))


def _reduced(text: str, nodes: Sequence[ast.AST]) -> str:
    for start, end in sorted(_apart(text, nodes), reverse=True):
        text = text[:start] + text[end:]
    text = LEXEME.sub(lambda found: "" if found[0][0] == "#" else found[0].replace("\n", "\0"), text)
    return "\n".join(line.rstrip() for line in text.split("\n") if line.strip()).replace("\0", "\n")


def _apart(text: str, nodes: Sequence[ast.AST]) -> Iterator[tuple[int, int]]:
    """Where docstrings and `.figure` functions begin and end in the text."""
    lines = text.split("\n")
    starts = [0, *itertools.accumulate(len(line) + 1 for line in lines)]

    def offset(row: int, column: int) -> int:  # ast counts rows from one and columns in bytes
        return starts[row - 1] + len(lines[row - 1].encode()[:column].decode())

    for node in nodes:
        if _is_figure(node):
            assert isinstance(node, ast.FunctionDef) and node.end_lineno and node.end_col_offset is not None
            yield starts[min(d.lineno for d in node.decorator_list) - 1], offset(node.end_lineno, node.end_col_offset)
        elif isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
                assert first.end_lineno and first.end_col_offset is not None
                yield offset(first.lineno, first.col_offset), offset(first.end_lineno, first.end_col_offset)
