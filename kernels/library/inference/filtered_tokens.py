"""A handful of tokens through temperature, top-k, top-p and min-p: which are left, and with what probability.

    top-k keeps the k likeliest, top-p the fewest likeliest that reach p, min-p those with at least min_p times the top token's probability;
    what is left is divided by its sum, and so keeps its ratios.

Temperature first: the filters see softmax(ln p / T). Temperature last: they see p, and T acts on what is left.
"""

import math
from typing import Annotated, Literal

from kernels import Bound, KernelError, Series, kernel

Share = Annotated[float, Bound(low=0.0, high=1.0)]


@kernel(
    kind="formula",
    outputs={
        **dict.fromkeys(("kept", "first", "second", "last", "mass", "mass_before_last", "threshold", "ratio", "ratio_given"), ""),
        "seen": Series("rank", ""),
    },
)
def filtered_tokens(
    first: Annotated[float, Bound(low=0.001, high=1.0)] = 0.4,
    second: Annotated[float, Bound(low=0.0001, high=0.5)] = 0.3,
    third: Share = 0.2,
    fourth: Share = 0.1,
    fifth: Share = 0.0,
    temperature: Annotated[float, Bound(low=0.01, high=100)] = 1.0,
    top_k: Annotated[int, Bound(low=1, high=6)] = 6,
    top_p: Annotated[float, Bound(low=0.001, high=1.0)] = 1.0,
    min_p: Share = 0.0,
    order: Literal["temperature first", "temperature last"] = "temperature first",
):
    """What is left of up to six tokens behind the filters; a sixth has what the five given leave.

    kept: tokens left. first, second, last: chances of the two likeliest (0 for a second that is cut), and of the least likely that is left. mass:
    probability that the filters keep, of what they see; mass_before_last: without the last token kept. threshold: min_p times the top token's
    probability. ratio: of the first two tokens' chances, 0 where one is left; ratio_given: before anything. seen: the probabilities given, and those
    that the filters see.
    """
    given = [first, second, third, fourth, fifth]
    rest = 1 - math.fsum(given)
    if rest < -1e-9:
        raise KernelError(f"filtered_tokens: the probabilities add up to {1 - rest:.3g}, but must to at most 1")
    p = sorted((x for x in [*given, rest] if x > 1e-9), reverse=True)
    seen = heated(p, temperature) if order == "temperature first" else p
    count, mass, before = 0, 0.0, 0.0
    for x in seen[:top_k]:
        if count and (mass >= top_p * (1 - 1e-12) or x < min_p * seen[0] * (1 - 1e-12)):
            break
        before, mass, count = mass, mass + x, count + 1
    left = seen[:count] if order == "temperature first" else heated(p[:count], temperature)
    final = [x / math.fsum(left) for x in left]
    return {
        "kept": count,
        "first": final[0],
        "second": final[1] if count > 1 else 0.0,
        "last": final[-1],
        "mass": mass,
        "mass_before_last": before,
        "threshold": min_p * seen[0],
        "ratio": final[0] / final[1] if count > 1 and final[1] > 1e-290 else 0.0,
        "ratio_given": p[0] / p[1],
        "seen": {"rank": list(range(1, len(p) + 1)), "given": p, "seen": seen},
    }


def heated(p: list[float], temperature: float) -> list[float]:
    """softmax(ln p / T), where small numbers may vanish."""
    powers = [math.exp(math.log(x / p[0]) / temperature) for x in p]
    return [x / math.fsum(powers) for x in powers]


@filtered_tokens.figure
def draw(result, ax):
    from kernels import plot

    given, seen = result["seen"].values("given"), result["seen"].values("seen")
    p = result.parameters
    limit = (result["threshold"], f"min-p {p['min_p']:g}: {plot.show(result['threshold'], 'percent')}") if p["min_p"] > 0 else None
    names = {f"{share:g}  ": value for share, value in zip(given, seen)}
    if len(names) < len(given):  # equal ones
        names = {f"{k}: {share:g}": value for k, (share, value) in enumerate(zip(given, seen), 1)}
    plot.bars(ax, names, "percent", limit=limit)
