"""Measurements as the lab runs them: in several processes, in rehearsal, under a budget; and the table at their end."""

import json
from dataclasses import replace

import pytest

pytest.importorskip("torch")

from near import near

from kernels import key, lab, recording, summary
from kernels.declare import find
from kernels.demand import Demand
from kernels.machine import cpu_class
from kernels.record import load, to_json
from kernels.results import Number, Result

pytestmark = pytest.mark.usefixtures("made_up")


def answer(seconds, device_class="made-up", doubts=()):
    made = {"kind": "measurement", "device": "Made-up", "device_class": device_class, "seconds": 1.5}
    outputs = {name: Number(value, unit) for name, value, unit in (("time", seconds, "s"), ("rows", 8, ""), ("added", 128.0, ""))}
    return Result("made_up_pace", "measurement", {"columns": 16}, outputs, made, timings=({"doubts": list(doubts)},))


def test_a_measurement_is_the_median_of_its_processes_and_what_lies_between_them(monkeypatch):
    answers = iter([answer(2.0), answer(1.0, doubts=["it is warm"]), answer(4.0)])
    monkeypatch.setattr(lab, "_ask", lambda *_: to_json(next(answers), {}))
    here = lab.Device("Made-up", "made-up", 2**40)
    monkeypatch.setattr(lab, "devices", lambda: (here,))
    result = lab.run(find("made_up_pace"), {})
    time = result.outputs["time"]
    assert time.value == 2.0 and 1.0 <= time.low < 1.5 and 3.0 < time.high <= 4.0 and time.draws == (2.0, 1.0, 4.0)
    assert result.outputs["rows"] == Number(8) and result.draws == 3 and result.parameters == {"columns": 1024}
    assert result.made["processes"] == 3 and result.made["seconds"] == 4.5 and [one["doubts"] for one in result.timings] == [[], ["it is warm"], []]


def test_a_cpu_is_measured_by_its_name(tmp_path):
    kernel = find("made_up_pace")
    (done,) = recording.record_runs([recording.Run(kernel, kernel.bind({"columns": 8}))], device=f"h100,{cpu_class()}", root=tmp_path).done
    assert done.state == "recorded", done.message
    found = load(kernel, kernel.bind({"columns": 8}), cpu_class(), tmp_path)
    assert not found.stale and found["rows"] == 4096 and found["added"] == 8 * 4096
    assert found.draws == 3 and len(found.timings) == 3 and found.made["cores"] >= 1 and found.made["threads"] >= 1
    assert all(one["turns"][0]["functions"]["sum"]["number"] >= 2 for one in found.timings)


def test_a_rehearsal_is_small_whole_and_quoted_by_none(tmp_path):
    kernel = find("made_up_pace")
    outcome = recording.rehearse([recording.Run(near({"pace": kernel})("pace"), kernel.bind({}))], tmp_path)
    assert [done.state for done in outcome.done] == ["recorded"], outcome.done[0].message
    found = load(kernel, kernel.bind({}), lab.REHEARSAL, tmp_path / "records")
    assert found["rows"] == 8 and found["added"] == 16 * 8 and found.parameters == {"columns": 1024}
    assert found.made["device_class"] == "rehearsal" and found.made["kind"] == "measurement"
    (figure,) = (tmp_path / "figures").iterdir()
    assert figure.read_bytes().startswith(b"<svg") or b"<svg" in figure.read_bytes()[:400]
    assert vars(__import__("sys").modules[kernel.function.__module__])["ROWS"] == 4096  # here, where nothing was rehearsed


def test_a_rehearsal_tells_what_fails_and_goes_on(tmp_path):
    broken = replace(find("made_up_pace"), drawing={"draw": lambda result, ax: result["missing"]})
    found = near({"broken": broken, "sound": find("made_up_pace")})
    runs = [recording.Run(kernel, kernel.bind({})) for kernel in map(found, ("broken", "sound"))]
    outcome = recording.rehearse(runs, tmp_path, jobs=2)
    assert [done.state for done in outcome.done] == ["failed", "recorded"] and "missing" in outcome.done[0].message


def test_a_budget_takes_what_most_cards_want_for_each_second_and_begins_nothing_it_cannot_end(tmp_path, monkeypatch):
    kernel, now, order = find("made_up_pace"), [0.0], []
    quick, slow = (replace(kernel, demand=replace(kernel.demand, seconds=seconds)) for seconds in (10.0, 40.0))
    runs = [recording.Run(k, {"columns": c}, cards) for k, c, cards in ((slow, 1, ("a", "b")), (quick, 2, ("a",)), (quick, 3, ()), (slow, 4, ("a",)))]

    def recorded(run, *_):
        order.append(run.parameters["columns"])
        now[0] += recording.seconds_of(run)
        return recording.Done(run, "recorded")

    monkeypatch.setattr(recording, "_recorded", recorded)
    monkeypatch.setattr(recording.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(lab, "devices", lambda: (lab.Device("Made-up", "made-up", 2**40),))
    outcome = recording.record_runs(runs, root=tmp_path, budget=200.0)
    assert order == [2, 1, 3] and [done.state for done in outcome.done] == ["recorded", "recorded", "recorded", "skipped"]
    assert "budget of 200 s" in outcome.done[3].message


def test_the_table_shows_prediction_ratio_share_and_doubts():
    kernel = replace(find("made_up_pace"), demand=Demand(headline="time", share="rows"))
    time = Number(2e-9, "s", 1.9e-9, 2.1e-9)
    result = replace(answer(0.0, doubts=["sum scatters by 30% of its median"]), outputs={"time": time, "rows": Number(1.2)})
    head, row = summary.table([recording.Done(recording.Run(kernel, {"columns": 1024}), "recorded", result=result)]).splitlines()
    assert head.split() == ["kernel", "headline", "predicted", "ratio", "of", "ceiling", "doubt"]
    for part in ("made_up_pace", "time 2 ns", "1 ns", "2.00", "120%", "above its ceiling", "10% between processes", "sum scatters"):
        assert part in row.replace("\N{NO-BREAK SPACE}", " "), part
    assert summary.table([recording.Done(recording.Run(kernel, {}), "failed")]) == ""


def test_what_moves_no_number_is_no_part_of_the_key():
    source = '@kernel(kind="measurement", {}outputs={{"time": "s"}}, timeout=9)\ndef f(rows: int = 1):\n    return {{"time": rows}}\n'
    plain, asking = source.format(""), source.format('memory=lambda rows: (8 * rows), rehearsal={"rows": 2,\n  "ROWS": 3}, ')
    assert key.reduced(plain) == key.reduced(asking) == key.reduced(asking + "\n\n@f.predicted\ndef predict(result):\n    return 1\n")
    assert key.reduced(plain) != key.reduced(plain.replace("timeout=9", 'on="any"'))


def test_the_command_line_rehearses_measurements_alone(tmp_path, capsys):
    from kernels.__main__ import main

    wanted = tmp_path / "wanted.jsonl"
    wanted.write_text(json.dumps({"kernel": "made_up_pace", "parameters": {"columns": 8}, "cards": []}) + "\n")
    code = main(["rehearse", "made_up_pace", "--wanted", str(wanted), "--into", str(tmp_path / "out"), "--jobs", "1"])
    out = capsys.readouterr().out
    assert code == 0 and out.endswith("2 recorded\n") and "made_up_pace columns=8" in out
    assert main(["rehearse", "made_up_ratio"]) == 2
