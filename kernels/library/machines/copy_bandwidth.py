"""The GPU's own copy bandwidth: the ceiling of everything that memory bounds, and how far a tensor must outgrow the L2 to meet it.

Two ways to move n bytes, as in STREAM (McCalpin 1995): the driver's copy, and an elementwise kernel that reads and writes
every element once. Either moves 2n bytes; the faster one is the ceiling. Small tensors are slower because starting and
ending a kernel takes some microseconds, and, when their data are still in the L2, faster than memory could ever be.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel, timing

SIZES = tuple(2**p for p in range(16, 34, 2))  # 64 KiB to 4 GiB


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
)
def copy_bandwidth(size: Annotated[int, Bound("B", low=2**12)] = 2**30):
    """Bytes read and written per second by the faster of two ways to copy `size` bytes, and over sizes, from memory and from the L2.

    copy, scale: the two ways. time: of the faster one. cached_bandwidth: the most that repeated copies of one small
    tensor reach, whose data stay in the L2 of `cache` bytes. error: of both ways, 0 or the run fails.
    """
    device = timing.device()
    cache, free = timing.cache_size(), timing.free_memory()
    if size % 4:
        raise KernelError(f"copy_bandwidth: size is {size}, but must be a multiple of 4 bytes")
    if 2 * size > 0.8 * free:
        raise KernelError(f"copy_bandwidth: two tensors of {size} bytes do not fit in the {free} bytes that are free on this GPU")
    error = max(checked(way, min(size, 2**28), device) for way in WAYS.values())
    ways = {name: rate(way, size, device) for name, way in WAYS.items()}
    best = max(ways, key=lambda name: ways[name].value)
    sizes = [s for s in SIZES if 2 * s <= 0.8 * free]
    cached = [rate(timing.scale, s, device, flush=False) if 2 * s <= cache else None for s in sizes]
    return {
        "bandwidth": ways[best],
        **ways,
        "time": 2 * size / ways[best],
        "cached_bandwidth": max((c for c in cached if c), key=float),
        "cache": cache,
        "error": error,
        "sweep": {"size": sizes, "memory": [rate(WAYS[best], s, device) for s in sizes], "cached": cached},
    }


WAYS = {"copy": timing.copy, "scale": timing.scale}


def tensors(size: int, device: str):
    """A tensor of `size` bytes of random numbers, and one as large of not-a-numbers to be written."""
    import torch

    x = torch.randn(size // 4, device=device)
    return x, torch.full_like(x, torch.nan)


def checked(way, size: int, device: str) -> float:
    x, out = tensors(size, device)
    way(x, out)
    return timing.error_against(2 * x if way is timing.scale else x, out, limit=0.0)


def rate(way, size: int, device: str, flush: bool = True):
    """Bytes read and written per second: with `flush` the data come from memory, without it they may stay in the L2."""
    x, out = tensors(size, device)
    return 2 * size / timing.measure(lambda: way(x, out), flush=flush, graph=not flush)


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
