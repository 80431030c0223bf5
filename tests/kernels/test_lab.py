"""The lab survives its workers; records are made, kept, skipped and verified; the command line says so."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pytest

from kernels import KernelError, Spread, declare, lab, limits, machine, record, recording
from kernels.__main__ import _parser, main
from kernels.declare import find
from kernels.demand import Demand, Device
from kernels.machine import device_class_of, device_name_of, versions
from kernels.record import Curve, Number, Result, load, path_of, save, sealed

pytestmark = pytest.mark.usefixtures("made_up")


def trouble(how, note="", **options):
    return lab.run(find("made_up_trouble"), {"how": how, "note": note}, **options)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")  # one that nobody waited for yet is dead all the same
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] not in "ZX"


def comes(condition, seconds=300):
    """Waits for what is to come; the limit is for what never does, however busy the machine."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def ends(pids):
    return comes(lambda: not any(map(alive, pids)))


def written(path):
    """The process ids that the made-up hang wrote, once they are all there."""
    return [int(pid) for pid in path.read_text().split()] if path.exists() and path.read_text().count(" ") else []


def test_a_result_says_how_it_was_made():
    result = trouble("none")
    assert result["value"] == 1 and result.kind == "simulation" and result.parameters == {"how": "none", "note": ""}
    made = dict(result.made)
    assert made.pop("seconds") >= 0 and made.pop("utc").endswith("Z") and "commit" in made
    assert made["device"] == "CPU" and made["device_class"] == "cpu" and made["kind"] == "simulation" and made["torch"] == ""
    assert set(made) == {"kind", "device", "device_class", "model", "driver", "cuda", "torch", "python", "commit"}


def test_what_a_worker_prints_does_not_garble_its_answer():
    assert trouble("noise")["value"] == 1


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("exit", "its worker ended with exit code 3 and without a result"),
        ("kill", "its worker was killed by SIGKILL (most likely the machine ran out of memory)"),
        ("raise", "ZeroDivisionError: division by zero (tests/kernels/library/made_up_trouble.py:"),
        ("nan", "made_up_trouble.value is nan, which is not finite"),
        ("missing", "what made_up_trouble returned lacks value (it declares: value)"),
        ("extra", "what made_up_trouble returned has undeclared more (it declares: value)"),
        ("parameter", "made_up_trouble: parameter 'how' is 'exlt' (did you mean 'exit'"),
    ],
)
def test_a_worker_that_fails_says_why(how, message):
    with pytest.raises(lab.RunError) as error:
        trouble(how)
    assert str(error.value).startswith(message)
    assert ("Traceback" in error.value.log) == (how == "raise")


def test_a_worker_that_hangs_dies_with_its_children(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "monotonic", lambda: 1e6 if written(tmp_path / "pids") else 0.0)
    with pytest.raises(lab.RunError, match=r"it did not end within 1000 s, of which it used [\d.]+ s of CPU time, and was killed") as error:
        trouble("hang", str(tmp_path / "pids"), timeout=100)
    assert len(written(tmp_path / "pids")) == 2 and ends(written(tmp_path / "pids"))
    assert error.value.log == "before the end"


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_lab_that_is_stopped_leaves_no_worker(tmp_path, sign):
    folder = Path(__file__).parent / "library"
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"  # a background job ignores it
        f"from kernels import library; library.__path__.append({str(folder)!r});"
        f"from kernels.__main__ import main; sys.exit(main(['run', 'made_up_trouble', 'how=hang', 'note={tmp_path / 'pids'}']))"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=record.RECORDS.parent.parent, stderr=subprocess.PIPE, text=True)
    assert comes(lambda: written(tmp_path / "pids") or process.poll() is not None) and process.poll() is None
    process.send_signal(sign)
    said = process.communicate(timeout=300)[1]
    assert ends(written(tmp_path / "pids"))
    if sign == signal.SIGINT:
        assert process.returncode == 130 and "Traceback" not in said


CPU = Device("Made-up CPU", "made-up-cpu", 2**34, where="cpu")


def pretend(monkeypatch, *gpus):
    """Devices of this machine, in place of the real ones: GPUs by class or as they are, and a CPU."""
    found = [Device(f"Made-up {one}", one, 80 * 2**30, 9.0, ("fp16", "bf16")) if isinstance(one, str) else one for one in gpus]
    monkeypatch.setattr(lab, "devices", lambda: (*found, CPU))


def test_a_measurement_without_its_gpu_is_refused(monkeypatch):
    speed = find("made_up_speed")
    for here, device, message in (((), None, "needs a GPU"), (("h200",), "h100", "is to be measured on h100; the device here is h200")):
        pretend(monkeypatch, *here)
        with pytest.raises(lab.RunError, match=message):
            lab.run(speed, {}, device=device)


def test_a_gpu_that_vanishes_is_noticed(monkeypatch):
    pytest.importorskip("torch")
    pretend(monkeypatch, "made-up")
    with pytest.raises(lab.RunError, match="torch sees none here"):
        lab.run(find("made_up_speed"), {})


DEMANDING = {"memory": lambda rows: 2**30 * rows, "capability": 8.0, "formats": lambda dtype: (dtype,)}


@pytest.mark.parametrize(
    ("device", "parameters", "obstacle"),
    [
        (Device("Laptop", "laptop", 8 * 2**30, 8.6, ("fp16", "bf16")), {"rows": 7}, ""),
        (Device("Laptop", "laptop", 8 * 2**30, 8.6, ("fp16", "bf16")), {"rows": 8}, "it needs 8 GiB of memory, and Laptop has 7 to give"),
        (Device("Turing", "t4", 16 * 2**30, 7.5, ("fp16",)), {"rows": 1}, "it needs compute capability 8.0, and Turing has 7.5"),
        (Device("Old", "old", 2**40, 8.0, ("fp16",)), {"rows": 1, "dtype": "bf16"}, "it multiplies bf16, which Old does not"),
        (Device("AMD Instinct MI300X", "mi300x", 2**37, 0.0, ("fp16", "bf16")), {"rows": 1, "dtype": "bf16"}, ""),
    ],
)
def test_a_measurement_asks_for_memory_capability_and_formats(device, parameters, obstacle):
    def demanding(rows: int = 1, dtype: Literal["fp16", "bf16"] = "fp16"):
        """Demands."""

    kernel = declare.kernel(kind="measurement", outputs={"time": "s"}, **DEMANDING)(demanding)
    assert kernel.demand.obstacle(kernel.bind(parameters), device) == obstacle


def test_what_does_not_fit_is_skipped_before_it_starts_and_the_others_run(tmp_path, monkeypatch):
    small = Device("Small", "small", 2**30, 8.6)
    pretend(monkeypatch, small)
    big, ran = replace(find("made_up_speed"), name="made_up_big", demand=Demand(memory=2**31)), []
    monkeypatch.setattr(recording, "_recorded", lambda run, *_: ran.append(run) or recording.Done(run, "recorded"))
    outcome = recording.record_runs([recording.Run(big, {"rows": 8192}), *runs(SPEED)], root=tmp_path)
    assert states(outcome) == ["skipped", "recorded"] and len(ran) == 1
    assert outcome.done[0].message == "it needs 2 GiB of memory, and Small has 0 to give"


@pytest.mark.parametrize("wrong", [{"memory": lambda lines: lines}, {"rehearsal": {"ROWS": 2}}, {"rehearsal": {"rows": "two"}}, {"headline": "rate"}])
def test_a_demand_names_what_is_there(wrong):
    def demanding(rows: int = 1):
        """Demands."""

    with pytest.raises(KernelError):
        declare.kernel(kind="measurement", outputs={"time": "s"}, **wrong)(demanding)
    with pytest.raises(KernelError, match="only a measurement"):
        declare.kernel(kind="formula", outputs={"time": "s"}, memory=1)(demanding)


@pytest.mark.parametrize(
    ("cpuinfo", "name", "short"),
    [
        ("model name\t: AMD EPYC\ncpu family\t: 25\nmodel\t\t: 17\n", "AMD EPYC (family 25, model 17)", "epyc-25.17"),
        ("model name\t: AMD EPYC 9B14\n", "AMD EPYC 9B14", "epyc-9b14"),
        ("model name\t: AMD Ryzen 9 7950X 16-Core Processor\n", "AMD Ryzen 9 7950X", "ryzen-9-7950x"),
        ("model name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz\n", "Intel Xeon Platinum 8481C", "xeon-platinum-8481c"),
    ],
)
def test_classes_of_processors(cpuinfo, name, short, monkeypatch):
    monkeypatch.setattr(machine, "_cpuinfo", lambda key: dict(line.split("\t: ") for line in cpuinfo.replace("\t\t", "\t").splitlines()).get(key, ""))
    assert (machine.cpu_name(), machine.cpu_class()) == (name, short)


@pytest.mark.parametrize(
    ("name", "hip", "architecture", "number", "expected"),
    [
        ("NVIDIA GeForce RTX 4070 Laptop GPU", None, None, (8, 9), ("rtx-4070-laptop", 8.9, ("fp64", "fp32", "fp16", "tf32", "bf16", "fp8"))),
        ("Tesla T4", None, None, (7, 5), ("t4", 7.5, ("fp64", "fp32", "fp16"))),
        ("AMD Instinct MI300X OAM", "6.2", "gfx942:sramecc+:xnack-", (9, 4), ("mi300x", 0.0, ("fp64", "fp32", "fp16", "bf16", "fp8"))),
        ("AMD Radeon RX 7900 XTX", "6.2", "gfx1100", (11, 0), ("radeon-rx-7900-xtx", 0.0, ("fp64", "fp32", "fp16", "bf16"))),
        ("AMD Radeon Graphics", "6.2", "gfx1103", (11, 0), ("gfx1103", 0.0, ("fp64", "fp32", "fp16", "bf16"))),
        ("AMD Radeon VII", "6.2", "gfx906:sramecc+:xnack-", (9, 0), ("radeon-vii", 0.0, ("fp64", "fp32", "fp16"))),
    ],
)
def test_what_a_gpu_is_and_can_do(name, hip, architecture, number, expected, monkeypatch):
    torch = pytest.importorskip("torch")
    properties = SimpleNamespace(major=number[0], minor=number[1], total_memory=2**33)
    if architecture:
        properties.gcnArchName = architecture
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: name)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    monkeypatch.setattr(torch.version, "hip", hip)
    gpu, cpu = machine.devices()
    assert (gpu.device_class, gpu.capability, gpu.formats) == expected and gpu.memory == 2**33 and cpu.where == "cpu"


@pytest.mark.parametrize(
    ("model", "short", "name"),
    [
        ("NVIDIA H100 80GB HBM3", "h100", "NVIDIA H100"),
        ("NVIDIA H100 PCIe", "h100-pcie", "NVIDIA H100 PCIe"),
        ("NVIDIA H100 NVL", "h100-nvl", "NVIDIA H100 NVL"),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", "h100-mig-1g.10gb", "NVIDIA H100 MIG 1g.10gb"),
        ("NVIDIA H200", "h200", "NVIDIA H200"),
        ("NVIDIA GH200 144G HBM3e", "gh200", "NVIDIA GH200"),
        ("NVIDIA B200", "b200", "NVIDIA B200"),
        ("NVIDIA A100-SXM4-80GB", "a100", "NVIDIA A100"),
        ("NVIDIA A10G", "a10g", "NVIDIA A10G"),
        ("NVIDIA L40S", "l40s", "NVIDIA L40S"),
        ("Tesla V100-SXM2-16GB", "v100", "Tesla V100"),
        ("Tesla T4", "t4", "Tesla T4"),
        ("NVIDIA GeForce RTX 4090", "rtx-4090", "NVIDIA GeForce RTX 4090"),
        ("NVIDIA GeForce RTX 3060 Laptop GPU", "rtx-3060-laptop", "NVIDIA GeForce RTX 3060 Laptop GPU"),
        ("NVIDIA RTX 6000 Ada Generation", "rtx-6000-ada", "NVIDIA RTX 6000 Ada Generation"),
        ("AMD Instinct MI300X", "mi300x", "AMD Instinct MI300X"),
        ("", "unknown", ""),
    ],
)
def test_device_classes(model, short, name):
    assert (device_class_of(model), device_name_of(model)) == (short, name)


def runs(*lines):
    return recording.read_runs([line if isinstance(line, str) else json.dumps(line) for line in lines], "runs")


def states(outcome):
    return [done.state for done in outcome.done]


DRIFT = {"kernel": "made_up_drift", "parameters": {"scale": 2}, "cards": ["cards/a.md:3"], "kind": "simulation"}


def test_runs_are_read_bound_and_merged():
    again = {**DRIFT, "parameters": {"label": "a", "scale": 2.0}, "cards": ["cards/b.md:4", "cards/a.md:3"]}
    found = runs(DRIFT, "", again, {"kernel": "made_up_drift"}, {"kernel": "made_up_ratio", "parameters": {"above": 1}})
    assert [str(run) for run in found] == ["made_up_drift scale=2.0", "made_up_drift"]
    assert found[0].cards == ("cards/a.md:3", "cards/b.md:4") and found[1].cards == ()
    assert runs() == runs("", "  \n") == ()


def test_bad_lines_are_told_all_at_once():
    lines = (
        "{",
        DRIFT,
        "[]",
        '{"kernel": 1}',
        {"kernel": "made_up_drft"},
        {"kernel": "made_up_drift", "parameters": []},
        {"kernel": "made_up_drift", "cards": "a"},
        {**DRIFT, "parameters": {"scale": "x"}},
    )
    with pytest.raises(KernelError) as error:
        runs(*lines)
    said = str(error.value).split("\n")
    assert [line.split(": ")[0] for line in said] == ["runs:1", "runs:3", "runs:4", "runs:5", "runs:6", "runs:7", "runs:8"]
    assert "did you mean 'made_up_drift'" in said[3] and "must be of type float" in said[6]


def test_only_the_missing_and_the_stale_are_executed(tmp_path, monkeypatch):
    wanted = runs(DRIFT)
    assert states(recording.record_runs(wanted, root=tmp_path)) == ["recorded"]
    monkeypatch.setattr(lab, "run", lambda *_, **__: pytest.fail("it is fresh"))
    assert states(recording.record_runs(wanted, root=tmp_path)) == ["fresh"]
    assert states(recording.record_runs(wanted, root=tmp_path / "mine", known=(tmp_path,))) == ["fresh"]


@pytest.mark.parametrize(("drift", "state", "kept"), [("1.0009", "kept", True), ("1.0011", "recorded", False)])
def test_a_rerun_within_tolerance_keeps_the_values(tmp_path, monkeypatch, drift, state, kept):
    (run,) = runs(DRIFT)
    recording.record_runs([run], root=tmp_path)
    path = path_of(run.kernel, run.parameters, None, tmp_path)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(sealed({**content, "code": {"library/made_up_drift.py": "0"}})))
    assert load(run.kernel, run.parameters, None, tmp_path).stale
    monkeypatch.setenv("MADE_UP_DRIFT", drift)
    assert states(recording.record_runs([run], root=tmp_path)) == [state]
    result = load(run.kernel, run.parameters, None, tmp_path)
    assert not result.stale and (result["value"] == 2.0) == kept and (result["curve"].values("line")[1] == 2.0) == kept


def test_a_file_that_is_no_record_is_replaced(tmp_path):
    (run,) = runs(DRIFT)
    path = path_of(run.kernel, run.parameters, None, tmp_path)
    path.parent.mkdir()
    path.write_text("<<<<<<< HEAD")
    assert states(recording.record_runs([run], root=tmp_path)) == ["recorded"]
    assert load(run.kernel, run.parameters, None, tmp_path)["value"] == 2.0


def test_one_failure_stops_no_other_run(tmp_path):
    lines = [{"kernel": "made_up_trouble", "parameters": {"how": how}, "cards": ["cards/x.md:1"]} for how in ("exit", "none", "nan")]
    outcome = recording.record_runs(runs(*lines), root=tmp_path)
    assert states(outcome) == ["failed", "recorded", "failed"] and not outcome.good
    assert [path.name for path in tmp_path.glob("*/*")] == ["default.json"]


def measured(monkeypatch, here, factor=1.0):
    """Lets the made-up measurement run in this process as if a GPU were here; returns how often it was."""
    count = []

    def run(kernel, parameters, **_):
        count.append(kernel.name)
        time = Spread(factor, factor * 0.99, factor * 1.02)
        made = {"kind": "measurement", "device": f"Made-up {here}", "device_class": here}
        returned = {"time": time, "memory": 100, "sweep": {"rows": [1, 2], "plain": [1, 1], "fused": [100 / time, None]}}
        return Result(kernel.name, kernel.kind, kernel.bind(parameters), kernel.checked(returned), made)

    monkeypatch.setattr(lab, "run", run)
    pretend(monkeypatch, *filter(None, [here]))
    return count


SPEED = {"kernel": "made_up_speed", "cards": ["cards/x.md:7"]}


def test_measurements_run_only_on_the_devices_asked_for(tmp_path, monkeypatch):
    wanted = runs(SPEED)
    count = measured(monkeypatch, None)
    for device in ("this", "h100,h200"):
        outcome = recording.record_runs(wanted, root=tmp_path, device=device)
        assert states(outcome) == ["skipped"] and outcome.good and "this machine has none" in outcome.done[0].message
    count = measured(monkeypatch, "rtx-4090")
    outcome = recording.record_runs(wanted, root=tmp_path, device="h100,h200")
    assert states(outcome) == ["skipped"] and outcome.done[0].message == "it is to be measured on h100 or h200; the device here is rtx-4090"
    assert not count
    count = measured(monkeypatch, "h200")
    assert states(recording.record_runs(wanted, root=tmp_path, device="h100,h200")) == ["recorded"] and len(count) == 1
    assert [path.name for path in tmp_path.glob("*/*")] == ["default@h200.json"]
    assert states(recording.record_runs(wanted, root=tmp_path, device="h100,h200")) == ["fresh"] and len(count) == 1
    assert states(recording.record_runs(wanted, root=tmp_path, fresh=True)) == ["recorded"] and len(count) == 2
    measured(monkeypatch, None)
    assert states(recording.record_runs(wanted, root=tmp_path, device="h100,h200")) == ["fresh"]
    assert states(recording.record_runs(wanted, root=tmp_path, device="h100,h200", fresh=True)) == ["skipped"]
    assert states(recording.verify(root=tmp_path)) == ["skipped"]


def test_a_gpu_that_cannot_be_asked_fails_its_measurements_only(tmp_path, monkeypatch):
    def broken():
        raise lab.RunError("torch is broken", "its log")

    monkeypatch.setattr(lab, "devices", broken)
    outcome = recording.record_runs(runs(SPEED, DRIFT), root=tmp_path)
    assert states(outcome) == ["failed", "recorded"] and outcome.done[0].log == "its log"


def test_measurements_differ_beyond_their_widened_spread(tmp_path, monkeypatch):
    measured(monkeypatch, "h100")
    recording.record_runs(runs(SPEED), root=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.glob("*/*")}
    for factor, agrees in ((1.04, True), (1.06, True), (0.95, True), (1.08, False), (0.9, False)):
        measured(monkeypatch, "h100", factor)
        outcome = recording.verify(root=tmp_path)
        assert outcome.good == agrees, factor
    assert outcome.done[0].message == "sweep.fused at 1 of 2 points, the worst: 100 (98.0392 to 101.01), now 111.1111111 B/s (+0.11 of it)\n" + (
        "time: 1 (0.99 to 1.02), now 0.9 s (-0.1 of it)"
    )
    assert before == {path: path.read_bytes() for path in tmp_path.glob("*/*")}


def difference(old, new, name="made_up_drift"):
    def result(value):
        return Result(name, find(name).kind, {}, {"out": value})

    return recording.differences(find(name), result(old), result(new))


def curve(*values, x=(0, 1, 2)):
    return Curve("x", "", "", x, {"line": tuple(None if v is None else Number(v) for v in values)})


def test_simulations_agree_within_their_tolerance():
    assert not difference(Number(1000.0, "B"), Number(1001.0, "B")) and difference(Number(1000.0, "B"), Number(1001.1, "B"))
    assert not difference(Number(1e-17), Number(-1e-17)) and difference(Number(0.0, "s"), Number(1e-17, "s"))
    assert difference(Number(1, "B"), Number(1, "s")) == ("out was in B, now s",)
    assert difference(Number(1), Number(1, low=1, high=1)) and difference(Number(1), curve(1, 1, 1)) == ("out is of another form",)
    assert not difference(curve(0.0, 1000.0, None), curve(1e-4, 1000.0, None))
    assert difference(curve(0.0, 1000.0, None), curve(0.01, 1000.0, None))
    assert "no value, now 1" in difference(curve(0.0, 1.0, None), curve(0.0, 1.0, 1.0))[0]
    assert difference(curve(1, 1, 1), curve(1, 1, 1, x=(0, 1, 3))) and difference(curve(1, 1, 1), curve(1, 1, x=(0, 1)))
    assert difference(Number(1), Number(1.0000001), "made_up_trouble") and not difference(Number(1), Number(1.0), "made_up_trouble")


def test_verify_catches_a_tampered_record(tmp_path, capsys):
    recording.record_runs(runs(DRIFT, {"kernel": "made_up_trouble"}), root=tmp_path)
    assert main(["verify", "--records", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "2 agree\n"
    (run,) = runs(DRIFT)
    path = path_of(run.kernel, run.parameters, None, tmp_path)
    path.write_text(path.read_text().replace("2.0", "2.1", 2))  # the parameter and the value
    assert main(["verify", "--records", str(tmp_path)]) == 1
    assert "scale=2.json:5: this is not a record as it was written: its parameters and outputs changed" in capsys.readouterr().err
    path.write_text(json.dumps(sealed(json.loads(path.read_text()))))
    assert main(["verify", "--records", str(tmp_path)]) == 1
    assert "scale=2.json holds the case of scale=2.1.json" in capsys.readouterr().err
    recording.record_runs([run], root=tmp_path)
    content = json.loads(path.read_text())
    content["outputs"]["value"]["value"] = 2.5
    path.write_text(json.dumps(sealed(content)))
    tampered = path.read_bytes()
    assert main(["verify", "made_up_drift", "--records", str(tmp_path)]) == 1
    assert capsys.readouterr().out == "made_up_drift scale=2.0\n  value: 2.5, now 2 (-0.2 of it)\n1 differ\n"
    assert path.read_bytes() == tampered
    assert main(["verify", "made_up_trouble", "--records", str(tmp_path)]) == 0
    assert main(["verify", "made_up_truble", "--records", str(tmp_path)]) == 2
    assert "did you mean 'made_up_trouble'" in capsys.readouterr().err


def test_a_record_names_the_packages_that_its_run_read(tmp_path):
    (run,) = runs({"kernel": "made_up_reader"})
    assert states(recording.record_runs([run], root=tmp_path)) == ["recorded"] and states(recording.verify(root=tmp_path)) == ["agrees"]
    path = path_of(run.kernel, run.parameters, None, tmp_path)
    content = json.loads(path.read_text())
    assert content["made"]["packages"] == {"yaml": metadata.version("PyYAML")} == versions(["yaml"])
    for packages, message in (
        ({"yaml": "0.1"}, f"it was recorded with yaml 0.1 (here {metadata.version('PyYAML')})"),
        ({"yaml": "0.1", "made_up_package": "2"}, "it needs made_up_package, not installed here"),
    ):
        content["made"]["packages"] = packages
        path.write_text(json.dumps(sealed(content)))
        (skipped,) = recording.verify(root=tmp_path).of("skipped")  # other numbers would be no mistake
        assert skipped.message == message


def test_verify_tells_of_records_without_a_kernel(tmp_path):
    (run,) = runs(DRIFT)
    recording.record_runs([run], root=tmp_path)
    path = path_of(run.kernel, run.parameters, None, tmp_path)
    content = json.loads(path.read_text())
    for name, changed in (("gone", {"kernel": "made_up_gone"}), ("unbound", {"parameters": {"sclae": 1}}), ("cut", None)):
        (path.parent / f"{name}.json").write_text(json.dumps(sealed({**content, **changed})) if changed else "{")
    outcome = recording.verify(root=tmp_path)
    assert states(outcome) == ["agrees"] and not outcome.good
    assert [Path(re.split("[ :]", message)[0]).name for message in outcome.wrong] == ["cut.json", "gone.json", "unbound.json"]


def said(capsys, *arguments):
    code = main(arguments)
    heard = capsys.readouterr()
    return code, heard.out, heard.err


def test_run_as_json(capsys):
    code, out, _ = said(capsys, "run", "training_memory", "parameters=70e9", "--json", "weights=bf16")
    assert code == 0 and json.loads(out)["total"] == {"value": 1120000000000, "unit": "B"}
    code, out, _ = said(capsys, "run", "made_up_ratio", "--json", "above=7", "below=2", "exact=TRUE")
    assert json.loads(out) == {"ratio": {"value": 3, "unit": "B/s"}}
    code, out, _ = said(capsys, "run", "made_up_drift", "scale=3", "--json")
    line = {"x_name": "x", "x_unit": "", "unit": "B", "x": [0, 1, 2], "lines": {"line": {"value": [0.0, 3.0, None]}}}
    assert code == 0 and json.loads(out) == {"value": {"value": 3.0, "unit": ""}, "curve": line}


def test_run_as_text(capsys):
    assert said(capsys, "run", "made_up_ratio", "above=7000000", "exact=true")[1] == "ratio  7,000,000 B/s\n"
    out = said(capsys, "run", "made_up_drift")[1]
    assert [line.split() for line in out.splitlines()] == [["value", "1"], ["curve", "in", "B"], ["x", "line"], ["0", "0"], ["1", "1"], ["2"]]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["made_up_ration"], 2, "did you mean 'made_up_ratio'"),
        (["made_up_ratio"], 2, "needs a value for its parameter 'above'"),
        (["made_up_ratio", "abov=1"], 2, "has no parameter 'abov' (did you mean 'above'"),
        (["made_up_ratio", "above"], 2, "'above' is no parameter (write key=value)"),
        (["made_up_ratio", "above=1", "above=2"], 2, "'above' is given twice"),
        (["made_up_ratio", "above=1.5"], 2, "must be of type int"),
        (["made_up_ratio", "above=many"], 2, "'above' is 'many', but must be of type int"),
        (["made_up_ratio", "above=1", "exact=yes"], 2, "'exact' is 'yes', but must be of type bool"),
        (["made_up_drift", "scale=inf"], 2, "must be finite"),
        (["made_up_ratio", "above=1", "below=2"], 1, "must be at most above"),
        (["made_up_trouble", "how=exit"], 1, "exit code 3"),
    ],
)
def test_run_refuses_in_one_line(capsys, words, code, message):
    got, out, err = said(capsys, "run", *words)
    assert (got, out) == (code, "") and message in err and err.startswith("error: ") and "Traceback" not in err


def test_usage_errors(capsys):
    for words in (
        [],
        ["rum"],
        ["run"],
        ["record"],
        ["list", "--jsno"],
        ["run", "made_up_ratio", "--above=1"],
        ["record", "-", "more"],
        ["run", "x", "--timeout", "0"],
    ):
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert stopped.value.code == 2
    capsys.readouterr()


def test_a_measurement_is_refused_on_the_command_line(capsys, monkeypatch):
    pretend(monkeypatch)
    code, out, err = said(capsys, "run", "made_up_speed", "--json")
    assert (code, out, err) == (1, "", "error: made_up_speed is a measurement: it needs a GPU, and this machine has none that torch can use\n")


def test_record_from_standard_input(capsys, monkeypatch, tmp_path):
    pretend(monkeypatch)
    lines = [DRIFT, SPEED, {"kernel": "made_up_trouble", "parameters": {"how": "raise"}, "cards": ["cards/b.md:9"]}]
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(json.dumps(line) + "\n" for line in lines)))
    code, out, err = said(capsys, "record", "-", "--records", str(tmp_path))
    assert code == 1 and out == "1 recorded, 1 skipped, 1 failed\n"
    first, second, third, *log = err.splitlines()
    assert first == "made_up_speed: skipped: it needs a GPU, and this machine has none that torch can use"
    assert second.startswith("[1/2] made_up_drift scale=2.0 ... ") and second.endswith(" s")
    assert third.startswith(
        "[2/2] made_up_trouble how=raise ... failed: ZeroDivisionError: division by zero (tests/kernels/library/made_up_trouble.py:"
    )
    assert third.endswith("(wanted by cards/b.md:9)") and log[-1] == "    | ZeroDivisionError: division by zero"
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert said(capsys, "record", "-", "--records", str(tmp_path)) == (0, "nothing to do\n", "")


def test_record_from_a_file(capsys, tmp_path):
    file = tmp_path / "runs"
    file.write_text(json.dumps(DRIFT) + "\n")
    assert said(capsys, "record", str(file), "--records", str(tmp_path / "r"))[:2] == (0, "1 recorded\n")
    assert said(capsys, "record", str(file), "--records", str(tmp_path / "r"))[:2] == (0, "1 fresh\n")
    assert said(capsys, "record", str(file), "--records", str(tmp_path / "r"), "--fresh")[:2] == (0, "1 made again with the values recorded\n")
    file.write_text("{\n")
    code, _, err = said(capsys, "record", str(file))
    assert code == 2 and f"{file}:1: this is not JSON" in err
    assert said(capsys, "record", str(tmp_path / "none"))[0] == 2


def test_the_bar_says_what_the_lines_say(tmp_path, monkeypatch):
    pytest.importorskip("rich")
    from kernels.progress import reporting

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    lines = [DRIFT, {"kernel": "made_up_trouble", "parameters": {"how": "exit", "note": "[red]"}, "cards": ["cards/b.md:9"]}]
    with reporting() as report:
        recording.record_runs(runs(*lines), root=tmp_path, report=report)
    shown = terminal.getvalue()
    assert "[1/2] made_up_drift scale=2.0 ... " in shown
    assert "[2/2] made_up_trouble how=exit note=[red] ... failed: its worker ended with exit code 3" in shown and "(wanted by cards/b.md:9)" in shown


def test_the_readme_names_every_command_and_option():
    readme = Path(lab.__file__).with_name("README.md").read_text(encoding="utf-8")
    commands = _parser()._subparsers._group_actions[0].choices
    words = [word for command in commands.values() for action in command._actions for word in action.option_strings if word not in ("-h", "--help")]
    assert {"--fresh", "--json"} <= set(words) and [word for word in (*commands, *words) if word not in readme] == []
    assert len(readme.splitlines()) < 320


def test_saving_takes_the_place_of_the_old_record(tmp_path):
    drift = find("made_up_drift")
    made = {"kind": "simulation", "device": "CPU", "device_class": "cpu"}
    for _ in range(2):
        path = save(drift, replace(drift(), made=made), tmp_path)
    assert list(tmp_path.glob("*/*")) == [path]
