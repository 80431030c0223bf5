"""The noise of rounding weights to b bits: one scale for the matrix, for each output channel, or for each group of weights.

    q = round(w / s),   s = max|w| / (2^(b-1) - 1)        SQNR = 10 log10(|w|^2 / |w - s q|^2)

The rounding error of fine steps is uniform, with power s^2 / 12 (Widrow and Kollar 2008, Quantization Noise). Uniform weights have power
max^2 / 3, hence SQNR = 20 log10(2^b - 2): 6.02 dB a bit. For others the largest magnitude decides: Gaussian weights whose largest is m standard
deviations have 20 log10(sqrt(12) (2^(b-1) - 1) / m), so that one outlier takes from all that share its scale. Groups: Dettmers and Zettlemoyer 2022,
arXiv 2212.09720.
"""

import math
from typing import Annotated

from kernels import Bound, Free, KernelError, Series, kernel

SHARED = ("tensor", "channel", "group")


@kernel(
    kind="simulation",
    outputs={
        **{what + end: "" for what in SHARED for end in ("", "_outlier", "_outlier_zeroed")},
        "uniform": "",
        "uniform_exact": "",
        "per_bit": "",
        "largest": "",
        "sweep": Series("bits", ""),
    },
    tolerance=1e-3,
    draws=8,
)
def quantization_error(
    bits: Annotated[int, Bound(low=2, high=12)] = 4,
    rows: Annotated[int, Bound(low=8, high=8192), Free(128, 1024)] = 256,
    columns: Annotated[int, Bound(low=64, high=8192), Free(1024, 8192)] = 4096,
    group_size: Annotated[int, Bound(low=2, high=8192)] = 128,
    outlier: Annotated[float, Bound(low=1, high=1000)] = 100.0,
    seed: int = 0,
):
    """SQNR in dB of symmetric round-to-nearest on Gaussian weights, by who shares a scale, and with one weight of `outlier` sigma among them.

    The SQNR with an outlier counts all other weights and leaves out the outlier itself. zeroed: the share of the other weights that become zero.
    uniform: uniform weights, one scale; exact: its closed form. per_bit: its gain from one further bit, the mean over bits 8 to 12.
    largest: magnitude among the Gaussian weights, in sigma. sweep: dB over bits.

    The more weights share a scale, the larger their largest: rows and columns are free, from what a test would take to a layer's.
    """
    import torch

    if columns % group_size:
        raise KernelError(f"quantization_error: {columns} columns do not divide into groups of {group_size}: group_size must be a divisor")
    random = torch.Generator().manual_seed(seed)
    weights = torch.randn(rows, columns, generator=random)
    flat = 2 * torch.rand(rows, columns, generator=random) - 1
    hurt = weights.clone()
    hurt[rows // 2, columns // 2] = outlier
    others = torch.ones(rows, columns, dtype=torch.bool)
    others[rows // 2, columns // 2] = False
    sizes = {"tensor": rows * columns, "channel": columns, "group": group_size}

    def damaged(what: str, b: int) -> tuple[float, float]:
        rounded = nearest(hurt, b, sizes[what])
        return decibels(hurt[others], rounded[others]), (rounded[others] == 0).double().mean().item()

    kept = range(2, 9)
    wanted = {("channel", bits), *((what, b) for what in ("tensor", "group") for b in {*kept, bits})}
    clean = {(what, b): decibels(weights, nearest(weights, b, sizes[what])) for what, b in wanted}
    bad = {what: damaged(what, bits) for what in SHARED}
    return {
        **{what: clean[what, bits] for what in SHARED},
        **{f"{what}_outlier": bad[what][0] for what in SHARED},
        **{f"{what}_outlier_zeroed": bad[what][1] for what in SHARED},
        "uniform": decibels(flat, nearest(flat, bits, rows * columns)),
        "uniform_exact": closed_form(bits),
        "per_bit": (closed_form(12) - closed_form(8)) / 4,
        "largest": weights.abs().max(),
        "sweep": {
            "bits": list(kept),
            "group": [clean["group", b] for b in kept],
            "tensor": [clean["tensor", b] for b in kept],
            "tensor_outlier": [damaged("tensor", b)[0] for b in kept],
        },
    }


@quantization_error.invariant
def uniform_weights_meet_the_closed_form(result):
    """Uniform weights have the signal-to-noise ratio of the closed form, but for chance among them."""
    return abs(result["uniform"] - result["uniform_exact"]) < chance(result)


@quantization_error.invariant
def the_fewer_share_a_scale_the_less_noise(result):
    """A scale for each group beats one for each channel, and that one for the matrix, and an outlier never helps, but for chance among weights."""
    room = chance(result)
    ordered = result["group"] > result["channel"] - room and result["channel"] > result["tensor"] - room
    return ordered and all(result[what] > result[f"{what}_outlier"] - room for what in SHARED)


def chance(result) -> float:
    """Five standard deviations, in dB, of a ratio of two mean squares of N uniform numbers, and what the one weight replaced may be."""
    weights = result.parameters["rows"] * result.parameters["columns"]
    return 50 / math.log(10) * math.sqrt(1.6 / weights) + 70 / weights


def nearest(weights, bits: int, size: int):
    """Symmetric round-to-nearest with one scale for every `size` neighbouring weights."""
    groups = weights.reshape(-1, size)
    scale = groups.abs().amax(1, keepdim=True) / (2 ** (bits - 1) - 1)
    return (groups / scale).round_().mul_(scale).reshape(weights.shape)


def decibels(signal, rounded) -> float:
    import torch

    power, noise = signal.square().sum(dtype=torch.float64), (signal - rounded).square().sum(dtype=torch.float64)
    return (10 * torch.log10(power / noise)).item()


def closed_form(bits: int) -> float:
    return 20 * math.log10(2**bits - 2)


@quantization_error.figure
def draw(result, ax):
    from dataclasses import replace

    from kernels import plot

    clean = {line: points for line, points in result["sweep"].lines.items() if line != "tensor_outlier"}
    labels = {"group": f"scale per {result.parameters['group_size']}", "tensor": "one scale"}
    curve = replace(result["sweep"], lines=clean)
    plot.lines(ax, curve, labels=labels, x_label="bits a weight", y_label="signal to noise, dB", highlight="group")
