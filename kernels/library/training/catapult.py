"""Gradient descent above the stability limit of its starting point, on the smallest model whose curvature can give way: two linear layers.

    output f = u . v / sqrt(n),  loss f^2 / 2,  u, v normal           curvature s = (|u|^2 + |v|^2) / n
    a step of rate h:   f' = f (1 - h s + h^2 f^2 / n),   s' = s + h f^2 / n (h s - 4)

Below h s = 2 the loss falls. Between 2 and 4 it rises until f^2 is of order n, which lowers the curvature until h s < 2, and then falls to zero;
above 4 it diverges (Lewkowycz et al. 2020, The large learning rate phase, arXiv 2003.02218, section 2). On a quadratic s is constant, and 2 the end.
"""

from typing import Annotated

from kernels import Bound, Free, Series, kernel


@kernel(
    kind="simulation",
    outputs={"converged": "", "peak": "", "settled_of_limit": "", "flatter": "", "sweep": Series("step", "")},
    tolerance=1e-4,
)
def catapult(
    of_limit: Annotated[float, Bound(low=0.01, high=3.0)] = 1.2,
    width: Annotated[int, Bound(low=8, high=100_000), Free(64, 4096)] = 512,
    steps: Annotated[int, Bound(low=10, high=5000)] = 400,
    seed: int = 0,
):
    """Full-batch gradient descent at of_limit times 2 / curvature, the curvature being that of the start.

    converged: 1 if the loss ends below a thousandth of its start. peak: the highest loss over the first. settled_of_limit: the rate over the limit
    at the end; flatter: the curvature at the end over that at the start. sweep: the rate over the limit by step. The width is free, 64 to 4,096:
    it sets how high the loss climbs before the curvature gives way.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    u, v = (torch.randn(width, generator=random, dtype=torch.float64) for _ in range(2))
    first = curvature(u, v)
    rate = 2 * of_limit / first
    losses, limits = [], []
    for _ in range(steps + 1):
        f = (u @ v).item() / width**0.5
        losses.append(f * f / 2)
        limits.append(rate * curvature(u, v) / 2)
        if losses[-1] > 1e6 * width:
            break
        u, v = u - rate * f * v / width**0.5, v - rate * f * u / width**0.5
    shown = range(61)
    return {
        "converged": losses[-1] < losses[0] / 1000,
        "peak": max(losses) / losses[0],
        "settled_of_limit": limits[-1],
        "flatter": limits[-1] / limits[0],
        "sweep": {"step": list(shown), "of the limit": [limits[step] if step < len(limits) else None for step in shown]},
    }


@catapult.invariant
def curvature_gives_way_between_the_limit_and_twice_the_limit(result) -> bool:
    """Below the limit the loss never rises and, given steps, converges; between 1 and 2 limits it converges below the limit; above 2 it diverges.

    Below it, f^2 <= n s^2 / 4 leaves f' / f between 1 - h s and (1 - h s / 2)^2, and s falls from step to step, so that its start and end bound all.
    """
    rate = result.parameters["of_limit"]
    if rate < 1:
        factor = max((1 - result["settled_of_limit"]) ** 2, 2 * rate - 1)
        enough = factor ** (2 * result.parameters["steps"]) < 0.999e-3
        return (result["converged"] == 1 or not enough) and result["peak"] == 1
    return result["converged"] == 0 if rate > 2 else result["converged"] == 0 or result["settled_of_limit"] < 1


def curvature(u, v) -> float:
    """The largest eigenvalue of the Hessian where the output is fitted: |u|^2 + |v|^2 over the width."""
    return ((u @ u + v @ v) / len(u)).item()


@catapult.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax, result["sweep"], unit="percent", labels={"of the limit": ""}, x_label="step", y_label="learning rate / stability limit", zero=False
    )
    plot.hline(ax, 1.0, "limit")
