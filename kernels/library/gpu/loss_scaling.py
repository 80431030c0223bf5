"""Which gradients fp16 keeps: those below its range become zero, and loss scaling lifts them into it.

A scaled gradient g s is rounded to fp16: zero up to 2^-25, infinite from 65,520 on, and a subnormal with fewer bits below 2^-14. The backward pass
is linear in the loss, so scaling the loss by 2^k scales every gradient by 2^k exactly, and the optimizer divides it out again (Micikevicius et
al. 2018, arXiv 1710.03740, section 3.2). Which share that is depends on the magnitudes; here they are log-normal, log10 |g| = log10(median) +
spread z, so that shares are those of a normal distribution:

    P(|g| s <= x) = Phi((log10(x / s) - log10(median)) / spread)
"""

from math import log10
from statistics import NormalDist
from typing import Annotated

from kernels import Bound, Free, Series, kernel

ZERO, NORMAL, INFINITE = 2.0**-25, 2.0**-14, 65520.0  # fp16
ZERO_BF16 = 2.0**-134
EXPONENTS = tuple(range(25))


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("lost", "coarse", "lost_bf16", "lost_scaled", "overflow_scaled", "zero_below", "infinite_from"), ""),
        "sweep": Series("exponent", ""),
    },
)
def loss_scaling(
    median: Annotated[float, Bound(low=1e-20, high=1.0)] = 1e-7,
    spread: Annotated[float, Bound(low=0.01, high=4.0), Free(0.5, 2.0)] = 1.0,
    scale: Annotated[float, Bound(low=1.0, high=2.0**40)] = 65536.0,
):
    """The share of log-normal gradients that fp16 turns to zero or infinity, against the loss scale.

    spread: standard deviation in powers of ten; free, as layers and models differ: histograms of gradients stretch over a few powers of ten, or
    over ten. lost: zero without scaling; coarse: kept, but as subnormals, with fewer bits; lost_bf16: zero in bf16. lost_scaled, overflow_scaled:
    zero and infinite at the scale. zero_below, infinite_from: the gradients that the scale still loses, whatever their distribution.
    sweep: shares over log2 of the scale.
    """
    powers = NormalDist(log10(median), spread)

    def lost(scale: float) -> float:
        return powers.cdf(log10(ZERO / scale))

    def infinite(scale: float) -> float:
        return 1 - powers.cdf(log10(INFINITE / scale))

    return {
        "lost": lost(1),
        "coarse": powers.cdf(log10(NORMAL)) - lost(1),
        "lost_bf16": powers.cdf(log10(ZERO_BF16)),
        "lost_scaled": lost(scale),
        "overflow_scaled": infinite(scale),
        "zero_below": ZERO / scale,
        "infinite_from": INFINITE / scale,
        "sweep": {"exponent": list(EXPONENTS), "lost": [lost(2.0**k) for k in EXPONENTS], "infinite": [infinite(2.0**k) for k in EXPONENTS]},
    }


@loss_scaling.figure
def draw(result, ax):
    from dataclasses import replace
    from math import log2

    from kernels import plot

    curve = result["sweep"]
    curve = replace(curve, lines={"lost": curve.lines["lost"]})
    plot.lines(ax, curve, unit="percent", x_label="log2 of the loss scale", y_label="gradients that become 0", labels={"lost": ""})
    scale = result.parameters["scale"]
    plot.vline(ax, log2(scale), f"scale {scale:,.0f}")
    return (
        f"Share of gradients that become 0 in fp16 against the loss scale: {plot.show(result['lost'], 'percent')} unscaled, "
        f"{plot.show(result['lost_scaled'], 'percent')} at a scale of {scale:,.0f}."
    )
