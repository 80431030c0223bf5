"""Where a run is made: the devices of this machine and what they can do, driver, versions, time and commit.

In: the machine at hand, asked inside a worker, where torch may be loaded. Out: Devices, and plain values for a record's `made`.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from kernels.catalogue import place_of
from kernels.demand import Device
from kernels.key import PACKAGE
from kernels.results import KernelError


def describe_machine(kind: str, where: str = "cpu", needs: Sequence[str] = (), kernel: str = "") -> dict[str, Any]:
    """How a run of this kind is made on the device that torch calls `where`: the `made` of its record, but for `seconds`.

    kind, device ("NVIDIA H100", or "CPU"), device_class ("h100", "cpu"), model (the driver's full name of the
    device), driver, cuda, torch, python, utc (to the second) and commit, that of the kernel's file; what does not apply is "". Of a measurement on
    a CPU the processor's own name and class, and its cores and threads. packages: the versions of the packages that its kernel needs.
    """
    device = (_gpu() if where == "cuda" else _measured_cpu()) if kind == "measurement" else _CPU
    torch = sys.modules.get("torch")  # not imported for this: a simulation may do without
    made = {"kind": kind, **device, "torch": str(torch.__version__) if torch else "", "python": platform.python_version(), "utc": _utc()}
    place = place_of(kernel) if kernel else None
    return {**made, "commit": commit(place.path if place else PACKAGE / "__init__.py"), **({"packages": versions(needs)} if needs else {})}


def devices() -> tuple[Device, ...]:
    """What this machine can measure on: torch's first GPU, where there is one, and the CPU."""
    import torch

    if not torch.cuda.is_available():
        return (cpu(),)
    properties, made = torch.cuda.get_device_properties(0), _gpu()
    capability = 0.0 if torch.version.hip else properties.major + properties.minor / 10
    return Device(made["device"], made["device_class"], properties.total_memory, capability, _formats(properties, capability)), cpu()


def cpu() -> Device:
    return Device(cpu_name(), cpu_class(), _memory_of_the_machine(), where="cpu")


def _formats(properties: Any, capability: float) -> tuple[str, ...]:
    """The formats that the GPU's matrix units multiply: by compute capability, or by the architecture of an AMD GPU."""
    architecture = getattr(properties, "gcnArchName", "").partition(":")[0]
    if not capability:
        bf16 = architecture.startswith(("gfx908", "gfx90a", "gfx94", "gfx95", "gfx11", "gfx12"))
        return ("fp64", "fp32", "fp16") + ("bf16",) * bf16 + ("fp8",) * architecture.startswith(("gfx94", "gfx95", "gfx12"))
    return ("fp64", "fp32", "fp16") + ("tf32", "bf16") * (capability >= 8.0) + ("fp8",) * (capability >= 8.9)


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
    makers = ("nvidia", "amd", "intel", "geforce", "instinct", "tesla", "quadro", "generation", "gpu", "cpu", "processor")
    words = [w for w in _words(model) if w.lower() not in makers]
    return re.sub(r"[^a-z0-9.]+", "-", "-".join(words).lower()).strip("-.") or "unknown"


def device_name_of(model: str) -> str:
    """The name of a GPU as people say it: "NVIDIA H100 80GB HBM3" is NVIDIA H100."""
    return " ".join(_words(model)) or model


def _words(model: str) -> list[str]:
    return [w for w in re.split(r"[\s_/-]+", model) if w and not re.fullmatch(r"\d+gb?|hbm\d\w?|sxm\d?|oam", w, re.IGNORECASE)]


def _gpu() -> dict[str, str]:
    """Raises KernelError where torch sees no GPU."""
    import torch

    if not torch.cuda.is_available():
        raise KernelError("torch sees no GPU here")
    model = _model()
    return {
        "device": device_name_of(model),
        "device_class": device_class_of(model),
        "model": model,
        "driver": _driver(),
        "cuda": torch.version.cuda or f"rocm {torch.version.hip}",
    }


def _model() -> str:
    """The driver's name of the first GPU; of an AMD one that tells only that it is one, its architecture ("AMD gfx1103")."""
    import torch

    name = torch.cuda.get_device_name()
    architecture = getattr(torch.cuda.get_device_properties(0), "gcnArchName", "").partition(":")[0]
    return f"AMD {architecture}" if architecture and name.lower().endswith("graphics") else name


_CPU = {"device": "CPU", "device_class": "cpu", "model": platform.machine(), "driver": "", "cuda": ""}


def _measured_cpu() -> dict[str, Any]:
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 1
    return {**_CPU, "device": cpu_name(), "device_class": cpu_class(), "model": _cpu_model(), "cores": cores(), "threads": threads}


def cpu_name() -> str:
    """The processor as people say it: "Intel Xeon Platinum 8481C"; one that tells no number by its family and model."""
    words = re.sub(r"\((?:R|TM)\)|@.*|\b(?:CPU|Processor|\d+-Core)\b", " ", _cpu_model(), flags=re.IGNORECASE).split()
    name, family = " ".join(words) or "CPU", _cpu_family()
    return name if re.search(r"\d", name) or not family else f"{name} (family {family.replace('.', ', model ')})"


def cpu_class() -> str:
    """Its short name: "xeon-platinum-8481c", "epyc-25.17"."""
    return device_class_of(re.sub(r"\(family (\d+), model (\d+)\)", r"\1.\2", cpu_name()))


def cores() -> int:
    """Of them, those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu_model() -> str:
    return _cpuinfo("model name") or _said("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor() or platform.machine()


def _cpu_family() -> str:
    """ "25.17", where the system tells it."""
    return ".".join(filter(None, (_cpuinfo("cpu family"), _cpuinfo("model"))))


def _cpuinfo(key: str) -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = re.search(rf"^{key}\s*:\s*(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _memory_of_the_machine() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0


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


def commit(file: Path = PACKAGE / "__init__.py") -> str:
    """The commit of this package, with "+dirty" where its code differs from it; "" outside a checkout of its own.

    file: a kernel's; of a deck's own the commit of that deck's checkout, dirty where the folder of the file is.
    """
    inside = file.is_relative_to(PACKAGE)
    root, folder = (PACKAGE.parent, PACKAGE.name) if inside else (file.parent, ".")
    git = ("git", "-C", str(root))
    if not _said(*git, "ls-files", f"{folder}/__init__.py" if inside else file.name):  # installed inside somebody else's checkout
        return ""
    here = _said(*git, "rev-parse", "--short=12", "HEAD")
    return f"{here}+dirty" if _said(*git, "status", "--porcelain", "--", folder, f":(exclude){folder}/records") else here


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True, stdin=subprocess.DEVNULL).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
