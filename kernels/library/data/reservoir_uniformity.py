"""Is the sample uniform? Four ways to keep k items of a stream of n, run thousands of times side by side.

    reservoir        item i > k draws j in 1..i and overwrites slot j if j <= k   (Vitter 1985, algorithm R)
    replace-always   item i > k overwrites a random slot, so an item survives `age` later ones with (1 - 1/k)^age
    first-k          the reservoir is never touched again
    latest-k         a sliding window

Each run keeps exactly k, so the counts c_i of R runs under uniformity have variance R p (1 - p) with p = k / n, are
correlated by -1 / (n - 1), and sum (c_i - R p)^2 (n - 1) / (n R p (1 - p)) is chi-square with n - 1 degrees of freedom.
"""

import itertools
from typing import Annotated, Literal

from kernels import Bound, KernelError, Series, kernel
from kernels.library.data.reservoir_replacements import reservoir_replacements

POLICIES = ("reservoir", "replace-always", "first-k", "latest-k")
BINS = 50


@kernel(
    kind="simulation",
    outputs={
        "uniform": "",
        "first_half": "",
        "second_half": "",
        "first_k": "",
        "last_k": "",
        "chi_square": "",
        "p_value": "",
        "replacements": "",
        "replacements_expected": "",
        "inclusion": Series("position", ""),
    },
    tolerance=1e-6,
)
def reservoir_uniformity(
    k: Annotated[int, Bound(low=1, high=1000)] = 10,
    n: Annotated[int, Bound(low=2, high=20_000)] = 1000,
    runs: Annotated[int, Bound(low=100, high=10_000)] = 4000,
    policy: Literal["reservoir", "replace-always", "first-k", "latest-k"] = "reservoir",
    seed: int = 0,
):
    """How often each position of a stream ends in the sample, by policy: halves, ends, a chi-square test and the replacements.

    uniform: k / n, the frequency that each position should have. replacements: after the fill, mean over the runs;
    expected for the reservoir k (H_n - H_k). inclusion: mean frequency over up to 50 stretches of the stream (position:
    the stretch's middle), a line for the asked policy and for the two that fail.
    """
    import torch

    if k >= n:
        raise KernelError(f"reservoir_uniformity: k is {k}, but must be less than n, {n}")
    kept = {name: sampled(name, k, n, runs, seed) for name in dict.fromkeys((policy, "reservoir", "replace-always"))}
    counts, replacements = kept[policy]
    p = k / n
    chi_square = (counts - runs * p).square().sum() * (n - 1) / (n * runs * p * (1 - p))
    edges = torch.linspace(0, n, min(n, BINS) + 1).round().long().tolist()
    stretches = list(itertools.pairwise(edges))
    return {
        "uniform": p,
        "first_half": counts[: n // 2].mean() / runs,
        "second_half": counts[n // 2 :].mean() / runs,
        "first_k": counts[:k].mean() / runs,
        "last_k": counts[-k:].mean() / runs,
        "chi_square": chi_square,
        "p_value": torch.special.gammaincc(torch.tensor((n - 1) / 2, dtype=torch.float64), chi_square / 2),
        "replacements": replacements / runs,
        "replacements_expected": {
            "reservoir": reservoir_replacements(k=k, n=n)["replacements"],
            "replace-always": n - k,
            "first-k": 0,
            "latest-k": n - k,
        }[policy],
        "inclusion": {
            "position": [(low + 1 + high) / 2 for low, high in stretches],
            **{name: [counts[low:high].mean() / runs for low, high in stretches] for name, (counts, _) in kept.items()},
        },
    }


def sampled(policy: str, k: int, n: int, runs: int, seed: int):
    """How many runs end with each of the n positions in their sample, float64 [n], and the replacements of all runs together."""
    import torch

    random = torch.Generator().manual_seed(seed)
    slots = torch.arange(k).repeat(runs, 1)  # [runs, k]: the position that each slot holds
    flat, row = slots.view(-1), k * torch.arange(runs)
    replacements = 0
    for item in range(k, n if policy != "first-k" else k):
        if policy == "latest-k":
            slot = torch.tensor(item % k)
        else:
            choices = item + 1 if policy == "reservoir" else k
            slot = (choices * torch.rand(runs, generator=random, dtype=torch.float64)).long()
        hit = (row + slot)[(slot < k).expand(runs)]
        flat[hit] = item
        replacements += len(hit)
    return torch.bincount(flat, minlength=n).double(), replacements


@reservoir_uniformity.figure
def draw(result, ax):
    from kernels import plot

    curve, uniform = result["inclusion"], result["uniform"]
    policy = result.parameters["policy"]
    labels = {policy: ""} if policy.endswith("-k") else {}  # one stretch only, which is marked
    plot.lines(ax, curve, ylog=True, unit="percent", labels=labels, x_label="position in the stream", y_label="runs that keep it", highlight=policy)
    if labels:
        top = max(range(len(curve.x)), key=lambda i: curve.values(policy)[i])
        plot.mark(ax, curve.x[top], curve.values(policy)[top], policy, color=plot.ACCENT)
    plot.hline(ax, uniform, f"uniform: {plot.show(uniform, 'percent')}")
    ends = ", ".join(f"{name} {plot.show(curve.values(name)[-1], 'percent')}" for name in curve.lines)
    return f"How often each position of the stream is kept. Uniform is {plot.show(uniform, 'percent')}. At the end of the stream: {ends}."
