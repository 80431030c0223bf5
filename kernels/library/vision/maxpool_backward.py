"""2x2 max-pooling forward and backward: time and memory where the positions of the maxima are stored, and where they are found again.

    y = max(x_1 .. x_4),    dx_i = dy where x_i is the first maximum of its window, else 0

A GPU does this at the pace of its memory, so the bytes of maxpool_traffic foretell the times. torch stores positions as int64, also where no
gradient is wanted; the Triton kernels of this file store them as bytes, or not at all, in which case the backward reads the input again.
"""

import functools
from functools import partial
from typing import Annotated, Any, Literal

from kernels import Bound, KernelError, kernel, precision, timing
from kernels.library.vision.maxpool_traffic import maxpool_traffic

WAYS = ("library", "int64", "byte", "none")  # what the forward stores; none: nothing, and the backward reads the input again
TILE = 2048  # outputs that a program makes
SIZE = {"bf16": 2, "fp16": 2, "fp32": 4}  # bytes


@kernel(
    kind="measurement",
    outputs={
        **{f"forward_{way}": "s" for way in WAYS},
        **{f"backward_{way}": "s" for way in WAYS},
        **{f"stored_{way}": "B" for way in WAYS},
        **{f"forward_{way}_of_copy": "" for way in WAYS},
        **{f"backward_{way}_of_copy": "" for way in WAYS},
        "forward_saved": "",
        "byte_saved": "",
        "step_saved": "",
        "recompute_over_int64": "",
        "ceiling": "B/s",
        "error": "",
    },
    needs=("triton",),
    timeout=300,
    memory=lambda batch, channels, size, dtype: (7 + 2.5 * SIZE[dtype]) * batch * channels * size**2,
    formats=lambda dtype: () if dtype == "fp32" else (dtype,),
    capability=8.0,  # Triton
    rehearsal={"batch": 2, "channels": 4, "size": 64},
    headline="forward_none",
    share="forward_none_of_copy",
    seconds=15,
)
def maxpool_backward(
    batch: Annotated[int, Bound(low=1, high=4096)] = 32,
    channels: Annotated[int, Bound(low=1, high=4096)] = 64,
    size: Annotated[int, Bound(low=2, high=4096)] = 224,
    dtype: Literal["bf16", "fp16", "fp32"] = "bf16",
):
    """Time and memory of 2x2 max-pooling by what its forward stores: torch's int64 positions, the same in Triton, bytes, or nothing.

    stored: bytes that the forward leaves for the backward besides the input and the output, as the allocator counts them. Times are
    measured in turns with a copy; of_copy: bytes of the formula over time and copy bandwidth. forward_saved: the share of the forward's
    time that storing nothing saves over int64 positions, both in Triton; byte_saved: that of bytes; step_saved: that of nothing for
    forward and backward. recompute_over_int64: backward without positions over backward with int64 ones. error: of outputs and
    gradients against torch's, 0 or the run fails.
    """
    if size % 2:
        raise KernelError(f"maxpool_backward: size is {size}, but must be even")
    x, dy = inputs(batch, channels, size, dtype, timing.device())
    error = max(checked(way, x, dy) for way in WAYS)
    stored = {way: timing.peak_memory(partial(pooled, way, x)).bytes - dy.nbytes for way in WAYS}
    copying = timing.copying()
    forward: dict[str, Any] = {f"forward_{way}": partial(pooled, way, x) for way in WAYS}
    backward: dict[str, Any] = {f"backward_{way}": partial(gradient, way, x, pooled(way, x)[1], dy) for way in WAYS}
    turns = timing.in_turns(**forward, **backward, ceiling=copying.function)
    bytes = maxpool_traffic(value_bytes=x.element_size())

    def of_copy(part: str, way: str):
        moved = bytes[f"{part}_{'int64' if way == 'library' else way}"] * dy.numel()
        return turns.ratio("ceiling", f"{part}_{way}") * (moved / copying.work)

    step = {way: turns[f"forward_{way}"].value + turns[f"backward_{way}"].value for way in WAYS}
    return {
        **{name: turns[name] for name in (*forward, *backward)},
        **{f"stored_{way}": size for way, size in stored.items()},
        **{f"{part}_{way}_of_copy": of_copy(part, way) for part in ("forward", "backward") for way in WAYS},
        "forward_saved": 1 - turns.ratio("forward_none", "forward_int64").value,
        "byte_saved": 1 - turns.ratio("forward_byte", "forward_int64").value,
        "step_saved": 1 - step["none"] / step["int64"],
        "recompute_over_int64": turns.ratio("backward_none", "backward_int64"),
        "ceiling": copying.work / turns["ceiling"],
        "error": error,
    }


def inputs(batch: int, channels: int, size: int, dtype: str, device: str):
    """x [batch, channels, size, size] and the gradient of its pooled image."""
    import torch

    kind = precision.torch_dtype(dtype)
    return (torch.randn(batch, channels, side, side, device=device).to(kind) for side in (size, size // 2))


def pooled(way: str, x):
    """(output, stored positions): int64 places in the image from the library, else 0 to 3 within the window, or None."""
    import torch
    from torch.nn import functional

    if way == "library":
        return functional.max_pool2d(x, 2, return_indices=True)
    y = torch.empty(*x.shape[:2], x.shape[2] // 2, x.shape[3] // 2, dtype=x.dtype, device=x.device)
    kept = None if way == "none" else torch.empty(y.shape, dtype=torch.int64 if way == "int64" else torch.uint8, device=x.device)
    grid, shape = tiles(y)
    window_max()[grid](x, y, y if kept is None else kept, y.numel() // y.shape[3], STORE=kept is not None, **shape)
    return y, kept


def gradient(way: str, x, kept, dy):
    """The gradient of x, from the stored positions or, where there are none, from x itself."""
    import torch

    if way == "library":
        return torch.ops.aten.max_pool2d_with_indices_backward(dy, x, [2, 2], [2, 2], [0, 0], [1, 1], False, kept)
    dx = torch.empty_like(x)
    grid, shape = tiles(dy)
    window_gradient()[grid](x, dy if kept is None else kept, dy, dx, dy.numel() // dy.shape[3], FOUND=kept is not None, **shape)
    return dx


def tiles(y):
    """The grid over rows of outputs, and the shape of a tile."""
    columns = y.shape[3]
    block = 1 << (columns - 1).bit_length()
    rows = max(1, TILE // block)
    return (-(-y.numel() // columns // rows),), {"COLUMNS": columns, "BLOCK": block, "ROWS": rows, "num_warps": 8}


def checked(way: str, x, dy) -> float:
    """The error of output and gradient against torch's own in float64, on the first image: maxima are exact, and so are their gradients."""
    import torch
    from torch.nn import functional

    few, grown = x[:1].contiguous(), dy[:1].contiguous()
    wide = few.double().requires_grad_()
    y = functional.max_pool2d(wide, 2)
    (dx,) = torch.autograd.grad(y, wide, grown.double())
    mine, kept = pooled(way, few)
    return max(precision.error_against(y.detach(), mine, 0.0), precision.error_against(dx, gradient(way, few, kept, grown), 0.0))


tl: Any = None  # triton.language, once a kernel has imported it


@functools.cache
def window_max():
    """The Triton forward: two rows of the image make one of the output; neighbours in a row are told apart in registers."""
    global tl
    import triton
    from triton import language as tl

    @triton.jit
    def pool(x, y, kept, rows, STORE: tl.constexpr, COLUMNS: tl.constexpr, BLOCK: tl.constexpr, ROWS: tl.constexpr):
        row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
        wide, column = tl.arange(0, 2 * BLOCK)[None, :], tl.arange(0, BLOCK)[None, :]
        at = row.to(tl.int64) * (4 * COLUMNS) + wide
        there = (row < rows) & (wide < 2 * COLUMNS)
        top = tl.load(x + at, mask=there, other=0.0, eviction_policy="evict_first")
        bottom = tl.load(x + at + 2 * COLUMNS, mask=there, other=0.0, eviction_policy="evict_first")
        a, b = tl.split(tl.reshape(top.to(tl.float32), (ROWS, BLOCK, 2)))
        c, d = tl.split(tl.reshape(bottom.to(tl.float32), (ROWS, BLOCK, 2)))
        out = row.to(tl.int64) * COLUMNS + column
        here = (row < rows) & (column < COLUMNS)
        upper, lower = tl.where(b > a, b, a), tl.where(d > c, d, c)  # the first of equals wins
        tl.store(y + out, tl.where(lower > upper, lower, upper).to(y.dtype.element_ty), mask=here)
        if STORE:
            place = tl.where(lower > upper, tl.where(d > c, 3, 2), tl.where(b > a, 1, 0))
            tl.store(kept + out, place.to(kept.dtype.element_ty), mask=here)

    return pool


@functools.cache
def window_gradient():
    """The Triton backward: each output's gradient goes to its window's maximum, whose place was stored (FOUND) or is found again."""
    global tl
    import triton
    from triton import language as tl

    @triton.jit
    def route(x, kept, dy, dx, rows, FOUND: tl.constexpr, COLUMNS: tl.constexpr, BLOCK: tl.constexpr, ROWS: tl.constexpr):
        row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
        wide, column = tl.arange(0, 2 * BLOCK)[None, :], tl.arange(0, BLOCK)[None, :]
        at = row.to(tl.int64) * (4 * COLUMNS) + wide
        there = (row < rows) & (wide < 2 * COLUMNS)
        out = row.to(tl.int64) * COLUMNS + column
        here = (row < rows) & (column < COLUMNS)
        g = tl.load(dy + out, mask=here, other=0.0, eviction_policy="evict_first").to(tl.float32)
        if FOUND:
            place = tl.load(kept + out, mask=here, other=0, eviction_policy="evict_first").to(tl.int32)
        else:
            top = tl.load(x + at, mask=there, other=0.0, eviction_policy="evict_first")
            bottom = tl.load(x + at + 2 * COLUMNS, mask=there, other=0.0, eviction_policy="evict_first")
            a, b = tl.split(tl.reshape(top.to(tl.float32), (ROWS, BLOCK, 2)))
            c, d = tl.split(tl.reshape(bottom.to(tl.float32), (ROWS, BLOCK, 2)))
            upper, lower = tl.where(b > a, b, a), tl.where(d > c, d, c)
            place = tl.where(lower > upper, tl.where(d > c, 3, 2), tl.where(b > a, 1, 0))
        none = tl.zeros((ROWS, BLOCK), tl.float32)
        upper_row = tl.join(tl.where(place == 0, g, none), tl.where(place == 1, g, none))
        lower_row = tl.join(tl.where(place == 2, g, none), tl.where(place == 3, g, none))
        tl.store(dx + at, tl.reshape(upper_row, (ROWS, 2 * BLOCK)).to(dx.dtype.element_ty), mask=there)
        tl.store(dx + at + 2 * COLUMNS, tl.reshape(lower_row, (ROWS, 2 * BLOCK)).to(dx.dtype.element_ty), mask=there)

    return route


@maxpool_backward.predicted
def predict(result):
    """The bytes of the formula at full bandwidth."""
    from kernels.library.machines._devices import DEVICES

    device, given = DEVICES.get(result.made["device_class"]), result.parameters
    outputs = given["batch"] * given["channels"] * given["size"] ** 2 / 4
    return device and maxpool_traffic(value_bytes=SIZE[given["dtype"]])["forward_none"] * outputs / device.bandwidth


@maxpool_backward.figure
def draw(result, ax):
    from kernels import plot

    names = {"library": "torch, int64", "int64": "int64 positions", "byte": "byte positions", "none": "no positions"}
    plot.bars(ax, {said: result[f"forward_{way}"] for way, said in names.items()}, "s", highlight="no positions")
