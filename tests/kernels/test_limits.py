"""What counts towards a run's limits, and what does not: waiting, other jobs, more threads of the same length."""

import queue
import subprocess
import sys
from pathlib import Path

import pytest

from kernels import lab, limits
from kernels.__main__ import main
from kernels.declare import find

pytestmark = [pytest.mark.usefixtures("made_up"), pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="CPU time is read from /proc")]


def trouble(how, note="", **options):
    return lab.run(find("made_up_trouble"), {"how": how, "note": note}, **options)


def test_a_child_that_computes_uses_up_the_limit():
    with pytest.raises(lab.RunError, match="it used more than its limit of 0.5 s of CPU time and was killed"):
        trouble("spin", timeout=0.5)


def test_the_limit_of_the_command_line_takes_the_place_of_the_kernels(capsys):
    assert main(["run", "made_up_trouble", "how=spin", "--timeout", "0.3"]) == 1
    assert capsys.readouterr() == ("", "error: it used more than its limit of 0.3 s of CPU time and was killed\n")


def test_waiting_does_not_count():
    assert trouble("nap", "2", timeout=1.5)["value"] == 1


def test_whoever_ends_in_time_is_not_judged(monkeypatch):
    monkeypatch.setattr(limits, "cpu_seconds", lambda _: pytest.fail("the worker has ended"))
    answers = queue.SimpleQueue()
    answers.put(b"")
    assert limits.wait(answers, 1, 1e-9) == b""


SPENT = """
import hashlib, os, subprocess, sys, threading, time

def spend(times=15):  # mostly without the interpreter's lock
    for _ in range(times):
        hashlib.sha256(bytes(10_000_000))

if sys.argv[1] == "spend":
    sys.exit(spend(60))
if sys.argv[1] == "threads":
    threads = [threading.Thread(target=spend) for _ in range(4)]
    for thread in threads: thread.start()
    while any(thread.is_alive() for thread in threads): time.sleep(0.01)
else:
    subprocess.run([sys.executable, __file__, "spend"])
times = os.times()
print(times.user + times.system + times.children_user + times.children_system, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(("what", "low", "high"), [("threads", 0.0, 0.7), ("child", 0.9, 1.1)])
def test_of_a_process_the_busiest_thread_counts_and_children_that_ended_do(tmp_path, what, low, high):
    """Four threads of equal work count about as one, a child as itself, whatever else the machine does."""
    program = tmp_path / "spent.py"
    program.write_text(SPENT, encoding="utf-8")
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, str(program), what], stdin=pipe, stdout=pipe, text=True, start_new_session=True) as process:
        total = float(process.stdout.readline())
        counted = limits.cpu_seconds(process.pid)
        process.stdin.close()
    assert low * total <= counted <= high * total
