"""How many wrong constants the tests of the formula kernels notice: `python tests/kernels/mutants.py [--count 300] [--seed 0]`.

One numeric constant or arithmetic operator of a formula kernel, or of a table that one reads, is changed in memory, and the tests that import
the changed module run in a forked process; nothing is written. A mutant is killed where one of them fails. Those that live are
listed with their place, and the share that was killed is printed; exit code 1 where it is below --least.

Left out, because no number that a card can print depends on them, are constants

    in the drawing      functions marked .figure, and what only they use
    in declarations     decorators, annotations, Bound, Free: units, ranges, choices
    in refusals         raise, with the message
    in abscissas        where a Series has its points
    against rounding    numbers up to 1e-9, which only keep a float's last digits from deciding

and a parameter's default: a card names the value that its run takes, and the build holds that against its front. A mutant that lives is equal,
and does not count, where every output of the kernels that read its module is the same to six digits on a hundred draws of their parameters: the
reach of a search, the grid of an integral, a factor that cancels.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import functools
import importlib.abc
import importlib.util
import io
import math
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests" / "kernels"
sys.path[:0] = [str(ROOT)]

from kernels import library

LIBRARY = Path(next(iter(library.__path__)))
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult, ast.Mod: ast.Mult}
SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Pow: "**", ast.Mod: "%"}
SMALL = 16  # integers up to here are changed by one or doubled, other numbers by a tenth or doubled
GUARD = 1e-9
DRAWS, READERS = 100, 4
SECONDS = 20  # of CPU time for the tests of one mutant: a loop that a mutant made endless is noticed too


@dataclass(frozen=True)
class Mutant:
    """A change of one node of a module: the node's number in ast.walk order, and what stands there instead."""

    module: str
    line: int
    node: int
    was: str
    becomes: str  # a number's literal, or an operator's class

    def __str__(self) -> str:
        return f"{path_of(self.module).relative_to(ROOT)}:{self.line}: {self.was} -> {SIGNS.get(getattr(ast, self.becomes, None), self.becomes)}"

    def code(self):
        path = path_of(self.module)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        node = list(ast.walk(tree))[self.node]
        if isinstance(node, ast.BinOp):
            node.op = getattr(ast, self.becomes)()
        else:
            node.value = ast.literal_eval(self.becomes)
        return compile(tree, str(path), "exec")


def path_of(module: str) -> Path:
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


# what can be changed


def mutants(module: str, dice: random.Random) -> Iterator[Mutant]:
    """Every constant and operator of the module that counts, each changed in one way that the dice choose."""
    tree = ast.parse(path_of(module).read_text(encoding="utf-8"))
    left_out = {id(node) for root in uncounted(tree) for node in ast.walk(root)}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Constant) and type(node.value) in (int, float) and not 0 < node.value <= GUARD:
            yield Mutant(module, node.lineno, number, ast.unparse(node), repr(dice.choice(others(node.value))))
        elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS and not text(node):
            yield Mutant(module, node.lineno, number, SIGNS[type(node.op)], OPERATORS[type(node.op)].__name__)


def others(value: float) -> list[float]:
    if isinstance(value, int) and value <= SMALL:
        return [other for other in (value - 1, value + 1, 2 * value) if other != value and other >= 0]
    changed = [value * 0.9, value * 1.1, value * 2] if value else [1.0]
    return [round(other) for other in changed] if isinstance(value, int) else changed


def text(node: ast.BinOp) -> bool:
    return any(isinstance(part, (ast.List, ast.Set, ast.JoinedStr)) or isinstance(getattr(part, "value", 0), str) for part in (node.left, node.right))


def uncounted(tree: ast.Module) -> Iterator[ast.AST]:
    """The subtrees that the module's docstring leaves out."""
    drawing = {f.name: f for f in tree.body if isinstance(f, ast.FunctionDef) and any(is_figure(d) for d in f.decorator_list)}
    while more := {name: node for name, node in top_level(tree) if name not in drawing and used_only_by(tree, name, [*drawing.values()])}:
        drawing |= more
    yield from drawing.values()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Bound", "Free")):
            yield node
        elif isinstance(node, ast.FunctionDef):
            yield from node.decorator_list
            yield from node.args.defaults if is_kernel(node) else ()
            yield from (argument.annotation for argument in node.args.args if argument.annotation)
            yield from abscissas(tree, node) if is_kernel(node) else ()


def is_figure(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Attribute) and decorator.attr == "figure"


def is_kernel(function: ast.FunctionDef) -> bool:
    return any(isinstance(d, ast.Call) and getattr(d.func, "id", "") == "kernel" for d in function.decorator_list)


def top_level(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """The functions that are no kernels and the constants, by name."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not is_kernel(node):
            yield node.name, node
        elif isinstance(node, ast.Assign):
            yield from pairs(node)


def pairs(assign: ast.Assign) -> Iterator[tuple[str, ast.AST]]:
    """Name and value, of `a, b = 1, 2` each."""
    target, value = assign.targets[0], assign.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        yield from ((name.id, part) for name, part in zip(target.elts, value.elts) if isinstance(name, ast.Name))
    elif isinstance(target, ast.Name):
        yield target.id, value


def used_only_by(tree: ast.Module, name: str, users: Sequence[ast.AST]) -> bool:
    """Whether the module names it, and nowhere outside the users."""
    return 0 < uses(tree, name) == sum(uses(user, name) for user in users)


def uses(tree: ast.AST, name: str) -> int:
    return sum(isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load) for node in ast.walk(tree))


def abscissas(tree: ast.Module, kernel: ast.FunctionDef) -> Iterator[ast.AST]:
    """The expressions of the points at which a kernel draws its series, with what is assigned for these alone, in the function or above it."""
    series = {
        key.value: value.args[0].value for key, value in items(kernel.decorator_list) if getattr(getattr(value, "func", 0), "id", "") == "Series"
    }
    curves = [value for key, value in items(kernel.body) if getattr(key, "value", None) in series]
    points = [value for curve in curves for key, value in items([curve]) if getattr(key, "value", None) in series.values()]
    yield from points
    chosen = {node.id for point in points for node in ast.walk(point) if isinstance(node, ast.Name)}
    drawn = [*curves, *(f for f in tree.body if isinstance(f, ast.FunctionDef) and any(map(is_figure, f.decorator_list)))]
    assigned = {name: value for node in (*tree.body, *ast.walk(kernel)) if isinstance(node, ast.Assign) for name, value in pairs(node)}
    while more := {name: value for name, value in assigned.items() if value not in drawn and used_only_by(tree, name, drawn)}:
        drawn += more.values()
        yield from (value for name, value in more.items() if name in chosen)


def items(nodes: Sequence[ast.AST]) -> Iterator[tuple[ast.AST | None, ast.expr]]:
    """The keys and values of all displays of dicts inside."""
    for node in nodes:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Dict):
                yield from zip(inner.keys, inner.values)


# which tests look at a module


def imports(path: Path) -> set[str]:
    """The modules of the library that a file imports, at the top or inside."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kernels.library"):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {module for module in found if module.startswith("kernels.library.") and path_of(module).is_file()}


@functools.cache
def closure(path: Path) -> dict[str, int]:
    """The modules of the library that a file imports, and those import, with their distance."""
    found, edge, distance = {}, imports(path), 1
    while edge:
        found |= dict.fromkeys(edge, distance)
        edge = {other for module in edge for other in imports(path_of(module))} - found.keys()
        distance += 1
    return found


@functools.cache
def find_module(kernel: str) -> str:
    return module_of(next(LIBRARY.rglob(f"{kernel}.py")))


def formulas() -> list[str]:
    """The modules of the formula kernels."""
    return sorted(module_of(path) for path in LIBRARY.rglob("[a-z]*.py") if 'kind="formula"' in path.read_text(encoding="utf-8"))


def tables(modules: Sequence[str]) -> list[str]:
    """What these import besides formulas."""
    return sorted({other for module in modules for other in closure(path_of(module)) if other not in modules and path_of(other).name[0] == "_"})


class Tests:
    """Which files of tests import which modules: those of all kernels, then the module's own, then the nearest first."""

    EVERY = (
        TESTS / "test_worked.py",
        TESTS / "test_published.py",
        TESTS / "test_curves.py",
    )  # of every kernel: only the rows of those that reach the module

    def __init__(self, modules: Sequence[str]) -> None:
        self.reach = {path: closure(path) for path in sorted(TESTS.rglob("test_*.py"))}
        self.reach = {path: reach for path, reach in self.reach.items() if not reach.keys().isdisjoint(modules)}

    def of(self, module: str) -> list[Path]:
        own = f"test_{module.rpartition('.')[2].lstrip('_')}.py"
        near = sorted((reach[module] + (path.name != own), path) for path, reach in self.reach.items() if module in reach)
        return [*self.EVERY, *(path for _, path in near)]


# running them


class Rows:
    """Leaves out the rows of tables of tests that are of kernels which do not reach the module."""

    def __init__(self, module: str) -> None:
        self.module = module

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if item.path not in Tests.EVERY or self.reaches(item)]

    def reaches(self, item) -> bool:
        asked = item.callspec.params if hasattr(item, "callspec") else {}
        name = next((getattr(value, "kernel", value) for key, value in asked.items() if key in ("row", "curve", "kernel")), "")
        return bool(name) and (own := find_module(name)) and (own == self.module or self.module in closure(path_of(own)))


class Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the mutant's module as changed."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, fullname, path=None, target=None):
        return importlib.util.spec_from_file_location(fullname, path_of(fullname), loader=self) if fullname == self.mutant.module else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(self.mutant.code(), vars(module))


def warm_up() -> None:
    """Imports what the tests import, but no kernel, so that each forked process starts with it."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    import matplotlib.pyplot  # noqa: F401
    import numpy  # noqa: F401
    import pytest  # noqa: F401
    import scipy.optimize  # noqa: F401
    import scipy.stats  # noqa: F401
    import torch
    import torch.utils.flop_counter  # noqa: F401

    from kernels import lab, plot  # noqa: F401

    sys.path[:0] = [str(ROOT / "tests")]
    import conftest  # noqa: F401

    torch.set_num_threads(1)
    loaded = [module for module in sys.modules if module.startswith("kernels.library.")]
    assert not loaded, f"a fork would see {loaded} unchanged"


def passes(files: Sequence[Path], mutant: Mutant | None = None) -> bool:
    """Whether the tests of these files pass, in a forked process, with the mutant in place of its module."""
    child = os.fork()
    if not child:
        code = 1
        try:
            import pytest

            if mutant:
                signal.setitimer(signal.ITIMER_PROF, SECONDS)
                sys.meta_path.insert(0, Instead(mutant))
            with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(io.StringIO()):
                code = pytest.main(
                    ["-x", "-q", "-p", "no:cacheprovider", "--tb=line", f"--rootdir={ROOT}", *map(str, files)],
                    [Rows(mutant.module)] if mutant else [],
                )
            if code and not mutant:
                print(said.getvalue()[-2000:], flush=True)
        finally:
            os._exit(int(code))
    return os.waitpid(child, 0)[1] == 0


def equal(mutant: Mutant) -> bool:
    """Whether the mutant gives what the module gives, as far as draws of parameters tell; in a forked process. A table of data is never equal."""
    readers = [module for module in formulas() if mutant.module in (module, *closure(path_of(module)))]
    if len(readers) > READERS:
        return False
    child = os.fork()
    if not child:
        code = 1
        try:
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            before = list(outcomes(readers))
            for module in [name for name in sys.modules if name.startswith("kernels.library.")]:
                del sys.modules[module]
            sys.meta_path.insert(0, Instead(mutant))
            code = int(not all(alike(old, new) for old, new in zip(before, outcomes(readers), strict=True)))
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def outcomes(modules: Sequence[str]) -> Iterator[list[float] | str]:
    """What the kernels give for drawn parameters: the numbers, or that they refuse."""
    from kernels.declare import find

    for module in modules:
        kernel, dice = find(module.rpartition(".")[2]), random.Random(0)
        for _ in range(DRAWS // len(modules)):
            given = {name: drawn(parameter, dice) for name, parameter in kernel.parameters.items()}
            try:
                outputs = kernel(**given).outputs.values()
            except (ArithmeticError, ValueError):  # KernelError is one
                yield "refused"
                continue
            yield [number for output in outputs for number in numbers(output)]


def drawn(parameter, dice: random.Random):
    if parameter.choices:
        return dice.choice(parameter.choices)
    if parameter.type not in (int, float) or (not parameter.required and dice.random() < 0.4):
        return dice.choice((False, True)) if parameter.type is bool else "the cat sat on the mat" if parameter.required else parameter.default
    low, high, default = parameter.bound.low, parameter.bound.high, 100 if parameter.required else abs(parameter.default)
    low = max(low, -100 * default - 10)
    value = low + (min(high, max(100 * default, low) + 10) - low) * dice.random() ** 3
    return min(max(round(value), math.ceil(low)), math.floor(high)) if parameter.type is int else value


def numbers(output) -> list[float]:
    if hasattr(output, "lines"):
        return [*output.x, *(value for line in output.lines for value in output.values(line) if value is not None)]
    return [output.value]


def alike(old: list[float] | str, new: list[float] | str) -> bool:
    return old == new or (
        not isinstance(old, str)
        and not isinstance(new, str)
        and len(old) == len(new)
        and all(math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-12) for a, b in zip(old, new))
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--least", type=float, default=0.95, help="the share that must be killed")
    parser.add_argument("--only", default="", metavar="WORD", help="modules with this in their name")
    parser.add_argument("--trust", action="store_true", help="the tests are known to pass without a mutant")
    parser.add_argument("--verbose", action="store_true")
    asked = parser.parse_args(arguments)

    dice, modules = random.Random(asked.seed), formulas()
    tests = Tests([*modules, *tables(modules)])
    every = [mutant for module in (*modules, *tables(modules)) if asked.only in module for mutant in mutants(module, dice)]
    chosen = dice.sample(every, min(asked.count, len(every)))
    warm_up()
    if not asked.trust and not passes(sorted({path for mutant in chosen for path in tests.of(mutant.module)})):
        print("the tests fail without a mutant")
        return 1
    living, same = [], 0
    for number, mutant in enumerate(chosen, 1):
        begun = time.monotonic()
        if passes(tests.of(mutant.module), mutant):
            if equal(mutant):
                same += 1
            else:
                living.append(mutant)
        if asked.verbose:
            print(f"{number} {time.monotonic() - begun:.1f}s {'LIVES' * (mutant in living)} {mutant}", flush=True)
    share = 1 - len(living) / (len(chosen) - same)
    print(*sorted(map(str, living)), f"{share:.1%} of {len(chosen) - same} mutants killed; {same} more are equal; {len(every)} there are", sep="\n")
    return int(share < asked.least)


if __name__ == "__main__":
    sys.exit(main())
