"""Which gradients fp16 keeps: those below its range become zero, and loss scaling lifts them into it.

Magnitudes are log-normal around a median: log10 |g| = log10(median) + spread z. Their product with the scale is rounded to
fp16 (zero below 2^-25, infinite from 65,520 on). The backward pass is linear in the loss, so scaling the loss by 2^k scales
every gradient by 2^k exactly, and the optimizer divides it out again (Micikevicius et al. 2018, arXiv 1710.03740, section 3.2).
"""

from typing import Annotated

from kernels import Bound, Series, kernel

EXPONENTS = tuple(range(0, 37, 2))


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("lost", "coarse", "lost_bf16", "lost_scaled", "overflow_scaled", "largest", "lowest_scale", "highest_scale"), ""),
        "sweep": Series("exponent", ""),
    },
    tolerance=1e-6,
)
def loss_scaling(
    median: Annotated[float, Bound(low=1e-20, high=1.0)] = 1e-7,
    spread: Annotated[float, Bound(low=0.0, high=4.0)] = 1.0,
    scale: Annotated[float, Bound(low=1.0, high=2.0**40)] = 65536.0,
    n: Annotated[int, Bound(low=100, high=1_000_000)] = 100_000,
    seed: int = 0,
):
    """The share of gradients that fp16 turns to zero or infinity, against the loss scale.

    spread: standard deviation in powers of ten. lost: zero without scaling; coarse: kept, but as subnormals, with fewer bits;
    lost_bf16: zero in bf16. largest: the largest gradient. lowest_scale, highest_scale: the least power of two that loses at most one
    gradient in a thousand, and the greatest at which none overflows. sweep: shares over log2 of the scale.
    """
    import torch

    gradients = median * 10 ** (spread * torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64))
    shares = {k: fates(gradients, 2.0**k) for k in range(EXPONENTS[-1] + 1)}
    kept = [k for k, (lost, _) in shares.items() if lost <= 1e-3] or [EXPONENTS[-1]]
    safe = [k for k, (_, overflow) in shares.items() if overflow == 0] or [0]
    lost, overflow = fates(gradients, scale)
    half = gradients.half()
    return {
        "lost": shares[0][0],
        "coarse": share((half > 0) & (half < torch.finfo(torch.float16).tiny)),
        "lost_bf16": share(gradients.bfloat16() == 0),
        "lost_scaled": lost,
        "overflow_scaled": overflow,
        "largest": gradients.max(),
        "lowest_scale": 2 ** kept[0],
        "highest_scale": 2 ** safe[-1],
        "sweep": {"exponent": list(EXPONENTS), "lost": [shares[k][0] for k in EXPONENTS], "infinite": [shares[k][1] for k in EXPONENTS]},
    }


def fates(gradients, scale: float) -> tuple[float, float]:
    """The shares of scaled gradients that are zero and infinite in fp16."""
    scaled = (gradients * scale).half()
    return share(scaled == 0), share(scaled.isinf())


def share(mask) -> float:
    return mask.double().mean().item()


@loss_scaling.figure
def draw(result, ax):
    from math import log2

    from kernels import plot

    plot.lines(
        ax,
        result["sweep"],
        unit="percent",
        x_label="log2 of the loss scale",
        y_label="gradients",
        labels={"lost": "become 0", "infinite": "become\ninfinite"},
    )
    low, high, scale = result["lowest_scale"], result["highest_scale"], result.parameters["scale"]
    plot.vline(ax, log2(scale), f"scale {scale:,.0f}")
    return (
        f"Share of gradients that fp16 loses against the loss scale: {plot.show(result['lost'], 'percent')} become 0 unscaled; "
        f"from a scale of 2^{log2(low):g} at most one in a thousand, and up to 2^{log2(high):g} none overflows."
    )
