"""A simulation that has to do with the lab that runs it, or with another one that runs beside it."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Literal

from kernels import kernel


@kernel(kind="simulation", outputs={"value": ""}, timeout=60.0)
def made_up_company(how: Literal["kills", "meets"], note: str, other: str = ""):
    """It kills its lab, or says by the file `note` that it is there and waits for the file `other`."""
    Path(note).touch()
    if how == "kills":
        os.kill(_asker(), signal.SIGKILL)
    end = time.monotonic() + 300  # for what never comes
    while how == "kills" or not Path(other).exists():
        if time.monotonic() > end:
            raise TimeoutError(f"nobody came to {other}")
        time.sleep(0.02)
    return {"value": 1}


def _asker() -> int:
    """The process that asked the worker: on Linux behind the one that stands guard over it."""
    if sys.platform != "linux":
        return os.getppid()
    return int(Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[1])
