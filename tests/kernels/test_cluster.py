"""Runs go to the workers of a cluster, one at a time each, and come back as the records that they would be here."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

distributed = pytest.importorskip("distributed", reason="pip install warpdeck[cluster]")
import dask

from kernels import cluster, recording
from kernels.__main__ import main
from kernels.demand import Device
from kernels.key import PACKAGE
from kernels.record import path_of, paths, sealed

pytestmark = pytest.mark.usefixtures("made_up")
SPEED, DRIFT = {"kernel": "made_up_speed", "cards": ["cards/x.md:7"]}, {"kernel": "made_up_drift", "parameters": {"scale": 2}}


def runs(*lines):
    return recording.read_runs(map(json.dumps, lines), "runs")


def states(outcome):
    return Counter(done.state for done in outcome.done)


@pytest.fixture(scope="module")
def pretended():
    """Workers load the made-up kernels and GPUs; a worker's death is looked for often."""
    with pytest.MonkeyPatch.context() as patch, dask.config.set({"distributed.worker.preload": [str(Path(__file__).with_name("pretended_host.py"))]}):
        patch.setenv("MADE_UP_LIBRARY", str(Path(__file__).with_name("library")))
        patch.setenv("MADE_UP_GPUS", "h100,h200")
        patch.delenv(cluster.VISIBLE, raising=False)
        yield patch


@pytest.fixture(scope="module")
def two(pretended):
    """The address of a scheduler with two workers."""
    with contextlib.ExitStack() as stack:
        yield cluster._started("local:2", stack)[0].scheduler_address


def test_records_are_those_of_runs_here(two, tmp_path):
    heard = []
    wanted = runs(SPEED, DRIFT, {**SPEED, "parameters": {"rows": 1}})
    outcome = cluster.record_runs(wanted, two, device="h100,h200,b200", root=tmp_path / "there", say=heard.append)
    assert states(outcome) == {"recorded": 5, "skipped": 2} and outcome.good
    assert {done.message for done in outcome.of("skipped")} == {"no worker has b200"}
    measured = [line.partition(" ")[2] for line in heard if "made_up_speed" in line]
    assert sorted(measured) == [f"({one}) ← made_up_speed{rows}" for one in ("h100", "h200") for rows in ("", " rows=1")] and len(heard) == 5
    found = [json.loads(path.read_text()) for path in paths(tmp_path / "there") if path.parent.name == "made_up_speed"]
    assert sorted((data["made"]["device_class"], data["made"]["gpu"]) for data in found) == [("h100", "0")] * 2 + [("h200", "1")] * 2
    recording.record_runs(runs(DRIFT), root=tmp_path / "here")
    here, there = (json.loads(path_of(wanted[1].kernel, wanted[1].parameters, None, tmp_path / place).read_text()) for place in ("here", "there"))
    assert here.pop("made").keys() == there.pop("made").keys() and here.pop("digest") and there.pop("digest")
    assert here == there and list(here) == list(there)
    again = cluster.record_runs(wanted, two, device="this", root=tmp_path / "there")
    assert states(again) == {"fresh": 5}


def test_two_workers_share_the_runs(two, tmp_path):
    """Each run waits for one that runs beside it: neither would end if one worker had both."""
    names = [(str(tmp_path / f"a{n}"), str(tmp_path / f"b{n}")) for n in range(3)]
    pairs = [pair for a, b in names for pair in ((a, b), (b, a))]
    wanted = runs(*({"kernel": "made_up_company", "parameters": {"how": "meets", "note": a, "other": b}} for a, b in pairs))
    heard = []
    outcome = cluster.record_runs(wanted, two, root=tmp_path / "records", say=heard.append)
    assert states(outcome) == {"recorded": 6}
    assert sorted(Counter(line.split(" ←")[0].split(":")[-1] for line in heard).values()) == [3, 3]


def test_a_worker_that_dies_costs_its_run_alone(pretended, tmp_path):
    """Of the only worker, which comes again; nothing is tried twice."""
    kills = {"kernel": "made_up_company", "parameters": {"how": "kills", "note": str(tmp_path / "killed")}, "cards": ["cards/x.md:1"]}
    trouble = {"kernel": "made_up_trouble", "parameters": {"how": "raise"}}
    outcome = cluster.record_runs(runs(kills, trouble, DRIFT, SPEED), "local:1", root=tmp_path / "records", say=lambda line: None)
    said = {done.run.kernel.name: (done.state, done.message) for done in outcome.done}
    assert states(outcome) == {"failed": 2, "recorded": 2} and (tmp_path / "killed").exists()
    assert said["made_up_company"][1].endswith(":0 (h100), died or was lost")
    assert said["made_up_trouble"][1].startswith("ZeroDivisionError: division by zero (tests/kernels/library/made_up_trouble.py:")
    assert "Traceback" in next(done.log for done in outcome.done if done.run.kernel.name == "made_up_trouble")


OTHER = {
    "commit": "its checkout is at commit 123456789abc, this one at ",
    "code": "its library/made_up_drift.py, library/made_up_speed.py is not as here",
}


@pytest.mark.parametrize("other", OTHER)
def test_a_worker_with_other_code_gets_no_runs(pretended, monkeypatch, tmp_path, other):
    monkeypatch.setenv("MADE_UP_OTHER", other)
    heard = []
    outcome = cluster.record_runs(runs(DRIFT, SPEED), "local:2", device="h100,h200", root=tmp_path, say=heard.append)
    assert states(outcome) == {"recorded": 2, "skipped": 1}
    refused, *taken = heard
    assert ":1 (h200) gets no runs: " in refused and OTHER[other] in refused
    assert len(taken) == 2 and all(":0 (h100) ← " in line for line in taken)
    assert outcome.of("skipped")[0].message == refused.partition("gets no runs: ")[2]


def test_a_dry_run_says_who_would_take_what(two, tmp_path, capsys):
    file = tmp_path / "runs"
    file.write_text("\n".join(map(json.dumps, (DRIFT, SPEED, {"kernel": "made_up_drift"}))))
    assert main(["record", str(file), "--records", str(tmp_path / "records"), "--cluster", two, "--dry-run", "--device", "h200,b200"]) == 0
    out, err = capsys.readouterr()
    lines = [line.partition(":")[2] for line in out.splitlines()]
    assert [line.partition(" ← ")[2] for line in lines] == ["made_up_speed", "made_up_drift scale=2.0", "made_up_drift"]
    assert "(h200)" in lines[0] and err == "made_up_speed: skipped: no worker has b200\n"
    assert not (tmp_path / "records").exists()


def test_records_as_text(tmp_path, capsys, monkeypatch):
    file, lines = tmp_path / "runs", tmp_path / "lines"
    file.write_text(json.dumps(DRIFT) + "\n" + json.dumps({"kernel": "made_up_drift"}))
    assert main(["record", str(file), "--records", str(tmp_path / "there"), "--stdout"]) == 0
    lines.write_text(capsys.readouterr().out)
    assert not (tmp_path / "there").exists() and len(lines.read_text().splitlines()) == 2
    main(["record", str(file), "--records", str(tmp_path / "here")])
    monkeypatch.setattr(recording.lab, "run", lambda *_, **__: pytest.fail("it is made"))
    assert main(["record", str(lines), "--records", str(tmp_path / "there"), "--made"]) == 0
    assert capsys.readouterr().out.endswith("2 recorded\n")
    both = [[{**json.loads(path.read_text()), "made": None, "digest": None} for path in paths(tmp_path / place)] for place in ("here", "there")]
    assert both[0] == both[1] and len(both[0]) == 2
    other = json.loads(lines.read_text().splitlines()[0])
    lines.write_text("{}\n" + json.dumps(sealed({**other, "code": {"library/made_up_drift.py": "0"}})))
    assert main(["record", str(lines), "--records", str(tmp_path / "new"), "--made"]) == 1
    out, err = capsys.readouterr()
    assert out == "1 failed\n" and "failed: it was made by other code: library/made_up_drift.py changed" in err
    assert f"{lines}:1: this is no record of ours: it has no digest" in err and not (tmp_path / "new").exists()


def test_nothing_disturbs_a_measurement():
    drift, speed = runs(DRIFT, SPEED)
    speed = replace(speed, kernel=replace(speed.kernel, demand=replace(speed.kernel.demand, on="any")))
    devices = Device("GPU", "h100", 2**34, 9.0), Device("CPU", "cpu-1", 2**34, where="cpu")
    one, beside, elsewhere = (cluster.Worker(f"tcp://{host}:{n}", host, n, devices) for n, host in enumerate("aab"))
    on_cpu, on_gpu, anywhere = cluster.Job(speed, "cpu-1", "cpu"), cluster.Job(speed, "h100", "cuda"), cluster.Job(drift)
    every = [on_cpu, on_gpu, anywhere]
    assert cluster._next(one, every, []) is on_cpu and cluster._next(one, every, [(one, anywhere)]) is None
    assert cluster._next(one, every, [(beside, on_cpu)]) is None and cluster._next(elsewhere, every, [(beside, on_cpu)]) is on_cpu
    assert cluster._next(one, every, [(beside, on_gpu)]) is on_gpu and cluster._next(one, [on_cpu, anywhere], [(beside, on_gpu)]) is None
    assert cluster._next(one, every, [(beside, anywhere)]) is anywhere


def test_a_measurement_has_the_threads_that_it_has_alone(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as a nanny sets it
    with cluster._as_alone():
        assert "OMP_NUM_THREADS" not in os.environ
    assert os.environ["OMP_NUM_THREADS"] == "1"


@pytest.fixture
def gpu1(tmp_path, monkeypatch):
    """A host of that name within reach of ssh, which is this machine."""
    asyncssh = pytest.importorskip("asyncssh")
    folder, loop = tmp_path / ".ssh", asyncio.new_event_loop()
    folder.mkdir()
    key, host = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    key.write_private_key(folder / "key")
    key.write_public_key(folder / "authorized")
    started = []

    async def copied(source, to):
        while data := await source.read(2**16):
            to.write(data)

    async def shell(process):
        pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE, "stdin": asyncio.subprocess.DEVNULL}
        child = await asyncio.create_subprocess_shell(process.command, start_new_session=True, **pipes)
        started.append(child.pid)
        await asyncio.gather(copied(child.stdout, process.stdout), copied(child.stderr, process.stderr))
        process.exit(await child.wait())
        started.remove(child.pid)

    async def listening():
        keys = {"server_host_keys": [host], "authorized_client_keys": str(folder / "authorized")}
        return await asyncssh.listen("127.0.0.1", 0, **keys, process_factory=shell, encoding=None)

    async def ended():
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    port = asyncio.run_coroutine_threadsafe(listening(), loop).result(60).get_port()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {host.export_public_key().decode()}")
    options = {"HostName": "127.0.0.1", "Port": port, "IdentityFile": folder / "key", "UserKnownHostsFile": folder / "known"}
    (folder / "config").write_text("Host gpu1\n" + "".join(f"  {name} {value}\n" for name, value in options.items()))
    monkeypatch.setenv("HOME", str(tmp_path))
    yield
    for pid in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    asyncio.run_coroutine_threadsafe(ended(), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(60)
    loop.close()


def test_workers_are_started_by_ssh(pretended, gpu1, tmp_path):
    outcome = cluster.record_runs(runs(SPEED, DRIFT), "ssh:gpu1=2", device="h100,h200", root=tmp_path / "records", say=lambda line: None)
    assert states(outcome) == {"recorded": 3}
    assert {path.stem for path in paths(tmp_path / "records")} == {"default@h100", "default@h200", "scale=2"}


def test_without_the_extra_it_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    file = tmp_path / "runs"
    file.write_text(json.dumps(DRIFT))
    assert main(["record", str(file), "--cluster", "local:2", "--records", str(tmp_path / "records")]) == 2
    assert "pip install warpdeck[cluster]" in capsys.readouterr().err


@pytest.mark.parametrize("where", ["local:0", "local:", "local:two", "ssh:", "ssh:a,,b", "ssh:a=0", "gpu1", "ssh:a:b:c"])
def test_a_cluster_that_is_none(where):
    with pytest.raises(recording.KernelError, match="must be tcp://HOST:PORT"):
        cluster.record_runs([], where)


def test_hosts_of_an_ssh_cluster(monkeypatch):
    started = {}
    monkeypatch.setattr(distributed, "SSHCluster", lambda hosts, **options: started.update(hosts=hosts, **options) or pytest.MonkeyPatch.context())
    with contextlib.ExitStack() as stack:
        assert cluster._started("ssh:gpu1=2,gpu2:/srv/my deck", stack)[1] == 3
    assert started["hosts"] == ["gpu1", "gpu1", "gpu1", "gpu2"]
    here, *_, there = started["remote_python"]
    assert there == "PYTHONPATH='/srv/my deck' '/srv/my deck/.venv/bin/python'" and here == f"PYTHONPATH={PACKAGE.parent} {sys.executable}"
