"""Transposing on a GPU: what the view costs, what the copy costs that reshape and contiguous make, and how to do without.

    x.t()                  the same storage under swapped strides: no byte moves, the GPU does nothing
    x.t().reshape(-1)      no view can express it: a new tensor as large as x, one read and one write of every byte
    x.t().contiguous()     the same copy
    x.clone()              the same bytes without turning them: what the copy could cost at best

A matrix product takes a transposed operand as it lies (BLAS has a flag for it), so y = x^T w needs no copy.
Bandwidth counts x read once and the copy written once.
"""

import functools
import time
from typing import Annotated, Literal

from kernels import Bound, Series, kernel, timing

WIDTHS = (1024, 2048, 4096, 8192, 16384)
COLUMNS = 256  # of the matrix that the transpose is multiplied with
COPIES = ("clone", "contiguous", "reshape")
LIMITS = {"bf16": 1e-2, "fp32": 1e-5}


@kernel(
    kind="measurement",
    outputs={
        "size": "B",
        "view_bytes": "B",
        **{f"{name}_bytes": "B" for name in COPIES},
        "view_host": "s",
        **dict.fromkeys(COPIES, "s"),
        **{f"{name}_bandwidth": "B/s" for name in COPIES},
        **{f"{name}_of_copy": "" for name in COPIES},
        "ceiling": "B/s",
        "product": "s",
        "product_of_copy": "s",
        "product_bytes": "B",
        "product_of_copy_bytes": "B",
        "error": "",
        "sweep": Series("rows", "B/s"),
    },
)
def view_copy(rows: Annotated[int, Bound(low=256, high=2**15)] = 8192, dtype: Literal["fp32", "bf16"] = "fp32"):
    """Memory and time of transposing a square matrix as a view, with reshape, with contiguous, and of a plain copy of it.

    *_bytes: allocated beyond the matrix. view_host: seconds of the host, the GPU has nothing to do. *_of_copy: the
    bandwidth over the copy ceiling measured in the same process. product: transposed matrix times [rows, 256] as it lies;
    product_of_copy: the same after contiguous. error: of all ways; 0 for copies or the run fails.
    """
    device = timing.device()
    x = matrix(rows, dtype, device)
    w = matrix(rows, dtype, device)[:, :COLUMNS].contiguous() / rows**0.5
    error = checked(x, w, dtype)
    seconds = {name: timing.measure(functools.partial(way, x)) for name, way in WAYS.items() if name != "view"}
    ceiling = timing.copy_ceiling()
    return {
        "size": size(x),
        **{f"{name}_bytes": timing.peak_memory(functools.partial(way, x)).bytes for name, way in WAYS.items()},
        "view_host": host_seconds(lambda: view(x)),
        **seconds,
        **{f"{name}_bandwidth": 2 * size(x) / spent for name, spent in seconds.items()},
        **{f"{name}_of_copy": 2 * size(x) / spent / ceiling.value for name, spent in seconds.items()},
        "ceiling": ceiling,
        "product": timing.measure(lambda: product(x, w)),
        "product_of_copy": timing.measure(lambda: product_of_copy(x, w)),
        "product_bytes": timing.peak_memory(lambda: product(x, w)).bytes,
        "product_of_copy_bytes": timing.peak_memory(lambda: product_of_copy(x, w)).bytes,
        "error": error,
        "sweep": sweep(dtype, device),
    }


def view(x):
    return x.t()


def clone(x):
    return x.clone()


def contiguous(x):
    return x.t().contiguous()


def reshape(x):
    return x.t().reshape(-1)


WAYS = {"view": view, "clone": clone, "contiguous": contiguous, "reshape": reshape}


def product(x, w):
    """x^T w, the transpose read as it lies."""
    return x.t() @ w


def product_of_copy(x, w):
    return x.t().contiguous() @ w


def matrix(rows: int, dtype: str, device: str):
    import torch

    return torch.randn(rows, rows, device=device).to(timing.torch_dtype(dtype))


def size(x) -> int:
    return x.numel() * x.element_size()


def checked(x, w, dtype: str) -> float:
    """Every way gives the elements of an index-by-index transpose, and the view the very memory of x."""
    import torch

    row = torch.arange(len(x), device=x.device)
    for at in (0, len(x) // 2, len(x) - 1):  # row `at` of the transpose is column `at` of x
        wanted = x[row, at]
        for turned in (view(x), contiguous(x), reshape(x).view(x.shape)):
            timing.error_against(wanted, turned[at], limit=0.0)
    timing.error_against(x, clone(x), limit=0.0)
    few = min(256, len(x))
    exact = x[:, :few].double().t() @ w.double()
    with timing.matrix_precision("fp32"):
        return max(timing.error_against(exact, way(x, w)[:few], LIMITS[dtype]) for way in (product, product_of_copy))


def host_seconds(function, repetitions: int = 30, calls: int = 200):
    """Seconds of the host for one call that gives the GPU nothing to do."""
    samples = []
    for _ in range(repetitions):
        start = time.perf_counter()
        for _ in range(calls):
            function()
        samples.append((time.perf_counter() - start) / calls)
    return timing.spread(samples)


def sweep(dtype: str, device: str) -> dict:
    """Bandwidth of the plain and of the transposing copy over widths."""
    found: dict = {"rows": list(WIDTHS), "plain copy": [], "transposed": []}
    for rows in WIDTHS:
        x = matrix(rows, dtype, device)
        found["plain copy"].append(2 * size(x) / timing.measure(functools.partial(clone, x)))
        found["transposed"].append(2 * size(x) / timing.measure(functools.partial(contiguous, x)))
    return found


@view_copy.figure
def draw(result, ax):
    from kernels import plot

    names = {"clone": "x.clone()", "contiguous": "x.t().contiguous()", "reshape": "x.t().reshape(-1)"}
    values = {"x.t(), host only": result["view_host"], **{said: result[name] for name, said in names.items()}}
    plot.bars(ax, values, "s", highlight="x.t().reshape(-1)")
