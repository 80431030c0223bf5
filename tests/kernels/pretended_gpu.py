"""A pretended GPU, on which measurement kernels run end to end: a rehearsal on the CPU whose clock is made up, and no number is ever recorded."""

import pytest
from made_up_clock import Clock


@pytest.fixture
def pretended_gpu(monkeypatch):
    """Gives the clock."""
    pytest.importorskip("torch")
    from kernels import timing
    from kernels.device import Cpu

    clock = Clock()

    class Pretended(Cpu):
        def clock(self):
            return clock.read()

        def cache_size(self):
            return 2**20

        def processors(self):
            return 2

        def free_memory(self):
            return 2**22

    monkeypatch.setattr(timing, "_device", Pretended(rehearsal=True))
    monkeypatch.setattr(timing, "_rehearsal", True)
    monkeypatch.setattr(timing, "_turns_taken", [])
    timing._best_shape.cache_clear()
    return clock
