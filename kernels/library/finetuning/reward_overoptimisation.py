"""Best of n by a reward model that errs: what the proxy promises and what the answers are worth (Goodhart).

An answer's true reward is standard normal; the proxy is the true reward plus an error, Gaussian or heavy-tailed (Student
t with 2 degrees of freedom). The proxy's favourite of n is taken, which is KL = ln n - (n - 1) / n nats away from the
reference (Stiennon et al. 2020, arXiv 2009.01325). Under Gaussian errors of scale s the winner's true reward is
E[max of n normals] / sqrt(1 + s^2); under heavy tails the largest proxy is mostly error (Gao et al. 2022, arXiv
2210.10760, for the curves; Kwa et al. 2024, arXiv 2407.14503, for the tails).
"""

import math
from typing import Annotated

from kernels import Bound, Series, kernel

POWERS = tuple(range(11))  # n = 1, 2, .. 1024
LARGEST = 2 ** POWERS[-1]


@kernel(
    kind="simulation",
    outputs={
        "kl": "",
        "proxy_gaussian": "",
        "true_gaussian": "",
        "proxy_heavy": "",
        "true_heavy": "",
        "best_n_heavy": "",
        "best_heavy": "",
        "sweep": Series("n", ""),
    },
    tolerance=1e-6,
)
def reward_overoptimisation(
    n: Annotated[int, Bound(low=1, high=LARGEST)] = 1024,
    scale: Annotated[float, Bound(low=0.0, high=10.0)] = 1.0,
    prompts: Annotated[int, Bound(low=100, high=8000)] = 2000,
    seed: int = 0,
):
    """Proxy and true reward of the best of n by the proxy, in standard deviations of the true reward, for both errors.

    scale: of the proxy's error. best_n_heavy, best_heavy: the power of two up to 1,024 at which the true reward peaks
    under heavy tails, and that peak. sweep: over n.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    true = torch.randn(prompts, LARGEST, generator=random, dtype=torch.float64)
    error = scale * torch.randn(prompts, LARGEST, generator=random, dtype=torch.float64)
    heavy = error / (-torch.rand(prompts, LARGEST, generator=random, dtype=torch.float64).log()).sqrt()  # chi-square of 2 over 2 is -ln U
    sizes = [2**i for i in POWERS]
    gaussian = {size: chosen(true, error, size) for size in {*sizes, n}}
    tailed = {size: chosen(true, heavy, size) for size in {*sizes, n}}
    best = max(sizes, key=lambda size: tailed[size][1])
    return {
        "kl": math.log(n) - (n - 1) / n,
        "proxy_gaussian": gaussian[n][0],
        "true_gaussian": gaussian[n][1],
        "proxy_heavy": tailed[n][0],
        "true_heavy": tailed[n][1],
        "best_n_heavy": best,
        "best_heavy": tailed[best][1],
        "sweep": {"n": sizes, "Gaussian errors": [gaussian[s][1] for s in sizes], "heavy-tailed": [tailed[s][1] for s in sizes]},
    }


def chosen(true, error, n: int) -> tuple[float, float]:
    """Mean proxy and mean true reward of the first n answers' best by the proxy."""
    proxy, at = (true[:, :n] + error[:, :n]).max(1)
    return proxy.mean().item(), true.gather(1, at[:, None]).mean().item()


@reward_overoptimisation.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], xlog=True, x_label="best of n by the proxy", y_label="true reward, std. dev.")
    plot.mark(ax, result["best_n_heavy"], result["best_heavy"], "peak", color=plot.RED, where="above")
