"""The device's own copy bandwidth: the ceiling of everything that memory bounds, and how far a tensor must outgrow the cache to meet it.

Two ways to move n bytes, as in STREAM (McCalpin 1995): the driver's copy, and an elementwise kernel that reads and writes
every element once. Either moves 2n bytes; the faster one is the ceiling. Small tensors are slower because starting and
ending a kernel takes some microseconds, and, when their data are still in the L2, faster than memory could ever be.
"""

from functools import partial
from typing import Annotated, Any

from kernels import Bound, KernelError, Series, kernel, precision, timing

SIZES = tuple(2**p for p in range(16, 34, 2))  # 64 KiB to 4 GiB
CHECKED = 2**26  # bytes compared


@kernel(
    kind="measurement",
    outputs={
        "bandwidth": "B/s",
        "copy": "B/s",
        "scale": "B/s",
        "time": "s",
        "cached_bandwidth": "B/s",
        "cache": "B",
        "error": "",
        "sweep": Series("size", "B/s", "B"),
    },
    memory=lambda size: max(2 * size, 11 * min(size, CHECKED)),
    rehearsal={"size": 2**20, "SIZES": (2**12, 2**16), "CHECKED": 2**17},
    headline="bandwidth",
    seconds=20,
)
def copy_bandwidth(size: Annotated[int, Bound("B", low=2**12)] = 2**30):
    """Bytes read and written per second by the faster of two ways to copy `size` bytes, and over sizes, from memory and from the L2.

    copy, scale: the two ways, in turns. time: of the faster one. sweep: of that way, launched from a graph. cached_bandwidth: the most that
    repeated copies of one small tensor reach, whose data stay in the last-level cache of `cache` bytes. error: of both ways, 0 or the run fails.
    """
    if size % 4:
        raise KernelError(f"copy_bandwidth: size is {size}, but must be a multiple of 4 bytes")
    error = max(checked(way, min(size, CHECKED)) for way in WAYS.values())
    x, out = tensors(size)
    ways: dict[str, Any] = {name: partial(way, x, out) for name, way in WAYS.items()}
    turns = timing.in_turns(**ways)
    del x, out, ways
    best = min(WAYS, key=lambda name: turns[name].value)
    sizes = [s for s in SIZES if 2 * s <= 0.8 * timing.free_memory()]
    cached = [rate(timing.scale, s, flush=False) if 2 * s <= timing.cache_size() else None for s in sizes]
    return {
        "bandwidth": 2 * size / turns[best],
        **{name: 2 * size / turns[name] for name in WAYS},
        "time": turns[best],
        "cached_bandwidth": max((c for c in cached if c), key=float),
        "cache": timing.cache_size(),
        "error": error,
        "sweep": {"size": sizes, "memory": [rate(WAYS[best], s) for s in sizes], "cached": cached},
    }


WAYS = {"copy": timing.copy, "scale": timing.scale}


def tensors(size: int):
    """A tensor of `size` bytes of random numbers, and one as large of not-a-numbers to be written."""
    import torch

    x = torch.randn(size // 4, device=timing.device())
    return x, torch.full_like(x, torch.nan)


def checked(way, size: int) -> float:
    x, out = tensors(size)
    way(x, out)
    return precision.error_against(2 * x if way is timing.scale else x, out, limit=0.0)


def rate(way, size: int, flush: bool = True):
    """Bytes read and written per second: with `flush` the data come from memory, without it they may stay in the cache."""
    return 2 * size / timing.measure(partial(way, *tensors(size)), flush=flush, graph=True)


@copy_bandwidth.predicted
def predict(result):
    from kernels.library.machines._devices import DEVICES

    device = DEVICES.get(result.made["device_class"])
    return device and device.bandwidth


@copy_bandwidth.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, labels={"memory": "from\nmemory", "cached": "from L2"}, x_label="tensor", y_label="read + written")
    best = result["bandwidth"]
    plot.hline(ax, best, plot.show(best, "B/s"))
    return (
        f"Copy bandwidth against tensor size: {plot.show(best, 'B/s')} from memory for {plot.show(result.parameters['size'], 'B')}, "
        f"up to {plot.show(result['cached_bandwidth'], 'B/s')} where the data stay in the L2."
    )
