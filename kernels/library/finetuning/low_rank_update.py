"""How much of a weight update can an adapter of rank r hold? That depends on how fast the update's singular values fall.

A d x d update with singular values s_i = i^-decay: no matrix of rank r comes nearer than the sum of the squared values beyond r
(Eckart and Young 1936), which is of the whole the share

    1 - sum_{i <= r} i^(-2 decay) / sum_{i <= d} i^(-2 decay).

decay 0 is an update that moves every direction alike, 1/2 one whose directions go on mattering, 1 one of few directions.
"""

from typing import Annotated

from kernels import Bound, KernelError, Series, kernel

DECAYS = {"all alike": 0.0, "as 1/√i": 0.5, "as 1/i": 1.0}


@kernel(kind="formula", outputs={"left": "", "caught": "", "rank_90": "", "sweep": Series("rank", "")})
def low_rank_update(
    d: Annotated[int, Bound(low=2, high=65536)] = 4096,
    rank: Annotated[int, Bound(low=1, high=65536)] = 8,
    decay: Annotated[float, Bound(low=0.0, high=4.0)] = 1.0,
):
    """The share of a d x d update's squared norm that no adapter of the rank can hold, for singular values that fall as i^-decay.

    rank_90: the least rank that holds 90 % of it. sweep: the share out of reach against the rank, for three decays.
    """
    if rank > d:
        raise KernelError(f"low_rank_update: rank is {rank}, but must be at most d, {d}")
    left = beyond(d, decay)
    ranks = sorted({2**i for i in range(17) if 2**i < d} | {rank})
    swept = {name: beyond(d, each) for name, each in DECAYS.items()}
    return {
        "left": left[rank - 1],
        "caught": 1 - left[rank - 1],
        "rank_90": next(i for i, share in enumerate(left, 1) if share <= 0.1 + 1e-12),
        "sweep": {"rank": ranks, **{name: [shares[r - 1] for r in ranks] for name, shares in swept.items()}},
    }


def beyond(d: int, decay: float) -> list[float]:
    """The share of the squared norm beyond rank 1, 2, .. d."""
    squares = [i ** (-2 * decay) for i in range(1, d + 1)]
    rest, shares = 0.0, [0.0] * d
    for i in range(d - 1, 0, -1):
        rest += squares[i]
        shares[i - 1] = rest
    whole = rest + squares[0]
    return [share / whole for share in shares]


@low_rank_update.figure
def draw(result, ax):
    from kernels import plot

    curve = result["sweep"]
    plot.lines(ax, curve, xlog=True, unit="percent", x_label="rank of the adapter", y_label="share of the update out of reach", highlight="as 1/i")
    rank = result.parameters["rank"]
    plot.vline(ax, rank, f"r = {rank}")
    at = list(curve.x).index(rank)
    said = ", ".join(f"{curve.values(name)[at]:.0%} where singular values are {name}" for name in curve.lines)
    return f"The share of an update that no adapter of a rank can hold. At rank {rank} it is {said}."
