"""Expert capacity: how many tokens an expert may take of a batch, and what share of the choices overflows and is dropped.

    C = ceil(f k T / E)       tokens per expert        (Fedus et al. 2021, Switch Transformers, arXiv 2101.03961, equation 3)

T tokens choose k of E experts each; f is the capacity factor. An expert chosen X times drops max(0, X - C) choices, so

    dropped = E * mean(max(0, X - C)) / (k T)

X is binomial(T, k / E) where routing is balanced. A skewed router is one whose experts' shares were drawn from a symmetric Dirichlet distribution of
concentration a: with k = 1, X is beta-binomial(T, a, (E - 1) a). Small a is strong skew. Such shares are E gamma variables of shape a over their
sum, so that the largest share is expected to be the mean of the largest of E such variables over E a.

For scale: mixtures of 64 experts trained with a balance loss ended with a fullest expert of 1.5 to 1.7 times the mean, those balanced by adapted
biases with 1.04 (Wang et al. 2024, arXiv 2408.15664, table 2, as MaxVio + 1): concentrations of about 25, 15 and 3,000.
"""

import math
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

FACTORS = tuple(f / 20 for f in range(16, 61, 2))


@kernel(
    kind="formula",
    outputs={
        "capacity": "token",
        "average_load": "token",
        "dropped": "",
        "dropped_tokens": "token",
        "padding": "",
        "fullest": "",
        "dropped_by_factor": Series("factor", ""),
    },
)
def moe_capacity(
    tokens: Annotated[int, Bound("token", low=1, high=65536)] = 4096,
    experts: Annotated[int, Bound(low=2, high=1024)] = 64,
    top_k: Annotated[int, Bound(low=1, high=64)] = 1,
    factor: Annotated[float, Bound(low=0.1, high=100.0)] = 1.25,
    concentration: Annotated[float, Bound(low=0.0, high=10_000.0)] = 0.0,
):
    """The capacity of an expert, and the expected share of choices that overflow; concentration 0 is balanced routing, else top-1 with skew.

    average_load: choices per expert. fullest: the router's largest share over the mean one, as expected; 1 where balanced. padding: the share of the
    experts' capacity that stays empty. dropped_by_factor: dropped share against the capacity factor, balanced and, where a concentration is given,
    skewed.
    """
    if top_k > experts:
        raise KernelError(f"moe_capacity: top_k is {top_k}, but must be at most the number of experts, {experts}")
    if concentration and top_k > 1:
        raise KernelError("moe_capacity: a concentration is defined for top_k 1 only (use 0, balanced routing, for more)")
    balanced = binomial(tokens, top_k / experts)
    loads = betabinomial(tokens, concentration, (experts - 1) * concentration) if concentration else balanced
    limit = capacity(tokens, experts, top_k, factor)
    choices = top_k * tokens
    dropped = experts * overflow(loads, limit) / choices
    curves = {"balanced": balanced, **({"skewed": loads} if concentration else {})}
    return {
        "capacity": limit,
        "average_load": choices / experts,
        "dropped": dropped,
        "dropped_tokens": dropped * choices,
        "padding": 1 - (1 - dropped) * choices / (experts * limit),
        "fullest": largest(concentration, experts) if concentration else 1.0,
        "dropped_by_factor": {
            "factor": FACTORS,
            **{name: [experts * overflow(load, capacity(tokens, experts, top_k, f)) / choices for f in FACTORS] for name, load in curves.items()},
        },
    }


def capacity(tokens: int, experts: int, top_k: int, factor: float) -> int:
    """Tokens that an expert takes at most; a product that is whole but for rounding is whole."""
    return math.ceil(factor * top_k * tokens / experts - 1e-9)


def overflow(loads: list[float], limit: int) -> float:
    """The mean of max(0, X - limit), X being distributed as `loads`."""
    return math.fsum((x - limit) * p for x, p in enumerate(loads) if x > limit)


def binomial(n: int, p: float) -> list[float]:
    """The probabilities of 0 to n successes in n trials."""
    if p >= 1:
        return [0.0] * n + [1.0]
    log = [math.lgamma(n + 1) - math.lgamma(x + 1) - math.lgamma(n - x + 1) + x * math.log(p) + (n - x) * math.log1p(-p) for x in range(n + 1)]
    return [math.exp(v) for v in log]


def betabinomial(n: int, a: float, b: float) -> list[float]:
    """The same, the chance of success itself being drawn from beta(a, b)."""

    def beta(u: float, v: float) -> float:
        return math.lgamma(u) + math.lgamma(v) - math.lgamma(u + v)

    ways = math.lgamma(n + 1)
    return [math.exp(ways - math.lgamma(x + 1) - math.lgamma(n - x + 1) + beta(x + a, n - x + b) - beta(a, b)) for x in range(n + 1)]


def largest(shape: float, number: int) -> float:
    """The mean of the largest of so many gamma variables, over their common mean: the integral of 1 - P(shape, x)^number."""
    spread = shape**0.5
    low, high = max(0.0, shape - 8 * spread), shape + 12 * spread + 20
    step = (high - low) / 2000
    return (low + step * math.fsum(1 - gamma_below(shape, low + (i + 0.5) * step) ** number for i in range(2000))) / shape


def gamma_below(shape: float, x: float) -> float:
    """The regularised incomplete gamma function P(shape, x): x^a e^-x / Gamma(a + 1) * (1 + x / (a + 1) + ..)."""
    if x <= 0:
        return 0.0
    term = total = 1.0
    n = 0
    while term > 1e-17 * total:
        n += 1
        term *= x / (shape + n)
        total += term
    return min(1.0, math.exp(shape * math.log(x) - x - math.lgamma(shape + 1)) * total)


@moe_capacity.figure
def draw(result, ax):
    from kernels import plot

    curve, factor, dropped = result["dropped_by_factor"], result.parameters["factor"], plot.show(result["dropped"], "percent")
    plot.lines(ax, curve, unit="percent", labels=dict.fromkeys(curve.lines, ""), x_label="capacity factor", y_label="choices dropped")
    ax.set_xlim(0.4, max(2.6, 1.1 * factor))  # room for a name left of the steep lines; beyond, all are flat
    ax.text(
        curve.x[0] - 0.03,
        curve.values("balanced")[0],
        "balanced",
        color=plot.ACCENT,
        ha="right",
        va="center",
        bbox={"facecolor": plot.GROUND, "edgecolor": "none", "pad": 0.5},
    )
    said = f"Share of choices dropped against capacity factor: {dropped} at {factor:g}"
    if "skewed" not in curve.lines:
        plot.mark(ax, factor, result["dropped"], dropped, plot.ACCENT, "right above")
        return f"{said} with balanced routing."
    ax.text(curve.x[0] + 0.06, curve.values("skewed")[0], "skewed router", color=plot.AMBER, ha="left", va="center")
    plot.mark(ax, factor, result["dropped"], f"{dropped} at {factor:g}", plot.AMBER, "right above")
    x, y = next((x, p.value) for x, p in zip(curve.x, curve.lines["balanced"]) if x >= 1)
    plot.mark(ax, x, y, plot.show(y, "percent"), plot.ACCENT, "left below")
    return f"{said} with a skewed router; with balanced routing {plot.show(y, 'percent')} at {x:g} and next to none beyond."
