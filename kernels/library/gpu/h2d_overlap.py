"""Copies from the host to a GPU: from pageable and from pinned memory, beside computation, and from a loader that is too slow.

The GPU's copy engine reads host memory by itself only where the pages cannot move, which is what pinning promises. From
pageable memory the driver copies each piece into a pinned buffer of its own first, while the host waits; a pinned source lets the
call return at once (non_blocking=True), and on a stream of its own the copy runs beside the kernels of the step before.

    one after the other   copy + compute                side by side   max(copy, compute)
    a loader              max(load / workers, compute)  a step, as in loader_step
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from kernels import Bound, KernelError, Series, kernel, timing
from kernels.library.gpu.loader_step import step

SIZES = tuple(2**p for p in range(14, 29, 2))  # 16 KiB to 256 MiB
STEPS = 16  # of the copies beside computation
WORKERS = (0, 1, 2, 3)
LOAD, COMPUTE, BATCHES = 0.012, 0.008, 40  # seconds: the 60/40 split of a step, and so many steps
WIDTH = 4096  # of the matrix product that stands for a step's computation


@kernel(
    kind="measurement",
    outputs={
        "pageable": "s",
        "pinned": "s",
        "pageable_bandwidth": "B/s",
        "pinned_bandwidth": "B/s",
        "pinned_speedup": "",
        "pageable_host": "s",
        "pinned_host": "s",
        "pin_then_copy": "s",
        "pin_then_copy_over_pageable": "",
        "compute": "s",
        "serial_step": "s",
        "overlapped_step": "s",
        "overlap_speedup": "",
        "ideal_speedup": "",
        "utilisation_0": "",
        "utilisation_1": "",
        "utilisation_2": "",
        "error": "",
        "sweep": Series("size", "B/s", "B"),
        "loader": Series("workers", ""),
    },
)
def h2d_overlap(size: Annotated[int, Bound("B", low=2**20, high=2**32)] = 2**28):
    """Time and bandwidth of copying `size` bytes to the GPU, pageable and pinned, how long the host waits, and what overlap saves.

    *_host: seconds until the call returns, pinned with non_blocking. pin_then_copy: pageable memory pinned for the one copy.
    serial_step: a copy, then a computation about as long, on one stream; overlapped_step: the next copy on a second stream
    meanwhile; ideal_speedup: (copy + compute) over the longer.
    utilisation_*, loader: share of the time that the GPU computes, fed by 0 to 3 threads that take 12 ms for each batch of 8 ms, measured and
    expected. sweep: bandwidth over sizes; the pinned one is the bus's ceiling. error: of every way, 0 or the run fails.
    """
    device = timing.device()
    pageable, pinned = sources(size)
    error = max(checked(source, device) for source in (pageable, pinned))
    spent = {name: copy_time(source, device) for name, source in (("pageable", pageable), ("pinned", pinned))}
    pin_then_copy = wall(lambda: to_device(timing.pinned(pageable), device), wait=True)
    work, compute = computation(spent["pinned"].value, device)
    serial, overlapped = (steps_time(way, pinned, work, device) for way in (in_turn, side_by_side))
    small, _ = sources(2**20)
    busy, busy_time = computation(COMPUTE, device)
    found = [utilisation(small, busy, busy_time.value, workers, device) for workers in WORKERS]
    return {
        **spent,
        **{f"{name}_bandwidth": size / seconds for name, seconds in spent.items()},
        "pinned_speedup": spent["pageable"] / spent["pinned"].value,
        "pageable_host": wall(lambda: to_device(pageable, device), wait=False),
        "pinned_host": wall(lambda: to_device(pinned, device), wait=False),
        "pin_then_copy": pin_then_copy,
        "pin_then_copy_over_pageable": pin_then_copy / spent["pageable"].value,
        "compute": compute,
        "serial_step": serial,
        "overlapped_step": overlapped,
        "overlap_speedup": serial / overlapped.value,
        "ideal_speedup": (spent["pinned"].value + compute.value) / max(spent["pinned"].value, compute.value),
        **{f"utilisation_{workers}": found[workers] for workers in WORKERS[:3]},
        "error": error,
        "sweep": sweep(device),
        "loader": {"workers": list(WORKERS), "measured": found, "expected": [COMPUTE / step(LOAD, COMPUTE, workers) for workers in WORKERS]},
    }


def sources(size: int):
    """The same random bytes in pageable and in pinned memory."""
    import torch

    pageable = torch.randint(0, 255, (size,), dtype=torch.uint8)
    return pageable, timing.pinned(pageable)


def to_device(x, device: str):
    """The copy of a training loop; from pageable memory non_blocking changes nothing."""
    return x.to(device, non_blocking=True, copy=True)


def checked(source, device: str) -> float:
    """0, or KernelError where a byte arrives otherwise."""
    import torch

    got = to_device(source, device)
    timing.synchronize()
    if not torch.equal(source, got.cpu()):
        raise KernelError("h2d_overlap: what arrived differs from what was sent, so it is not timed")
    return 0.0


def copy_time(source, device: str):
    """Seconds of one copy into memory that is there already."""
    import torch

    out = torch.empty_like(source, device=device)
    return timing.measure(lambda: out.copy_(source, non_blocking=True), flush=False)


def wall(function: Callable[[], Any], wait: bool, repetitions: int = 20):
    """Seconds of the host until the call returns, or until the GPU is done with it, which has nothing else to do."""
    samples = []
    for _ in range(repetitions):
        timing.synchronize()
        start = time.perf_counter()
        kept = function()
        if wait:
            timing.synchronize()
        samples.append(time.perf_counter() - start)
        timing.synchronize()
        del kept
    return timing.spread(samples[1:])


def sweep(device: str) -> dict:
    found: dict = {"size": list(SIZES), "pageable": [], "pinned": []}
    for size in SIZES:
        for name, source in zip(("pageable", "pinned"), sources(size)):
            found[name].append(size / copy_time(source, device))
    return found


# ------------------------------------------------------------------------------------------ beside computation


def computation(seconds: float, device: str):
    """A function that keeps the GPU busy for about so long with matrix products, and what it takes."""
    import torch

    a, b = (torch.randn(WIDTH, WIDTH, device=device).to(torch.bfloat16) for _ in range(2))
    out = torch.empty_like(a)
    once = timing.measure(lambda: torch.mm(a, b, out=out), flush=False).value
    count = max(1, round(seconds / once))

    def work() -> None:
        for _ in range(count):
            torch.mm(a, b, out=out)

    return work, timing.measure(work, flush=False)


def steps_time(way: Callable, source, work: Callable[[], None], device: str):
    """Seconds of one of STEPS steps, each a copy and a computation."""
    import torch

    buffers = [torch.empty_like(source, device=device) for _ in range(2)]
    return timing.measure(lambda: way(source, buffers, work), flush=False) / STEPS


def in_turn(source, buffers, work: Callable[[], None]) -> None:
    for number in range(STEPS):
        buffers[number % 2].copy_(source, non_blocking=True)
        work()


def side_by_side(source, buffers, work: Callable[[], None]) -> None:
    """Copies into one buffer on a stream of their own while the computation has the other; neither overtakes the other."""
    streams = timing.streams()
    here, copies = streams.current_stream(), streams.Stream()
    copies.wait_stream(here)
    arrived, used = ([streams.Event() for _ in range(STEPS)] for _ in range(2))
    for number in range(STEPS):
        with streams.stream(copies):
            if number >= 2:
                copies.wait_event(used[number - 2])
            buffers[number % 2].copy_(source, non_blocking=True)
            arrived[number].record(copies)
        here.wait_event(arrived[number])
        work()
        used[number].record(here)


# --------------------------------------------------------------------------------------------- a starved loader


def utilisation(source, work: Callable[[], None], compute: float, workers: int, device: str) -> float:
    """The share of the wall clock that the GPU computes, fed by so many loading threads; the first batch does not count."""
    batches = loaded(source, BATCHES + 1, workers) if workers else inline(source, BATCHES + 1)
    start = count = 0.0
    for batch in batches:
        if not count:
            start = time.perf_counter()
        else:
            _step(batch, work, device)
        count += 1
    spent = time.perf_counter() - start
    if count != BATCHES + 1:
        raise KernelError(f"h2d_overlap: the loader gave {count:g} batches of {BATCHES + 1}")
    return min(1.0, BATCHES * compute / spent)


def _step(batch, work: Callable[[], None], device: str) -> None:
    to_device(batch, device)
    work()
    timing.synchronize()  # a training loop waits too: for its loss, or for the host running ahead


def load(source):
    """One batch, after as long as reading and decoding it would take."""
    time.sleep(LOAD)
    return source


def inline(source, batches: int) -> Iterator[Any]:
    for _ in range(batches):
        yield load(source)


def loaded(source, batches: int, workers: int) -> Iterator[Any]:
    """Batches from threads that load whole ones, two ahead for each, as a DataLoader's workers do."""
    wanted, ready = threading.Semaphore(2 * workers), queue.Queue[Any]()
    left = iter(range(batches))  # next() of it is atomic under the interpreter's lock

    def worker() -> None:
        while True:
            wanted.acquire()
            if next(left, None) is None:
                return
            ready.put(load(source))

    for _ in range(workers):
        threading.Thread(target=worker, daemon=True).start()
    for _ in range(batches):
        yield ready.get(timeout=60)
        wanted.release()
    for _ in range(workers):
        wanted.release()


@h2d_overlap.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, x_label="size of the copy", y_label="host to GPU", highlight="pinned")
