"""Copies from the host to a GPU: from pageable and from pinned memory, beside computation, and from a loader that is too slow.

The GPU's copy engine reads host memory by itself only where the pages cannot move, which is what pinning promises. From
pageable memory the driver copies each piece into a pinned buffer of its own first, while the host waits; a pinned source lets the
call return at once (non_blocking=True), and on a stream of its own the copy runs beside the kernels of the step before.

    one after the other   copy + compute                side by side   max(copy, compute)
    a loader              max(load / workers, compute)  a step, as in loader_step
"""

import functools
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
    memory=lambda size: max(2 * size, max(SIZES)) + 10 * WIDTH**2,  # two buffers
    formats=("bf16",),
    rehearsal={"size": 2**20, "SIZES": (2**14, 2**16), "STEPS": 4, "LOAD": 0.003, "COMPUTE": 0.002, "BATCHES": 5, "WIDTH": 64},
    headline="pinned_bandwidth",
    seconds=40,
)
def h2d_overlap(size: Annotated[int, Bound("B", low=2**20, high=2**32)] = 2**28):
    """Time and bandwidth of copying `size` bytes to the GPU, pageable and pinned, how long the host waits, and what overlap saves.

    *_host: seconds until the call returns, pinned with non_blocking. pin_then_copy: pageable memory pinned for the one copy.
    serial_step: a copy, then a computation about as long, on one stream; overlapped_step: the next copy on a second stream
    meanwhile; ideal_speedup: (copy + compute) over the longer. All four are measured in turns.
    utilisation_*, loader: share of the time that the GPU computes, fed by 0 to 3 threads that take 12 ms for each batch of 8 ms, measured and
    expected. sweep: bandwidth over sizes; the pinned one is the bus's ceiling. error: of every way, 0 or the run fails.
    """
    device = timing.device()
    pageable, pinned = sources(size)
    error = max(checked(source, device) for source in (pageable, pinned))
    spent = copy_times((pageable, pinned), device)
    pin_then_copy = wall(lambda: to_device(timing.pinned(pageable), device), wait=True)
    work = computation(spent["pinned"].value, device)
    steps = steps_in_turns(pinned, work, device)
    copy, compute = steps["copy"].value, steps["compute"].value
    small, _ = sources(2**20)
    busy = computation(COMPUTE, device)
    busy_time = timing.measure(busy, flush=False).value
    found = [utilisation(small, busy, busy_time, workers, device) for workers in WORKERS]
    return {
        **{name: spent[name] for name in ("pageable", "pinned")},
        **{f"{name}_bandwidth": size / spent[name] for name in ("pageable", "pinned")},
        "pinned_speedup": spent.ratio("pageable", "pinned"),
        "pageable_host": wall(lambda: to_device(pageable, device), wait=False),
        "pinned_host": wall(lambda: to_device(pinned, device), wait=False),
        "pin_then_copy": pin_then_copy,
        "pin_then_copy_over_pageable": pin_then_copy / spent["pageable"].value,
        "compute": steps["compute"],
        "serial_step": steps["serial"] / STEPS,
        "overlapped_step": steps["overlapped"] / STEPS,
        "overlap_speedup": steps.ratio("serial", "overlapped"),
        "ideal_speedup": (copy + compute) / max(copy, compute),
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


def copy_times(both, device: str):
    """Turns of copies of either into memory that is there already, as a loop issues them: the host waits for pageable memory."""
    import torch

    out = torch.empty_like(both[0], device=device)
    copies: dict[str, Any] = {name: functools.partial(out.copy_, source, non_blocking=True) for name, source in zip(("pageable", "pinned"), both)}
    return timing.in_turns(flush=False, hidden=False, **copies)


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
    found = {size: copy_times(sources(size), device) for size in SIZES}
    return {"size": list(SIZES), **{name: [size / turns[name] for size, turns in found.items()] for name in ("pageable", "pinned")}}


# ------------------------------------------------------------------------------------------ beside computation


def computation(seconds: float, device: str):
    """A function that keeps the device busy for about so long with matrix products."""
    import torch

    a, b = (torch.randn(WIDTH, WIDTH, device=device).to(torch.bfloat16) for _ in range(2))
    out = torch.empty_like(a)
    count = max(1, round(seconds / timing.measure(lambda: torch.mm(a, b, out=out), flush=False).value))

    def work() -> None:
        for _ in range(count):
            torch.mm(a, b, out=out)

    return work


def steps_in_turns(source, work: Callable[[], None], device: str):
    """Turns of a copy, a computation, and STEPS steps of both in either way."""
    import torch

    buffers = [torch.empty_like(source, device=device) for _ in range(2)]
    return timing.in_turns(
        flush=False,
        copy=lambda: buffers[0].copy_(source, non_blocking=True),
        compute=work,
        serial=lambda: in_turn(source, buffers, work),
        overlapped=lambda: side_by_side(source, buffers, work),
    )


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


@h2d_overlap.predicted
def predict(result):
    from kernels.library.machines._devices import DEVICES

    row = DEVICES.get(result.made["device_class"])
    return row.bus if row else None


@h2d_overlap.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, x_label="size of the copy", y_label="host to GPU", highlight="pinned")
