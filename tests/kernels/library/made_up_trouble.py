"""A simulation that fails in every way that the lab has to survive.

The numbers of this folder are made up for the tests.
"""

import os
import signal
import subprocess
import sys
import time
from typing import Literal

from kernels import kernel


@kernel(kind="simulation", outputs={"value": ""}, timeout=30.0)
def made_up_trouble(how: Literal["none", "noise", "hang", "nap", "spin", "exit", "kill", "raise", "nan", "missing", "extra", "parameter"] = "none", note: str = ""):
    if how == "noise":
        print("noise", "x" * 200_000)
        os.write(1, b'{"answer": 0}\n')
        os.write(2, b"\xff\n")
    if how == "hang":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print("before the end", flush=True)
        with open(note, "w", encoding="utf-8") as file:
            file.write(f"{os.getpid()} {child.pid}")
        time.sleep(600)
    if how == "nap":
        time.sleep(float(note))
    if how == "spin":
        subprocess.run([sys.executable, "-c", "while True: pass"], check=False)
    if how == "exit":
        os._exit(3)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "raise":
        return {"value": 1 / 0}
    if how == "parameter":
        return made_up_trouble(how="exlt")
    return {"nan": {"value": float("nan")}, "missing": {}, "extra": {"value": 1, "more": 2}}.get(how, {"value": 1})
