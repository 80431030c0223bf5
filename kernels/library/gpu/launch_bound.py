"""How fast a layer can be at best that is cut into GPU operations, each of which takes a launch, its bytes and its arithmetic.

    time of one  >=  max(launch, bytes / bandwidth, FLOP / peak)        rate = FLOP / time        share = rate / peak

One layer Y = X W^T in 16 bits, X of [rows, width] and W of [width, width], costs 2 rows width^2 FLOP however it is cut into launches; its
backward pass is two such products, dX = dY W and dW = dY^T X. Bytes are the needed ones of a launch: its inputs read once from memory, its
outputs written once. What stays in the L2 from one launch to the next, as X does in a loop over neurons, can be read faster than that.
"""

from typing import Annotated, Literal

from kernels import AtLeast, Bound, Lower, Series, Upper, kernel
from kernels.library.machines._devices import DEVICES, Gpu
from kernels.library.machines._measured import points
from kernels.library.machines._reach import expected

BYTES = 2  # of a number in 16 bits
SHOWN = tuple(2**k for k in range(13))  # rows
FOREVER = 10**9  # rows


@kernel(
    kind="prediction",
    outputs={
        "launches": "",
        "flops": "FLOP",
        "flops_per_launch": "FLOP",
        "reading": Lower("s"),
        "arithmetic": Lower("s"),
        "rate": Upper("FLOP/s"),
        "share": Upper(""),
        "time": Lower("s"),
        "whole_time": Lower("s"),
        "whole_expected": "s",
        "peak": "FLOP/s",
        "bandwidth": "B/s",
        "rows_needed": "",
        "work_needed": "FLOP",
        "sweep": Series("rows", "s"),
    },
)
def launch_bound(
    width: Annotated[int, Bound(low=1)] = 4096,
    rows: Annotated[int, Bound(low=1)] = 512,
    by: Literal["dot", "row", "neuron", "layer"] = "neuron",
    launch: Annotated[float, Bound("s", low=1e-9)] = 5e-6,
    gpu: Gpu = "h100",
):
    """Rate, share of the peak, and time of one layer's forward product issued as single dot products, rows, neurons, or whole.

    rows: of the batch. by: what one launch computes: a dot product, a row of the batch (matrix times vector), an output neuron for the
    whole batch, or everything. launch: seconds between launches. reading, arithmetic: of one launch, by bandwidth and peak of the
    data sheet, dense 16 bits. whole_time: the layer at once; whole_expected: as published kernels reach. rows_needed, work_needed: the fewest rows
    of one launch, and their FLOP, with which its arithmetic takes longest of the three. sweep: the three by rows of one launch that computes the
    layer.
    """
    device = DEVICES[gpu]
    flops = 2 * rows * width**2
    launches = {"dot": rows * width, "row": rows, "neuron": width, "layer": 1}[by]
    reading, arithmetic = moved(by, rows, width) / device.bandwidth, flops / launches / device.half
    time = launches * max(launch, reading, arithmetic)
    needed = enough(width, launch, device)
    return {
        "launches": launches,
        "flops": flops,
        "flops_per_launch": flops / launches,
        "reading": reading,
        "arithmetic": arithmetic,
        "rate": flops / time,
        "share": flops / time / device.half,
        "time": time,
        "whole_time": max(launch, moved("layer", rows, width) / device.bandwidth, flops / device.half),
        "whole_expected": expected("product", gpu, flops, moved("layer", rows, width), launch),
        "peak": device.half,
        "bandwidth": device.bandwidth,
        "rows_needed": needed if needed < FOREVER else AtLeast(FOREVER),
        "work_needed": 2 * needed * width**2,
        "sweep": {
            "rows": list(SHOWN),
            "launch": [launch] * len(SHOWN),
            "memory": [moved("layer", r, width) / device.bandwidth for r in SHOWN],
            "arithmetic": [2 * r * width**2 / device.half for r in SHOWN],
        },
    }


def moved(by: str, rows: int, width: int) -> int:
    """Needed bytes of one launch: two vectors and a number; a row and all of W; one neuron's weights and all of X; everything."""
    numbers = {"dot": 2 * width + 1, "row": width**2 + 2 * width, "neuron": rows * width + width + rows, "layer": width**2 + 2 * rows * width}
    return BYTES * numbers[by]


def enough(width: int, launch: float, device) -> int:
    """The fewest rows with which arithmetic takes at least as long as the launch and as the bytes; FOREVER where no number of rows does."""
    row = 2 * width**2 / device.half  # seconds of arithmetic
    more = row - 2 * BYTES * width / device.bandwidth  # that a row's arithmetic takes longer than its own bytes
    if more <= 0:
        return FOREVER
    return min(FOREVER, -int(-max(launch / row, BYTES * width**2 / device.bandwidth / more) // 1))


@launch_bound.figure
def draw(result, ax, measured=None):
    from kernels import plot

    labels = {"launch": "launch", "memory": "bytes", "arithmetic": "arithmetic"}
    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels=labels, x_label="rows in one launch", y_label="time", highlight="arithmetic")
    if measured:  # loop_vs_gemm: of one of its launches, so many rows of the layer each
        each = 2 * measured.parameters["width"] ** 2
        points(ax, [(r, rate and r * each / rate) for r, rate in zip(measured["sweep"].x, measured["sweep"].values("eager"))], "s")
    rows, peak = result["rows_needed"], result["peak"]
    if rows <= SHOWN[-1]:
        plot.mark(ax, rows, result["work_needed"] / peak, f"{rows:,} rows", where="left above")
