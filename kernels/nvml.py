"""What the driver says of an NVIDIA GPU while something runs on it: clocks, power, temperature, why it is slowed down, who else is there.

In: the GPU's UUID. Out: plain values for a record, those that the driver answers: none on AMD, or where nvidia-ml-py (pynvml) is not installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

# Bits of nvmlClocksEventReasons (nvml.h), in the words of nvidia-smi -q. Below a power cap every large product runs: it is the card's ordinary state.
REASONS = {
    0x2: "applications clocks setting",
    0x4: "SW power cap",
    0x8: "HW slowdown",
    0x10: "sync boost",
    0x20: "SW thermal slowdown",
    0x40: "HW thermal slowdown",
    0x80: "HW power brake slowdown",
    0x100: "display clocks setting",
}
SLOWED = ("HW slowdown", "SW thermal slowdown", "HW thermal slowdown", "HW power brake slowdown")  # in which no time is taken


def handle_of(uuid: str) -> tuple[Any, Any] | None:
    """The module pynvml and its handle of the GPU, or None where NVML does not answer for it."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        return pynvml, pynvml.nvmlDeviceGetHandleByUUID(uuid)
    except pynvml.NVMLError:
        return None


def card(nvml: Any, handle: Any) -> dict[str, Any]:
    """What stays as it is: driver, power_limit in W, highest SM clock in Hz, ECC and MIG as 0 or 1."""
    return _answered(
        nvml,
        {
            "driver": lambda: _text(nvml.nvmlSystemGetDriverVersion()),
            "power_limit": lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1e3,
            "sm_clock_limit": lambda: 1e6 * nvml.nvmlDeviceGetMaxClockInfo(handle, nvml.NVML_CLOCK_SM),
            "ecc": lambda: nvml.nvmlDeviceGetEccMode(handle)[0],
            "mig": lambda: nvml.nvmlDeviceGetMigMode(handle)[0],
        },
    )


def state(nvml: Any, handle: Any) -> dict[str, Any]:
    """What changes: SM and memory clock in Hz, power in W, temperature in degrees Celsius, `slowed_by`, and the ids of `others` on the GPU."""
    return _answered(
        nvml,
        {
            "sm_clock": lambda: 1e6 * nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM),
            "memory_clock": lambda: 1e6 * nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_MEM),
            "power": lambda: nvml.nvmlDeviceGetPowerUsage(handle) / 1e3,
            "temperature": lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU),
            "slowed_by": lambda: _reasons(nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)),
            "others": lambda: _others([process.pid for process in nvml.nvmlDeviceGetComputeRunningProcesses(handle)]),
        },
    )


def _answered(nvml: Any, questions: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """The answers but for those that this GPU, its driver or the installed version of the library does not give."""
    found = {}
    for name, ask in questions.items():
        try:
            found[name] = ask()
        except (nvml.NVMLError, AttributeError):
            continue
    return found


def _reasons(bits: int) -> list[str]:
    return [reason for bit, reason in REASONS.items() if bits & bit]


def _others(processes: list[int]) -> list[int]:
    """All but this process, which holds memory of the GPU and so stands in the list: inside a container under a number that it does not know."""
    if os.getpid() in processes:
        return [process for process in processes if process != os.getpid()]
    return processes[1:]


def _text(answer: Any) -> str:
    return answer.decode() if isinstance(answer, bytes) else answer
