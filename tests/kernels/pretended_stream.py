"""A pretended device with a stream: the host launches, the device runs what was launched, and the clock of each moves by what a test says."""

from __future__ import annotations

from types import SimpleNamespace

from kernels.device import Cpu

FLUSH = 2e-4  # seconds of the device, after 5e-6 of the host


class Stream(Cpu):
    """Tensors live on the CPU. `states`: what the card says, over the clock of the host in seconds; `order`: what the stream was given."""

    asynchronous = True
    shortest = 20e-6

    def __init__(self, states=lambda now: {}, model=""):
        super().__init__(rehearsal=True)
        self.host = self.free = 0.0
        self.states, self.named = states, model
        self.slept, self.order = [], []
        self.capturing = None

    def launch(self, host, seconds, name="kernel"):
        """A kernel that takes the host so long to launch and the device so long to run."""
        if self.capturing is not None:
            self.capturing.append(seconds)
            return
        self.host += host
        self.free = max(self.free, self.host) + seconds
        self.order.append(name)

    def model(self):
        return self.named

    def clock(self):
        return self.host

    def event(self):
        event = SimpleNamespace()
        event.record = lambda: setattr(event, "at", max(self.free, self.host))
        return event

    def synchronize(self):
        self.host = max(self.host, self.free)

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.launch(1e-6, seconds, "sleep")

    def flusher(self):
        return lambda: self.launch(5e-6, FLUSH, "flush")

    def captured(self, function, calls):
        self.capturing = recorded = []
        for _ in range(calls):
            function()
        self.capturing = None
        return lambda: self.launch(1e-5, sum(recorded), "graph")

    def state(self):
        return self.states(self.host)
