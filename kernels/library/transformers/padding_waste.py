"""Which share of a batch's places is padding: fixed length, longest of the batch, bucketed by length, and packed.

    fixed      every row has `longest` places
    dynamic    every row has as many as its batch's longest; batches drawn at random
    bucketed   the same, but pools of `pool` batches are sorted by length first (transformers: get_length_grouped_indices)
    sorted     the same, with everything sorted at once
    packed     several texts share a row of `longest` places, best fit, longest first (Krell et al. 2021, arXiv 2107.02027)

Lengths are lognormal, exp(ln median + spread z), rounded, at least 1 and cut at `longest`; or uniform in their logarithm
from `shortest` to `longest`.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import Counter
from statistics import NormalDist
from typing import Annotated, Literal

from kernels import Bound, Free, KernelError, Series, kernel

SPREADS = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5)
WAYS = ("fixed", "dynamic", "bucketed", "packed")


@kernel(
    kind="simulation",
    outputs={
        "mean": "token",
        "batch_longest": "token",
        "cut": "",
        **dict.fromkeys(("fixed", "dynamic", "bucketed", "sorted", "packed"), ""),
        **dict.fromkeys(("saved_dynamic", "saved_bucketed", "saved_packed"), ""),
        **dict.fromkeys(("fixed_scores", "dynamic_scores", "bucketed_scores"), ""),
        "sweep": Series("spread", ""),
    },
    tolerance=1e-6,
)
def padding_waste(
    median: Annotated[float, Bound("token", low=1, high=1_000_000), Free(40.0, 200.0)] = 120.0,
    spread: Annotated[float, Bound(low=0.01, high=5), Free(0.4, 1.2)] = 0.8,
    longest: Annotated[int, Bound("token", low=1, high=100_000)] = 512,
    shortest: Annotated[int, Bound("token", low=1, high=100_000)] = 1,
    lengths: Literal["lognormal", "log-uniform"] = "lognormal",
    batch: Annotated[int, Bound(low=1, high=1024), Free(8, 128)] = 32,
    batches: Annotated[int, Bound(low=1, high=5000)] = 400,
    pool: Annotated[int, Bound(low=1, high=5000)] = 50,
    seed: int = 0,
):
    """The wasted share of places for each way; saved: places less than fixed; scores: wasted share of the square score matrices.

    mean: a text's length, batch_longest: the mean over random batches of their longest. cut: the share of texts longer than `longest`, in closed
    form. sweep: waste over the spread (lognormal). Free, as corpora and GPUs differ: median from chat turns of 40 tokens to paragraphs of 200; spread
    from 0.4, texts of one kind, to 1.2, short and long ones mixed; batch from 8 to 128 texts. pool is that of transformers.
    """
    if not shortest <= longest:
        raise KernelError(f"padding_waste: shortest is {shortest}, but must be at most longest, {longest}")

    def drawn(spread: float):
        return draw_lengths(lengths, batch * batches, median, spread, shortest, longest, seed)

    rows = drawn(spread)
    squares = (rows.double() ** 2).sum().item()
    waste = wastes(rows, longest, batch, pool)
    scores = {way: 1 - squares / (padded.double() ** 2).sum().item() for way, padded in places(rows, longest, batch, pool).items()}
    swept = [wastes(drawn(s), longest, batch, pool) for s in SPREADS] if lengths == "lognormal" else []
    return {
        "mean": rows.double().mean().item(),
        "cut": 1 - NormalDist(math.log(median), spread).cdf(math.log(longest + 0.5)) if lengths == "lognormal" else 0.0,
        "batch_longest": rows.view(-1, batch).amax(1).double().mean().item(),
        **waste,
        **{f"saved_{way}": 1 - (1 - waste["fixed"]) / (1 - waste[way]) for way in WAYS[1:]},
        **{f"{way}_scores": scores[way] for way in WAYS[:3]},
        "sweep": {"spread": list(SPREADS) if swept else [spread], **{way: [w[way] for w in swept or [waste]] for way in WAYS}},
    }


@padding_waste.invariant
def each_way_wastes_less_than_the_one_before(result):
    """Padding to the maximum wastes most, then to the batch's longest, then in pools sorted by length, then with everything sorted."""
    return 1 > result["fixed"] >= result["dynamic"] >= result["bucketed"] >= result["sorted"] >= 0 and result["packed"] >= 0


def draw_lengths(kind: str, count: int, median: float, spread: float, shortest: int, longest: int, seed: int):
    """int64 [count]."""
    import torch

    random = torch.Generator().manual_seed(seed)
    if kind == "lognormal":
        z = torch.randn(count, generator=random, dtype=torch.float64)
        return (math.log(median) + spread * z).exp().round().long().clamp(shortest, longest)
    u = torch.rand(count, generator=random, dtype=torch.float64)
    return (math.log(shortest) + u * math.log(longest / shortest)).exp().round().long()


def places(rows, longest: int, batch: int, pool: int):
    """The places of every row by way of padding, each int64 [rows] (in the order of the batches)."""
    import torch

    def to_longest(order):
        return order.view(-1, batch).amax(1, keepdim=True).expand(-1, batch)

    pools = [part.sort(descending=True).values for part in rows.split(pool * batch)]
    return {
        "fixed": torch.full_like(rows, longest),
        "dynamic": to_longest(rows),
        "bucketed": to_longest(torch.cat(pools)),
        "sorted": to_longest(rows.sort(descending=True).values),
    }


def wastes(rows, longest: int, batch: int, pool: int) -> dict[str, float]:
    tokens = rows.sum().item()
    shares = {way: 1 - tokens / padded.sum().item() for way, padded in places(rows, longest, batch, pool).items()}
    return {**shares, "packed": 1 - tokens / (longest * packed_rows(rows.tolist(), longest))}


def packed_rows(texts: list[int], room: int) -> int:
    """How many rows of `room` places best fit needs, longest text first; rows with the same room left are counted together."""
    counts = [0] * (room + 1)
    for text in texts:
        counts[text] += 1
    free: Counter[int] = Counter()  # free[r]: rows with r places left
    spaces: list[int] = []  # the r that occur, in order

    def add(space: int, rows: int) -> None:
        if not free[space]:
            insort(spaces, space)
        free[space] += rows

    for length in range(room, 0, -1):
        left = counts[length]
        while left and (at := bisect_left(spaces, length)) < len(spaces):
            space = spaces[at]
            moved = min(left, free[space])
            free[space] -= moved
            if not free[space]:
                del spaces[at]
            add(space - length, moved)
            left -= moved
        full, rest = divmod(left, room // length)
        for rows, texts_each in ((full, room // length), (1, rest)):
            if rows and texts_each:
                add(room - texts_each * length, rows)
    return sum(free.values())


@padding_waste.figure
def draw(result, ax):
    from kernels import plot

    if result.parameters["lengths"] == "log-uniform":
        names = {"fixed": "to the maximum", "dynamic": "to the batch's longest", "bucketed": "bucketed", "packed": "packed"}
        plot.bars(ax, {names[way]: result[way] for way in WAYS}, "percent", highlight="bucketed")
        return None
    names = {"bucketed": "bucketed, packed", "packed": ""}  # the two lie on each other
    plot.lines(ax, result["sweep"], unit="percent", x_label="spread of log length", y_label="places wasted", highlight="dynamic", labels=names)
    return None
