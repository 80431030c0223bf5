"""A matrix product of 16-bit inputs whose sums are kept in fp32, fp16 or bf16: how the error grows with the number of terms.

    C_ij = sum over k of A_ik B_kj,   A and B uniform in [0, 1), so that each sum grows to about K / 4

A tensor core multiplies 16-bit numbers exactly and adds in fp32 (Micikevicius et al. 2018, arXiv 1710.03740, section 3.3); it can add
fp16 products in fp16 too. It has no bf16 accumulator: "bf16" rounds the running sum to bf16 after every BLOCK_K terms, as a
program does that keeps partial results in bf16. The inputs are the same 16-bit numbers everywhere, so the error is the sums' alone.
"""

import functools
from typing import Annotated, Any

from kernels import Bound, KernelError, Series, kernel, precision, timing

TERMS = (256, 1024, 4096, 16384, 65536)
WAYS = ("fp32", "fp16", "bf16")
BLOCK_M, BLOCK_N, BLOCK_K = 64, 64, 64
LIMIT = 1e-3  # of the largest element: fp32 sums; fp16's and bf16's are what is measured
CHECKED, NEAR = 4096, 0.02  # up to so many terms the bf16 sums must be plain torch's, but for a few roundings


@kernel(
    kind="measurement",
    outputs={
        **{f"{way}_error": "" for way in WAYS},
        "library_error": "",
        "fp16_over_fp32": "",
        **{f"{way}_time": "s" for way in WAYS},
        "half_rate": "FLOP/s",
        "single_rate": "FLOP/s",
        "rate_gain": "",
        "ceiling": "FLOP/s",
        "of_ceiling": "",
        "sweep": Series("terms", ""),
    },
    needs=("triton",),
    timeout=300,
    memory=lambda k, size: 24 * size * max(k, *TERMS) + 48 * size**2,  # both inputs in 16 bits twice, and in float64
    formats=("fp16", "bf16"),
    capability=8.0,  # Triton's
    rehearsal={"k": 512, "size": 64, "TERMS": (128, 256), "NEAR": 0.05},  # where a GPU rounds to bf16, Triton's interpreter cuts
    headline="half_rate",
    share="of_ceiling",
    seconds=40,
)
def gemm_accumulate(k: Annotated[int, Bound(low=BLOCK_K, high=131072)] = 16384, size: Annotated[int, Bound(low=BLOCK_M, high=4096)] = 512):
    """Error of a [size, k] times [k, size] product of fp16 (bf16 for "bf16") inputs by accumulator; the rates of fp16 and fp32 products.

    error: largest, against float64 and over its largest element. library: torch's fp16 product, fp32 inside, its result rounded to fp16.
    fp16_over_fp32: ratio of the errors. time: of this file's kernel, which is built to compare sums, not for speed. half_rate, single_rate:
    torch's fastest product in fp16, and in fp32 without TF32; ceiling: its fastest in bf16. sweep: error over k.
    """
    if k % BLOCK_K or size % BLOCK_M:
        raise KernelError(f"gemm_accumulate: k is {k} and size {size}, but must be multiples of {BLOCK_K} and {BLOCK_M}")
    device = timing.device()
    lines = {terms: errors(size, terms, device) for terms in sorted({*TERMS, k})}
    products = {name: timing.multiplying(dtype) for name, dtype in (("half", "fp16"), ("single", "fp32"), ("ceiling", "bf16"))}
    multiplied: dict[str, Any] = {name: one.function for name, one in products.items()}
    rates = timing.in_turns(**multiplied)
    half, single, ceiling = (one.work / rates[name] for name, one in products.items())
    a, b = inputs(size, k, "fp16", device)
    summing: dict[str, Any] = {way: functools.partial(product, *typed(a, b, way), way) for way in WAYS}
    sums = timing.in_turns(**summing)
    return {
        **{f"{way}_error": lines[k][way] for way in (*WAYS, "library")},
        "fp16_over_fp32": lines[k]["fp16"] / max(lines[k]["fp32"], 2.0**-24),
        **{f"{way}_time": sums[way] for way in WAYS},
        "half_rate": half,
        "single_rate": single,
        "rate_gain": products["half"].work / products["single"].work * rates.ratio("single", "half"),
        "ceiling": ceiling,
        "of_ceiling": products["half"].work / products["ceiling"].work * rates.ratio("ceiling", "half"),
        "sweep": {"terms": list(lines), **{way: [found[way] for found in lines.values()] for way in WAYS}},
    }


@gemm_accumulate.predicted
def predict(result):
    from kernels.library.machines._devices import DEVICES

    row = DEVICES.get(result.made["device_class"])
    return row.half if row else None


def inputs(size: int, k: int, dtype: str, device: str):
    """A [size, k] and B [k, size], uniform in [0, 1), rounded to the dtype."""
    import torch

    random = torch.Generator(device).manual_seed(0)
    return tuple(torch.rand(*shape, generator=random, device=device).to(precision.torch_dtype(dtype)) for shape in ((size, k), (k, size)))


def typed(a, b, way: str) -> tuple[Any, Any]:
    """The inputs in the 16 bits that go with the accumulator."""
    dtype = precision.torch_dtype("bf16" if way == "bf16" else "fp16")
    return a.to(dtype), b.to(dtype)


def errors(size: int, k: int, device: str) -> dict[str, float]:
    """Of each way and of the library's product; raises where fp32 sums are wrong, or bf16 ones are not torch's."""
    a, b = inputs(size, k, "fp16", device)
    found = {}
    for way in WAYS:
        left, right = typed(a, b, way)
        exact = left.double() @ right.double()
        found[way] = precision.error_against(exact, product(left, right, way), LIMIT if way == "fp32" else float("inf"))
        if way == "bf16" and k <= CHECKED:
            precision.error_against(summed(left, right, way), product(left, right, way), NEAR)
    found["library"] = precision.error_against(a.double() @ b.double(), a @ b, 10 * LIMIT)  # some libraries add parts of long sums in fp16
    return found


def product(a, b, way: str):
    """C = A B in fp32 storage, the running sums kept in the way's format."""
    import torch
    import triton
    import triton.language as tl

    (m, k), (_, n) = a.shape, b.shape
    c = torch.full((m, n), torch.nan, device=a.device)
    shape = {"WAY": WAYS.index(way), "BLOCK_M": BLOCK_M, "BLOCK_N": BLOCK_N, "BLOCK_K": BLOCK_K}
    units = tl.bfloat16 if a.is_cuda else tl.float32  # Triton's interpreter multiplies no bf16
    program()[(triton.cdiv(m, BLOCK_M), triton.cdiv(n, BLOCK_N))](a, b, c, n, k, **shape, UNITS=units, num_warps=4)
    return c


def summed(a, b, way: str):
    """The same in plain torch: partial sums of BLOCK_K terms in fp32, the running sum rounded to the way's format after each."""
    import torch

    dtype = precision.torch_dtype(way)
    total = torch.zeros(a.shape[0], b.shape[1], dtype=dtype, device=a.device)
    for start in range(0, a.shape[1], BLOCK_K):
        part = a[:, start : start + BLOCK_K].float() @ b[start : start + BLOCK_K].float()
        total = (total.float() + part).to(dtype)
    return total.float()


@functools.cache
def program() -> Any:
    """The Triton kernel: one program computes one tile of C, BLOCK_K terms at a time. WAY is an index into WAYS, UNITS what multiplies bf16."""
    import triton
    import triton.language as tl

    @triton.jit
    def tile(a, b, c, n, k, WAY: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, UNITS: tl.constexpr):
        rows = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
        columns = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
        terms = tl.arange(0, BLOCK_K)
        left = a + rows[:, None] * k + terms[None, :]
        right = b + terms[:, None] * n + columns[None, :]
        if WAY == 1:
            total = tl.zeros((BLOCK_M, BLOCK_N), tl.float16)
        elif WAY == 2:
            total = tl.zeros((BLOCK_M, BLOCK_N), tl.bfloat16)
        else:
            total = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
        for _ in range(0, k, BLOCK_K):
            x = tl.load(left)
            y = tl.load(right)
            if WAY == 1:
                total = tl.dot(x, y, total, out_dtype=tl.float16)
            elif WAY == 2:
                total = (total.to(tl.float32) + tl.dot(x.to(UNITS), y.to(UNITS))).to(tl.bfloat16)
            else:
                total = tl.dot(x, y, total)
            left += BLOCK_K
            right += BLOCK_K * n
        tl.store(c + rows[:, None] * n + columns[None, :], total.to(tl.float32))

    return tile


@gemm_accumulate.figure
def draw(result, ax):
    from kernels import plot

    labels = {way: f"{way} sum" for way in WAYS}
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels=labels, x_label="terms in each sum", y_label="largest relative error")
    k = result.parameters["k"]
    said = ", ".join(f"{way} {plot.show(result[f'{way}_error'], 'percent')}" for way in WAYS)
    return f"Largest error of a matrix product against the number of terms, by accumulator; at {k:,} terms: {said}."
