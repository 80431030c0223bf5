"""What weight-only quantisation can gain on a product with bf16 activations, by batch: fewer bytes to read, the same arithmetic.

    time >= max(bits / 8 / bandwidth, 2 batch / peak)    for each weight           gain = time at 16 bits / time at `bits`

As long as reading sets both times the gain is 16 / bits. It fades from the batch at which the quantised weights are read as fast as they are
multiplied, bits / 16 of the ridge, and is gone at the ridge, where bf16 too is bound by arithmetic (Williams et al. 2009, Roofline, CACM 52(4); Lin
et al. 2023, AWQ, arXiv 2306.00978, section 4.1, for batch 1). Unpacking, activations and launches come on top and are left out, so that kernels of
equal quality gain less; those of machines/_reach.py say how much less at batch 1. Peaks are the data sheets' (machines/_devices.py).
"""

from typing import Annotated

from kernels import Bound, Series, kernel
from kernels.library.machines._devices import DEVICES, Gpu
from kernels.library.machines._measured import points
from kernels.library.machines._reach import between, reach


@kernel(
    kind="prediction",
    outputs={"gain": "", "most": "", "expected": "", "fades_from": "", "gone_from": "", "sweep": Series("batch", "")},
)
def weight_only_gain(
    bits: Annotated[float, Bound(low=1, high=16)] = 4.125,
    batch: Annotated[int, Bound(low=1)] = 1,
    gpu: Gpu = "h100",
):
    """How much faster weights of `bits` bits can make a product with bf16 activations than bf16 weights, the default being int4 in groups of 128.

    most: while reading sets the time; expected: of a whole step at batch 1, as compiled models with weights of 4 and 8 bits reach less of the
    bandwidth than in 16 bits. fades_from, gone_from: the batches between which the gain goes from most to 1. sweep: gain over batch.
    """
    peak, bandwidth = DEVICES[gpu].half, DEVICES[gpu].bandwidth

    def time(width: float, rows: float) -> float:
        return max(width / 8 / bandwidth, 2 * rows / peak)

    def gain(rows: float) -> float:
        return time(16, rows) / time(bits, rows)

    ridge = peak / bandwidth
    quantised, plain = (reach(kind, gpu, "memory") for kind in ("quantised decode", "decode"))
    corners = {bits / 16 * ridge, ridge}
    shown = sorted({*(2 ** (k / 4) for k in range(41)), *corners, float(batch)})
    return {
        "gain": gain(batch),
        "most": 16 / bits,
        "expected": between(16 / bits * quantised.low / plain.low, 16 / bits * quantised.high / plain.high),
        "fades_from": bits / 16 * ridge,
        "gone_from": ridge,
        "sweep": {"batch": shown, "gain": [gain(rows) for rows in shown]},
    }


@weight_only_gain.figure
def draw(result, ax, measured=None):
    from kernels import plot

    fades, gone, most = result["fades_from"], result["gone_from"], result["most"]
    plot.lines(ax, result["sweep"], xlog=True, labels={"gain": ""}, x_label="sequences decoded together", y_label="times as fast as bf16")
    plot.mark(ax, fades, most, f"fades from {fades:.0f}", plot.ACCENT, "below left")
    plot.mark(ax, gone, 1.0, f"gone at {plot.show(gone, '')}", plot.AMBER, "left above")
    beside = ""
    if measured:
        line = min(("int8", "int4"), key=lambda name: abs(int(name[3:]) - result.parameters["bits"]))
        times = {name: measured["sweep"].values(name) for name in ("bf16", line)}
        gains = [(batch, wide / narrow) for batch, wide, narrow in zip(measured["sweep"].x, *times.values()) if wide and narrow and batch <= 1024]
        beside = points(ax, gains, "", f"{line} measured")
    bits, gpu = result.parameters["bits"], result.parameters["gpu"].upper()
    return (
        f"Gain of {bits:g}-bit weights over bf16 on {gpu} by batch: {plot.show(most, '')} times up to a batch of {fades:.0f}, "
        f"then falling, and none from {plot.show(gone, '')}.{beside}"
    )
