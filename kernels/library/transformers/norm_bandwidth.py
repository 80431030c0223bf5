"""LayerNorm and RMSNorm on a GPU: what each costs op by op, from the library, compiled, and fused, against the copy bandwidth.

    LayerNorm  y = (x - mean(x)) / sqrt(var(x) + e) * weight + bias      Ba et al. 2016, arXiv 1607.06450
    RMSNorm    y = x / sqrt(mean(x^2) + e) * weight                      Zhang and Sennrich 2019, arXiv 1910.07467

Either does a handful of FLOP per element, far fewer than a GPU could do while the element arrives, so time follows bytes.
A fused norm reads x once and writes y once, as a copy does; op by op, each line below reads and writes a whole tensor, most
of them in fp32. Bandwidth here counts the bytes that are needed, x read and y written, whatever was moved beyond them.
"""

import functools
from typing import Annotated, Any, Literal

from kernels import Bound, KernelError, Series, kernel, timing

EPSILON = 1e-5
NORMS = ("layer", "rms")
WAYS = ("eager", "library", "compiled", "fused")
PARTS = ("matmul", "attention", "norms", "elementwise")
COLUMNS = (1024, 2048, 4096, 8192, 16384)
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
        "ceiling": "B/s",
        "moved": "B",
        "norms_flops_share": "",
        "norms_time_share_eager": "",
        "norms_time_share_fused": "",
        "block_time_eager": "s",
        "block_time_fused": "s",
        "sweep": Series("columns", "B/s"),
    },
    needs=("triton",),
    timeout=300,
)
def norm_bandwidth(
    rows: Annotated[int, Bound(low=1, high=2**20)] = 8192,
    columns: Annotated[int, Bound(low=256, high=16384)] = 4096,
    dtype: Literal["bf16", "fp16", "fp32"] = "bf16",
):
    """Time of LayerNorm and RMSNorm op by op, from the library, compiled and fused, against a copy; their share of a Llama block.

    bandwidth: bytes of x and y over the time; of_copy: that over copy_bandwidth, the faster of two copies of the same
    tensor timed the same way; ceiling: the copy bandwidth of a gibibyte. sweep: bandwidth over row lengths, the number of
    elements kept. norms_*_share: of the FLOP and of the time of a Llama block of that width with RMSNorm op by op or
    fused, its parts timed one by one; block_time: the whole block. error: largest, over the largest element of float64's result.
    """
    if columns % HEAD:
        raise KernelError(f"norm_bandwidth: columns is {columns}, but must be a multiple of {HEAD}, the head size of the block")
    device = timing.device()
    measured = {width: timed(max(1, rows * columns // width), width, dtype, device) for width in sorted({*COLUMNS, columns})}
    here = measured[columns]
    moved = here["moved"]
    shares = {way: block_shares(rows, columns, dtype, device, way) for way in ("eager", "fused")}
    lines = [f"{norm}_{way}" for norm in NORMS for way in WAYS]
    return {
        **{name: here[name] for name in lines},
        **{f"{name}_bandwidth": moved / here[name] for name in lines},
        **{f"{name}_of_copy": here["copy"].value / here[name] for name in lines},
        **{f"{name}_error": here[f"{name}_error"] for name in lines},
        **{f"layer_over_rms_{way}": here[f"layer_{way}"].value / here[f"rms_{way}"].value for way in WAYS},
        "copy_time": here["copy"],
        "copy_bandwidth": moved / here["copy"],
        "ceiling": timing.copy_ceiling(),
        "moved": moved,
        "norms_flops_share": shares["eager"]["norms_flops_share"],
        **{f"norms_time_share_{way}": share["norms_time_share"] for way, share in shares.items()},
        **{f"block_time_{way}": share["block_time"] for way, share in shares.items()},
        "sweep": {"columns": list(measured), **{name: [found["moved"] / found[name] for found in measured.values()] for name in (*lines, "copy")}},
    }


def bytes_moved(rows: int, columns: int, dtype: str) -> int:
    """x read once and y written once; the weights of one row are nothing beside them."""
    return 2 * rows * columns * timing.torch_dtype(dtype).itemsize


def timed(rows: int, columns: int, dtype: str, device: str) -> dict:
    """Seconds of every way to compute both norms of a [rows, columns] tensor, and of a copy of it; the error of each way."""
    import torch

    timing.fresh_compiler()
    x, weight, bias = inputs(rows, columns, dtype, device)
    out = torch.empty_like(x)
    copies = (timing.measure(functools.partial(way, x, out)) for way in (timing.copy, timing.scale))
    found: dict = {"moved": bytes_moved(rows, columns, dtype), "copy": min(copies, key=float)}
    for norm in NORMS:
        exact = eager(norm, x.double(), weight.double(), bias.double())
        for way in WAYS:
            function = prepared(way, norm, x, weight, bias)
            found[f"{norm}_{way}_error"] = timing.error_against(exact, function(torch.full_like(x, torch.nan)), LIMITS[dtype])
            found[f"{norm}_{way}"] = timing.measure(function)
    return found


def inputs(rows: int, columns: int, dtype: str, device: str):
    """x [rows, columns] with a mean and a scale of its own in each row, weight and bias [columns]."""
    import torch

    x = torch.randn(rows, columns, device=device) * (0.5 + torch.rand(rows, 1, device=device)) + torch.randn(rows, 1, device=device)
    weight, bias = (1 + 0.1 * torch.randn(columns, device=device), 0.1 * torch.randn(columns, device=device))
    return tuple(t.to(timing.torch_dtype(dtype)) for t in (x, weight, bias))


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

    return torch.compile(eager, dynamic=False)


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


# ------------------------------------------------------------------------- the share of a transformer block

HEAD = 128  # the width of an attention head
SEQUENCE = 2048  # tokens that attend to each other
FLOP = {"norm": 4, "rotary": 3, "swiglu": 5, "add": 1}  # per element: square, add, two products; two products, a sum; exp, add, divide, two products


def block_shares(tokens: int, width: int, dtype: str, device: str, way: str) -> dict:
    """Shares of the FLOP and of the time of one Llama block's forward pass, by part, and the time of the whole block.

    Parts: matmul (projections), attention, norms (two RMSNorms), elementwise (rotary embedding, SwiGLU, residual sums).
    A part's time is taken alone; its share is of the parts' sum.
    """
    block = Block(tokens, width, dtype, device)
    x, weight, bias = inputs(block.tokens, width, dtype, device)
    norm = prepared(way, "rms", x, weight, bias)
    seconds = {part: timing.measure(run) for part, run in block.parts(norm).items()}
    flops = block.flops()
    return {
        **{f"{part}_flops_share": flops[part] / sum(flops.values()) for part in PARTS},
        **{f"{part}_time_share": seconds[part] / sum(s.value for s in seconds.values()) for part in PARTS},
        "block_time": timing.measure(lambda: block.forward(norm)),
        "parts_time": sum(s.value for s in seconds.values()),
    }


class Block:
    """The operations of a Llama block (Touvron et al. 2023, arXiv 2302.13971) on random values of true shape."""

    def __init__(self, tokens: int, width: int, dtype: str, device: str) -> None:
        import torch

        self.batch = max(1, tokens // SEQUENCE)
        self.length = tokens // self.batch
        self.tokens, self.width, self.heads = (self.batch * self.length, width, width // HEAD)
        self.ffn = -(-8 * width // 3 // 256) * 256  # 8/3 of the width in whole 256s: 11008 for 4096

        def random(*shape: int, scale: float = 1.0):
            return (scale * torch.randn(*shape, device=device)).to(timing.torch_dtype(dtype))

        self.qkv, self.out = (random(width, 3 * width, scale=width**-0.5), random(width, width, scale=width**-0.5))
        self.up, self.down = (random(width, 2 * self.ffn, scale=width**-0.5), random(self.ffn, width, scale=self.ffn**-0.5))
        self.x, self.hidden = random(self.tokens, width), random(self.tokens, self.ffn)
        self.q, self.k, self.v = (random(self.batch, self.heads, self.length, HEAD) for _ in range(3))
        angle = torch.outer(torch.arange(self.length, device=device), 10000 ** (-torch.arange(0, HEAD, 2, device=device) / HEAD)).repeat(1, 2)
        self.cosine, self.sine = (f(angle).to(timing.torch_dtype(dtype)) for f in (torch.cos, torch.sin))

    def parts(self, norm) -> dict:
        """Each part of the block as a function of no arguments."""
        x = self.x
        return {
            "matmul": lambda: (x @ self.qkv, x @ self.out, x @ self.up, self.hidden @ self.down),
            "attention": lambda: self.attention(self.q, self.k, self.v),
            "norms": lambda: (norm(), norm()),
            "elementwise": lambda: (self.rotary(self.q), self.rotary(self.k), self.swiglu(self.hidden, self.hidden), x + x, x + x),
        }

    def forward(self, norm):
        """The block as a whole; `norm` computes on a tensor of its own, of the same shape."""
        q, k, v = (norm() @ self.qkv).view(self.batch, self.length, 3, self.heads, HEAD).permute(2, 0, 3, 1, 4)
        attended = self.attention(self.rotary(q), self.rotary(k), v).transpose(1, 2).reshape(self.tokens, self.width)
        x = self.x + attended @ self.out
        gate, up = (norm() @ self.up).chunk(2, -1)
        return x + self.swiglu(gate, up) @ self.down

    def attention(self, q, k, v):
        from torch.nn import functional

        return functional.scaled_dot_product_attention(q, k, v, is_causal=True)

    def rotary(self, x):
        import torch

        low, high = x.chunk(2, -1)
        return x * self.cosine + torch.cat((-high, low), -1) * self.sine

    def swiglu(self, gate, up):
        from torch.nn import functional

        return functional.silu(gate) * up

    def flops(self) -> dict[str, float]:
        """FLOP by part; a causal attention computes half of its two products."""
        elements = self.tokens * self.width
        return {
            "matmul": 2 * elements * (4 * self.width + 3 * self.ffn),
            "attention": 2 * elements * self.length,
            "norms": 2 * FLOP["norm"] * elements,
            "elementwise": 2 * FLOP["rotary"] * elements + FLOP["swiglu"] * self.tokens * self.ffn + 2 * FLOP["add"] * elements,
        }


@norm_bandwidth.figure
def draw(result, ax):
    from kernels import plot

    ways = {"eager": "op by op", "library": "torch", "compiled": "compiled", "fused": "fused"}
    names = {"layer": "Layer", "rms": "RMS"}
    times = {f"{names[norm]} {said}": result[f"{norm}_{way}"] for way, said in ways.items() for norm in NORMS}
    plot.bars(ax, times, "s", highlight="RMS fused", limit=(result["copy_time"], f"copy of x: {plot.show(result['copy_time'], 's')}"))
