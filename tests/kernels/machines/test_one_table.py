"""Devices, models and clusters are one table each: no kernel's file has numbers of theirs."""

import ast
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernels import library
from kernels.library.machines._devices import DEVICES
from kernels.library.models._models import SHAPES

TABLES = ("_devices.py", "_clusters.py", "_models.py", "_reach.py")
OWN = {
    "batch_invariance": {50_257},  # a measurement's workload, held against the table in test_models.py: a new row must not make its record stale
    "hnsw_scaling": {32_000},  # vectors of a corpus, and no vocabulary
    "kv_split": {12 * 2**30},  # a paper's region for the cache, and no card's memory
    "scale_out_backlog": {141e9},  # a 70B model's weights in 16 bits, and no card's memory
}
FILES = sorted(path for path in Path(next(iter(library.__path__))).rglob("*.py") if path.name not in TABLES)

RATES = [rate for device in DEVICES.values() for rate in (*device.peak.values(), device.bandwidth, device.link) if rate >= 150e9]
NAMED = [gigabytes * unit for gigabytes in (80, 141, 180, 192) for unit in (1e9, 2**30)]  # memory by the device's name, which it does not have
SIZES = [*(device.memory for device in DEVICES.values()), *NAMED]
VOCABULARIES = {shape.vocab for shape in SHAPES.values()}
INNER = {shape.ffn for shape in SHAPES.values() if shape.gated and shape.ffn > 10_000 and shape.ffn & (shape.ffn - 1)}


def constants(tree: ast.AST) -> Iterator[tuple[int, float]]:
    """Every expression of numbers alone, 80 * 2**30 as well as 80e9: its line and its value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.expr) and all(isinstance(part, (ast.Constant, ast.BinOp, ast.operator)) for part in ast.walk(node)):
            value = eval(compile(ast.Expression(node), "", "eval"))  # numbers and operators only
            if type(value) in (int, float):
                yield node.lineno, value


def from_a_table(value: float) -> bool:
    """Whether it is a peak, a bandwidth or a memory of a device, to half a percent, or a model's vocabulary or inner width."""
    return value in VOCABULARIES | INNER or any(math.isclose(value, known, rel_tol=5e-3) for known in RATES + SIZES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_kernel_has_a_table_of_its_own(path):
    numbers = constants(ast.parse(path.read_text(encoding="utf-8")))
    found = [f"{path.name}:{line}: {value:g}" for line, value in numbers if from_a_table(value) and value not in OWN.get(path.stem, ())]
    assert not found, "read machines/_devices.py, machines/_clusters.py or models/_models.py instead of writing " + ", ".join(found)


@pytest.mark.parametrize("text", ["PEAK = 989e12", "memory = 80e9", "memory = 80 * 2**30", "f(bandwidth=3.35e12)", "vocab = 128_256", "link = 450e9"])
def test_the_walk_finds_what_it_looks_for(text):
    assert any(from_a_table(value) for _, value in constants(ast.parse(text)))
