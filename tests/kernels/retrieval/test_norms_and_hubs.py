"""Oracles: ranks by sorting in Python, and neighbours counted by comparing every pair."""

import math

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.retrieval.hub_counts import K, counted, hub_counts
from kernels.library.retrieval.norm_spread import norm_spread


def similarity(measure: str, a: list[float], b: list[float]) -> float:
    if measure == "euclidean":
        return -math.dist(a, b)
    dot = sum(p * q for p, q in zip(a, b))
    return dot / (math.hypot(*a) * math.hypot(*b)) if "cosine" in measure else dot


@pytest.mark.parametrize("measure", ["cosine", "centred cosine", "euclidean", "dot"])
def test_neighbours_counted_pair_by_pair(measure):
    got = counted(7, measure, 0.5, 60, torch.Generator().manual_seed(3)).tolist()
    x = torch.randn(60, 7, generator=torch.Generator().manual_seed(3), dtype=torch.float64) / math.sqrt(7)
    x[:, 0] += 0.5
    rows = (x - x.mean(0) if measure == "centred cosine" else x).tolist()
    count = [0] * 60
    for i, a in enumerate(rows):
        scores = sorted(((similarity(measure, a, b), j) for j, b in enumerate(rows) if j != i), reverse=True)
        for _, j in scores[:K]:
            count[j] += 1
    assert got == count


def test_hubs_come_with_dimension_and_go_with_the_centre():
    low, high = hub_counts(dimension=3, points=400), hub_counts(dimension=300, points=400)
    assert low["largest"] < 30 < high["largest"] and high["never"] > low["never"]
    cone, centred = (hub_counts(measure=m, offset=1.0, points=400)["largest"] for m in ("cosine", "centred cosine"))
    assert centred < 30 < cone


def test_ranks_by_sorting():
    """The same draws ranked in Python."""
    got = norm_spread(vectors=300, dimension=8, queries=3, spread=0.3, cosine_of_the_ten=0.7, seed=2)
    random = torch.Generator().manual_seed(2)
    points = torch.nn.functional.normalize(torch.randn(300, 8, generator=random), dim=1)
    logs = torch.randn(300, generator=random).tolist()
    shares = []
    for _ in range(3):
        query = torch.nn.functional.normalize(torch.randn(8, generator=random), dim=0)
        cosine = [0.7] * 10 + (points @ query).tolist()[10:]
        by_cosine = sorted(zip(cosine, range(300)), reverse=True)[:10]
        by_dot = sorted(((math.exp(0.3 * log) * c, i) for i, (log, c) in enumerate(zip(logs, cosine))), reverse=True)[:10]
        shares.append(len({i for _, i in by_cosine} & {i for _, i in by_dot}) / 10)
    assert got["overlap"] == pytest.approx(sum(shares) / 3, abs=0.04)  # a tie at 0.7 may go either way in float32


def test_longer_tails_take_more_places():
    one, three = norm_spread(spread=0.1, queries=10), norm_spread(spread=0.3, queries=10)
    assert three["overlap"] < one["overlap"] < 1 and three["long_share"] > one["long_share"] > 0.1
    assert norm_spread(cosine_of_the_ten=0.8, queries=10)["overlap"] > three["overlap"]


def test_a_crowd_in_few_dimensions_comes_close():
    """Its largest cosine is where a uniform direction exceeds it once in n draws; a ten at 0.8 loses more places to it than in many dimensions."""
    crowded = norm_spread(vectors=20_000, dimension=32, cosine_of_the_ten=0.8, queries=10)
    t = torch.linspace(0, 1, 100_001, dtype=torch.float64)
    density = (1 - t * t) ** ((32 - 3) / 2)
    beyond = 0.5 * (1 - density.cumsum(0) / density.sum())
    assert crowded["best_other"] == pytest.approx(float(t[(beyond > 1 / 20_000).sum()]), abs=0.03)
    assert crowded["overlap"] < 0.6 < norm_spread(vectors=20_000, dimension=512, cosine_of_the_ten=0.8, queries=3)["overlap"]


def test_figures():
    assert plot.draw(norm_spread, norm_spread(queries=3, vectors=500)).alt and plot.draw(hub_counts, hub_counts(points=100)).alt
