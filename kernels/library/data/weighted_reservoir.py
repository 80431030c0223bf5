"""Weighted reservoir sampling: how much more often a heavy item is kept, which is its weight only while the sample is small.

    A-Res: each item draws u in (0, 1), its key is u^(1 / w), and the k largest keys are kept     (Efraimidis and Spirakis
    2006, Weighted random sampling with a reservoir, Information Processing Letters 97(5), algorithm A-Res)

That is drawing k times without replacement, each time with the chances w / (sum of the weights left). With two weights
only, heavy and light, the number h of heavy items among the first j is a Markov chain whose next draw is heavy with
probability w (H - h) / (w (H - h) + L - j + h), and its expectation after k steps gives the inclusions exactly.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

LARGEST = 2_000_000  # states in all, so that the chain stays within a second


@kernel(kind="formula", outputs={"heavy": "", "light": "", "ratio": "", "sweep": Series("kept", "")})
def weighted_reservoir(
    k: Annotated[int, Bound(low=1, high=10_000)] = 100,
    n: Annotated[int, Bound(low=2, high=10_000)] = 1000,
    heavy_items: Annotated[int, Bound(low=1, high=9999)] = 100,
    weight: Annotated[float, Bound(low=1.0, high=1000.0)] = 10.0,
):
    """Inclusion probabilities of heavy and of light items (weight 1) in an A-Res sample of k of n, and their ratio.

    sweep: the ratio against k / n.
    """
    if heavy_items >= n or k >= n:
        raise KernelError(f"weighted_reservoir: k ({k}) and heavy_items ({heavy_items}) must be less than n, {n}")
    if n * heavy_items > LARGEST:
        raise KernelError(f"weighted_reservoir: n * heavy_items is {n * heavy_items}, but must be at most {LARGEST}")
    sizes = sorted({1, k, *(min(max(1, round(n * share / 20)), n - 1) for share in range(1, 20)), n - 1})
    kept = dict(zip(range(1, n), inclusions(n - 1, heavy_items, n - heavy_items, weight)))
    return {
        "heavy": kept[k][0],
        "light": kept[k][1],
        "ratio": kept[k][0] / kept[k][1],
        "sweep": {"kept": [size / n for size in sizes], "heavy over light": [kept[size][0] / kept[size][1] for size in sizes]},
    }


def inclusions(draws: int, heavy_items: int, light_items: int, weight: float):
    """After 1, 2, ... draws: the chance of a heavy and of a light item to have been drawn. chance[h] is that of h heavy ones so far."""
    chance = [1.0] + [0.0] * heavy_items
    for j in range(draws):
        fewest = max(0, j - light_items)  # heavy ones among j
        for h in range(min(j, heavy_items), fewest - 1, -1):
            mass = weight * (heavy_items - h)
            up = chance[h] * mass / (mass + light_items - j + h)
            chance[h] -= up
            if h < heavy_items:
                chance[h + 1] += up
        expected = sum(h * p for h, p in enumerate(chance))
        yield expected / heavy_items, (j + 1 - expected) / light_items


@weighted_reservoir.figure
def draw(result, ax):
    from kernels import plot

    weight, share, ratio = result.parameters["weight"], result.parameters["k"] / result.parameters["n"], result["ratio"]
    curve = result["sweep"]
    ax.plot(curve.x, curve.values("heavy over light"), color=plot.ACCENT)
    plot.axes(ax, "share of the stream that is kept", "percent", y_label="kept, heavy over light", xs=(1.0,))
    plot.hline(ax, weight, f"weights: {weight:g} to 1")
    plot.mark(ax, share, ratio, f"{ratio:.1f} at {share:.0%}", where="right above")
    ax.set_ylim(0, weight * 1.15)
    return (
        f"How much more often an item of weight {weight:g} is kept than one of weight 1, against the share of the stream that is kept: "
        f"{curve.values('heavy over light')[0]:.1f} times at first, {ratio:.1f} times at {share:.0%}, nearly 1 where nearly everything is kept."
    )
