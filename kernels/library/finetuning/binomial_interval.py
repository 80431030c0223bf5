"""What n test cases can tell: the Wilson interval of a pass rate, and the chance that a kind of failure turns up at all.

(p + z^2/2n  +-  z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n)     Wilson 1927, J. Am. Stat. Assoc. 22(158)
1 - (1 - q)^n     that a kind of case with frequency q is among n drawn at random
"""

import math
from statistics import NormalDist
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

SIZES = (10, 20, 50, 100, 200, 500, 1000, 2000)


@kernel(
    kind="formula",
    outputs={**dict.fromkeys(("rate", "lower", "upper", "width", "normal_lower", "normal_upper", "seen"), ""), "sweep": Series("n", "")},
)
def binomial_interval(
    successes: Annotated[int, Bound(low=0)] = 40,
    n: Annotated[int, Bound(low=1)] = 50,
    confidence: Annotated[float, Bound(low=0.5, high=0.9999)] = 0.95,
    frequency: Annotated[float, Bound(low=0.0, high=1.0)] = 0.1,
):
    """The Wilson interval for successes of n, and the chance that something of a given frequency is seen at least once in n.

    normal_lower, normal_upper: p +- z sqrt(p (1 - p)/n), which collapses at 0 and at n. sweep: the bounds at the same rate against n.
    """
    if successes > n:
        raise KernelError(f"binomial_interval: successes is {successes}, but must be at most n, {n}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate = successes / n
    lower, upper = wilson(rate, n, z)
    half = z * math.sqrt(rate * (1 - rate) / n)
    bounds = [wilson(rate, size, z) for size in SIZES]
    return {
        "rate": rate,
        "lower": lower,
        "upper": upper,
        "width": upper - lower,
        "normal_lower": rate - half,
        "normal_upper": rate + half,
        "seen": 1 - (1 - frequency) ** n,
        "sweep": {"n": list(SIZES), "lower": [low for low, _ in bounds], "upper": [high for _, high in bounds]},
    }


def wilson(rate: float, n: int, z: float) -> tuple[float, float]:
    middle = rate + z * z / (2 * n)
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))


@binomial_interval.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 200)
    curve, n = result["sweep"], result.parameters["n"]
    ax.fill_between(curve.x, curve.values("lower"), curve.values("upper"), color=plot.SAND, linewidth=0)
    labels = {"lower": "", "upper": ""}
    plot.lines(ax, curve, xlog=True, unit="percent", labels=labels, x_label="test cases", y_label="true pass rate", highlight="", zero=False)
    plot.hline(ax, result["rate"], "")
    plot.mark(ax, n, result["lower"], "")
    plot.mark(ax, n, result["upper"], f"{n} cases: {result['lower']:.0%} to {result['upper']:.0%}", where="right above")
    return (
        f"The interval of the true pass rate around {result['rate']:.0%} narrows with the number of cases; at {n} it runs "
        f"from {result['lower']:.0%} to {result['upper']:.0%}."
    )
