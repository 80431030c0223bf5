"""Which record a note quotes: its device, fresh before stale, the first folder that has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from near import near

from generator.notes import Note, Run, Text
from generator.problems import Place
from generator.resolve import results
from generator.resolve.results import Store, results_for
from kernels import kernel, remote
from kernels.declare import KernelError
from kernels.record import Result


@kernel(kind="formula", outputs={"double": ""})
def doubled(n: int):
    """Twice n, for n that are not 13."""
    if n == 13:
        raise KernelError("doubled: 13 has no double")
    return {"double": 2 * n}


@kernel(kind="simulation", outputs={"mean": ""})
def simulated(rows: int = 0):
    """A mean."""
    return {"mean": 0.5}


@kernel(kind="measurement", outputs={"rate": "B/s"})
def measured(rows: int = 8):
    """A rate."""
    return {"rate": 1e12}


KERNELS = {k.name: k for k in (doubled, simulated, measured)}
PLACE = Place("cards/x.md", 3)


@pytest.fixture
def disk(monkeypatch):
    """Records by (root, kernel, rows, device): None where there is none, else whether it is fresh."""
    records: dict[tuple, bool] = {}
    reads: list[tuple] = []

    def load(kernel, parameters, device, root):
        key = (str(root), kernel.name, next(iter(parameters.values())), device)
        reads.append(key)
        if records.get(key) is KernelError:
            raise KernelError(f"{root}/{kernel.name}.json is broken")
        if key not in records:
            return None
        result = kernel(**parameters)
        return Result(
            result.kernel, result.kind, parameters, result.outputs, {"root": str(root), "device_class": device}, () if records[key] else ("changed",)
        )

    monkeypatch.setattr(results, "load", load)
    monkeypatch.setattr(remote, "find", near(KERNELS))
    records["reads"] = reads  # type: ignore[index]
    return records


def note(*named: str, **runs: tuple) -> Note:
    made = {alias: Run(alias, k.name, k.bind(given), PLACE) for alias, (k, given) in runs.items()}
    text = " ".join(f"[[{alias}.x]]" for alias in named or made)
    return Note("x", "qa", "gpu", "x", (), {"Front": Text(text, PLACE)}, made, (), (), PLACE, Path("cards"))


TWO = {"a": (measured, {"rows": 1}), "b": (measured, {"rows": 2})}


@pytest.mark.parametrize(
    ("records", "device"),
    [
        ({}, None),
        ({(1, "h100"): 1, (2, "h100"): 1, (1, "h200"): 1, (2, "h200"): 1}, "h100"),
        ({(1, "h200"): 1, (2, "h200"): 1}, "h200"),
        ({(1, "h100"): 1, (1, "h200"): 1, (2, "h200"): 1}, "h200"),  # the preferred one lacks a record
        ({(1, "h100"): 1, (2, "h100"): 0, (1, "h200"): 1, (2, "h200"): 1}, "h200"),  # fresh before stale
        ({(1, "h100"): 1, (2, "h100"): 0, (1, "h200"): 0, (2, "h200"): 0}, "h100"),  # all stale: the preferred one
        ({(1, "h100"): 0, (2, "h100"): 0, (1, "h200"): 1}, "h100"),  # whole before fresh
        ({(2, "h100"): 1, (1, "h200"): 1}, "h100"),  # none is whole: the most records, then preference
        ({(1, "a100"): 1, (2, "a100"): 1}, None),  # not a device that the deck quotes
    ],
)
def test_one_device_for_all_measurements(disk, records, device):
    disk.update({("r", "measured", rows, on): bool(fresh) for (rows, on), fresh in records.items()})
    chosen = results_for(note(**TWO), Store(("h100", "h200"), (Path("r"),)), [])
    assert chosen.device == device
    assert {r.made["device_class"] for r in chosen.results.values() if r} == ({device} if device else set())
    assert chosen.find(Run("b", "measured", {}, PLACE)) is chosen.results["b"]


def test_only_measurements_that_the_note_names_choose_the_device(disk):
    disk.update({("r", "measured", 1, "h100"): True, ("r", "measured", 2, "h200"): True})
    chosen = results_for(note("b", **TWO), Store(("h100", "h200"), (Path("r"),)), [])
    assert (chosen.device, sorted(chosen.results)) == ("h200", ["b"])


def test_formulas_and_simulations_need_no_device(disk):
    disk[("r", "simulated", 0, None)] = False
    runs = {"f": (doubled, {"n": 4}), "s": (simulated, {}), "missing": (simulated, {"rows": 1}), "m": (measured, {})}
    chosen = results_for(note(**runs), Store((), (Path("r"),)), [])
    assert chosen.device is None
    assert chosen.results["f"]["double"] == 8
    assert chosen.results["s"].stale == ("changed",)
    assert chosen.results["missing"] is None
    assert chosen.results["m"] is None


def test_of_several_roots_the_first_fresh_record_counts(disk):
    store = Store(("h100",), (Path("mine"), Path("git")))
    for seed, (mine, git, root) in enumerate([(True, True, "mine"), (False, True, "git"), (False, False, "mine"), (None, False, "git")]):
        disk.update({(r, "simulated", seed, None): fresh for r, fresh in (("mine", mine), ("git", git)) if fresh is not None})
        assert results_for(note(s=(simulated, {"rows": seed})), store, []).results["s"].made["root"] == root


def test_each_case_is_read_once(disk):
    disk[("r", "simulated", 0, None)] = True
    store = Store(("h100",), (Path("r"),))
    for _ in range(3):
        results_for(note(s=(simulated, {}), t=(simulated, {})), store, [])
    assert disk["reads"] == [("r", "simulated", 0, None)]


def test_a_kernel_that_refuses_and_a_broken_record_are_problems(disk):
    problems: list = []
    disk[("r", "measured", 8, "h100")] = KernelError
    chosen = results_for(note(f=(doubled, {"n": 13}), m=(measured, {})), Store(("h100",), (Path("r"),)), problems)
    assert sorted(map(str, problems)) == ["cards/x.md:3: doubled: 13 has no double", "cards/x.md:3: r/measured.json is broken"]
    assert set(chosen.results.values()) == {None}


def test_a_real_record_is_found(tmp_path, monkeypatch):
    from kernels import record

    monkeypatch.setattr(remote, "find", near(KERNELS))
    case = measured(rows=3)
    made = Result(case.kernel, case.kind, case.parameters, case.outputs, {"kind": "measurement", "device_class": "h100"})
    path = record.path_of(measured, case.parameters, "h100", tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(record.sealed(record.to_json(made, {"gone.py": "0"}))), encoding="utf-8")
    chosen = results_for(note(m=(measured, {"rows": 3})), Store(("h100",), (tmp_path,)), [])
    assert chosen.results["m"]["rate"] == 1e12
    assert chosen.results["m"].stale
