"""What stands in a record about where it was made: the GPU and its class, driver, versions, time and commit.

In: the machine at hand, asked inside a worker, where torch may be loaded. Out: plain values for `made`.
"""

from __future__ import annotations

import importlib.util
import platform
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from kernels.key import PACKAGE


def describe_machine(kind: str = "measurement", needs: Sequence[str] = ()) -> dict[str, Any]:
    """How a run of this kind is made here: the `made` of its record, but for `seconds`.

    kind, device ("NVIDIA H100", or "CPU"), device_class ("h100", "cpu"), model (the driver's full name of the
    device), driver, cuda, torch, python, utc (to the second) and commit; what does not apply is "".
    packages: the versions of the packages that its kernel needs, where it needs any.
    """
    made = {"kind": kind, **(_gpu() if kind == "measurement" else _cpu()), "python": platform.python_version(), "utc": _utc(), "commit": _commit()}
    return {**made, "packages": versions(needs)} if needs else made


def versions(packages: Sequence[str]) -> dict[str, str]:
    """The version here of each package, named as it is imported; "" for one that is not installed."""
    distributions = metadata.packages_distributions() if packages else {}
    return {name: metadata.version(distributions[name][0]) if name in distributions else _installed(name) for name in packages}


def _installed(package: str) -> str:
    """Of a package that no distribution claims, such as one in a folder of its own: "unknown", or "" where it is not there."""
    return "unknown" if importlib.util.find_spec(package) else ""


def device_class_of(model: str) -> str:
    """The short name of a GPU's class: "NVIDIA H100 80GB HBM3" is h100, "NVIDIA GeForce RTX 4090" rtx-4090.

    Memory size and socket are left out. What makes another device of it stays: "h100-pcie", "h100-nvl", "h100-mig-1g.10gb".
    """
    words = [w for w in _words(model) if w.lower() not in ("nvidia", "amd", "geforce", "instinct", "tesla", "quadro", "generation", "gpu")]
    return re.sub(r"[^a-z0-9.]+", "-", "-".join(words).lower()).strip("-.") or "unknown"


def device_name_of(model: str) -> str:
    """The name of a GPU as people say it: "NVIDIA H100 80GB HBM3" is NVIDIA H100."""
    return " ".join(_words(model)) or model


def _words(model: str) -> list[str]:
    return [w for w in re.split(r"[\s_/-]+", model) if w and not re.fullmatch(r"\d+gb?|hbm\d\w?|sxm\d?", w, re.IGNORECASE)]


def _gpu() -> dict[str, str]:
    import torch

    if not torch.cuda.is_available():
        return _cpu()
    model = torch.cuda.get_device_name()
    return {
        "device": device_name_of(model),
        "device_class": device_class_of(model),
        "model": model,
        "driver": _driver(),
        "cuda": torch.version.cuda or f"rocm {torch.version.hip}",
        "torch": str(torch.__version__),
    }


def _cpu() -> dict[str, str]:
    torch = sys.modules.get("torch")  # not imported for this: a simulation may do without
    version = str(torch.__version__) if torch else ""
    return {"device": "CPU", "device_class": "cpu", "model": platform.machine(), "driver": "", "cuda": "", "torch": version}


def _driver() -> str:
    try:
        with open("/proc/driver/nvidia/version", encoding="utf-8") as file:
            found = re.search(r"\s(\d+\.\d+(?:\.\d+)?)\s", file.readline())
    except OSError:
        found = None
    if found:
        return found[1]
    return _said("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader").partition("\n")[0]


def _utc() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _commit() -> str:
    """The commit of this package, with "+dirty" where its code differs from it; "" outside a checkout of its own."""
    git = ("git", "-C", str(PACKAGE.parent))
    code = (PACKAGE.name, f":(exclude){PACKAGE.name}/records")
    if not _said(*git, "ls-files", f"{PACKAGE.name}/__init__.py"):  # installed inside somebody else's checkout
        return ""
    commit = _said(*git, "rev-parse", "--short=12", "HEAD")
    return f"{commit}+dirty" if _said(*git, "status", "--porcelain", "--", *code) else commit


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True, stdin=subprocess.DEVNULL).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
