"""The two devices: the CPU as it is, the GPU by a torch.cuda that takes note of what it is asked."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from kernels import KernelError, device
from kernels.device import Cpu, CpuAllocator, Gpu, GpuAccount, GpuAllocator


def members(kind):
    return {name for name in dir(kind) if not name.startswith("_")}


def test_both_have_the_same_members():
    assert members(Gpu) == members(Cpu)
    assert members(GpuAllocator) == members(CpuAllocator)
    assert members(GpuAccount) == {"held", "peak"} <= members(Cpu().account())


# --------------------------------------------------------------------------------------------------------------- the pretended GPU


@pytest.fixture
def cuda(monkeypatch):
    """A torch.cuda whose calls are listed, on a card of 2^33 bytes with a stream clock of 100 MHz (as AMD's is)."""
    asked, now = [], [0.0]

    class Event:
        def __init__(self, enable_timing=False):
            assert enable_timing

        def record(self):
            self.at = now[0]

        def elapsed_time(self, end):
            return 1e3 * (end.at - self.at)

    class Stream:
        def __init__(self, name="side"):
            self.name = name

        def wait_stream(self, other):
            asked.append(f"{self.name} after {other.name}")

    class Graph:
        def replay(self):
            asked.append("replay")

    @contextmanager
    def within(what):
        asked.append(f"begin {getattr(what, 'name', 'capture')}")
        yield
        asked.append("end")

    def sleep(cycles):
        now[0] += cycles / 1e8

    properties = SimpleNamespace(multi_processor_count=304, L2_cache_size=4 * 2**20)  # an MI300X: no UUID, no NVML
    here = Stream("here")
    for name, value in {
        "is_available": lambda: True,
        "current_device": lambda: 0,
        "get_device_properties": lambda device: properties,
        "get_device_name": lambda: "AMD Instinct MI300X",
        "Event": Event,
        "Stream": Stream,
        "stream": within,
        "graph": within,
        "CUDAGraph": Graph,
        "current_stream": lambda: here,
        "synchronize": lambda: asked.append("synchronize"),
        "_sleep": sleep,
        "mem_get_info": lambda: (2**32, 2**33),
        "empty_cache": lambda: asked.append("empty_cache"),
        "set_per_process_memory_fraction": lambda share: asked.append(share),
        "memory_reserved": lambda: 5,
        "memory_snapshot": lambda: [{"is_expandable": False}],
        "reset_peak_memory_stats": lambda: asked.append("reset"),
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)
    return SimpleNamespace(asked=asked, now=now)


def test_a_card_without_nvml_has_no_state_and_all_else(cuda):
    here = Gpu()
    assert (here.card(), here.state()) == ({}, {})
    assert (here.model(), here.processors(), here.cache_size(), here.free_memory()) == ("AMD Instinct MI300X", 304, 2**22, 2**32)
    assert here.streams() is torch.cuda


def test_a_sleep_is_measured_before_it_is_used(cuda):
    """What _sleep counts is not the same on every card: here 1e8 a second."""
    here = Gpu()
    for seconds in (0.5, 0.25):
        here._cycles  # noqa: B018
        before = cuda.now[0]
        here.sleep(seconds)
        assert cuda.now[0] - before == pytest.approx(seconds)


def test_a_capture_is_warmed_up_on_a_stream_of_its_own(cuda):
    replay = Gpu().captured(lambda: cuda.asked.append("call"), 2)
    warm = ["side after here", "begin side", *["call"] * 3, "end", "here after side"]
    assert cuda.asked == [*warm, "begin capture", "call", "call", "end", "replay"]
    replay()
    assert cuda.asked[-1] == "replay" and cuda.asked.count("call") == 5


def test_what_cannot_be_captured_is_told(cuda):
    """Where memory runs out, that is told as it is: some kernels ask how much fits."""
    for error, told in (
        (RuntimeError("operation not permitted when stream is capturing"), KernelError),
        (torch.OutOfMemoryError(), torch.OutOfMemoryError),
    ):

        def call(error=error):
            if "begin capture" in cuda.asked:
                raise error

        cuda.asked.clear()
        with pytest.raises(told):
            Gpu().captured(call, 1)


def test_the_flush_is_larger_than_any_cache(cuda, monkeypatch):
    sizes = []
    monkeypatch.setattr(device, "_reader", lambda size, name: sizes.append((size, name)))
    Gpu().flusher()
    assert sizes == [(512 * 2**20, "cuda")]


def test_the_account_begins_at_what_is_held(cuda, monkeypatch):
    held = iter([100, 130, 120])
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: next(held))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 180)
    with Gpu().account() as account:
        assert cuda.asked == ["synchronize", "reset"] and account.held == 30
    assert (account.held, account.peak) == (20, 80)


def test_the_allocator_is_limited_by_a_share_of_the_card(cuda, monkeypatch):
    told = []
    monkeypatch.setattr(torch._C, "_accelerator_setAllocatorSettings", told.append, raising=False)
    allocator = Gpu().allocator()
    allocator.limit(2**30)
    allocator.limit(None)
    allocator.expandable(True)
    assert cuda.asked == [1 / 8, 1.0] and told == ["expandable_segments:True"]
    assert allocator.reserved == 5 and allocator.segments() == [{"is_expandable": False}]


def test_a_torch_that_cannot_be_told_is_refused(cuda, monkeypatch):
    monkeypatch.setattr(torch._C, "_accelerator_setAllocatorSettings", None, raising=False)
    monkeypatch.setattr(torch.cuda.memory, "_set_allocator_settings", None, raising=False)
    with pytest.raises(KernelError, match="no way to change"):
        GpuAllocator().expandable(True)


# ------------------------------------------------------------------------------------------------------------------------ the CPU


def test_the_flush_reads_all_of_its_random_numbers(monkeypatch):
    seen = []
    monkeypatch.setattr(torch, "sum", lambda x, dim, out: seen.append((x, out)))
    device._reader(2**12, "cpu")()
    ((x, out),) = seen
    assert x.nbytes == 2**12 and x.unique().numel() > 1000 and out.shape == ()


def test_caches_are_counted_once_for_the_cores_that_share_them(tmp_path, monkeypatch):
    for core, cache, *values in ((0, 0, "1", "0", "32K"), (0, 1, "3", "0-1", "32768K"), (1, 1, "3", "0-1", "32768K"), (2, 1, "3", "2", "16M")):
        folder = tmp_path / f"cpu{core}/cache/index{cache}"
        folder.mkdir(parents=True)
        for name, value in zip(("level", "shared_cpu_list", "size"), values):
            (folder / name).write_text(value + "\n")
    monkeypatch.setattr(device, "Path", lambda _: tmp_path)
    assert Cpu().cache_size() == 48 * 2**20
    monkeypatch.setattr(device, "Path", lambda _: tmp_path / "none")
    assert Cpu().cache_size() == 32 * 2**20


def test_free_memory_is_what_linux_calls_available(tmp_path, monkeypatch):
    file = tmp_path / "meminfo"
    file.write_text("MemTotal:  4096 kB\nMemAvailable:  2048 kB\n")
    monkeypatch.setattr(device, "Path", lambda _: file)
    assert Cpu().free_memory() == 2**21
    file.unlink()
    assert Cpu().free_memory() > 2**24


def test_the_account_counts_storages_while_they_live():
    outside = torch.zeros(2**10)
    with Cpu().account() as account:
        a = torch.ones(2**10)
        assert account.held == 2**12
        b = a.view(2, -1)
        torch.add(a, 1, out=outside)
        outside.mul_(2)
        assert account.held == 2**12  # neither a view nor what was there before
        del a
        assert account.held == 2**12
        c = b + 1
        del b
        assert (account.held, account.peak) == (2**12, 2**13)
    del c
    assert (account.held, account.peak) == (0, 2**13)


def test_the_account_sees_what_autograd_keeps():
    weight = torch.nn.Parameter(torch.ones(64, 64))
    with Cpu().account() as account:
        loss = (torch.ones(64, 64) @ weight).exp().sum()
        kept = account.held
        loss.backward()
        del loss
    assert kept == 2 * 64 * 64 * 4 + 4  # the product's other factor and the exponential, and the loss
    assert account.held == weight.grad.nbytes


def test_an_allocator_that_neither_rounds_nor_keeps():
    allocator = Cpu().allocator()
    allocator.limit(1000)
    allocator.expandable(True)
    held = [allocator.allocate(400), allocator.allocate(401)]
    assert allocator.live == allocator.reserved == 801 and {s["is_expandable"] for s in allocator.segments()} == {True}
    with pytest.raises(torch.OutOfMemoryError):
        allocator.allocate(200)
    held.pop()
    assert allocator.live == 400 and held[0].numel() == 400 and allocator.allocate(600).numel() == 600
    allocator.limit(None)
    assert allocator.allocate(2000).numel() == 2000


def test_a_stream_that_runs_at_once():
    here, calls = Cpu(), []
    start, end = here.event(), here.event()
    start.record()
    here.captured(lambda: calls.append(0), 3)()
    end.record()
    assert len(calls) == 3 and here.between(start, end) > 0 and here.card() == here.state() == {}
