"""What the numbers of a run depend on: the kernel's source, reduced, with the modules that it imports; and the key of a case.

In: a kernel's name and parameters. Out: digests by file, and one key. Apart from the records because it reads
source, not results; it imports no kernel. Areas of the library stand nowhere in it, so that kernels may move.
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

from kernels.catalogue import LIBRARY, PACKAGE, place_of_module, shown, told, without_area
from kernels.results import KernelError

SCHEMA = 2  # of the records


def code_of(kernel_name: str) -> dict[str, str]:
    """The digest of each file that the kernel's numbers depend on, by its path inside the package, without the area.

    These are the kernel's own file and every module of `kernels` that it imports, at any depth, except the
    declarations, the record format, the drawing and the running of workers.
    """
    return {label: digest for label, (_, digest) in _walk(kernel_name).items()}


def files_of(kernel_name: str) -> tuple[Path, ...]:
    """The files that `code_of` the kernel gives the digests of."""
    return tuple(path for path, _ in _walk(kernel_name).values())


def source_of(kernel_name: str) -> str:
    """The digest of all that stands in these files, words and figures too. Raises KernelError where one cannot be read."""
    return hashlib.sha256("\0".join(f"{path}\0{_text(path)}" for path in files_of(kernel_name)).encode()).hexdigest()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _walk(kernel_name: str) -> dict[str, tuple[Path, str]]:
    found: dict[str, tuple[Path, str]] = {}
    waiting = [f"{LIBRARY}.{kernel_name}"]
    while waiting:
        module, path = _source(waiting.pop())
        label = "/".join(without_area(module).split(".")[1:]) + ".py"
        if path is None or module in APART or label in found:
            continue
        try:
            digest, imported = _read(_text(path), module)
        except (SyntaxError, ValueError, RecursionError, MemoryError, OSError) as error:
            if isinstance(error, SyntaxError):
                error.filename = str(path)
            raise KernelError(f"{shown(path)} cannot be imported: {told(error)}") from error
        found[label] = path, digest
        waiting.extend(imported)
    return dict(sorted(found.items()))


def key_of(kernel_name: str, parameters: Mapping[str, Any], code: Mapping[str, str]) -> str:
    """The key of a case: schema, kernel, parameters and code. Equal keys mean the same numbers are to be expected."""
    content = json.dumps([SCHEMA, kernel_name, dict(parameters), dict(code)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()[:16]


APART = {
    "kernels.__main__",
    "kernels.catalogue",
    "kernels.cluster",
    "kernels.declare",
    "kernels.demand",
    "kernels.draws",
    "kernels.gpu",
    "kernels.home",
    "kernels.key",
    "kernels.lab",
    "kernels.limits",
    "kernels.listing",
    "kernels.machine",
    "kernels.packages",
    "kernels.packed",
    "kernels.parameters",
    "kernels.plot",
    "kernels.progress",
    "kernels.record",
    "kernels.recording",
    "kernels.remote",
    "kernels.results",
    "kernels.units",
    "kernels.worker",
}


def _source(module: str) -> tuple[str, Path | None]:
    """The full name and the file of a module of `kernels`, found without importing it; no file for a name that is no module."""
    if place := place_of_module(module):
        return place.module, place.path
    path = PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
    return module, path if path.is_file() else None


@functools.cache
def _read(text: str, module: str) -> tuple[str, tuple[str, ...]]:
    """The digest of a source and the modules of `kernels` that it imports; by text, since one build asks for many cases of one kernel."""
    nodes = _nodes(text)
    return hashlib.sha256(_reduced(text, nodes, module).encode()).hexdigest()[:16], tuple(_imports(nodes, module))


def _imports(nodes: Sequence[ast.AST], module: str) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("kernels."))
        elif isinstance(node, ast.ImportFrom):
            start = _start(node, module)
            if f"{start}.".startswith("kernels."):
                yield from (f"{start}.{alias.name}" for alias in node.names)  # modules, or names in `start`, which have no file
                yield from [start] * ("." in start)


def _start(node: ast.ImportFrom, module: str) -> str:
    """What stands between `from` and `import`, written out where it is relative to the module."""
    base = module.split(".")[: -node.level] if node.level else []
    return ".".join([*base, *filter(None, [node.module])])


def _nodes(text: str) -> list[ast.AST]:
    """The module and all its statements but the insides of `.figure` and `.predicted` functions."""
    nodes: list[ast.AST] = [ast.parse(text)]
    for node in nodes:  # which grows
        if not _is_figure(node):
            nodes.extend(child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr))
    return nodes


def _is_figure(node: ast.AST) -> bool:
    """Whether it is a function that uses a result and makes none."""
    marks = ("figure", "predicted")
    return isinstance(node, ast.FunctionDef) and any(isinstance(d, ast.Attribute) and d.attr in marks for d in node.decorator_list)


NO_NUMBERS = ("memory", "capability", "formats", "rehearsal", "headline", "share", "seconds")  # what @kernel declares that moves none


def _demands(node: ast.AST) -> Iterator[ast.keyword]:
    """The arguments of @kernel that no number depends on."""
    for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "kernel":
            yield from (keyword for keyword in decorator.keywords if keyword.arg in NO_NUMBERS)


# A comment or a whole string; prefixes do not matter, since a backslash keeps a quote from closing raw strings too.
LEXEME = re.compile(r"""#[^\n]*|(?P<quote>\"{3}|'{3}|["'])(?:\\.|(?!(?P=quote))[^\\])*(?P=quote)""", re.DOTALL)


def reduced(source: str, module: str = "") -> str:
    """The source without comments, docstrings, blank lines, `.figure` and `.predicted` functions and demands: what numbers depend on.

    Docstrings and functions are found by their positions in `ast`, comments by a pattern, and the text stays as it is, so
    that the result is the same under every Python from 3.10 on (their tokens and dumps differ). Strings stay whole.
    `from` imports of the library's files read as if these lay side by side, sorted, whatever their areas; `module` is the
    dotted name that relative ones start from.
    """
    text = source.replace("\r\n", "\n")
    return _reduced(text, _nodes(text), module)


def _reduced(text: str, nodes: Sequence[ast.AST], module: str) -> str:
    for start, end, instead in sorted(_replaced(text, nodes, module), reverse=True):
        text = text[:start] + instead + text[end:]
    text = LEXEME.sub(lambda found: "" if found[0][0] == "#" else found[0].replace("\n", "\0"), text)
    return "\n".join(line.rstrip() for line in text.split("\n") if line.strip()).replace("\0", "\n")


def _replaced(text: str, nodes: Sequence[ast.AST], module: str) -> Iterator[tuple[int, int, str]]:
    """Where begin and end in the text, and what stands there instead: docstrings, `.figure` and `.predicted` functions, what @kernel declares
    that moves no number, and imports of the library."""
    lines = text.split("\n")
    starts = [0, *itertools.accumulate(len(line) + 1 for line in lines)]

    def offset(row: int, column: int) -> int:  # ast counts rows from one and columns in bytes
        return starts[row - 1] + len(lines[row - 1].encode()[:column].decode())

    def end(node: ast.stmt | ast.keyword) -> int:
        assert node.end_lineno and node.end_col_offset is not None
        return offset(node.end_lineno, node.end_col_offset)

    for node in nodes:
        if _is_figure(node):
            assert isinstance(node, ast.FunctionDef)
            yield starts[min(d.lineno for d in node.decorator_list) - 1], end(node), ""
            continue
        for keyword in _demands(node):
            stop = end(keyword)
            rest = text[stop:].lstrip(" ").removeprefix(",").lstrip(" ")
            yield offset(keyword.lineno, keyword.col_offset), len(text) - len(rest), ""
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
                yield offset(first.lineno, first.col_offset), end(first), ""
        for run in _library_imports(node, module):
            indent = "\n" + " " * run[0].col_offset
            flat = sorted(line for one in run for line in _flat(one, module))
            yield offset(run[0].lineno, run[0].col_offset), end(run[-1]), indent.join(flat)


def _library_imports(node: ast.AST, module: str) -> Iterator[list[ast.ImportFrom]]:
    """The `from` imports of the library in the blocks of a node, each run of adjacent ones together."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):  # a lambda's body is an expression
            for ours, run in itertools.groupby(block, lambda s: isinstance(s, ast.ImportFrom) and f"{_start(s, module)}.".startswith(f"{LIBRARY}.")):
                if ours:
                    yield list(run)


def _flat(node: ast.ImportFrom, module: str) -> Iterator[str]:
    """The import as it would be without areas: one statement for each module."""
    start = without_area(_start(node, module))
    names = [f"{alias.name} as {alias.asname}" if alias.asname else alias.name for alias in node.names]
    yield from (f"from {start} import {name}" for name in (names if start == LIBRARY else [", ".join(names)]))
