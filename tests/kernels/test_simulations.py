"""What every simulation of the library declares: invariants, draws enough to tell a spread, and no constant of its own for a seed."""

from __future__ import annotations

import ast
import inspect

import pytest

from kernels.declare import find, names
from kernels.record import RECORDS, read

SIMULATIONS = [name for name in names() if find(name).kind == "simulation"]


@pytest.mark.parametrize("name", SIMULATIONS)
def test_it_names_what_must_hold_of_every_draw(name):
    assert find(name).invariants


@pytest.mark.parametrize("name", [name for name in SIMULATIONS if not find(name).takes_seed])
def test_what_takes_no_seed_draws_nothing(name):
    """A generator in its file would be an author's one draw."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(find(name).function)))  # type: ignore[arg-type]
    drawing = {"manual_seed", "Random", "default_rng", "rand", "randn", "randint"}
    assert not {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & drawing


def test_every_record_of_a_simulation_has_its_draws_and_ends():
    for path in sorted(RECORDS.rglob("*.json")):
        record = read(path)
        kernel = find(record["kernel"])
        if record["made"]["kind"] == "simulation":
            assert record.get("draws", 1) == kernel.draws, path
            ends = {(end["parameter"], end["value"]) for end in record.get("ends", ())}
            assert ends == {(p.name, end) for p in kernel.parameters.values() for end in p.free if end != record["parameters"][p.name]}, path
