"""Reservoir sampling that jumps: a stream of a billion events with some ten thousand random steps.

Algorithm L (Li 1994, Reservoir-sampling algorithms of time complexity O(n (1 + log(N / n))), ACM TOMS 20(4)) thinks of a
random key in (0, 1) for each item and keeps the k smallest. W is the largest key kept: the largest of k uniform numbers,
u^(1/k), at first, and W u^(1/k) after each replacement. The next item whose key is below W comes after a geometric wait:

    skip = floor(ln u / ln(1 - W)) items,  replace a random slot with the one after,  W = W u^(1/k)
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel
from kernels.library.data.reservoir_replacements import reservoir_replacements


@kernel(
    kind="simulation",
    outputs={"replacements": "", "replacements_expected": "", "draws": "", "draws_by_item": "", "saving": "", "sweep": Series("events", "")},
    tolerance=1e-6,
)
def reservoir_skips(
    k: Annotated[int, Bound(low=1, high=5000)] = 1000,
    n: Annotated[int, Bound(low=2, high=1_000_000_000_000)] = 1_000_000_000,
    runs: Annotated[int, Bound(low=1, high=1000)] = 20,
    seed: int = 0,
):
    """How often Algorithm L replaces an item of its reservoir over a whole stream, and how many random numbers it takes.

    draws: random numbers of one stream, mean over the runs; draws_by_item: of Algorithm R, one for each event after the
    fill; saving: their ratio. sweep: replacements up to an event, against k (H - H_k) of that event.
    """
    import torch

    if k >= n:
        raise KernelError(f"reservoir_skips: k is {k}, but must be less than n, {n}")
    random = torch.Generator().manual_seed(seed)
    events = points(k, n)
    passed = torch.tensor(events, dtype=torch.float64)
    counts = torch.zeros(len(events), dtype=torch.float64)
    draws = 0
    for at in entries(k, n, runs, random):
        counts += (at[:, None] <= passed).sum(0)
        draws += 2 * runs if not draws else 0  # the first W and the first skip
        draws += 3 * int((at <= n).sum())  # the slot, the next W, the next skip
    found = (counts / runs).tolist()
    return {
        "replacements": found[-1],
        "replacements_expected": reservoir_replacements(k=k, n=n)["replacements"],
        "draws": draws / runs,
        "draws_by_item": n - k,
        "saving": (n - k) * runs / draws,
        "sweep": {
            "events": events,
            "simulated": found,
            "expected": [reservoir_replacements(k=k, n=at)["replacements"] for at in events],
        },
    }


def entries(k: int, n: int, runs: int, random):
    """For the first, second, ... replacement: at which event it comes in each run, float64 [runs], until all are past n."""
    import torch

    def uniform():
        return 1 - torch.rand(runs, generator=random, dtype=torch.float64)  # in (0, 1]

    at = torch.full((runs,), float(k), dtype=torch.float64)
    log_w = uniform().log() / k
    while True:
        at = at + 1 + (uniform().log() / torch.log(-torch.expm1(log_w))).floor()
        yield at
        if (at > n).all():
            return
        log_w = log_w + uniform().log() / k


def points(k: int, n: int) -> list[int]:
    """Events at which to look: the fill, then four a decade, and the last."""
    found = {k, n}
    at = float(k)
    while (at := at * 10**0.25) < n:
        found.add(round(at))
    return sorted(found)


@reservoir_skips.figure
def draw(result, ax):
    from kernels import plot

    curve, n = result["sweep"], result.parameters["n"]
    plot.lines(ax, curve, xlog=True, labels={"simulated": "", "expected": ""}, highlight="simulated", x_label="events seen", y_label="replacements")
    plot.mark(ax, n, result["replacements_expected"], f"{result['replacements_expected']:,.0f}", where="left")
    return (
        f"Replacements in a reservoir of {result.parameters['k']:,} against the events seen, on a logarithmic axis: a straight line "
        f"from 0 to {result['replacements_expected']:,.0f} at {n:,} events. Simulated and expected lie on each other."
    )
