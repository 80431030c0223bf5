"""A sample of wrong constants: the tests of the formulas notice nearly all of them. `make mutants` tries 300."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

import importlib.util

PATH = Path(__file__).parent / "mutants.py"


@pytest.fixture(scope="module")
def mutants():
    spec = importlib.util.spec_from_file_location("mutants", PATH)
    sys.modules["mutants"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_twenty_mutants():
    done = subprocess.run([sys.executable, str(PATH), "--count", "20", "--least", "0.9", "--trust"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mutants killed" in done.stdout


def test_what_no_card_can_print_is_left_out(mutants, tmp_path, monkeypatch):
    """One constant of each kind: only the formula's own and the shared one are changed."""
    (tmp_path / "toy.py").write_text('''
from typing import Annotated
from kernels import Bound, KernelError, Series, kernel
HALF, POINTS, INK = 0.5, (1, 2, 4), 7

@kernel(kind="formula", outputs={"area": "", "sweep": Series("side", "")}, timeout=99)
def toy(side: Annotated[float, Bound(low=3)] = 5.0):
    """Area."""
    if side < 0:
        raise KernelError(f"{side + 11}")
    return {"area": HALF * side, "sweep": {"side": list(POINTS), "area": [other(x) * 13 for x in POINTS]}}

def other(x):
    return x

@toy.figure
def draw(result, ax):
    ink(INK)

def ink(width):
    return width + 17
''')
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    found = [mutant.was for mutant in mutants.mutants("toy", mutants.random.Random(0))]
    assert sorted(found) == ["*", "*", "0", "0.5", "13"]


def test_a_mutant_is_another_program(mutants):
    (mutant,) = [m for m in mutants.mutants("kernels.library.training.clip_unscale", mutants.random.Random(0)) if m.was == "*"]
    space = {}
    exec(mutant.code(), space)
    assert space["clip_unscale"](norm=6.0, scale=3.0)["scaled"] == 2
