"""What a floating-point format can hold: its range, its spacing, and the sum of ones at which it stands still.

With e exponent bits and f fraction bits (IEEE 754; fp8 as in Micikevicius et al. 2022, arXiv 2209.05433, whose e4m3 gives up infinity):

    largest = (2 - 2^-f) 2^bias        smallest normal = 2^(1 - bias)        smallest subnormal = 2^(1 - bias - f)

Neighbours in [1, 2) are 2^-f apart, and rounding errs by at most half of that. Adding one to 2^(f+1) changes nothing: the
sum lies half-way between two neighbours and rounds to the even one, so a running sum of ones stops there.
"""

from typing import Literal

from kernels import Series, kernel

BITS = {"fp32": (8, 23), "fp16": (5, 10), "bf16": (8, 7), "fp8-e4m3": (4, 3), "fp8-e5m2": (5, 2)}  # exponent and fraction bits
SHOWN = ("fp32", "bf16", "fp16", "fp8-e5m2", "fp8-e4m3")
Format = Literal["fp32", "fp16", "bf16", "fp8-e4m3", "fp8-e5m2"]


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("largest", "smallest_normal", "smallest", "epsilon", "lost_update", "stall", "digits", "decades"), ""),
        "reach": Series("format", ""),
    },
)
def float_format(format: Format = "fp16"):
    """Range and precision of a floating-point format, and where a running sum in it stops.

    smallest: the least subnormal. epsilon: the step above 1. lost_update: half of that; added to a number in
    [1, 2), what is smaller is rounded away. stall: where adding ones ends. digits: significant bits. decades: powers of ten from
    smallest to largest. reach: log10 of both ends by format (0 fp32, 1 bf16, 2 fp16, 3 e5m2, 4 e4m3).
    """
    import math

    exponent, fraction = BITS[format]
    low, high = limits(format)
    reach = [[math.log10(end) for end in limits(name)] for name in SHOWN]
    return {
        "largest": high,
        "smallest_normal": 2.0 ** (2 - 2 ** (exponent - 1)),
        "smallest": low,
        "epsilon": 2.0**-fraction,
        "lost_update": 2.0 ** -(fraction + 1),
        "stall": 2 ** (fraction + 1),
        "digits": fraction + 1,
        "decades": math.log10(high / low),
        "reach": {"format": list(range(len(SHOWN))), "smallest": [r[0] for r in reach], "largest": [r[1] for r in reach]},
    }


def limits(format: str) -> tuple[float, float]:
    """The smallest subnormal and the largest finite number."""
    exponent, fraction = BITS[format]
    bias = 2 ** (exponent - 1) - 1
    if format == "fp8-e4m3":  # all exponents are numbers; only the last pattern is not one
        return 2.0 ** (1 - bias - fraction), (2 - 2 * 2.0**-fraction) * 2.0 ** (bias + 1)
    return 2.0 ** (1 - bias - fraction), (2 - 2.0**-fraction) * 2.0**bias


@float_format.figure
def draw(result, ax):
    from kernels import plot

    reach, picked = result["reach"], SHOWN.index(result.parameters["format"])
    low, high = reach.values("smallest"), reach.values("largest")
    shown = SHOWN if picked > 2 else SHOWN[:3]  # fp8 only beside its own kind
    for row, name in enumerate(shown):
        ax.plot([low[row], high[row]], [-row, -row], color=plot.ACCENT if row == picked else plot.MUTED, linewidth=7, solid_capstyle="butt")
        text = f"{name}, {BITS[name][1] + 1} significant bits"
        ax.text(low[0], 0.28 - row, text, color=plot.INK, size=plot.SMALL, va="bottom")
    ax.axvline(0, color=plot.HAIRLINE, linewidth=1, zorder=0)
    ax.set_ylim(-len(shown) + 0.5, 0.9)
    ax.set_yticks([])
    ax.set_xticks([-40, -20, 0, 20, 40], ["1e-40", "1e-20", "1", "1e20", "1e40"])
    ax.set_xlabel("magnitude")
    plot.height(ax, 66 + 36 * len(shown))
    said = "; ".join(f"{name}: {limits(name)[0]:.2g} to {limits(name)[1]:.3g}, {BITS[name][1] + 1} significant bits" for name in shown)
    return f"From the smallest to the largest magnitude of each format. {said}."
