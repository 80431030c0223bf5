"""Tails of the binomial distribution, and where the one that is sought stands among normal scores: plain Python, for large numbers."""

import math
from statistics import NormalDist

NORMAL = NormalDist()
STEPS = 60  # of Simpson's rule


def fewer(k: int, n: int, p: float) -> float:
    """P(X < k) for X ~ Bin(n, p): the incomplete beta function I_{1-p}(n - k + 1, k), by Lentz's continued fraction."""
    if k <= 0:
        return 0.0
    if k > n or p <= 0:
        return 1.0
    if p >= 1:
        return 0.0
    return _beta(n - k + 1, k, 1 - p)


def _beta(a: float, b: float, x: float) -> float:
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - math.lgamma(a) - math.lgamma(b) + math.lgamma(a + b))
    return front * _fraction(a, b, x) / a if x < (a + 1) / (a + b + 2) else 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 100_000):
        for part in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d, c = 1 / (1 + part * d), 1 + part / c
            value *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return value


def among_first(k: int, others: int, separation: float) -> float:
    """P(a score from N(separation, 1) is among the k largest, where `others` come from N(0, 1)): it exceeds their k-th largest.

    The share u of the normal distribution above that k-th largest has the density of Beta(k, others - k + 1); integrated over ln u.
    """
    if k > others:
        return 1.0
    a, b = float(k), float(others - k + 1)
    middle, wide = math.log(a / (a + b)), math.sqrt(b / (a * (a + b + 1)))
    norm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    low, high = middle - 9 * wide - 3 / a, min(middle + 7 * wide, -1e-12)
    step, total, mass = (high - low) / STEPS, 0.0, 0.0
    for i in range(STEPS + 1):
        t = low + i * step
        u = math.exp(t)
        weight = (1 if i in (0, STEPS) else 4 if i % 2 else 2) * math.exp(norm + a * t + (b - 1) * math.log1p(-u))
        mass += weight
        total += weight * above(separation + NORMAL.inv_cdf(u)) if 0 < u < 1 else 0.0
    return min(1.0, total / mass) if mass else 0.0


def above(x: float) -> float:
    """The share of the normal distribution below x, far below too."""
    return math.erfc(-x / math.sqrt(2)) / 2
