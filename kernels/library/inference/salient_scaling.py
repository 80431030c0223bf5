"""A layer whose inputs have a few large channels, its weights in 4 bits: as they are, AWQ's way, and with the salient weights left alone.

Multiplying column j of W by s and dividing input j by s changes nothing in exact arithmetic. Rounded, the step of a group stays
almost the same while the column's values grow, so that the column's error shrinks by about s after the division; too large an s raises the
group's largest magnitude and so everyone else's step (Lin et al. 2023, AWQ, arXiv 2306.00978, section 3.2 and table 2).

    error = |W x - Q(W s) (x / s)| / |W x|
"""

from typing import Annotated

from kernels import Bound, Free, KernelError, Series, kernel
from kernels.library.inference.quantization_error import nearest


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("plain", "scaled", "best", "best_scale", "mixed", "wrong_channels", "stored_bits", "mixed_bits"), ""),
        "sweep": Series("scale", ""),
    },
    tolerance=1e-3,
)
def salient_scaling(
    rows: Annotated[int, Bound(low=16, high=4096)] = 512,
    columns: Annotated[int, Bound(low=128, high=8192), Free(512, 4096)] = 1024,
    share: Annotated[float, Bound(low=0.001, high=0.5), Free(0.001, 0.03)] = 0.01,
    magnitude: Annotated[float, Bound(low=1, high=1000), Free(10.0, 100.0)] = 30.0,
    scale: Annotated[float, Bound(low=1, high=100)] = 2.0,
    bits: Annotated[int, Bound(low=2, high=8)] = 4,
    group_size: Annotated[int, Bound(low=8, high=1024)] = 128,
    seed: int = 0,
):
    """Output error of a quantised toy layer: plain rounding, salient columns scaled before rounding, and salient columns kept in 16 bits.

    A `share` of the input channels is `magnitude` times as large as the others. best: the least error over scales. wrong_channels: the same
    scale on as many channels chosen at random. stored_bits: what the codes of the scaled salient columns take, from their span;
    mixed_bits: average when the salient columns stay in 16 bits. sweep: error over the scale.

    The paper tries shares of 0.1 to 3 % (its table 1); outlier channels are 10 to 100 times as large as others.
    share and magnitude are free between these, and columns, the width.
    """
    import torch

    if columns % group_size:
        raise KernelError(f"salient_scaling: {columns} columns do not divide into groups of {group_size}: group_size must be a divisor")
    random = torch.Generator().manual_seed(seed)
    weights = torch.randn(rows, columns, generator=random, dtype=torch.float64)
    inputs = torch.randn(columns, 256, generator=random, dtype=torch.float64)
    order = torch.randperm(columns, generator=random)
    number = max(1, round(share * columns))
    salient, random_ones = order[:number], order[number : 2 * number]
    inputs[salient] *= magnitude
    exact = weights @ inputs

    def error(quantised) -> float:
        return ((quantised @ inputs - exact).norm() / exact.norm()).item()

    def multiplied(by: float, which=salient):
        factors = torch.ones(columns, dtype=torch.float64)
        factors[which] = by
        return nearest(weights * factors, bits, group_size), factors

    def scaled(by: float, which=salient) -> float:
        rounded, factors = multiplied(by, which)
        return error(rounded / factors)

    plain = nearest(weights, bits, group_size)
    mixed = plain.clone()
    mixed[:, salient] = weights[:, salient]
    scales = [2 ** (k / 4) for k in range(17)]
    errors = [scaled(by) for by in scales]
    found = min(range(len(scales)), key=errors.__getitem__)
    return {
        "plain": error(plain),
        "scaled": scaled(scale),
        "best": errors[found],
        "best_scale": scales[found],
        "mixed": error(mixed),
        "wrong_channels": scaled(scale, random_ones),
        "stored_bits": stored_bits(multiplied(scale)[0], (weights * multiplied(scale)[1]), salient, bits, group_size),
        "mixed_bits": (16 * number + bits * (columns - number)) / columns,
        "sweep": {"scale": scales, "error": errors},
    }


@salient_scaling.invariant
def without_scaling_it_is_plain_rounding(result):
    """A scale of 1 gives plain rounding's error, and the best scale no more."""
    return abs(result["sweep"].values("error")[0] - result["plain"]) < 1e-12 and result["best"] <= result["plain"]


@salient_scaling.invariant
def salient_columns_in_sixteen_bits_leave_less(result):
    """Leaving the large channels' weights alone never adds to the error."""
    return result["mixed"] < result["plain"]


def stored_bits(rounded, scaled, columns, bits: int, group_size: int) -> int:
    """The bits that a signed integer needs for every code in these columns: recovered from the rounded values and their group's step."""
    import torch

    step = scaled.reshape(-1, group_size).abs().amax(1, keepdim=True) / (2 ** (bits - 1) - 1)
    codes = (rounded.reshape(-1, group_size) / step).reshape(rounded.shape)[:, columns]
    whole = codes.round()
    assert torch.allclose(codes, whole, atol=1e-6)
    return int(whole.abs().max()).bit_length() + 1


@salient_scaling.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], unit="percent", xlog=True, labels={"error": ""}, x_label="scale of the salient channels", y_label="output error")
    least, mixed = (plot.show(float(f"{result[name]:.1g}"), "percent") for name in ("best", "mixed"))  # more digits are this toy's own
    plot.mark(ax, result["best_scale"], result["best"], f"least: about {least}", plot.ACCENT, "below")
    plot.hline(ax, result["mixed"], f"salient columns in 16 bits: about {mixed}")
