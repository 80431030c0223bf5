"""LayerNorm and RMSNorm on a GPU: what each costs op by op, from the library, compiled, and fused, against the copy bandwidth.

    LayerNorm  y = (x - mean(x)) / sqrt(var(x) + e) * weight + bias      Ba et al. 2016, arXiv 1607.06450
    RMSNorm    y = x / sqrt(mean(x^2) + e) * weight                      Zhang and Sennrich 2019, arXiv 1910.07467

Either does a handful of FLOP per element, far fewer than a GPU could do while the element arrives, so time follows bytes.
A fused norm reads x once and writes y once, as a copy does; op by op, each line below reads and writes a whole tensor, most
of them in fp32. Bandwidth here counts the bytes that are needed, x read and y written, whatever was moved beyond them.
"""

import functools
from typing import Annotated, Any, Literal, NamedTuple

from kernels import Bound, Series, kernel, precision, timing

EPSILON = 1e-5
NORMS = ("layer", "rms")
WAYS = ("eager", "library", "compiled", "fused")
COLUMNS = (1024, 2048, 4096, 8192, 16384)
SIZE = {"bf16": 2, "fp16": 2, "fp32": 4}  # bytes
COMPILER = "inductor"  # torch.compile's back end
LIMITS = {"bf16": 4e-3, "fp16": 1e-3, "fp32": 1e-5}  # about twice what rounding the largest element to the dtype may do


@kernel(
    kind="measurement",
    outputs={
        **{f"{norm}_{way}": "s" for norm in NORMS for way in WAYS},
        **{f"{norm}_{way}_bandwidth": "B/s" for norm in NORMS for way in WAYS},
        **{f"{norm}_{way}_of_copy": "" for norm in NORMS for way in WAYS},
        **{f"{norm}_{way}_error": "" for norm in NORMS for way in WAYS},
        **{f"layer_over_rms_{way}": "" for way in WAYS},
        "copy_time": "s",
        "copy_bandwidth": "B/s",
        "moved": "B",
        "sweep": Series("columns", "B/s"),
    },
    needs=("triton",),
    timeout=300,
    memory=lambda rows, columns, dtype: (4 * SIZE[dtype] + 40) * rows * columns,
    formats=lambda dtype: () if dtype == "fp32" else (dtype,),
    capability=8.0,  # Triton
    rehearsal={  # Triton's interpreter cuts to bf16 where a GPU rounds
        "rows": 64,
        "columns": 256,
        "COLUMNS": (),
        "COMPILER": "eager",
        "LIMITS": {"bf16": 8e-3},
    },
    headline="rms_fused_bandwidth",
    share="rms_fused_of_copy",
    seconds=75,
)
def norm_bandwidth(
    rows: Annotated[int, Bound(low=1, high=2**20)] = 16384,
    columns: Annotated[int, Bound(low=256, high=16384)] = 4096,
    dtype: Literal["bf16", "fp16", "fp32"] = "bf16",
):
    """Time of LayerNorm and RMSNorm op by op, from the library, compiled and fused, in turns with a copy of the same tensor.

    bandwidth: bytes of x and y over the time; of_copy: the time of the copy, the faster of two, over the norm's. sweep: bandwidth over row
    lengths, the number of elements kept. error: largest, over the largest element of float64's result.
    """
    measured = {width: timed(max(1, rows * columns // width), width, dtype) for width in sorted({*COLUMNS, columns})}
    here = measured[columns]
    lines = [f"{norm}_{way}" for norm in NORMS for way in WAYS]
    return {
        **{name: here.turns[name] for name in lines},
        **{f"{name}_bandwidth": here.bandwidth(name) for name in lines},
        **{f"{name}_of_copy": here.turns.ratio("copy", name) for name in lines},
        **{f"{name}_error": here.errors[name] for name in lines},
        **{f"layer_over_rms_{way}": here.turns.ratio(f"layer_{way}", f"rms_{way}") for way in WAYS},
        "copy_time": here.turns["copy"],
        "copy_bandwidth": here.bandwidth("copy"),
        "moved": here.moved,
        "sweep": {"columns": list(measured), **{name: [found.bandwidth(name) for found in measured.values()] for name in (*lines, "copy")}},
    }


class Timed(NamedTuple):
    """The bytes that both norms must move, the seconds of every way to compute them and of a copy, the error of each way."""

    moved: int
    turns: timing.Turns
    errors: dict[str, float]

    def bandwidth(self, name: str) -> timing.Spread:
        return self.moved / self.turns[name]


def timed(rows: int, columns: int, dtype: str) -> Timed:
    """Both norms of a [rows, columns] tensor in every way: x is read once and y written once, the weights of one row are nothing beside them."""
    import torch

    timing.fresh_compiler()
    x, weight, bias = inputs(rows, columns, dtype, timing.device())
    ways = {f"{norm}_{way}": prepared(way, norm, x, weight, bias) for norm in NORMS for way in WAYS}
    errors = {}
    for norm in NORMS:
        exact = eager(norm, x.double(), weight.double(), bias.double())
        for way in WAYS:
            name = f"{norm}_{way}"
            errors[name] = precision.error_against(exact, ways[name](torch.full_like(x, torch.nan)), LIMITS[dtype])
        del exact
    out = torch.empty_like(x)
    copies = [functools.partial(way, x, out) for way in (timing.copy, timing.scale)]
    turns = timing.in_turns(copy=copies[timing.fastest(copies)], **ways)
    return Timed(2 * x.nbytes, turns, errors)


def inputs(rows: int, columns: int, dtype: str, device: str):
    """x [rows, columns] with a mean and a scale of its own in each row, weight and bias [columns]."""
    import torch

    x = torch.randn(rows, columns, device=device) * (0.5 + torch.rand(rows, 1, device=device)) + torch.randn(rows, 1, device=device)
    weight, bias = (1 + 0.1 * torch.randn(columns, device=device), 0.1 * torch.randn(columns, device=device))
    return tuple(t.to(precision.torch_dtype(dtype)) for t in (x, weight, bias))


def prepared(way: str, norm: str, x, weight, bias):
    """A function that computes the norm in that way; the fused one into `out`, if given, where what it leaves unwritten shows."""
    if way == "fused":
        configuration = fastest(norm, x, weight, bias)
        return lambda out=None: fused(norm, x, weight, bias, **configuration, out=out)
    function = {"eager": eager, "library": library, "compiled": compiled()}[way]
    return lambda out=None: function(norm, x, weight, bias)


# ------------------------------------------------------------------------------------------ the norms


def eager(norm: str, x, weight, bias):
    """Op by op, in fp32 at least, as model code writes it (Llama's reference code for RMSNorm): every line is a kernel or two."""
    import torch

    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    if norm == "layer":
        centred = wide - wide.mean(-1, keepdim=True)
        scale = torch.rsqrt(centred.pow(2).mean(-1, keepdim=True) + EPSILON)
        return (centred * scale * weight + bias).to(x.dtype)
    scale = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + EPSILON)
    return (wide * scale * weight).to(x.dtype)


def library(norm: str, x, weight, bias):
    """torch's own functions; rms_norm was put together from several kernels in early versions of torch 2."""
    from torch.nn import functional

    if norm == "layer":
        return functional.layer_norm(x, x.shape[-1:], weight, bias, EPSILON)
    return functional.rms_norm(x, x.shape[-1:], weight, EPSILON)


@functools.cache
def compiled():
    """The op-by-op code through torch.compile, anew for each shape."""
    import torch

    return torch.compile(eager, backend=COMPILER, dynamic=False)


def fused(norm: str, x, weight, bias, warps: int = 8, programs: int = 0, out=None):
    """One Triton kernel: a program reads whole rows, keeps them in registers for both passes, and writes them once.

    Short rows are taken several at a time, so that a program has some thousand elements in flight. programs: how many run,
    each over its share of the rows, its weights kept and its next rows on the way; 0 is one program for each tile of rows.
    """
    import torch

    out = torch.empty_like(x) if out is None else out
    rows, columns = x.shape
    block = 1 << (columns - 1).bit_length()
    tile = max(1, TILE // block)
    tiles = -(-rows // tile)
    grid = (min(programs, tiles) if programs else tiles,)
    shape = {"COLUMNS": columns, "BLOCK": block, "ROWS": tile}
    norm_rows()[grid](x, weight, bias, out, rows, EPSILON, **shape, LAYER=norm == "layer", AHEAD=programs > 0, num_warps=warps)
    return out


TILE = 4096  # elements that a program holds at least
tl: Any = None  # triton.language, once norm_rows has imported it


@functools.cache
def norm_rows():
    """The Triton kernel. It finds the language's name among this module's, so the import is made global."""
    global tl
    import triton
    from triton import language as tl

    @triton.jit
    def norm_of_rows(
        x, weight, bias, y, rows, epsilon, COLUMNS: tl.constexpr, BLOCK: tl.constexpr, ROWS: tl.constexpr, LAYER: tl.constexpr, AHEAD: tl.constexpr
    ):
        column = tl.arange(0, BLOCK)[None, :]
        first, step = tl.program_id(0) * ROWS, tl.num_programs(0) * ROWS
        row = first + tl.arange(0, ROWS)[:, None]
        at = row.to(tl.int64) * COLUMNS + column
        if AHEAD:
            coming = tl.load(x + at, mask=(row < rows) & (column < COLUMNS), other=0.0, eviction_policy="evict_first")
        w = tl.load(weight + column, mask=column < COLUMNS, other=0.0)
        if LAYER:
            b = tl.load(bias + column, mask=column < COLUMNS, other=0.0)
        for start in range(first, rows, step):
            row = start + tl.arange(0, ROWS)[:, None]
            at = row.to(tl.int64) * COLUMNS + column
            here = (row < rows) & (column < COLUMNS)
            if AHEAD:
                v = coming.to(tl.float32)
                more = (row + step < rows) & (column < COLUMNS)
                coming = tl.load(x + at + step.to(tl.int64) * COLUMNS, mask=more, other=0.0, eviction_policy="evict_first")
            else:
                v = tl.load(x + at, mask=here, other=0.0, eviction_policy="evict_first").to(tl.float32)
            if LAYER:
                mean = tl.sum(v, axis=1) / COLUMNS
                v = tl.where(column < COLUMNS, v - mean[:, None], 0.0)
            scale = 1 / tl.sqrt(tl.sum(v * v, axis=1) / COLUMNS + epsilon)
            v = v * scale[:, None] * w.to(tl.float32)
            if LAYER:
                v = v + b.to(tl.float32)
            tl.store(y + at, v.to(y.dtype.element_ty), mask=here)

    return norm_of_rows


def fastest(norm: str, x, weight, bias) -> dict:
    """The warps and the number of programs that are fastest for this shape on this GPU, tried one by one."""

    processors = timing.processors()
    elements = max(TILE, 1 << (x.shape[1] - 1).bit_length())
    tried = []
    for warps in sorted({min(32, elements // 32 // each) for each in (16, 32)}):  # that many elements a thread
        tried += [{"warps": warps, "programs": programs} for programs in (0, processors * max(1, 16 // warps), processors * max(1, 32 // warps))]
    return tried[timing.fastest([functools.partial(fused, norm, x, weight, bias, **c) for c in tried])]


@norm_bandwidth.predicted
def predict(result):
    from kernels.library.machines._devices import DEVICES

    device = DEVICES.get(result.made["device_class"])
    return device and device.bandwidth


@norm_bandwidth.figure
def draw(result, ax):
    from kernels import plot

    ways = {"eager": "op by op", "library": "torch", "compiled": "compiled", "fused": "fused"}
    names = {"layer": "Layer", "rms": "RMS"}
    times = {f"{names[norm]} {said}": result[f"{norm}_{way}"] for way, said in ways.items() for norm in NORMS}
    plot.bars(ax, times, "s", highlight="RMS fused", limit=(result["copy_time"], f"copy of x: {plot.show(result['copy_time'], 's')}"))
