"""Files on their way to the disk: whole or not at all, whoever writes beside and whatever ends the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kernels import parts

ROOT = Path(__file__).parents[2]


def begun(program: str, temporary: Path, **more: str) -> subprocess.Popen[str]:
    """A process that runs a program, and has come to where it says so."""
    before = f"import os, signal, sys, time; sys.path[0] = {str(ROOT)!r}; from kernels import parts\n"
    before += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    where = {**os.environ, "TMPDIR": str(temporary), **more}
    process = subprocess.Popen([sys.executable, "-c", before + program], env=where, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "there\n"
    return process


def test_a_file_is_there_once_it_is_whole(tmp_path: Path):
    path = tmp_path / "new" / "a"
    parts.write(path, b"one")
    with pytest.raises(ZeroDivisionError), parts.writing(path) as file:
        file.write(b"half of tw")
        raise ZeroDivisionError
    assert path.read_bytes() == b"one" and os.listdir(path.parent) == ["a"]
    with parts.writing(path) as file:
        file.write(b"two")
        parts.write(path, b"three")  # as another process does
        assert path.read_bytes() == b"three"
    assert path.read_bytes() == b"two" and os.listdir(path.parent) == ["a"]


def test_what_cannot_be_written_is_told_by_its_own_name(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError) as error:
        parts.write(tmp_path / "folder", b"")
    assert error.value.filename == str(tmp_path / "folder") and os.listdir(tmp_path) == ["folder"]


def test_any_number_of_writers_of_one_file(tmp_path: Path):
    program = f"""print("there", flush=True)
for number in range(200):
    parts.sweep({str(tmp_path)!r})
    parts.write({str(tmp_path / "a")!r}, sys.argv[0].encode() + str(number).encode() * 100_000)"""
    for process in [begun(program, tmp_path) for _ in range(4)]:
        assert process.communicate()[1] == "" and process.returncode == 0
    content = (tmp_path / "a").read_bytes()
    assert os.listdir(tmp_path) == ["a"] and content.endswith(b"199" * 100_000) and len(content) < 300_010


HALF = """with parts.part(sys.argv[1]) as (name, file), parts.folder() as folder:
    open(os.path.join(folder, "inside"), "w").close()
    print("there", flush=True)
    time.sleep(100)"""


@pytest.mark.skipif(os.name == "nt", reason="signals are not told so")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_an_ended_process_left_is_swept(sign: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    process = begun(HALF.replace("sys.argv[1]", repr(str(home))), temporary)
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(parts, "YOUNG", -60)
    parts.sweep(home)
    parts._sweep_folders.cache_clear()
    with parts.folder():
        assert len(os.listdir(home)) == 1 and len(os.listdir(temporary)) == 2  # what a process that lives is at stays
    process.send_signal(sign)
    process.communicate()
    if sign != signal.SIGINT:
        assert len(os.listdir(home)) == 1 and len(os.listdir(temporary)) == 1
    parts.sweep(home)
    parts._sweep_folders.cache_clear()
    with parts.folder():
        assert len(os.listdir(temporary)) == 1
    assert os.listdir(home) == os.listdir(temporary) == []


@pytest.mark.skipif(os.name == "nt", reason="signals are not told so")
def test_ctrl_c_that_comes_while_a_block_ends(tmp_path: Path):
    """Even what could not be deleted in its block is, and a second one changes nothing."""
    program = f"""parts.stops("stopped here")
def never(name):
    parts._remove = real
    print("there", flush=True)
    time.sleep(100)
real, parts._remove = parts._remove, never
with parts.part({str(tmp_path)!r}):
    pass"""
    process = begun(program, tmp_path)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    assert (process.communicate()[1], process.returncode) == ("stopped here\n", 130) and os.listdir(tmp_path) == []


def test_one_at_a_time(tmp_path: Path):
    program = f"""with parts.alone({str(tmp_path)!r}):
    print("there", flush=True)
    sys.stdin.read()
    parts.write({str(tmp_path / "a")!r}, b"first")"""
    before = f"import sys; sys.path[0] = {str(ROOT)!r}; from kernels import parts\n"
    process = subprocess.Popen([sys.executable, "-c", before + program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdin and process.stdout.readline() == "there\n"
    process.stdin.close()
    with parts.alone(tmp_path):
        assert (tmp_path / "a").read_bytes() == b"first"
    process.wait()
