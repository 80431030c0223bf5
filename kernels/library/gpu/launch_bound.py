"""How fast a loop of small GPU operations can be at best when each of them waits for its launch.

    rate  = FLOP per launch / time per launch          share = rate / peak
    FLOP per launch at which launching takes as long as computing = peak * time per launch

One layer Y = X W^T, X of [rows, width] and W of [width, width], costs 2 rows width^2 FLOP however it is cut into launches; its
backward pass is two such products, dX = dY W and dW = dY^T X.
"""

from typing import Annotated, Literal

from kernels import Bound, Series, kernel
from kernels.library.machines._devices import DEVICES

SIZES = tuple(10 ** (3 + k / 4) for k in range(41))  # FLOP in a launch


@kernel(
    kind="formula",
    outputs={
        "launches": "",
        "flops": "FLOP",
        "flops_per_launch": "FLOP",
        "rate": "FLOP/s",
        "share": "",
        "time": "s",
        "whole_time": "s",
        "ratio": "",
        "break_even": "FLOP",
        "sweep": Series("work per launch", "FLOP/s", "FLOP"),
    },
)
def launch_bound(
    width: Annotated[int, Bound(low=1)] = 4096,
    rows: Annotated[int, Bound(low=1)] = 512,
    by: Literal["dot", "row", "neuron", "layer"] = "neuron",
    launch: Annotated[float, Bound("s", low=1e-9)] = 5e-6,
    peak: Annotated[float, Bound("FLOP/s", low=1.0)] = DEVICES["h100"].peak["bf16"],
):
    """Rate, share of the peak, and time of one layer's forward product issued as single dot products, rows, neurons, or whole.

    rows: of the batch. by: what one launch computes: a dot product, a row of the batch (matrix times vector), an output neuron for the
    whole batch, or everything. launch: seconds between launches; each takes that long or as long as its arithmetic at
    peak, whichever is more. whole_time: the layer at once; ratio: time over it. peak: the default is the H100 SXM's, dense bf16.
    """
    flops = 2 * rows * width**2
    launches = {"dot": rows * width, "row": rows, "neuron": width, "layer": 1}[by]
    each = flops / launches
    time = launches * max(launch, each / peak)
    whole = max(launch, flops / peak)
    return {
        "launches": launches,
        "flops": flops,
        "flops_per_launch": each,
        "rate": flops / time,
        "share": flops / time / peak,
        "time": time,
        "whole_time": whole,
        "ratio": time / whole,
        "break_even": peak * launch,
        "sweep": {"work per launch": list(SIZES), "rate": [min(peak, size / launch) for size in SIZES]},
    }


@launch_bound.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, ylog=True, labels={"rate": ""}, x_label="FLOP in each launch", y_label="rate", highlight="rate")
    each, rate = result["flops_per_launch"], result["rate"]
    said = {"dot": "one dot product", "row": "one row", "neuron": "one neuron", "layer": "the layer"}[result.parameters["by"]]
    plot.mark(ax, each, rate, f"{said} a launch:\n{plot.show(rate, 'FLOP/s')}", where="right below")
    plot.mark(ax, result["flops"], result["flops"] / result["whole_time"], "layer at once", where="left below")
