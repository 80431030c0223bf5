"""Transposing: what the view costs, what the copy costs that reshape and contiguous make, and how to do without.

    x.t()                  the same storage under swapped strides: no byte moves, the device does nothing
    x.t().reshape(-1)      no view can express it: a new tensor as large as x, one read and one write of every byte
    x.t().contiguous()     the same copy
    x.clone()              the same bytes without turning them: what the copy could cost at best

A matrix product takes a transposed operand as it lies (BLAS has a flag for it), so y = x^T w needs no copy.
Bandwidth counts x read once and the copy written once.
"""

import functools
from typing import Annotated, Any, Literal

from kernels import Bound, Series, kernel, precision, timing

WIDTHS = (1024, 2048, 4096, 8192)
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
        "view_over_clone": "",
        "contiguous_over_clone": "",
        "reshape_over_clone": "",
        "turned_over_copied": "",
        "copied_of_copy": "",
        "ceiling": "B/s",
        "product": "s",
        "product_of_copy": "s",
        "product_of_copy_over_product": "",
        "product_bytes": "B",
        "product_of_copy_bytes": "B",
        "error": "",
        "sweep": Series("rows", ""),
    },
    on="any",
    memory=lambda rows: max(12 * rows**2 + 32 * COLUMNS * rows, 4 * rows**2 + 8 * max(WIDTHS) ** 2),  # as fp32, from which bf16 is made
    formats=lambda dtype: (dtype,),
    rehearsal={"rows": 256, "WIDTHS": (64, 128)},
    headline="reshape_bandwidth",
    share="reshape_of_copy",
    seconds=20,
)
def view_copy(rows: Annotated[int, Bound(low=256, high=2**15)] = 4096, dtype: Literal["fp32", "bf16"] = "fp32"):
    """Memory and time of transposing a square matrix as a view, with reshape, with contiguous, and of a plain copy of it.

    *_bytes: allocated beyond the matrix. view_host: seconds of the host, the device has nothing to do. *_of_copy: the
    bandwidth over the copy ceiling; *_over_clone: the time over the plain copy's. Both allocate their results, for which a CPU's system maps fresh
    pages; turned_over_copied, sweep (by rows): the time of the transposing copy over the plain one's into memory that is there; copied_of_copy:
    that plain one's bandwidth over the ceiling. product: transposed matrix times [rows, 256] as it lies;
    product_of_copy: the same after contiguous. error: of all ways; 0 for copies or the run fails.
    """
    device = timing.device()
    x = matrix(rows, dtype, device)
    w = matrix(rows, dtype, device)[:, :COLUMNS].contiguous() / rows**0.5
    error = checked(x, w, dtype)
    copying = timing.copying()
    ways: dict[str, Any] = {name: functools.partial(WAYS[name], x) for name in COPIES}
    turns = timing.in_turns(**ways, **written(x), ceiling=copying.function)
    products = timing.in_turns(product=lambda: product(x, w), copied=lambda: product_of_copy(x, w))
    host = timing.measure(functools.partial(view, x), flush=False, hidden=False)
    moved = 2 * x.nbytes
    return {
        "size": x.nbytes,
        **{f"{name}_bytes": timing.peak_memory(functools.partial(way, x)).bytes for name, way in WAYS.items()},
        "view_host": host,
        **{name: turns[name] for name in COPIES},
        **{f"{name}_bandwidth": moved / turns[name] for name in COPIES},
        **{f"{name}_of_copy": moved / copying.work * turns.ratio("ceiling", name) for name in COPIES},
        "view_over_clone": host / turns["clone"].value,
        "contiguous_over_clone": turns.ratio("contiguous", "clone"),
        "reshape_over_clone": turns.ratio("reshape", "clone"),
        "turned_over_copied": turns.ratio("turned", "copied"),
        "copied_of_copy": moved / copying.work * turns.ratio("ceiling", "copied"),
        "ceiling": copying.work / turns["ceiling"],
        "product": products["product"],
        "product_of_copy": products["copied"],
        "product_of_copy_over_product": products.ratio("copied", "product"),
        "product_bytes": timing.peak_memory(lambda: product(x, w)).bytes,
        "product_of_copy_bytes": timing.peak_memory(lambda: product_of_copy(x, w)).bytes,
        "error": error,
        "sweep": {
            "rows": list(WIDTHS),
            "turned over copied": [timing.in_turns(**written(matrix(width, dtype, device))).ratio("turned", "copied") for width in WIDTHS],
        },
    }


@view_copy.predicted
def predict(result):
    from kernels.library.machines._devices import DEVICES

    row = DEVICES.get(result.made["device_class"])
    return row.bandwidth if row else None


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

    return torch.randn(rows, rows, device=device).to(precision.torch_dtype(dtype))


def checked(x, w, dtype: str) -> float:
    """Every way gives the elements of an index-by-index transpose, and a product with it is float64's."""
    import torch

    row = torch.arange(len(x), device=x.device)
    for at in (0, len(x) // 2, len(x) - 1):  # row `at` of the transpose is column `at` of x
        wanted = x[row, at]
        for way in (view, contiguous, reshape):
            precision.error_against(wanted, way(x).view(x.shape)[at], limit=0.0)
        precision.error_against(x[at], clone(x)[at], limit=0.0)
    few = min(256, len(x))
    exact = x[:, :few].double().t() @ w.double()
    with precision.matrix_precision("fp32"):
        return max(precision.error_against(exact, way(x, w)[:few], LIMITS[dtype]) for way in (product, product_of_copy))


def written(x) -> dict[str, Any]:
    """The plain and the transposing copy into memory that is there."""
    import torch

    out = torch.empty_like(x)
    return {"copied": functools.partial(out.copy_, x), "turned": functools.partial(out.copy_, view(x))}


@view_copy.figure
def draw(result, ax):
    from kernels import plot

    names = {"contiguous": "x.t().contiguous()", "reshape": "x.t().reshape(-1)"}
    values = {said: result[f"{name}_over_clone"] for name, said in names.items()}
    plot.bars(ax, {"x.t()": result["view_over_clone"], "x.clone()": 1.0, **values}, "", highlight="x.t().reshape(-1)")
