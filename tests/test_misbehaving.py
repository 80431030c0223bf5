"""Kernels of a deck that raise, end the process, never end or change what is around them: their cards are named, and the others are built.

Each row is the body of a formula, of a figure or of a file, and what is said of it at the card's line; "" where the card is built like any other.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from workshop import Workshop, command, environment, notes

from kernels import limits, remote

DECK = 'name: Misbehaving\nid: 1735000001\nslug: misbehaving\nversion: "1"\ndevices: [h100]\nsubdecks:\n  all: {name: All, topics: []}\n'
CARD = "---\nruns:\n  r: {{kernel: {name}, size: 3}}\n---\n\n# What does {name} give of 3? {{#{id}}}\n\n[[r.value | count]]{figure}\n"
FILE = """import ctypes, decimal, locale, math, os, random, signal, subprocess, sys, threading, time, warnings
from kernels import Series, kernel, plot
{top}

@kernel(kind="formula", outputs={{"value": "", "line": Series("x")}}, timeout=0.5)
def {name}(size: int = 1):
    \"\"\"Gives its size.\"\"\"
    {body}
    return {{"value": size, "line": {{"x": [1, 2], "y": [1, 2]}}}}


@{name}.figure
def draw(result, ax):
    {drawn}
    plot.lines(ax, result["line"], y_label="y")
    return "A line."
"""
LIMIT, CLOCK = "it used more than its limit of 0.5 s of CPU time and was killed", "it did not end within 5 s"
FORMULAS = {
    "divides": ("1 / 0", "ZeroDivisionError: division by zero (kernels/divides.py:8)"),
    "overflows": ("math.exp(1e9)", "OverflowError: math range error (kernels/overflows.py:8)"),
    "recurses": ("return recurses.function(size)", "RecursionError: maximum recursion depth exceeded"),
    "allocates": ("bytearray(1 << 45)", "MemoryError (kernels/allocates.py:8)"),
    "hoards": ("kept = []\n    while True: kept.append(bytes(10**8))", "MemoryError (kernels/hoards.py:9)"),
    "raises_its_own": ("raise type('Own', (BaseException,), {})('mine')", "Own: mine (kernels/raises_its_own.py:8)"),
    "raises_what_cannot_be_said": ("raise type('Own', (Exception,), {'__str__': lambda _: 1 / 0})", "Own (kernels/raises_what_cannot_be_said.py:8)"),
    "interrupts": ("raise KeyboardInterrupt", "KeyboardInterrupt (kernels/interrupts.py:8)"),
    "leaves": ("sys.exit(3)", "SystemExit: 3 (kernels/leaves.py:8)"),
    "leaves_at_once": ("os._exit(0)", "its worker ended with exit code 0 and without a result"),
    "aborts": ("os.abort()", "its worker was killed by SIGABRT"),
    "crashes": ("ctypes.string_at(0)", "its worker was killed by SIGSEGV"),
    "kills_itself": ("os.kill(os.getpid(), signal.SIGKILL)", "its worker was killed by SIGKILL"),
    "kills_its_group": ("os.killpg(0, signal.SIGTERM)", "its worker was killed by SIGTERM"),
    "kills_its_parent": ("os.kill(os.getppid(), signal.SIGKILL)\n    time.sleep(60)", "its worker was killed by SIGKILL"),
    "loops": ("while True: pass", LIMIT),
    "holds_on": (
        "while True:\n        try:\n            while True: pass\n        except BaseException: pass",
        LIMIT,
    ),
    "counts": ("10 ** 10 ** 9", LIMIT),
    "sleeps": ("time.sleep(1e6)", CLOCK),
    "asks": ("input()", "EOFError"),
    "closes": ("os.closerange(3, 256)", "its worker "),
    "garbles": ("for pipe in range(3, 16):\n        try: os.write(pipe, b'\\xff' * 99)\n        except OSError: pass", "its worker "),
    "gives_nothing": ("return", "gives_nothing returned NoneType"),
    "gives_for_ever": (
        "return {'value': 1, 'line': {'x': [1, 2], 'y': iter(int, 1)}}",
        "",  # either limit: which of memory and time comes first is the machine's
    ),
    "prints": ("print('{}' * 99, flush=True); os.write(1, b'\\n')", None),
    "moves": ("os.chdir('/')", None),
    "renames": ("os.environ.clear(); os.environ['HOME'] = '/nowhere'; locale.setlocale(locale.LC_ALL, 'C')", None),
    "rounds": ("decimal.getcontext().prec = 1; random.seed(0); sys.setrecursionlimit(99)", None),
    "warns": ("warnings.simplefilter('error'); sys.stdout = sys.stderr = None", None),
    "sets_an_alarm": ("signal.alarm(1)", None),
    "leaves_a_thread": ("threading.Thread(target=time.sleep, args=(1e6,)).start()", None),
    "leaves_a_child": ("subprocess.Popen([sys.executable, '-c', CHILD], start_new_session=True)", None),
    "forks": ("if not os.fork():\n        os.setsid()\n        if not os.fork(): note()\n        os._exit(0)", None),
}
CHILD = "CHILD = \"import os, time; open('pids', 'a').write(f'{os.getpid()} '); time.sleep(600)\"; note = lambda: exec(CHILD)"
FIGURES = {
    "draws_nothing": ("raise LookupError('no line')", "LookupError: no line (kernels/draws_nothing.py:14)"),
    "draws_and_leaves": ("sys.exit('enough')", "SystemExit: enough (kernels/draws_and_leaves.py:14)"),
    "draws_and_aborts": ("os.abort()", "its worker was killed by SIGABRT"),
    "draws_for_ever": ("while True: pass", "it used more than its limit of 1 s of CPU time and was killed"),
    "draws_and_moves": ("os.chdir('/'); print('moved')", None),
}
FILES = {
    "broken": ("def f(:", "kernels/broken.py cannot be imported: SyntaxError: invalid syntax (kernels/broken.py:3)"),
    "lacks": ("from math import nothing", "kernels/lacks.py cannot be imported: ImportError: cannot import name 'nothing' from 'math'"),
    "fails": ("1 / 0", "kernels/fails.py cannot be imported: ZeroDivisionError: division by zero (kernels/fails.py:3)"),
    "ends": ("sys.exit(1)", "kernels/ends.py cannot be imported: SystemExit: 1 (kernels/ends.py:3)"),
    "ends_at_once": ("os._exit(1)", "kernels/ends_at_once.py cannot be imported: its worker ended with exit code 1"),
    "lingers": ("while True: pass", "kernels/lingers.py cannot be imported: it used more than its limit of 2 s of CPU time"),
    "holds_a_null": ("x = '\0'", "kernels/holds_a_null.py cannot be imported: "),
    "deep": ("x = " + "(" * 9999, "kernels/deep.py cannot be imported: "),
}


def deck(folder: Path) -> Workshop:
    for path in ("cards/all", "kernels"):
        (folder / path).mkdir(parents=True)
    (folder / "cards" / "deck.yml").write_text(DECK, encoding="utf-8")
    return Workshop(folder)


def put(shop: Workshop, name: str, body: str = "pass", drawn: str = "pass", top: str = "", figure: bool = False) -> None:
    (shop.folder / "kernels" / f"{name}.py").write_text(FILE.format(name=name, body=body, drawn=drawn, top=top), encoding="utf-8")
    card = CARD.format(name=name, id=name.replace("_", "-"), figure="\n\n![[r]]" * figure)
    (shop.folder / "cards" / "all" / f"{name.replace('_', '-')}.md").write_text(card, encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.setattr(remote, "IMPORT", 2.0)
    monkeypatch.setattr(remote, "QUICK", 1.0)
    made = deck(tmp_path / "deck")
    put(made, "sound", figure=True)
    return made


def alive(process: int) -> bool:
    """Whether a process is there that is no zombie."""
    return process in limits.parents() and "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text(encoding="utf-8")


ROWS = [
    *((name, {"body": body, "top": CHILD}, said) for name, (body, said) in FORMULAS.items()),
    *((name, {"drawn": drawn, "figure": True}, said) for name, (drawn, said) in FIGURES.items()),
    *((name, {"top": top}, said) for name, (top, said) in FILES.items()),
]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_card_is_named_and_the_others_are_built(shop: Workshop, jobs: str):
    """All of them in one deck, with one sound card more; and the deck without those that are named."""
    for name, parts, _ in ROWS:
        put(shop, name, **parts)
    before = os.getcwd(), {**os.environ, "MPLBACKEND": "svg"}  # whatever it was before anything is drawn
    done = shop.run("check", "--jobs", jobs)
    assert (os.getcwd(), dict(os.environ)) == before and done.out == ""
    lines, wrong = done.err.splitlines(), []
    for name, _, said in ROWS:
        mine = [line for line in lines if line.startswith(f"cards/all/{name.replace('_', '-')}.md:")]
        if said is None:
            wrong += mine
            continue
        place = f"cards/all/{name.replace('_', '-')}.md:{10 if name in FIGURES else 3}: "
        failed = f"the run r of kernel {name} (size=3) failed: " if name in FORMULAS and not name.startswith("gives_n") else ""
        wrong += [f"{name}: {mine}"] * (len(mine) != 1 or not mine[0].startswith(place) or failed + said not in mine[0])
        (shop.folder / "cards" / "all" / f"{name.replace('_', '-')}.md").unlink()
    assert wrong == []
    assert not [line for line in lines if "cards/all/sound.md" in line] and "Traceback" not in done.err
    assert shop.run("deck", "--jobs", jobs).status == 0
    built = notes(shop.folder / "build" / "misbehaving.apkg")
    assert set(built) == {"sound", *(name.replace("_", "-") for name, _, said in ROWS if said is None)}
    pids = shop.folder / "pids"  # which none wrote, if all were ended before they could
    assert [int(process) for process in (pids.read_text().split() if pids.exists() else ()) if alive(int(process))] == []


@pytest.mark.parametrize("asked", ["deck", "preview", "wanted", "diff"])
def test_every_command_says_so(shop: Workshop, asked: str):
    for name in ("divides", "aborts"):
        put(shop, name, FORMULAS[name][0])
    put(shop, "ends", top=FILES["ends"][0])
    done = shop.run(asked)
    ends = "cards/all/ends.md:3: kernels/ends.py cannot be imported: SystemExit: 1 (kernels/ends.py:3)"
    assert done.status == 1 and ends in done.err and ("divides" in done.err) == (asked != "wanted")


def laboratory(shop: Workshop, *words: str) -> subprocess.CompletedProcess[str]:
    ran = [sys.executable, "-m", "kernels", *words]
    return subprocess.run(ran, cwd=shop.folder, env=environment(), capture_output=True, text=True, check=False)


def test_the_laboratory_says_so_too(shop: Workshop):
    for name in ("divides", "leaves", "loops", "prints"):
        put(shop, name, FORMULAS[name][0])
    put(shop, "ends", top=FILES["ends"][0])
    for name, said in (("divides", "ZeroDivisionError: division by zero (kernels/divides.py:8)"), ("leaves", "SystemExit: 3"), ("loops", LIMIT)):
        done = laboratory(shop, "run", name, "size=3")
        assert (done.returncode, done.stdout) == (1, "") and done.stderr.startswith(f"error: {said}"), done.stderr
    done = laboratory(shop, "run", "prints", "size=3", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["value"] == {"value": 3, "unit": ""}
    done = laboratory(shop, "list")
    assert done.returncode == 2 and "divides  (formula, figure)" in done.stdout
    assert done.stderr == "error: kernels/ends.py cannot be imported: SystemExit: 1 (kernels/ends.py:3)\n"


def test_what_failed_is_tried_again_once_its_kernel_is_another_one(shop: Workshop):
    put(shop, "divides", FORMULAS["divides"][0])
    assert shop.run("deck").status == 1
    put(shop, "divides", "size = 4")
    assert shop.run("deck").status == 0
    assert (
        ">4<" in notes(shop.folder / "build" / "misbehaving.apkg")["divides"][4]
        or "4" in notes(shop.folder / "build" / "misbehaving.apkg")["divides"][4]
    )


def test_what_is_kept_needs_no_worker(shop: Workshop, monkeypatch: pytest.MonkeyPatch):
    put(shop, "divides", "pass")
    assert shop.run("deck").status == 0
    monkeypatch.setattr("kernels.worker.Worker", lambda **_: pytest.fail("a worker was started"))
    shop.edit("all/sound.md", ("What does", "What will"))
    assert shop.run("deck").status == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the guard is Linux's")
@pytest.mark.parametrize("others", [0, 9])  # with a pool of processes
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_build_that_is_stopped_leaves_nothing(shop: Workshop, sign: signal.Signals, others: int):
    """Children in sessions of their own, while the formula holds the interpreter's lock."""
    put(shop, "forks", FORMULAS["forks"][0] + "\n    exec(CHILD.split('time.sleep')[0])\n    10 ** 10 ** 9", top=CHILD)
    (shop.folder / "kernels" / "forks.py").write_text((shop.folder / "kernels" / "forks.py").read_text().replace("timeout=0.5", "timeout=500"))
    for number in range(others):
        put(shop, f"other_{number}")
    process = subprocess.Popen(command("check", "--jobs", "2"), cwd=shop.folder, env=environment(), stderr=subprocess.PIPE, text=True)
    pids = shop.folder / "pids"
    while not pids.exists() or len(pids.read_text().split()) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(sign)
    process.communicate(timeout=300)
    processes = list(map(int, pids.read_text().split()))
    deadline = time.monotonic() + 60
    while any(map(alive, processes)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(alive, processes))
