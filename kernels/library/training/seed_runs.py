"""What a mean over a few seeds says: interval, chance to see a difference, seeds needed, and what the best of them flatters.

    half-width  t(n - 1) s / sqrt(n)          difference of two single runs: sd sqrt(2) s
    power       P(|T| > t(2n - 2)),  T noncentral t with 2n - 2 degrees of freedom and shift  d / (s sqrt(2 / n))
    best of n   E max = s times the integral of x n phi(x) Phi(x)^(n - 1)

Student's t in closed form for whole degrees of freedom: Abramowitz and Stegun 1964, 26.7.3 and 26.7.4. The two-sample power: Cohen 1988, chapter 2.
"""

import functools
import math
from statistics import NormalDist
from typing import Annotated

from kernels import Bound, Series, kernel

NORMAL = NormalDist()
SEEDS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20)
MOST = 2000


@kernel(
    kind="formula",
    outputs={
        "t": "",
        "half_width": "",
        "normal_half_width": "",
        "pair_sd": "",
        "pair_chance": "",
        "best_sds": "",
        "best": "",
        "best_wins": "",
        "power": "",
        "needed": "",
        "needed_normal": "",
        "detectable": "",
        "sd_low": "",
        "sd_high": "",
        "sweep": Series("seeds", ""),
    },
)
def seed_runs(
    sd: Annotated[float, Bound(low=1e-6, high=1e6)] = 0.5,
    seeds: Annotated[int, Bound(low=2, high=1000)] = 5,
    difference: Annotated[float, Bound(low=1e-6, high=1e6)] = 0.5,
    confidence: Annotated[float, Bound(low=0.5, high=0.9999)] = 0.95,
    power: Annotated[float, Bound(low=0.1, high=0.999)] = 0.8,
):
    """Interval of a mean over seeds, power of comparing two such means, seeds that a difference needs, and the best of the seeds.

    sd: between runs that differ in the seed, in the unit of the answer, such as points of accuracy. pair_chance: two single runs of equal systems
    differ by `difference` or more. best: how much the best of the seeds exceeds the mean; best_wins: the chance that it beats one run of an equal
    system. power: to see `difference` with `seeds` for each system, two-sided t-test. needed: seeds for each system for the wanted power, at most
    2,000. detectable: the difference seen with it at `seeds`. sd_low, sd_high: ends of the interval for sd, over the sd found in so many seeds.
    """
    alpha = 1 - confidence
    t = quantile(1 - alpha / 2, seeds - 1)
    best = best_of(seeds)
    low, high = 2, MOST
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle, difference / sd, alpha) >= power else (middle + 1, high)
    z = NORMAL.inv_cdf(1 - alpha / 2) + NORMAL.inv_cdf(power)
    return {
        "t": t,
        "half_width": t * sd / math.sqrt(seeds),
        "normal_half_width": NORMAL.inv_cdf(1 - alpha / 2) * sd / math.sqrt(seeds),
        "pair_sd": math.sqrt(2) * sd,
        "pair_chance": 2 * NORMAL.cdf(-difference / (math.sqrt(2) * sd)),
        "best_sds": best,
        "best": best * sd,
        "best_wins": seeds / (seeds + 1),
        "power": chance(seeds, difference / sd, alpha),
        "needed": low,
        "needed_normal": math.ceil(2 * (z * sd / difference) ** 2),
        "detectable": sd * detectable(seeds, alpha, power),
        "sd_low": math.sqrt((seeds - 1) / spread_quantile(1 - alpha / 2, seeds - 1)),
        "sd_high": math.sqrt((seeds - 1) / spread_quantile(alpha / 2, seeds - 1)),
        "sweep": {"seeds": list(SEEDS), "half-width": [quantile(1 - alpha / 2, n - 1) * sd / math.sqrt(n) for n in SEEDS]},
    }


def student(t: float, freedom: int) -> float:
    """P(T <= t)."""
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    term, total = (cosine, cosine) if freedom % 2 else (1.0, 1.0)
    for k in range(3 if freedom % 2 else 2, freedom - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    inside = sine * (total if freedom > 1 else 0.0)
    if freedom % 2:
        inside = 2 / math.pi * (angle + inside)
    return (1 + inside) / 2


@functools.lru_cache(maxsize=4096)
def quantile(p: float, freedom: int) -> float:
    return root(lambda t: student(t, freedom) - p, 0.0, 1e6)


@functools.lru_cache(maxsize=4096)
def spread_quantile(p: float, freedom: int) -> float:
    """Quantile of chi-square, by Abramowitz and Stegun 26.4.4 and 26.4.5."""

    def below(x: float) -> float:
        half, odd = x / 2, freedom % 2
        terms = (math.exp(-half + (k + odd / 2) * math.log(half) - math.lgamma(k + 1 + odd / 2)) for k in range(freedom // 2))
        return 1 - (math.erfc(math.sqrt(half)) if odd else 0.0) - sum(terms)

    return root(lambda x: below(x) - p, 1e-9, 40.0 * freedom)


@functools.lru_cache(maxsize=4096)
def chance(seeds: int, effect: float, alpha: float) -> float:
    """Power of the two-sided two-sample t-test, `effect` in standard deviations: the mean over the estimated sd of a normal probability."""
    freedom = 2 * seeds - 2
    limit, shift = quantile(1 - alpha / 2, freedom), effect * math.sqrt(seeds / 2)
    constant = math.log(2) + freedom / 2 * math.log(freedom / 2) - math.lgamma(freedom / 2)

    def weighed(s: float) -> float:  # s: estimated over true sd
        density = math.exp(constant + (freedom - 1) * math.log(s) - freedom * s * s / 2)
        return density * (NORMAL.cdf(shift - limit * s) + NORMAL.cdf(-shift - limit * s))

    spread = 9 / math.sqrt(2 * freedom)
    return simpson(weighed, max(1e-9, 1 - spread), 1 + spread, parts=200)


@functools.lru_cache(maxsize=256)
def detectable(seeds: int, alpha: float, power: float) -> float:
    """The effect that is seen with the power."""
    return root(lambda effect: chance(seeds, effect, alpha) - power, 0.0, 1000.0)


@functools.lru_cache(maxsize=256)
def best_of(n: int) -> float:
    """The mean of the largest of n standard normal numbers."""
    return simpson(lambda x: x * n * NORMAL.pdf(x) * NORMAL.cdf(x) ** (n - 1), -10.0, 10.0)


def simpson(function, low: float, high: float, parts: int = 400) -> float:
    step = (high - low) / parts
    return step / 3 * sum((1 if i in (0, parts) else 4 if i % 2 else 2) * function(low + i * step) for i in range(parts + 1))


def root(function, low: float, high: float) -> float:
    """Where a rising function is zero, by bisection."""
    for _ in range(70):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return (low + high) / 2


@seed_runs.figure
def draw(result, ax):
    from kernels import plot

    curve = result["sweep"]
    plot.lines(ax, curve, labels={"half-width": ""}, x_label="seeds", y_label="half-width of the interval, points", highlight="half-width")
    for seeds in sorted({3, 5, 10}):
        at = curve.x.index(seeds)
        y = curve.values("half-width")[at]
        color = plot.ACCENT if seeds == result.parameters["seeds"] else plot.INK
        plot.mark(ax, seeds, y, f"{seeds} seeds: {y:.2g}", color=color, where="right above")
