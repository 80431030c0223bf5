"""Measurements rehearsed in the test's own process, with a made-up clock: every sample takes as long as any other, so that ratios of times are 1."""

import sys
from dataclasses import replace

import pytest
from made_up_clock import Clock

CEILINGS = 2**19  # bytes of the ceilings, once made small, and of what is read between samples


class Rehearsal:
    """rehearse(kernel, **sizes): the result of its rehearsal, with these instead of its own sizes, and the bytes of all tensors at their peak."""

    def __init__(self, monkeypatch):
        self._patch = monkeypatch

    def __call__(self, kernel, **given):
        from kernels import timing

        declared = kernel.demand.rehearsal
        for name in declared.keys() - kernel.parameters.keys():
            self._patch.setattr(sys.modules[kernel.function.__module__], name, given.pop(name, declared[name]))
        sizes = {name: declared[name] for name in declared.keys() & kernel.parameters.keys()}
        with timing.account() as held:
            result = kernel(**{**sizes, **given})
        return result, held.peak

    def within_memory(self, kernel, **given):
        """The result of a rehearsal that held no more than the kernel asks for, and half of it at least; ceilings are made small for this."""
        from kernels import timing

        self._patch.setattr(timing, "_fitting", lambda tensors: 2**12)
        self._patch.setattr(timing, "SHAPES", ((1024, 1024, 1024),))
        result, held = self(kernel, **given)
        assert held - CEILINGS <= self.needed(kernel, result) <= 2 * held, f"asked for {self.needed(kernel, result)} bytes, held {held}"
        return result

    @staticmethod
    def needed(kernel, result):
        """Bytes that the kernel declares for the case of a result."""
        return kernel.demand.of(kernel.demand.memory, result.parameters)

    @staticmethod
    def expected(kernel, result, gpu):
        """The headline that the data sheet of a GPU lets expect."""
        return kernel.predicting["predict"](replace(result, made={"device_class": gpu}))


@pytest.fixture
def rehearse(monkeypatch):
    pytest.importorskip("torch")
    from kernels import timing
    from kernels.device import Cpu

    clock = Clock()
    monkeypatch.setattr(Cpu, "clock", lambda self: clock.read())
    for name in ("_device", "_rehearsal"):
        monkeypatch.setattr(timing, name, None)
    timing.use("cpu", rehearsal=True)
    return Rehearsal(monkeypatch)
