"""What timing.py asks of the device that measurements run on, answered by a GPU (CUDA, or ROCm under the same names) or by the CPU.

Both classes have the same members, so that a measurement on a CPU or a rehearsal runs the very lines that a GPU will. The CPU's answers
are its own where it has them (time, free memory, caches, cores), and the plainest equivalent elsewhere: its stream runs at once, its
allocator neither rounds nor caches, its graph is a loop.
"""

from __future__ import annotations

import functools
import os
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kernels import nvml
from kernels.results import KernelError


class Gpu:
    """The GPU that torch calls "cuda". Raises KernelError where torch sees none: there is no fallback."""

    name = "cuda"
    asynchronous = True  # a launch returns before it is done
    shortest = 20e-6  # seconds between two events that are well told: their resolution is 0.5 us, and some 2 us pass between event and kernel
    smaller = 1  # by which the sides of the products are divided among which the fastest is looked for

    def __init__(self) -> None:
        import torch

        if not torch.cuda.is_available():
            raise KernelError("this measurement needs a GPU, and torch sees none here")
        uuid = getattr(self._properties(), "uuid", None)
        self._nvml = nvml.handle_of(f"GPU-{uuid}") if uuid else None

    def _properties(self) -> Any:
        import torch

        return torch.cuda.get_device_properties(torch.cuda.current_device())

    def model(self) -> str:
        import torch

        return torch.cuda.get_device_name()

    def processors(self) -> int:
        """Streaming multiprocessors, or compute units."""
        return self._properties().multi_processor_count

    def cache_size(self) -> int:
        """Bytes of the L2."""
        return self._properties().L2_cache_size

    # ------------------------------------------------------------------------------------------ time

    def clock(self) -> float:
        """The host's."""
        return time.perf_counter()

    def event(self) -> Any:
        import torch

        return torch.cuda.Event(enable_timing=True)

    def between(self, start: Any, end: Any) -> float:
        """Seconds of the GPU between two events that have passed."""
        return start.elapsed_time(end) / 1e3

    def synchronize(self) -> None:
        import torch

        torch.cuda.synchronize()

    def sleep(self, seconds: float) -> None:
        """Keeps the stream busy for about so long, and the host not at all."""
        import torch

        torch.cuda._sleep(round(seconds * self._cycles))

    @functools.cached_property
    def _cycles(self) -> float:
        """What _sleep counts in a second, which is not the same clock on every GPU."""
        import torch

        torch.cuda._sleep(1000)
        start, end = self.event(), self.event()
        start.record()
        torch.cuda._sleep(1_000_000)
        end.record()
        self.synchronize()
        return 1_000_000 / self.between(start, end)

    def flusher(self) -> Callable[[], Any]:
        """A function that leaves nothing of a measurement in the L2: it reads several times as much as any holds. A write would leave dirty lines."""
        return _reader(max(512 * 2**20, 4 * self.cache_size()), self.name)

    def captured(self, function: Callable[[], Any], calls: int) -> Callable[[], None]:
        """A function that replays so many calls from a graph. Warmed up on a stream of its own, as torch asks for before a capture.

        Raises KernelError for what cannot be captured: a wait of the host, a copy from memory that is not pinned.
        """
        import torch

        here, side = torch.cuda.current_stream(), torch.cuda.Stream()
        side.wait_stream(here)
        with torch.cuda.stream(side):
            for _ in range(3):
                function()
        here.wait_stream(side)
        recorded = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(recorded):
                for _ in range(calls):
                    function()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            raise KernelError(f"what is timed cannot be captured in a CUDA graph: {error}") from error
        recorded.replay()
        return recorded.replay

    # ---------------------------------------------------------------------------------------- memory

    def free_memory(self) -> int:
        import torch

        return torch.cuda.mem_get_info()[0]

    def release(self) -> None:
        import torch

        torch.cuda.empty_cache()

    def account(self) -> Any:
        return GpuAccount(self)

    def allocator(self) -> Any:
        return GpuAllocator()

    # ----------------------------------------------------------------------------------------- state

    def streams(self) -> Any:
        import torch

        return torch.cuda

    def pinned(self, x: Any) -> Any:
        return x.pin_memory()

    def card(self) -> dict[str, Any]:
        return nvml.card(*self._nvml) if self._nvml else {}

    def state(self) -> dict[str, Any]:
        return nvml.state(*self._nvml) if self._nvml else {}


class GpuAccount:
    """While it lasts: bytes `held` by torch's allocator beyond those at its begin, and their `peak`."""

    def __init__(self, device: Gpu) -> None:
        self._device = device

    def __enter__(self) -> GpuAccount:
        import torch

        self._device.synchronize()
        torch.cuda.reset_peak_memory_stats()
        self._before = torch.cuda.memory_allocated()
        return self

    def __exit__(self, *_: object) -> None:
        self._device.synchronize()

    @property
    def held(self) -> int:
        import torch

        return torch.cuda.memory_allocated() - self._before

    @property
    def peak(self) -> int:
        import torch

        return torch.cuda.max_memory_allocated() - self._before


class GpuAllocator:
    """torch's caching allocator: tensors of so many bytes, what it holds, and its settings."""

    def allocate(self, size: int) -> Any:
        """A tensor of `size` bytes, unwritten. Raises torch.OutOfMemoryError."""
        import torch

        return torch.empty(size, dtype=torch.uint8, device="cuda")

    @property
    def live(self) -> int:
        """Bytes of the blocks that tensors hold."""
        import torch

        return torch.cuda.memory_allocated()

    @property
    def reserved(self) -> int:
        """Bytes taken from the driver."""
        import torch

        return torch.cuda.memory_reserved()

    def segments(self) -> list[dict[str, Any]]:
        """What torch.cuda.memory_snapshot says: segments with their blocks in order."""
        import torch

        return torch.cuda.memory_snapshot()

    def limit(self, size: int | None) -> None:
        """The most bytes that may be reserved; None: all there are."""
        import torch

        torch.cuda.set_per_process_memory_fraction(1.0 if size is None else size / torch.cuda.mem_get_info()[1])

    def expandable(self, yes: bool) -> None:
        """Whether segments grow, as PYTORCH_CUDA_ALLOC_CONF says before torch starts. Raises KernelError where torch cannot be told later."""
        import torch

        setter = getattr(torch._C, "_accelerator_setAllocatorSettings", None) or getattr(torch.cuda.memory, "_set_allocator_settings", None)
        if setter is None:
            raise KernelError(f"torch {torch.__version__} has no way to change the allocator's settings while it runs")
        setter(f"expandable_segments:{yes}")


class Cpu:
    """This machine's processor. rehearsal: nothing is to be learnt of its speed, so that the cache is flushed for form's sake alone."""

    name = "cpu"
    asynchronous = False
    shortest = 0.0
    smaller = 8

    def __init__(self, rehearsal: bool = False) -> None:
        self.rehearsal = rehearsal

    def model(self) -> str:
        return ""

    def processors(self) -> int:
        """Cores that this process may use."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def cache_size(self) -> int:
        """Bytes of all last-level caches together, as Linux lists them; 32 MiB where it does not."""
        caches: dict[int, dict[str, int]] = {}
        for folder in Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cache/index*"):
            try:
                level, shared, size = ((folder / name).read_text().strip() for name in ("level", "shared_cpu_list", "size"))
            except OSError:
                continue
            caches.setdefault(int(level), {})[shared] = int(size.rstrip("KM")) * (2**20 if size.endswith("M") else 2**10)
        return sum(caches[max(caches)].values()) if caches else 32 * 2**20

    def clock(self) -> float:
        return time.perf_counter()

    def event(self) -> Any:
        return _Instant(self.clock)

    def between(self, start: _Instant, end: _Instant) -> float:
        return end.at - start.at

    def synchronize(self) -> None:
        pass

    def sleep(self, seconds: float) -> None:
        pass  # no launch is to be hidden where a call returns when it is done

    def flusher(self) -> Callable[[], Any]:
        return self._flusher

    @functools.cached_property
    def _flusher(self) -> Callable[[], Any]:
        return _reader(2**16 if self.rehearsal else 2 * self.cache_size(), self.name)

    def captured(self, function: Callable[[], Any], calls: int) -> Callable[[], None]:
        def loop() -> None:
            for _ in range(calls):
                function()

        return loop

    def free_memory(self) -> int:
        """Bytes that can be had without swapping, as Linux estimates them; elsewhere half of all."""
        try:
            lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
            return next(int(line.split()[1]) * 2**10 for line in lines if line.startswith("MemAvailable:"))
        except (OSError, StopIteration):
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2

    def release(self) -> None:
        pass  # the C library's allocator gives large blocks back by itself

    def account(self) -> Any:
        return _cpu_account()

    def allocator(self) -> Any:
        return CpuAllocator()

    def streams(self) -> Any:
        import torch

        return torch.cpu

    def pinned(self, x: Any) -> Any:
        return x.clone()

    def card(self) -> dict[str, Any]:
        return {}

    def state(self) -> dict[str, Any]:
        return {}


class _Instant:
    """An event of a stream that runs at once."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def record(self) -> None:
        self.at = self._clock()


class CpuAllocator:
    """Every tensor is a segment of its own, of its very size: nothing is rounded and nothing kept."""

    def __init__(self) -> None:
        self._live: dict[int, int] = {}
        self._limit: int | None = None
        self._expandable = False

    def allocate(self, size: int) -> Any:
        import torch

        if self._limit is not None and self.live + size > self._limit:
            raise torch.OutOfMemoryError(f"{size} bytes beyond {self.live} exceed the limit of {self._limit}")
        tensor = torch.empty(size, dtype=torch.uint8)
        self._live[id(tensor)] = size
        weakref.finalize(tensor, self._live.pop, id(tensor))
        return tensor

    @property
    def live(self) -> int:
        return sum(self._live.values())

    @property
    def reserved(self) -> int:
        return self.live

    def segments(self) -> list[dict[str, Any]]:
        return [{"is_expandable": self._expandable, "blocks": [{"size": size, "state": "active_allocated"}]} for size in self._live.values()]

    def limit(self, size: int | None) -> None:
        self._limit = size

    def expandable(self, yes: bool) -> None:
        self._expandable = yes


def _reader(size: int, device: str) -> Callable[[], Any]:
    """A function that reads `size` bytes of random numbers, and writes one."""
    import torch

    scratch, total = torch.rand(size // 4, device=device), torch.empty((), device=device)
    return lambda: torch.sum(scratch, dim=0, out=total)


def _cpu_account() -> Any:
    from torch import Tensor
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Account(TorchDispatchMode):
        """While it lasts: bytes `held` by storages that operations made, and their `peak`; what an operation takes and frees inside is not seen."""

        def __init__(self) -> None:
            super().__init__()
            self.held = self.peak = 0
            self._seen: dict[int, weakref.ref[Any]] = {}

        def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            for before in tree_leaves((args, kwargs)):
                self._see(before, new=False)
            results = operation(*args, **(kwargs or {}))
            for result in tree_leaves(results):
                self._see(result, new=True)
            return results

        def _see(self, tensor: Any, new: bool) -> None:
            if not isinstance(tensor, Tensor):
                return
            storage = tensor.untyped_storage()
            place = storage._cdata
            if place in self._seen:
                return
            size = storage.nbytes() if new else 0
            self._seen[place] = weakref.ref(storage, lambda _: self._gone(place, size))
            self.held += size
            self.peak = max(self.peak, self.held)

        def _gone(self, place: int, size: int) -> None:
            del self._seen[place]
            self.held -= size

    return Account()
