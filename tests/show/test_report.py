"""The summary and build/report.json of a deck made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from near import near

from generator.gate.characters import unwanted, without_unwanted
from generator.notes import Sheet
from generator.pack.lock import hash_of
from generator.problems import Place, Problem, visible
from generator.show import report
from generator.show.coverage import coverage
from kernels import remote
from tests import notes_by_hand as made


@pytest.fixture(autouse=True)
def made_up_kernels(monkeypatch):
    monkeypatch.setattr(remote, "find", near(made.KERNELS))


@pytest.fixture
def package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "build" / "interviews.apkg"
    path.parent.mkdir()
    path.write_bytes(b"PK" + bytes(412_000))
    return path


def covered():
    return coverage(made.TOPICS, map(made.entry, made.RENDERED))


def test_summary(package):
    text = report.summary([made.sheet(made.RENDERED)], made.DECK, made.STATUSES, covered(), package)
    assert text.splitlines() == [
        "notes    6 notes, 7 cards; 1 new, 1 changed, 1 retired",
        "runs     1 computed, 1 fresh, 1 stale, 1 missing",
        "claims   1 holds, 1 wrong, 1 misleading, 1 open",
        "sources  1 of 2 questions answered, 4 of 5 claims checked, 1 left out; 0 of 1 topic whole",
        "media    1 file, 0 kB",
        "package  build/interviews.apkg, 412 kB",
        "stale    cards/memory/lora.md:5: made_up_simulation(bins=15): made_up_simulation.py changed",
        "missing  cards/memory/lora.md:7: made_up_bandwidth(rows=65536)",
        "warning  cards/deck.yml:9: topic lora is not listed (it comes last)",
    ]


def test_a_summary_says_since_when(package):
    for statuses, said in ((made.STATUSES, "1 new, 1 changed, 1 retired"), ({}, "nothing changed")):
        text = report.summary([made.sheet(made.RENDERED)], made.DECK, statuses, covered(), package, "2026.11")
        assert text.splitlines()[0] == f"notes    6 notes, 7 cards; {said} since release 2026.11"


def test_a_release_says_what_it_brings():
    withheld = made.sheet(made.RENDERED).entries[:1]
    text = report.released(made.DECK, {**made.STATUSES, **{f"n{i:02}": "new" for i in range(13)}}, withheld)
    assert text.splitlines() == [
        f"released version {made.DECK.version}: 14 new, 1 changed, 1 retired",
        *(f"new      n{i:02}" for i in range(12)),
        "new      ... and 2 more",
        "changed  full-memory",
        "retired  old-one",
        "withheld 1 note waits for a measurement",
        "warning  cards/deck.yml:9: topic lora is not listed (it comes last)",
    ]


def test_summary_of_nothing(package):
    deck = made.DECK._replace(topics={}, warnings=())
    for sheets in ([], [Sheet("cards/memory/gone.md")]):
        assert report.summary(sheets, deck, {}, coverage({}, [])).splitlines()[0] == "notes    0 notes, 0 cards; nothing changed"


def test_summary_lists_a_dozen():
    deck = made.DECK._replace(warnings=made.DECK.warnings * 20)
    assert report.summary([made.sheet(made.RENDERED)], deck, {}, covered()).splitlines()[-1] == "warning  ... and 8 more"


def test_report(package):
    text = report.report([made.sheet(made.RENDERED)], made.DECK, made.STATUSES, covered(), package, "5" * 64)
    found = json.loads(text)
    assert json.loads(json.dumps(found, allow_nan=False)) == found and text.endswith("}\n")
    assert found["totals"]["runs"] == {"computed": 1, "fresh": 1, "stale": 1, "missing": 1}
    assert found["totals"]["statuses"] == {"new": 1, "changed": 1, "unchanged": 4, "retired": 1}
    assert found["changes"] == {"new": ["typed"], "changed": ["full-memory"], "withheld": [], "retired": ["old-one"], "vanished": []}
    assert found["sizes"] == {"package": 412_002, "media": len(made.FIGURE), "media_files": 1}
    assert found["sha256"] == "5" * 64
    assert found["coverage"]["questions_answered"] == 1
    assert found["coverage"]["by_topic"]["lora"]["left_out"] == [5]
    assert [note["id"] for note in found["notes"]] == [note.id for note in made.RENDERED]
    note = found["notes"][0]
    assert (note["id"], note["hash"], note["place"]) == ("full-memory", hash_of(made.RENDERED[0]), "cards/memory/lora.md:20")
    assert note["claims"][0]["computed"] == "140 GB"
    assert note["claims"][0]["factor"] == "14 times more"
    assert note["runs"]["full"]["call"] == "made_up_memory(parameters=70e9, dtype=bf16)"
    assert note["runs"]["full"]["record"] is None
    assert note["values"] == {"full.total | GB": {"value": 1.4e11, "unit": "B"}}


@pytest.mark.parametrize("odd", ["\0", "\b", "\f", "\x1f", "\x7f", "\x85", "\ud800", "\udcff", "\ue000", "\uf8ff", "\ufffe", "\U0001ffff"], ids=ascii)
def test_what_no_text_may_hold_is_in_no_report(odd, package):
    """Names of files and of devices, and what a kernel says of a failure, come from elsewhere."""
    deck = made.DECK._replace(warnings=(Problem(Place(f"a{odd}.md"), f"x{odd}", f"\\b\\\\f\\u001f {odd} é"),), devices=(f"h100{odd}",))
    device = {"device": f"NVIDIA {odd}H100\t"}
    facts = "\n".join(report.line_of({**report.facts(note, "1", [Path("records")]), "made": device}) for note in made.RENDERED)
    sheet = made.sheet(made.RENDERED)._replace(facts=facts, unsaid=(Problem(Place("b.md"), f"{odd}y"),))
    text = report.report([sheet], deck, {f"a{odd}": "new"}, covered(), package)
    assert text.encode() and unwanted(text) is None
    found = json.loads(text)
    assert found["deck"]["devices"] == ["h100"] and found["changes"]["new"] == ["a"]
    shown = without_unwanted(visible(odd))  # as a terminal has it
    assert found["premises_unsaid"] == [f"b.md:1: {shown}y"]
    assert found["warnings"] == [f"a{shown}.md:1: x{shown} (\\b\\\\f\\u001f {shown} é)"]
    assert {note["made"]["device"] for note in found["notes"]} == {"NVIDIA H100\t"}


def test_notes_that_wait_are_apart(package):
    whole = made.sheet(made.RENDERED)
    sheet = whole._replace(entries=whole.entries[1:], withheld=tuple(entry._replace(waits={"f(x=1)": 2}) for entry in whole.entries[:1]))
    lines = report.summary([sheet], made.DECK, {**made.STATUSES, "full-memory": "withheld"}, covered()).splitlines()
    assert lines[:2] == ["notes    5 notes, 6 cards; 1 new, 1 retired", "withheld 1 note waits for a measurement"]
    found = json.loads(report.report([sheet], made.DECK, {**made.STATUSES, "full-memory": "withheld"}, covered()))
    assert found["totals"]["withheld"] == 1 and found["changes"]["withheld"] == ["full-memory"]
    assert found["withheld"] == [{"id": "full-memory", "place": "cards/memory/lora.md:20", "waits": {"f(x=1)": 2}}]


def test_a_report_of_several_files_is_one():
    """Files without a note among them; a run that notes of two files use stands once."""
    whole, *parts = (made.sheet(notes) for notes in (made.RENDERED, made.RENDERED[:1], made.RENDERED[1:]))
    one, several = (
        report.report(sheets, made.DECK, made.STATUSES, covered()) for sheets in ([whole], [Sheet("a.md"), parts[0], Sheet("b.md"), parts[1]])
    )
    assert one == several
    assert json.loads(report.report([Sheet("a.md")], made.DECK, {}, covered()))["notes"] == []


def test_runs_say_how_they_were_made():
    runs = {run["kernel"] + str(run["parameters"]): run for run in made.sheet(made.RENDERED).runs}
    measured = runs["made_up_bandwidth{'rows': 8192}"]
    assert measured["state"] == "fresh"
    assert measured["made"] == made.MADE
    assert measured["record"] == "kernels/records/made_up_bandwidth/default@h100.json"
    assert runs["made_up_bandwidth{'rows': 65536}"]["state"] == "missing"
    assert runs["made_up_memory{'parameters': 70000000000, 'dtype': 'bf16'}"]["notes"] == ["full-memory", "calibration"]
    assert runs["made_up_simulation{'bins': 15}"]["reasons"] == ["made_up_simulation.py changed"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(70_000_000_000, "70e9"), (1_500_000, "1.5e6"), (8192, "8192"), (0.05, "0.05"), (True, "True"), ("nf4", "nf4"), (1234567, "1234567")],
)
def test_parameters_read_as_they_are_written(value, shown):
    run = made.RUNS["full"]._replace(parameters={"x": value})
    assert report.call(run) == f"made_up_memory(x={shown})"
