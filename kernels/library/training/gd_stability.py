"""Gradient descent on a quadratic of curvature L: each step multiplies the error by a factor, and above a learning rate it grows.

x' = x - h L x                      factor |1 - h L|, below 1 for h < 2 / L
x' = x - h L x + b (x - x_before)   largest root of r^2 - (1 + b - h L) r + b = 0, below 1 for h < 2 (1 + b) / L   (heavy ball)
"""

import cmath
from typing import Annotated

from kernels import Bound, KernelError, kernel


@kernel(
    kind="formula",
    outputs={"limit": "", "factor": "", "grown": "", "of_limit": "", "diverges": ""},
)
def gd_stability(
    lr: Annotated[float, Bound(low=1e-9, high=1e6)] = 0.105,
    sharpness: Annotated[float, Bound(low=1e-9, high=1e9)] = 20.0,
    momentum: Annotated[float, Bound(low=0.0, high=0.999)] = 0.0,
    steps: Annotated[int, Bound(low=1, high=200)] = 20,
):
    """The largest stable learning rate, the error's factor a step at `lr`, and its growth over `steps` (loss: squared), at most 1e100."""
    limit = 2 * (1 + momentum) / sharpness
    factor = radius(lr * sharpness, momentum)
    if factor > 1e100 ** (1 / steps):
        raise KernelError("gd_stability: the error grows beyond 1e100: take fewer steps or a lower learning rate")
    return {
        "limit": limit,
        "factor": factor,
        "grown": factor**steps,
        "of_limit": lr / limit,
        "diverges": factor > 1,
    }


def radius(product: float, momentum: float) -> float:
    """The largest modulus of the roots; product is learning rate times curvature."""
    half = (1 + momentum - product) / 2
    root = cmath.sqrt(half * half - momentum)
    return max(abs(half + root), abs(half - root))
