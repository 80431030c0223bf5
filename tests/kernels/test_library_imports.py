"""The laboratory loads, lists its kernels and evaluates formulas without torch, numpy or matplotlib, and never loads the generator."""

import ast
import graphlib
import json
import subprocess
import sys
from pathlib import Path

import kernels

ROOT = Path(kernels.__file__).parent.parent

BLOCKED = """
import importlib, sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "triton", "numpy", "matplotlib", "jinja2", "markdown", "yaml", "rich", "genanki", "generator"}:
            raise ModuleNotFoundError(f"{name} is blocked for this test", name=name)

sys.meta_path.insert(0, Block())
sys.path.insert(0, sys.argv.pop(1))
import kernels
"""

EVERYTHING = """
import json
from pathlib import Path
folder = Path(kernels.__file__).parent
found = [".".join(path.relative_to(folder.parent).with_suffix("").parts) for path in sorted(folder.rglob("*.py"))]
for name in found:
    importlib.import_module(name)
print(json.dumps(found))
"""


def run(program, *arguments):
    ran = subprocess.run([sys.executable, "-c", BLOCKED + program, str(ROOT), *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_every_module_loads_on_bare_python():
    found = json.loads(run(EVERYTHING))
    assert {"kernels.__main__", "kernels.lab", "kernels.record", "kernels.declare", "kernels.library.training.training_memory"} <= set(found)


def test_commands_work_on_bare_python():
    program = "from kernels.__main__ import main; sys.exit(main(sys.argv[1:]))"
    listed = json.loads(run(program, "list", "--json"))
    assert {kernel["kind"] for kernel in listed} >= {"formula"}
    assert json.loads(run(program, "run", "training_memory", "parameters=1", "--json"))["total"]["value"] == 16


def test_declarations_and_records_load_fast():
    """What a build without news loads of the laboratory is a few modules of the standard library."""
    program = "from kernels.declare import find; import kernels.record; find('training_memory'); print(' '.join(sorted(sys.modules)))"
    loaded = set(run(program).split())
    assert not loaded & {"kernels.lab", "kernels.recording", "kernels.machine", "kernels.plot", "kernels.timing", "subprocess", "asyncio", "argparse"}


def test_no_two_modules_import_one_another():
    """At their tops, for type checkers too; what stands inside a function is imported when all are loaded."""
    package = Path(kernels.__file__).parent
    imported = {}
    for path in package.glob("[a-z]*.py"):
        top = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if not isinstance(node, (ast.FunctionDef, ast.ClassDef))]
        found = [node for part in top for node in ast.walk(part) if isinstance(node, ast.ImportFrom) and node.module]
        names = [f"{node.module}.{alias.name}".split(".") for node in found for alias in node.names]
        imported[path.stem] = {name[1] for name in names if name[0] == "kernels" and (package / f"{name[1]}.py").exists()}
    assert "results" in imported["record"] & imported["declare"]
    graphlib.TopologicalSorter(imported).prepare()
