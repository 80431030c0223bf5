"""Measured numbers of several devices side by side. The records here are made up and never lie in kernels/records."""

from __future__ import annotations

from pathlib import Path

import pytest
from near import near
from our_types import note_types

from generator.notes import Note, Run, Text
from generator.problems import Place
from generator.render.note import render
from generator.resolve import results
from generator.resolve.beside import beside, device_name
from generator.resolve.note import resolve
from generator.resolve.results import Store, results_for
from kernels import kernel, remote
from kernels.record import Number, Result

PLACE = Place("cards/x.md", 3)
RATES = {"h100": 3.0e12, "h200": 4.2e12}
DEVICES = {"h100": "NVIDIA H100 80GB HBM3", "h200": "NVIDIA H200"}


@kernel(kind="measurement", outputs={"copy_rate": "B/s"})
def made_up_rate(rows: int = 8):
    """A rate."""
    return {"copy_rate": 1.0}


@pytest.fixture
def note(monkeypatch):
    """note(*classes): a note that shows a rate, with a made-up record on each of these device classes."""

    def load(kernel, parameters, device, root):
        made = {"device": DEVICES[device], "device_class": device}
        outputs = {"copy_rate": Number(RATES[device], "B/s")}
        return Result(kernel.name, kernel.kind, parameters, outputs, made) if device in there else None

    there: list[str] = []
    monkeypatch.setattr(results, "load", load)
    monkeypatch.setattr(remote, "find", near({"made_up_rate": made_up_rate}))
    fields = {"Front": Text("How fast?", PLACE), "Answer": Text("[[r.copy_rate | TB/s 2]], with [[r.rows | count]] rows", PLACE)}

    def made(*classes: str) -> Note:
        there[:] = classes
        return Note("x", "qa", "D::x", "x", (), fields, {"r": Run("r", "made_up_rate", {"rows": 8}, PLACE)}, (), (), PLACE, Path("cards"))

    return made


@pytest.mark.parametrize("classes", [(), ("h100",), ("h200",)])
def test_one_device_needs_no_table(note, classes):
    assert beside(note(*classes), Store(("h100", "h200"), (Path(),))) == ()


def test_two_devices_stand_side_by_side_in_depth(note):
    one, store = note("h100", "h200"), Store(("h100", "h200"), (Path(),))
    found = beside(one, store)
    assert [device for device, _ in found] == ["NVIDIA H100", "NVIDIA H200"]
    assert [dict(texts)["copy rate"] for _, texts in found] == ["3&#8239;TB/s", "4.2&#8239;TB/s"]
    resolved = resolve(one, results_for(one, store, []).find, [])
    assert resolved is not None
    rendered = render(resolved._replace(beside=found), note_types(), lambda result, measured: pytest.fail("no figure"), [])
    assert rendered is not None
    assert "NVIDIA H200" in rendered.fields["Depth"]
    assert "4.2\u202fTB/s" in rendered.fields["Depth"]
    assert "3\u202fTB/s" in rendered.fields["Answer"]


@pytest.mark.parametrize(
    ("made", "name"),
    [({"device": "NVIDIA H100 80GB HBM3", "device_class": "h100"}, "NVIDIA H100"), ({"device_class": "h200"}, "H200"), ({}, "an unnamed device")],
)
def test_device_names(made, name):
    assert device_name(made) == name
