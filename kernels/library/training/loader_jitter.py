"""How busy a GPU is behind workers whose load times vary: every event of so many batches, played out.

As torch's DataLoader does it: batch b belongs to worker b mod w, each worker takes its batches in turn, at most w * prefetch are out at
once (the one that the GPU takes makes room for one more), and the GPU gets them in order. Load times are exponential, or all equal.
"""

from typing import Annotated, Literal

from kernels import Bound, Series, kernel

DEPTHS = (1, 2, 4, 8, 16, 32)


@kernel(
    kind="simulation",
    outputs={"utilisation": "", "limit": "", "step": "s", "deep": "", "deepest": "", "sweep": Series("prefetch", "")},
    tolerance=1e-6,
)
def loader_jitter(
    load: Annotated[float, Bound("s", low=1e-6)] = 0.4,
    compute: Annotated[float, Bound("s", low=1e-6)] = 0.1,
    workers: Annotated[int, Bound(low=1, high=256)] = 4,
    prefetch: Annotated[int, Bound(low=1, high=64)] = 2,
    times: Literal["exponential", "equal"] = "exponential",
    batches: Annotated[int, Bound(low=100, high=100000)] = 20000,
    seed: int = 0,
):
    """Share of time that the GPU computes, with so many batches prefetched per worker, beside the limit of any depth, min(1, w * compute / load).

    load: mean seconds of one worker for one batch. deep: with 8 prefetched per worker, deepest: with 32.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    drawn = -torch.log1p(-torch.rand(batches, generator=random, dtype=torch.float64)) if times == "exponential" else torch.ones(batches)
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
