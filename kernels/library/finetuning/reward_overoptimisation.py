"""Best of n by a reward model that errs: what the proxy promises and what the answers are worth (Goodhart).

An answer's true reward t is standard normal; the proxy x = t + error, the error `scale` times Student's t with `tail` degrees of freedom: heavy
tails for 2, nearly Gaussian for 30. The proxy's favourite of n is taken, which is KL = ln n - (n - 1) / n nats at most away from the
reference (Stiennon et al. 2020, arXiv 2009.01325). With g and G the proxy's density and distribution and f that of the error,

    E[x of the best] = int n G^(n-1) g x dx,        E[t of the best] = int n G^(n-1) h dx,        h(x) = int t phi(t) f(x - t) dt,

summed on a grid, even in arsinh x and in t. Under Gaussian errors of scale s the latter is E[max of n normals] / sqrt(1 + s^2); under heavy tails the
largest proxy is mostly error (Gao et al. 2022, arXiv 2210.10760, for measured curves; Kwa et al. 2024, arXiv 2407.14503, for the tails).
"""

import functools
import math
from typing import Annotated

from kernels import Bound, Free, Series, kernel

SIZES = tuple(2**i for i in range(11))  # n = 1, 2, .. 1024
STEP, REACH = 0.04, 15.0  # in arsinh x: up to 1.6 million
TRUE = [i / 5 for i in range(-40, 41)]
GAUSSIAN = 1000.0  # degrees of freedom


@kernel(
    kind="formula",
    outputs={**dict.fromkeys(("kl", "proxy", "true", "best_n", "best"), ""), "sweep": Series("n", "")},
)
def reward_overoptimisation(
    n: Annotated[int, Bound(low=1, high=100_000)] = 1024,
    tail: Annotated[float, Bound(low=2.0, high=1000.0), Free(2.0, 30.0)] = 2.0,
    scale: Annotated[float, Bound(low=0.3, high=10.0), Free(0.5, 2.0)] = 1.0,
):
    """Expected proxy and true reward of the best of n by the proxy, in standard deviations of the true reward.

    tail: degrees of freedom of the proxy's error, free from 2 (infinite variance) to 30 (nearly Gaussian): nobody knows a reward model's tail
    beforehand. scale: of the error, free from half to twice the true reward's spread. best_n, best: the power of two up to 1,024 at which the true
    reward peaks, and that peak. sweep: the true reward over n, with this tail and with a Gaussian one.
    """
    swept = {size: chosen(size, tail, scale) for size in SIZES}
    proxy, true = swept.get(n) or chosen(n, tail, scale)
    best = max(SIZES, key=lambda size: swept[size][1])
    return {
        "kl": math.log(n) - (n - 1) / n,
        "proxy": proxy,
        "true": true,
        "best_n": best,
        "best": swept[best][1],
        "sweep": {
            "n": list(SIZES),
            "nearly Gaussian": [chosen(size, GAUSSIAN, scale)[1] for size in SIZES],
            "heavy-tailed": [swept[size][1] for size in SIZES],
        },
    }


def chosen(n: int, tail: float, scale: float) -> tuple[float, float]:
    """Expected proxy and true reward of the best of n."""
    proxy = true = 0.0
    for x, below, g, h in grid(tail, scale):
        weight = n * below ** (n - 1) if below > 0 else float(n == 1)
        proxy += weight * g * x
        true += weight * h
    return proxy, true


@functools.lru_cache(maxsize=64)
def grid(tail: float, scale: float) -> list[tuple[float, float, float, float]]:
    """(x, G, g dx, h dx) from far below to far above zero; g and G are symmetric, h is antisymmetric."""
    constant = math.exp(math.lgamma((tail + 1) / 2) - math.lgamma(tail / 2)) / math.sqrt(tail * math.pi) / scale
    normal = [(t, 0.2 * math.exp(-t * t / 2) / math.sqrt(2 * math.pi)) for t in TRUE]
    upper = []
    for i in range(round(REACH / STEP) + 1):
        x, width = math.sinh(i * STEP), STEP * math.cosh(i * STEP)
        g = h = 0.0
        for t, phi in normal:
            density = phi * constant * (1 + ((x - t) / scale) ** 2 / tail) ** (-(tail + 1) / 2)
            g += density
            h += t * density
        upper.append((x, g * width, h * width))
    half = [(-x, g, -h) for x, g, h in reversed(upper[1:])]
    found, above = [], 0.0
    for x, g, h in reversed(half + upper):
        found.append((x, 1 - above - g / 2, g, h))
        above += g
    return found


@reward_overoptimisation.figure
def draw(result, ax):
    from kernels import plot

    p = result.parameters
    plot.lines(ax, result["sweep"], xlog=True, x_label="best of n by the proxy", y_label="true reward, std. dev.", highlight="heavy-tailed")
    plot.mark(ax, result["best_n"], result["best"], "peak", color=plot.RED, where="above")
    return (
        f"True reward of the best of n against n. With errors as heavy-tailed as Student's t with {p['tail']:g} degrees of freedom it peaks at n = "
        f"{result['best_n']} with {result['best']:.2f} and is {result['true']:.2f} at {p['n']:,}; with nearly Gaussian errors it goes on rising."
    )
