"""The cosine of two random directions in d dimensions: mean 0, standard deviation 1 / sqrt(d), exactly.

    density f(t) = (1 - t^2)^((d - 3) / 2) / B((d - 1) / 2, 1 / 2),     P(cos > t) = I(arccos t) / I(pi),   I(x) = int_0^x sin^(d - 2)

By symmetry t = u_1 of a uniform unit vector, and u_1^2 + ... + u_d^2 = 1 makes E t^2 = 1 / d (Muirhead 1982, Aspects of Multivariate Statistical
Theory). The largest cosine among n independent ones has the median at P(cos > t) = 1 - 2^(-1 / n).
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

SLICES = 2000
AXIS = [i / 100 for i in range(-60, 61)]


@kernel(
    kind="formula",
    outputs={"sd": "", "tail": "", "above": "", "best": "", "angle_sd": "", "density": Series("cosine", "")},
)
def random_cosine(
    dimension: Annotated[int, Bound(low=3, high=100_000)] = 768,
    threshold: Annotated[float, Bound(low=0.0, high=0.999)] = 0.1,
    vectors: Annotated[int, Bound(low=1, high=1_000_000_000_000)] = 1_000_000,
):
    """Standard deviation and tail of the cosine between independent random directions, and the best of many.

    tail: chance of a cosine above the threshold; above: so many of the vectors are expected there. best: the median of the largest cosine of a
    query with all vectors. angle_sd: of the angle, in degrees. density: over the cosine at 16, 64 and the asked dimension.
    """
    tail = beyond(threshold, dimension)
    each = -math.expm1(-math.log(2) / vectors)
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle, dimension, 400) > each else (low, middle)
    return {
        "sd": 1 / math.sqrt(dimension),
        "tail": tail,
        "above": vectors * tail,
        "best": (low + high) / 2,
        "angle_sd": math.degrees(angle_sd(dimension)),
        "density": {"cosine": AXIS, **{f"d = {d:,}": [density(t, d) for t in AXIS] for d in sorted({16, 64, dimension})}},
    }


def log_beta(d: int) -> float:
    """ln B((d - 1) / 2, 1 / 2)."""
    return math.lgamma((d - 1) / 2) + math.lgamma(0.5) - math.lgamma(d / 2)


def density(t: float, d: int) -> float:
    return math.exp((d - 3) / 2 * math.log1p(-t * t) - log_beta(d))


def sine_integral(low: float, high: float, d: int, slices: int, weight=lambda x: 1.0) -> float:
    """Simpson's rule for weight(x) sin(x)^(d - 2), scaled so that over 0 to pi it is 1 with weight 1."""
    step = (high - low) / slices

    def value(x: float) -> float:
        sine = math.sin(x)
        return weight(x) * math.exp((d - 2) * math.log(sine) - log_beta(d)) if sine > 0 else (weight(x) * math.exp(-log_beta(d)) if d == 2 else 0.0)

    inner = sum((4 if i % 2 else 2) * value(low + i * step) for i in range(1, slices))
    return (value(low) + inner + value(high)) * step / 3


def beyond(t: float, d: int, slices: int = SLICES) -> float:
    """P(cos > t) for t >= 0: the cap within the angle arccos t, its mass all close to the rim in many dimensions."""
    rim = math.acos(t)
    start = max(0.0, rim - 40 / math.sqrt(d) if t < 1 / math.sqrt(d) else rim - 60 / (d * t))
    return sine_integral(start, rim, d, slices)


def angle_sd(d: int) -> float:
    """The standard deviation of the angle, in radians; its mean is a right angle."""
    half = min(math.pi / 2, 12 / math.sqrt(d))
    return math.sqrt(sine_integral(math.pi / 2 - half, math.pi / 2 + half, d, SLICES, lambda x: (x - math.pi / 2) ** 2))


@random_cosine.figure
def draw(result, ax):
    from kernels import plot

    curve = result["density"]
    plot.lines(
        ax,
        curve,
        labels=dict.fromkeys(curve.lines, ""),
        x_label="cosine of two random directions",
        y_label="density",
        highlight=list(curve.lines)[-1],
    )
    for number, line in enumerate(curve.lines):
        values = curve.values(line)
        at = next(i for i, value in enumerate(values) if value > 0.55 * max(values))
        color = plot.ACCENT if number == len(curve.lines) - 1 else plot.MUTED
        ax.annotate(line, (curve.x[at], values[at]), xytext=(-5, 3), textcoords="offset points", ha="right", color=color, size=plot.SMALL)
    return (
        "Densities of the cosine of two random directions, all about 0: "
        + ", ".join(f"{line} peaks at {plot.show(max(curve.values(line)), '')}" for line in curve.lines)
        + "."
    )
