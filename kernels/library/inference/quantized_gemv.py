"""Weight-only quantisation of one linear layer: time, bytes and error of int8 and int4 weights against bf16, by batch size.

    y = x W^T,   W[n, k] ~ scale[n, k // GROUP] * q[n, k]        symmetric, a scale for every 128 weights of a row

(Frantar et al. 2022, GPTQ, arXiv 2210.17323, section 4; Lin et al. 2023, AWQ, arXiv 2306.00978, section 4). At batch 1 every weight is read
for two FLOP, so time follows bytes: an ideal int4 kernel takes 4.125 / 16 of bf16's time. The activations stay bf16 and the
products are computed in floating point, so fewer bits save no arithmetic: at large batch the unpacking is work on top.
The bf16 product is the library's; both quantised ones are Triton kernels of this file.
"""

import functools
from typing import Annotated, Any

from kernels import Bound, KernelError, Series, kernel, precision, timing

GROUP = 128  # weights that share a scale
FORMATS = ("bf16", "int8", "int4")
QUANTIZED = {"int8": 8, "int4": 4}  # bits
BATCHES = (1, 4, 16, 64, 256)
SHOWN = (1, 64)
PART, CHECKED = 8192, 4096  # rows that are made and quantised at once, and at either end compared with float64
LIMIT = 8e-3  # of the largest output: twice what rounding it to bf16 may do

CONFIGURATIONS: dict[bool, list] = {  # of one row, and of several
    False: [{"tile": tile, "warps": warps} for tile, warps in ((16, 2), (16, 4), (32, 4), (64, 4))],
    True: [{"tile": 64, "warps": 4}, {"tile": 128, "warps": 4}],
}


@kernel(
    kind="measurement",
    outputs={
        **{f"{name}_bytes": "B" for name in FORMATS},
        **{f"{name}_time_{batch}": "s" for name in FORMATS for batch in SHOWN},
        **{f"{name}_speedup_{batch}": "" for name in QUANTIZED for batch in SHOWN},
        **{f"{name}_bandwidth": "B/s" for name in FORMATS},
        **{f"{name}_of_reading": "" for name in FORMATS},
        **{f"{name}_error": "" for name in FORMATS},
        **{f"{name}_rounding": "" for name in QUANTIZED},
        "ceiling": "B/s",
        "sweep": Series("batch", "s"),
    },
    needs=("triton",),
    timeout=300,
    memory=lambda rows, columns: needed(rows, columns),
    formats=("bf16",),
    capability=8.0,  # Triton's
    rehearsal={
        "rows": 128,
        "columns": 1024,
        "BATCHES": (1, 64),
        "CONFIGURATIONS": {False: [{"tile": 64, "warps": 4}, {"tile": 128, "warps": 4}], True: [{"tile": 128, "warps": 4}]},
        "LIMIT": 0.02,  # where a GPU rounds to bf16, Triton's interpreter cuts
    },
    headline="int4_speedup_1",
    share="int4_of_reading",
    seconds=40,
)
def quantized_gemv(
    rows: Annotated[int, Bound(low=128, high=2**18)] = 57344,
    columns: Annotated[int, Bound(low=1024, high=2**16)] = 8192,
):
    """Time of a linear layer with bf16, int8 and int4 weights at batch 1 and 64 and over batch sizes; the default is Llama 70B's gate and up.

    bytes: of the weights with their scales. bandwidth: bytes over the time at batch 1; of_reading: that over the ceiling of what only
    reads. speedup: bf16's time over this one's. All are measured in turns, from CUDA graphs. error: largest, over the largest output,
    against float64 with the same (quantised) weights, so the kernel's own. rounding: root mean square of what quantisation changes in
    the outputs of Gaussian weights, over the outputs' own.
    """
    if columns % 1024 or rows % 128:
        raise KernelError(f"quantized_gemv: [{rows}, {columns}] is no size that it takes: columns must be a multiple of 1024, rows of 128")
    import torch

    device = timing.device()
    weights, exact = layer(rows, columns, device)
    sizes = {name: sum(t.numel() * t.element_size() for t in weights[name]) for name in FORMATS}
    activations = {batch: torch.randn(batch, columns, device=device).bfloat16() for batch in BATCHES}
    functions = {name: {batch: prepared(name, x, *weights[name]) for batch, x in activations.items()} for name in FORMATS}
    errors, rounding = verified(functions, weights, exact, activations)
    reading = timing.reading()
    turns = {batch: timing.in_turns(graph=True, **{name: functions[name][batch] for name in FORMATS}, ceiling=reading.function) for batch in BATCHES}
    times = {name: {batch: turns[batch][name] for batch in BATCHES} for name in FORMATS}
    return {
        **{f"{name}_bytes": size for name, size in sizes.items()},
        **{f"{name}_time_{batch}": times[name][batch] for name in FORMATS for batch in SHOWN},
        **{f"{name}_speedup_{batch}": turns[batch].ratio("bf16", name) for name in QUANTIZED for batch in SHOWN},
        **{f"{name}_bandwidth": sizes[name] / times[name][1] for name in FORMATS},
        **{f"{name}_of_reading": sizes[name] / reading.work * turns[1].ratio("ceiling", name) for name in FORMATS},
        **{f"{name}_error": error for name, error in errors.items()},
        **{f"{name}_rounding": error for name, error in rounding.items()},
        "ceiling": reading.work / turns[1]["ceiling"],
        "sweep": {"batch": list(BATCHES), **{name: list(line.values()) for name, line in times.items()}},
    }


@quantized_gemv.predicted
def predict(result):
    """By weight_only_gain, which is bits over bits at batch 1 on every GPU of the table."""
    from kernels.library.inference.weight_only_gain import weight_only_gain
    from kernels.library.machines._devices import DEVICES

    gpu = result.made["device_class"]
    return weight_only_gain(bits=4 + 16 / GROUP, gpu=gpu)["gain"] if gpu in DEVICES else None


def needed(rows: int, columns: int) -> int:
    """Bytes: weights while a part is quantised, by way of int64; or all formats, in parts and joined; or all, and a few rows in float64."""
    weights, part, few = rows * columns, min(PART, rows) * columns, min(CHECKED, rows) * columns
    return max(4 * weights + 24 * part, 8 * weights, 4 * weights + 32 * few) + 2 * sum(BATCHES) * (columns + 5 * rows)


# ------------------------------------------------------------------------------------- the formats


def layer(rows: int, columns: int, device: str):
    """Random weights in every format, as name -> (tensor, ...), and the bf16 ones again as what the others approximate."""
    import torch

    parts: dict[str, list] = {name: [] for name in FORMATS}
    for first in range(0, rows, PART):  # since fp32 and int64 copies of the whole would take tens of gigabytes
        w = (columns**-0.5 * torch.randn(min(PART, rows - first), columns, device=device)).bfloat16()
        parts["bf16"].append((w,))
        for name, bits in QUANTIZED.items():
            parts[name].append(quantize(w, bits))
    weights = {name: tuple(torch.cat(column) for column in zip(*found)) for name, found in parts.items()}
    return weights, weights["bf16"][0]


def quantize(w, bits: int):
    """w [rows, columns] as (words, scale): words as `packed` says, scale fp16 [rows, columns / GROUP]."""
    import torch

    top = 2 ** (bits - 1) - 1
    groups = w.float().view(len(w), -1, GROUP)
    scale = (groups.abs().amax(-1) / top).clamp(min=1e-6).half()
    q = (groups / scale.float()[..., None]).round().clamp(-top - 1, top)
    return packed(q.to(torch.int16).view(w.shape), bits), scale


def packed(q, bits: int):
    """Signed values of so many bits, [rows, columns], in int32 words, [rows, columns * bits / 32].

    A group has 4 `bits` words, and word j holds the group's weights j, j + 4 bits, j + 8 bits ..., the first in the lowest
    bits, each with half of its range added; so neighbouring words meet neighbouring activations.
    """
    import torch

    width = GROUP * bits // 32
    values = (q.to(torch.int64) + 2 ** (bits - 1)).view(len(q), -1, 32 // bits, width)
    words = sum(values[:, :, i] << bits * i for i in range(32 // bits))
    return torch.where(words >= 2**31, words - 2**32, words).to(torch.int32).view(len(q), -1)


def unpacked(words, bits: int):
    """The signed values that `packed` took."""
    import torch

    groups = words.view(len(words), -1, 1, GROUP * bits // 32)
    shifts = bits * torch.arange(32 // bits, device=words.device, dtype=torch.int32).view(1, 1, -1, 1)
    return ((groups >> shifts & (2**bits - 1)) - 2 ** (bits - 1)).to(torch.int16).view(len(words), -1)


def dequantized(name: str, tensors):
    """The weights in float64 that the stored tensors stand for."""
    if name == "bf16":
        return tensors[0].double()
    words, scale = tensors
    values = unpacked(words, QUANTIZED[name]).double()
    return (values.view(len(values), -1, GROUP) * scale.double()[..., None]).view(values.shape)


def verified(functions, weights, exact, activations):
    """The errors of each format's product at every batch size against float64, and what rounding the weights alone does."""
    import torch

    errors, moved = dict.fromkeys(FORMATS, 0.0), dict.fromkeys(QUANTIZED, 0.0)
    ends = {
        name: {
            batch: functions[name][batch](torch.full((batch, len(exact)), torch.nan, dtype=x.dtype, device=x.device))
            for batch, x in activations.items()
        }
        for name in FORMATS
    }
    few = min(CHECKED, len(exact))
    for part in (slice(0, few), slice(len(exact) - few, len(exact))):
        plain = activations[max(activations)].double() @ exact[part].double().T
        for name in FORMATS:
            w = dequantized(name, tuple(t[part] for t in weights[name]))
            for batch, x in activations.items():
                reference = x.double() @ w.T
                errors[name] = max(errors[name], precision.error_against(reference, ends[name][batch][:, part], LIMIT))
            if name in QUANTIZED:
                moved[name] = max(moved[name], float((reference - plain).square().mean().sqrt() / plain.square().mean().sqrt()))
    if any(torch.isnan(y).any() for line in ends.values() for y in line.values()):
        raise KernelError("an output of a quantised product was never written")
    return errors, moved


# ------------------------------------------------------------------------------------ the products


def prepared(name: str, x, *tensors):
    """A function that computes x W^T of x [batch, columns], bf16, in that format, with the tiles that are fastest on this GPU."""
    from torch.nn import functional

    if name == "bf16":
        return lambda out=None: functional.linear(x, tensors[0])
    words, scale = tensors
    configuration = fastest(name, x, words, scale)
    return lambda out=None: product(name, x, words, scale, **configuration, out=out)


def fastest(name: str, x, words, scale) -> dict:
    """The tile and the warps that are fastest for this batch, tried one by one."""
    tried = CONFIGURATIONS[len(x) > 1]
    return tried[timing.fastest([functools.partial(product, name, x, words, scale, **c) for c in tried])] if len(tried) > 1 else tried[0]


def product(name: str, x, words, scale, tile: int = 64, warps: int = 4, out=None):
    """x W^T in bf16 by the kernels below: one activation row by multiply and add, several by matrix units."""
    import torch

    rows, width = words.shape
    batch, columns = x.shape
    out = torch.empty(batch, rows, dtype=x.dtype, device=x.device) if out is None else out
    shape = {"TILE": tile, "BITS": QUANTIZED[name], "num_warps": warps}
    if batch == 1:
        one_row()[(rows // tile,)](x, words, scale, out, width, columns // GROUP, GROUPS=4 * warps // QUANTIZED[name], **shape)
        return out
    function, block = many_rows(), min(64, max(16, 1 << (batch - 1).bit_length()))
    units = tl.bfloat16 if x.is_cuda else tl.float32  # Triton's interpreter multiplies no bf16
    grid = (-(-batch // block), rows // tile)
    function[grid](x, words, scale, out, batch, rows, columns, width, columns // GROUP, BATCH=block, UNITS=units, num_stages=4, **shape)
    return out


tl: Any = None  # triton.language, once a kernel has imported it


@functools.cache
def one_row():
    """The Triton kernel of batch 1: a program holds TILE rows of the matrix against the one activation row, eight groups at a time.

    A weight becomes a float without a conversion, which would cost more than the memory's pace allows: its bits are set into the
    mantissa of a 1, from bit P on, so that it reads 1 + (q + half) 2^(P - 23), half being the half range that `packed` added.
    What is not q is the same for every row, and is taken off once for all the weights of a word.
    """
    global tl
    import triton
    from triton import language as tl

    @triton.jit
    def row_times_matrix(x, words, scale, y, width, groups, TILE: tl.constexpr, GROUPS: tl.constexpr, BITS: tl.constexpr):
        WORDS: tl.constexpr = 4 * BITS  # of a group
        P: tl.constexpr = 8 if BITS == 8 else 12
        HALF: tl.constexpr = 2 ** (BITS - 1)
        row = (tl.program_id(0) * TILE + tl.arange(0, TILE)).to(tl.int64)
        group, word = tl.arange(0, GROUPS), tl.arange(0, WORDS)
        weights = words + (row * width)[:, None, None] + (group[:, None] * WORDS + word[None, :])[None, :, :]
        values = x + group[:, None] * 128 + word[None, :]
        scales = scale + (row * groups)[:, None] + group[None, :]
        total = tl.zeros((TILE, GROUPS), tl.float32)
        for step in range(0, groups, GROUPS):
            w = tl.load(weights + step * WORDS, eviction_policy="evict_first")
            s = tl.load(scales + step).to(tl.float32)
            sums = tl.zeros((TILE, GROUPS, WORDS), tl.float32)
            off = tl.zeros((GROUPS, WORDS), tl.float32)
            for byte in tl.static_range(4):
                moved = w >> (8 * byte - P) if 8 * byte > P else w << (P - 8 * byte)  # its lowest bit comes to bit P
                v = ((moved & ((2**BITS - 1) << P)) | 0x3F800000).to(tl.float32, bitcast=True)
                a = tl.load(values + step * 128 + byte * (128 // 4)).to(tl.float32)
                sums += v * a[None, :, :]
                off += a * (1 + HALF * 2.0 ** (P - 23))
                if BITS == 4:  # and the byte's other half lies four bits higher
                    v = ((moved & (15 << (P + 4))) | 0x3F800000).to(tl.float32, bitcast=True)
                    a = tl.load(values + step * 128 + byte * (128 // 4) + WORDS).to(tl.float32) / 16
                    sums += v * a[None, :, :]
                    off += a * (1 + HALF * 2.0 ** (P + 4 - 23))
            total += tl.sum(sums - off[None, :, :], axis=2) * (s * 2 ** (23 - P))
        tl.store(y + row, tl.sum(total, axis=1).to(y.dtype.element_ty))

    return row_times_matrix


@functools.cache
def many_rows():
    """The Triton kernel of larger batches: a program makes a [TILE, BATCH] tile of the transposed result, a group of weights at a time.

    The weights become bf16 (exactly, as 8 significant bits suffice) and meet the activations in the matrix units; the group's
    scale multiplies the sums, which are fp32.
    """
    global tl
    import triton
    from triton import language as tl

    @triton.jit
    def matrix_times_rows(
        x, words, scale, y, batch, rows, columns, width, groups, TILE: tl.constexpr, BATCH: tl.constexpr, BITS: tl.constexpr, UNITS: tl.constexpr
    ):
        WORDS: tl.constexpr = 4 * BITS
        row = (tl.program_id(1) * TILE + tl.arange(0, TILE)).to(tl.int64)
        item, word = tl.program_id(0) * BATCH + tl.arange(0, BATCH), tl.arange(0, WORDS)
        here = (item < batch)[None, :]
        total = tl.zeros((TILE, BATCH), tl.float32)
        for group in range(groups):
            w = tl.load(words + (row * width)[:, None] + (group * WORDS + word)[None, :])
            s = tl.load(scale + row * groups + group).to(tl.float32)
            sums = tl.zeros((TILE, BATCH), tl.float32)
            for i in tl.static_range(32 // BITS):
                v = (((w >> (BITS * i)) & (2**BITS - 1)) - 2 ** (BITS - 1)).to(tl.float32)
                a = tl.load(x + (item * columns)[None, :] + (group * 128 + i * WORDS + word)[:, None], mask=here, other=0.0)
                sums = tl.dot(v.to(UNITS), a.to(UNITS), sums)
            total += sums * s[:, None]
        tl.store(y + (item * rows)[None, :] + row[:, None], total.to(y.dtype.element_ty), mask=here)

    return matrix_times_rows


@quantized_gemv.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, ylog=True, x_label="batch size", y_label="time of the layer")
