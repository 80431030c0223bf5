"""How much of a weight update does an adapter of rank r catch? Two updates of a d x d matrix, both of Frobenius norm 1.

    low    k singular values that fall as 1/i, and noise of `noise` times the norm in all directions
    full   a Gaussian matrix: every direction matters about alike

An adapter B A, B zero at the start, learns the update from whitened inputs by Adam: the loss is |D - B A|_F^2. No rank-r matrix gets
below the sum of the squared singular values beyond r (Eckart and Young 1936).
"""

from typing import Annotated

from kernels import Bound, Series, kernel

RANKS = (1, 2, 4, 8, 16, 32, 64)


@kernel(
    kind="simulation",
    outputs={
        **dict.fromkeys(("low_left", "full_left", "low_bound", "full_bound", "low_rank_90", "full_rank_90"), ""),
        "sweep": Series("rank", ""),
    },
    tolerance=1e-3,
)
def low_rank_update(
    d: Annotated[int, Bound(low=16, high=256)] = 128,
    rank: Annotated[int, Bound(low=1, high=64)] = 8,
    directions: Annotated[int, Bound(low=1, high=64)] = 8,
    noise: Annotated[float, Bound(low=0.0, high=1.0)] = 0.1,
    steps: Annotated[int, Bound(low=1, high=5000)] = 400,
    seed: int = 0,
):
    """The share of an update's squared norm that a trained adapter leaves, for an update of few directions and for one of all.

    bound: Eckart and Young's least possible share. rank_90: directions that hold 90 % of the update. sweep: the bounds against rank.
    """
    import torch

    random = torch.Generator().manual_seed(seed)
    updates = {"low": few_directions(d, directions, noise, random), "full": torch.randn(d, d, generator=random, dtype=torch.float64)}
    updates = {name: update / update.norm() for name, update in updates.items()}
    beyond = {name: 1 - torch.linalg.svdvals(update).square().cumsum(0) for name, update in updates.items()}
    ranks = [r for r in RANKS if r < d]
    return {
        **{f"{name}_left": trained(update, rank, steps, seed) for name, update in updates.items()},
        **{f"{name}_bound": left[rank - 1] for name, left in beyond.items()},
        **{f"{name}_rank_90": int((left > 0.1).sum()) + 1 for name, left in beyond.items()},
        "sweep": {
            "rank": ranks,
            **{said: [beyond[name][r - 1] for r in ranks] for name, said in (("full", "many directions"), ("low", "few directions"))},
        },
    }


def few_directions(d: int, directions: int, noise: float, random):
    """float64 [d, d]: orthogonal directions with singular values 1, 1/2, 1/3 .. and Gaussian noise of `noise` times their norm."""
    import torch

    u, v = (torch.linalg.qr(torch.randn(d, directions, generator=random, dtype=torch.float64))[0] for _ in range(2))
    signal = (u / torch.arange(1, directions + 1)) @ v.T
    rest = torch.randn(d, d, generator=random, dtype=torch.float64)
    return signal + noise * signal.norm() * rest / rest.norm()


def trained(update, rank: int, steps: int, seed: int):
    """|D - B A|_F^2 / |D|_F^2 after Adam with a rate that falls to zero as a cosine."""
    import torch

    d = len(update)
    random = torch.Generator().manual_seed(seed + 1)
    a = (torch.randn(rank, d, generator=random, dtype=torch.float64) / d**0.5).requires_grad_()
    b = torch.zeros(d, rank, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([a, b], lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        (update - b @ a).square().sum().backward()
        optimizer.step()
        schedule.step()
    return ((update - b @ a).square().sum() / update.square().sum()).detach()


@low_rank_update.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(
        ax,
        result["sweep"],
        xlog=True,
        unit="percent",
        x_label="rank of the adapter",
        y_label="share of the update out of reach",
        highlight="few directions",
    )
    rank = result.parameters["rank"]
    plot.vline(ax, rank, f"r = {rank}")
    return (
        f"The share of an update that no adapter of a rank can reach. At rank {rank} it is {result['low_bound']:.1%} for an update of few directions "
        f"and {result['full_bound']:.0%} for one of many."
    )
