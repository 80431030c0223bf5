"""What the driver says of a card, by a pretended pynvml."""

import os
import sys
from types import SimpleNamespace

import pytest

from kernels import nvml


class Refused(Exception):
    pass


def refused(*_):
    raise Refused


def process(number):
    return SimpleNamespace(pid=number)


@pytest.fixture
def library(monkeypatch):
    """A card that answers everything; a test changes some of it."""
    made = SimpleNamespace(
        NVMLError=Refused,
        NVML_CLOCK_SM="sm",
        NVML_CLOCK_MEM="memory",
        NVML_TEMPERATURE_GPU=0,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda uuid: uuid,
        nvmlSystemGetDriverVersion=lambda: b"580.95.05",
        nvmlDeviceGetEnforcedPowerLimit=lambda handle: 700_000,
        nvmlDeviceGetMaxClockInfo=lambda handle, which: {"sm": 1980}[which],
        nvmlDeviceGetEccMode=lambda handle: [1, 1],
        nvmlDeviceGetMigMode=lambda handle: [0, 0],
        nvmlDeviceGetClockInfo=lambda handle, which: {"sm": 1755, "memory": 2619}[which],
        nvmlDeviceGetPowerUsage=lambda handle: 699_500,
        nvmlDeviceGetTemperature=lambda handle, sensor: 61,
        nvmlDeviceGetCurrentClocksThrottleReasons=lambda handle: 0x4 | 0x20,
        nvmlDeviceGetComputeRunningProcesses=lambda handle: [process(os.getpid())],
    )
    monkeypatch.setitem(sys.modules, "pynvml", made)
    return made


def test_the_card_in_si_units(library):
    found = nvml.handle_of("GPU-1")
    assert nvml.card(*found) == {"driver": "580.95.05", "power_limit": 700.0, "sm_clock_limit": 1.98e9, "ecc": 1, "mig": 0}
    state = nvml.state(*found)
    slowed = ["SW power cap", "SW thermal slowdown"]
    assert state == {"sm_clock": 1.755e9, "memory_clock": 2.619e9, "power": 699.5, "temperature": 61, "slowed_by": slowed, "others": []}


def test_what_a_card_does_not_answer_is_left_out(library):
    library.nvmlDeviceGetEccMode = library.nvmlDeviceGetPowerUsage = refused  # a GeForce, an old one
    del library.nvmlDeviceGetMigMode  # an old library
    found = nvml.handle_of("GPU-1")
    assert {"ecc", "mig"}.isdisjoint(nvml.card(*found)) and "power" not in nvml.state(*found)
    assert nvml.state(*found)["temperature"] == 61


@pytest.mark.parametrize("broken", ["nvmlInit", "nvmlDeviceGetHandleByUUID"])
def test_without_a_driver_or_for_another_card_there_is_nothing(library, broken):
    setattr(library, broken, refused)
    assert nvml.handle_of("GPU-1") is None


def test_without_the_library_there_is_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert nvml.handle_of("GPU-1") is None


@pytest.mark.parametrize(("listed", "others"), [([], []), ([os.getpid(), 7], [7]), ([7, os.getpid()], [7]), ([4711], []), ([4711, 7], [7])])
def test_others_are_all_but_this_process(library, listed, others):
    """In a container its number on the host is another one: then the first stands for it."""
    library.nvmlDeviceGetComputeRunningProcesses = lambda handle: [process(number) for number in listed]
    assert nvml.state(*nvml.handle_of("GPU-1"))["others"] == others


def test_the_reasons_are_those_of_the_library():
    library = pytest.importorskip("pynvml")
    named = {name: value for name, value in vars(library).items() if name.startswith("nvmlClocksEventReason") and isinstance(value, int)}
    assert {named[f"nvmlClocksEventReason{name}"] for name in ("HwSlowdown", "SwThermalSlowdown", "HwThermalSlowdown", "HwPowerBrakeSlowdown")} == {
        bit for bit, reason in nvml.REASONS.items() if reason in nvml.SLOWED
    }
    assert set(nvml.REASONS) <= set(named.values())
    asked = ("CurrentClocksThrottleReasons", "EnforcedPowerLimit", "MaxClockInfo", "ClockInfo", "PowerUsage", "Temperature", "HandleByUUID")
    assert all(hasattr(library, f"nvmlDeviceGet{name}") for name in (*asked, "EccMode", "MigMode", "ComputeRunningProcesses"))
