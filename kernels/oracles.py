"""What every formula is held against: a paper's table, another library, a framework's own count, a simulation by another way.

In: the tests, which are read and not imported. Out: the oracles of each kernel. A test says what it is,

    @pytest.mark.oracle("KERNEL", "what its numbers are compared with")

and the row of a kernel in tests/kernels/published.yml or published_speeds.yml is one too, its source.
A marked test fails where it does not run the kernel.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from kernels.declare import Kernel
from kernels.results import KernelError

TESTS = Path(__file__).parents[1] / "tests" / "kernels"
PUBLISHED = ("published.yml", "published_speeds.yml")


def oracles(tests: Path = TESTS) -> dict[str, list[str]]:
    """By kernel, what it is held against, each with the file of the test. Raises KernelError where the tests are not here."""
    import yaml

    if not tests.is_dir():
        raise KernelError(f"{tests} is missing: oracles stand in the tests, so list them in the repository")
    found: dict[str, list[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        for kernel, what in marked(path):
            found.setdefault(kernel, []).append(f"{what}  ({path.relative_to(tests)})")
    for table in PUBLISHED:
        for group in yaml.load((tests / table).read_text(encoding="utf-8"), yaml.BaseLoader):
            found.setdefault(group["kernel"], []).append(f"{group['source']}: {len(group['rows'])} values  ({table})")
    return found


def marked(path: Path) -> Iterator[tuple[str, str]]:
    """The kernels and oracles of a file's marks, each two plain texts."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "oracle":
            texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant) and isinstance(argument.value, str)]
            if len(texts) != 2 or len(node.args) != 2:
                raise KernelError(f"{path}:{node.lineno}: an oracle is a kernel's name and what it is held against")
            yield texts[0], texts[1]


def listed(kernels: Sequence[Kernel], found: Mapping[str, Sequence[str]]) -> str:
    """The formulas among the kernels with their oracles, and the share that has one."""
    lines = []
    for kernel in sorted(formulas(kernels), key=lambda k: (k.area, k.name)):
        lines += [f"{kernel.area}/{kernel.name}", *(f"  {what}" for what in found.get(kernel.name, ["none"]))]
    return "\n".join([*lines, share(kernels, found)])


def share(kernels: Sequence[Kernel], found: Mapping[str, Sequence[str]]) -> str:
    every, without = formulas(kernels), lacking(kernels, found)
    having = len(every) - len(without)
    none = f"; none: {', '.join(without)}" if without else ""
    return f"{having} of {len(every)} formulas and predictions have an independent oracle ({having / len(every):.0%}){none}"


def lacking(kernels: Sequence[Kernel], found: Mapping[str, Sequence[str]]) -> list[str]:
    return [kernel.name for kernel in formulas(kernels) if kernel.name not in found]


def formulas(kernels: Sequence[Kernel]) -> list[Kernel]:
    return [kernel for kernel in kernels if kernel.evaluated]
