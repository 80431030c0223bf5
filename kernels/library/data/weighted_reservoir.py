"""Weighted reservoir sampling: how much more often a heavy item is kept, which is its weight only while the sample is small.

    A-Res: each item draws u in (0, 1), its key is u^(1 / w), and the k largest keys are kept     (Efraimidis and Spirakis
    2006, Weighted random sampling with a reservoir, Information Processing Letters 97(5), algorithm A-Res)

That is drawing k times without replacement, each time with the chances w / (sum of the weights left). With two weights
only, heavy and light, the number h of heavy items among the first j is a Markov chain whose next draw is heavy with
probability w (H - h) / (w (H - h) + L - j + h), and its expectation after k steps gives the inclusions exactly.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

LARGEST = 20_000_000  # keys in all, so that a run stays within seconds


@kernel(
    kind="simulation",
    outputs={"heavy": "", "light": "", "ratio": "", "ratio_exact": "", "heavy_exact": "", "light_exact": "", "sweep": Series("kept", "")},
    tolerance=1e-6,
)
def weighted_reservoir(
    k: Annotated[int, Bound(low=1, high=5000)] = 100,
    n: Annotated[int, Bound(low=2, high=10_000)] = 1000,
    heavy_items: Annotated[int, Bound(low=1, high=9999)] = 100,
    weight: Annotated[float, Bound(low=1.0, high=1000.0)] = 10.0,
    runs: Annotated[int, Bound(low=10, high=10_000)] = 2000,
    seed: int = 0,
):
    """Inclusion frequencies of heavy and of light items (weight 1) in an A-Res sample of k of n, and their ratio.

    exact: of successive draws without replacement, by the Markov chain. sweep: the exact ratio against k / n.
    """
    import torch

    light_items = n - heavy_items
    if heavy_items >= n or k >= n:
        raise KernelError(f"weighted_reservoir: k ({k}) and heavy_items ({heavy_items}) must be less than n, {n}")
    if runs * n > LARGEST:
        raise KernelError(f"weighted_reservoir: runs * n is {runs * n}, but must be at most {LARGEST}")
    random = torch.Generator().manual_seed(seed)
    weights = torch.ones(n, dtype=torch.float64)
    weights[torch.randperm(n, generator=random)[:heavy_items]] = weight  # A-Res does not mind where they come
    kept = sum(sampled(weights, k, random) for _ in range(runs)) / runs
    heavy, light = kept[weights == weight].mean() if weight > 1 else kept.mean(), kept[weights == 1].mean()
    sizes = sorted({1, k, *(round(n * share / 20) or 1 for share in range(1, 20)), n - 1})
    exact = dict(zip(range(1, n), inclusions(n - 1, heavy_items, light_items, weight)))
    return {
        "heavy": heavy,
        "light": light,
        "ratio": heavy / light,
        "heavy_exact": exact[k][0],
        "light_exact": exact[k][1],
        "ratio_exact": exact[k][0] / exact[k][1],
        "sweep": {"kept": [size / n for size in sizes], "heavy over light": [exact[size][0] / exact[size][1] for size in sizes]},
    }


def sampled(weights, k: int, random):
    """One A-Res sample: 1.0 for the k items of the largest keys, in logarithms, log(u) / w, which no large weight rounds to 1."""
    import torch

    keys = torch.rand(len(weights), generator=random, dtype=torch.float64).log() / weights
    return torch.zeros_like(weights).index_fill_(0, keys.topk(k).indices, 1.0)


def inclusions(draws: int, heavy_items: int, light_items: int, weight: float):
    """After 1, 2, ... draws: the chance of a heavy and of a light item to have been drawn. chance[h] is that of h heavy ones so far."""
    import torch

    h = torch.arange(heavy_items + 1, dtype=torch.float64)
    chance = (h == 0).double()
    for j in range(draws):
        light_left = (light_items - j + h).clamp(min=0.0)
        mass = weight * (heavy_items - h)
        next_heavy = torch.where(chance > 0, mass / (mass + light_left).clamp(min=1.0), 0.0)
        up = chance * next_heavy
        chance = chance - up
        chance[1:] += up[:-1]
        expected = (chance * h).sum().item()
        yield expected / heavy_items, (j + 1 - expected) / light_items


@weighted_reservoir.figure
def draw(result, ax):
    from kernels import plot

    weight, share, ratio = result.parameters["weight"], result.parameters["k"] / result.parameters["n"], result["ratio_exact"]
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
