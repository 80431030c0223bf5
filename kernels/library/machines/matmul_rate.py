"""The rate that the library's matrix product reaches: the ceiling of everything that arithmetic bounds.

C = A B of two n x n matrices takes 2 n^3 FLOP (a multiplication and an addition for each term). The values are random:
zeros switch fewer transistors, so a GPU at its power limit multiplies them faster than any real data.
"""

from typing import Annotated, Literal

from kernels import Bound, Series, kernel, precision, timing

# What rounding may do to the largest element: the output's own last place for 16 bits, tf32's ten-bit operands, fp32's long sums.
LIMITS = {"bf16": 8e-3, "fp16": 1e-3, "tf32": 2e-3, "fp32": 3e-5}
ROWS = 64  # of the product, compared with float64


SIZE = {"bf16": 2, "fp16": 2, "tf32": 4, "fp32": 4}  # bytes


@kernel(
    kind="measurement",
    outputs={"rate": "FLOP/s", "time": "s", "ceiling": "FLOP/s", "of_ceiling": "", "error": "", "sweep": Series("n", "FLOP/s")},
    timeout=180,
    memory=lambda n, dtype: (3 * SIZE[dtype] + 8) * n**2,
    formats=lambda dtype: (dtype,),
    rehearsal={"n": 300},
    headline="rate",
    share="of_ceiling",
    seconds=25,
)
def matmul_rate(n: Annotated[int, Bound(low=256, high=32768)] = 8192, dtype: Literal["bf16", "fp16", "tf32", "fp32"] = "bf16"):
    """FLOP per second of an n x n matrix product by dtype, over powers of two up to n. error: of 64 rows against float64.

    of_ceiling: the rate over that of the fastest of a dozen shapes, square and not, which is the ceiling, measured in turns with it.
    """
    error = checked(n, dtype)
    fastest = timing.multiplying(dtype)
    turns = timing.in_turns(product=product(n, dtype), ceiling=fastest.function)
    sizes = [2**p for p in range(8, 16) if 2**p < n]
    rates = [2 * size**3 / timing.measure(product(size, dtype), graph=True) for size in sizes]
    rate = 2 * n**3 / turns["product"]
    return {
        "rate": rate,
        "time": turns["product"],
        "ceiling": fastest.work / turns["ceiling"],
        "of_ceiling": turns.ratio("ceiling", "product") * (2 * n**3 / fastest.work),
        "error": error,
        "sweep": {"n": [*sizes, n], dtype: [*rates, rate]},
    }


def product(n: int, dtype: str):
    """A function that multiplies two n x n matrices of random values, and returns the three of them."""
    import torch

    a, b = (torch.randn(n, n, device=timing.device()).to(precision.torch_dtype(dtype)) for _ in range(2))
    out = torch.full_like(a, torch.nan)

    def multiplied():
        with precision.matrix_precision(dtype):
            torch.mm(a, b, out=out)
        return a, b, out

    return multiplied


def checked(n: int, dtype: str) -> float:
    """The largest error of some rows of the product, over their largest element."""
    import torch

    a, b, out = product(n, dtype)()
    rows = torch.linspace(0, n - 1, ROWS, device=a.device).long()
    return precision.error_against(a[rows].double() @ b.double(), out[rows], LIMITS[dtype])


@matmul_rate.predicted
def predict(result):
    from kernels.library.machines._devices import DEVICES

    device = DEVICES.get(result.made["device_class"])
    return device and device.peak.get(result.parameters["dtype"])


@matmul_rate.figure
def draw(result, ax):
    from kernels import plot

    dtype, n, rate = result.parameters["dtype"], result.parameters["n"], result["rate"]
    plot.lines(ax, result["sweep"], xlog=True, labels={dtype: ""}, x_label="n of an n x n product", y_label=dtype)
    plot.mark(ax, n, rate, plot.show(rate, "FLOP/s"), where="left above")
    least, slowest = result["sweep"].x[0], result["sweep"].values(dtype)[0]
    return f"Rate of an n x n matrix product in {dtype}: {plot.show(slowest, 'FLOP/s')} at n = {least}, {plot.show(rate, 'FLOP/s')} at n = {n}."
