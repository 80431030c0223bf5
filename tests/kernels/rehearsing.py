"""A measurement rehearsed in the test's own process: what it returned, and whether it asked for the memory that it then took."""

import sys

import pytest

from kernels import timing
from kernels.record import Result

CEILINGS = 2**19  # bytes of the ceilings and of what is read between samples, made small here


@pytest.fixture
def rehearse(monkeypatch):
    """rehearse(kernel, **parameters): the kernel with the sizes of its rehearsal, its memory counted by the storages that torch makes."""
    monkeypatch.setattr(timing, "_device", None)
    monkeypatch.setattr(timing, "_rehearsal", False)
    monkeypatch.setattr(timing, "_fitting", lambda tensors: 2**12)
    monkeypatch.setattr(timing, "SHAPES", ((1024, 1024, 1024),))
    monkeypatch.setattr(timing, "_turns_taken", [])

    def run(kernel, memory: bool = True, **given) -> Result:
        demand, module = kernel.demand, sys.modules[kernel.function.__module__]
        for name, value in demand.rehearsal.items():
            if name not in kernel.parameters:
                monkeypatch.setattr(module, name, value)
        timing.use("cpu", rehearsal=True)
        with timing.account() as held:
            result = kernel(**{name: value for name, value in demand.rehearsal.items() if name in kernel.parameters} | given)
        asked = demand.of(demand.memory, result.parameters)
        assert not memory or held.peak - CEILINGS <= asked <= 2 * held.peak, f"asked for {asked}, held {held.peak}"
        return result

    yield run
    timing._best_shape.cache_clear()
