"""A pretended GPU, on which measurement kernels run end to end: its clock is made up, and no number is ever recorded."""

from types import SimpleNamespace

import pytest
from made_up_clock import Clock


@pytest.fixture
def pretended_gpu(monkeypatch):
    """Gives the clock of the events."""
    torch = pytest.importorskip("torch")
    from kernels import timing

    clock = Clock()

    class Event:
        def __init__(self, enable_timing):
            assert enable_timing

        def record(self):
            self.at = clock.read()

        def elapsed_time(self, end):
            return 1e3 * (end.at - self.at)

    def warm_up(function):
        function()
        return 1e-3

    monkeypatch.setattr(timing, "device", lambda: "cpu")
    monkeypatch.setattr(timing, "FLUSH", 2**16)
    monkeypatch.setattr(timing, "_captured", lambda function, calls: lambda: [function() for _ in range(calls)])
    monkeypatch.setattr(timing, "_warm_up", warm_up)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (2**22, 2**22))
    properties = SimpleNamespace(L2_cache_size=2**20, multi_processor_count=2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    return clock
