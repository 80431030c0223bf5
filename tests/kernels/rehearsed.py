"""Measurements rehearsed in the test's own process, with a made-up clock: every sample takes as long as any other, so that ratios of times are 1."""

import sys

import pytest
from made_up_clock import Clock


@pytest.fixture
def rehearse(monkeypatch):
    """rehearse(kernel, **parameters): the result of its rehearsal and the bytes of all its tensors at their peak; what is given replaces its sizes."""
    pytest.importorskip("torch")
    from kernels import timing
    from kernels.device import Cpu

    clock = Clock()
    monkeypatch.setattr(Cpu, "clock", lambda self: clock.read())
    for name in ("_device", "_rehearsal"):
        monkeypatch.setattr(timing, name, None)
    timing.use("cpu", rehearsal=True)

    def run(kernel, **given):
        declared = kernel.demand.rehearsal
        for name in declared.keys() - kernel.parameters.keys():
            monkeypatch.setattr(sys.modules[kernel.function.__module__], name, given.pop(name, declared[name]))
        sizes = {name: declared[name] for name in declared.keys() & kernel.parameters.keys()}
        with timing.account() as held:
            result = kernel(**{**sizes, **given})
        return result, held.peak

    return run


def needed(kernel, result, **given):
    """Bytes that the kernel declares for the case of a result."""
    return kernel.demand.of(kernel.demand.memory, {**result.parameters, **given})


def expected(kernel, result, gpu):
    """The headline that the data sheet of a GPU lets expect."""
    from dataclasses import replace

    return kernel.predicting["predict"](replace(result, made={"device_class": gpu}))
