"""How busy a GPU is behind workers whose load times vary: every event of so many batches, played out.

As torch's DataLoader does it: batch b belongs to worker b mod w, each worker takes its batches in turn, at most w * prefetch are out at
once (the one that the GPU takes makes room for one more), and the GPU gets them in order. Load times are all equal, exponential, or lognormal with
a standard deviation of 1.3 times their mean (exp(s), s of deviation 1); the mean is the same.
"""

import itertools
import math
from typing import Annotated, Literal

from kernels import Bound, Free, Series, kernel

DEPTHS = (1, 2, 4, 8, 16, 32)
DEVIATIONS = {"equal": 0.0, "exponential": 1.0, "lognormal": math.sqrt(math.e - 1)}  # of a load time, over its mean


@kernel(
    kind="simulation",
    outputs={"utilisation": "", "limit": "", "step": "s", "deep": "", "deepest": "", "sweep": Series("prefetch", "")},
    tolerance=1e-6,
)
def loader_jitter(
    load: Annotated[float, Bound("s", low=1e-6, high=3600.0)] = 0.4,
    compute: Annotated[float, Bound("s", low=1e-6, high=3600.0)] = 0.1,
    workers: Annotated[int, Bound(low=1, high=256)] = 4,
    prefetch: Annotated[int, Bound(low=1, high=64)] = 2,
    times: Annotated[Literal["exponential", "equal", "lognormal"], Free("equal", "exponential", "lognormal")] = "exponential",
    batches: Annotated[int, Bound(low=100, high=100000)] = 20000,
    seed: int = 0,
):
    """Share of time that the GPU computes, with so many batches prefetched per worker, beside the limit of any depth, min(1, w * compute / load).

    load: mean seconds of one worker for one batch. deep: with 8 prefetched per worker, deepest: with 32. times: the distribution of load times, which
    depends on files and storage; from no spread at all to a long tail, so it is free between these.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    if times == "exponential":
        drawn = -torch.log1p(-torch.rand(batches, generator=random, dtype=torch.float64))
    elif times == "lognormal":
        drawn = (torch.randn(batches, generator=random, dtype=torch.float64) - 0.5).exp()
    else:
        drawn = torch.ones(batches, dtype=torch.float64)
    loads = (drawn * load).tolist()
    found = {depth: play(loads, compute, workers, depth) for depth in sorted({*DEPTHS, prefetch})}
    return {
        "utilisation": compute / found[prefetch],
        "limit": min(1.0, workers * compute / load),
        "step": found[prefetch],
        "deep": compute / found[8],
        "deepest": compute / found[32],
        "sweep": {"prefetch": list(found), "GPU busy": [compute / step for step in found.values()]},
    }


@loader_jitter.invariant
def depth_helps_and_no_depth_passes_the_limit(result):
    """More batches prefetched never make the GPU less busy, and it is busy no longer than compute and workers allow, up to the sample's mean."""
    busy = [point.value for point in result["sweep"].lines["GPU busy"]]
    rises = all(later >= earlier * (1 - 1e-9) for earlier, later in itertools.pairwise(busy))
    chance = math.exp(5 * DEVIATIONS[result.parameters["times"]] / math.sqrt(result.parameters["batches"]))
    return rises and busy[-1] <= min(1.0, chance * result["limit"]) + 1e-9


def play(loads: list[float], compute: float, workers: int, prefetch: int) -> float:
    """Mean seconds of a step."""
    taken: list[float] = []  # when the GPU took each batch
    free = [0.0] * workers
    done = 0.0
    for batch, load in enumerate(loads):
        room = taken[batch - workers * prefetch] if batch >= workers * prefetch else 0.0
        worker = batch % workers
        free[worker] = max(free[worker], room) + load
        taken.append(max(done, free[worker]))
        done = taken[-1] + compute
    return done / len(loads)


@loader_jitter.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax,
        result["sweep"],
        xlog=True,
        unit="percent",
        labels={"GPU busy": ""},
        x_label="batches prefetched per worker",
        y_label="GPU busy",
        highlight="GPU busy",
    )
    plot.hline(ax, result["limit"], f"limit: {plot.show(result['limit'], 'percent')}")
    plot.height(ax, 180)
