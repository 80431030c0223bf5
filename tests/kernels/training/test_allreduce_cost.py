"""All-reduces played through message by message: who sends what to whom, and whether everyone has the sum at the end."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from kernels.library.training.allreduce_cost import allreduce_cost

SIZES = [2, 3, 4, 5, 8, 13, 16]


class Cluster:
    """n GPUs that hold n chunks each. A chunk's value is the set of GPUs whose share it contains; a message adds or replaces."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.chunks = [[frozenset([gpu])] * n for gpu in range(n)]
        self.sent: Counter = Counter()
        self.longest = 0
        self.steps: list[int] = []  # the largest message of each step, in chunks

    def step(self, messages: list[tuple[int, int, list[int], bool]]) -> None:
        """(from, to, chunks, add): all at once; nobody sends or receives twice."""
        assert len({m[0] for m in messages}) == len({m[1] for m in messages}) == len(messages)
        arriving = [(to, chunk, self.chunks[source][chunk], add) for source, to, chunks, add in messages for chunk in chunks]
        for to, chunk, value, add in arriving:
            assert not add or not self.chunks[to][chunk] & value, "a share was added twice"
            self.chunks[to][chunk] = self.chunks[to][chunk] | value if add else value
        for source, _, chunks, _ in messages:
            self.sent[source] += len(chunks)
        self.steps.append(max(len(chunks) for *_, chunks, _ in messages))

    @property
    def done(self) -> bool:
        return all(chunk == frozenset(range(self.n)) for gpu in self.chunks for chunk in gpu)


def play(algorithm: str, n: int) -> Cluster:
    cluster, whole = Cluster(n), list(range(n))
    if algorithm == "ring":
        for add in (True, False):
            for k in range(n - 1):
                cluster.step([(g, (g + 1) % n, [(g - k + (0 if add else 1)) % n], add) for g in range(n)])
    elif algorithm == "parameter-server":
        for g in range(1, n):
            cluster.step([(g, 0, whole, True)])
        for g in range(1, n):
            cluster.step([(0, g, whole, False)])
    elif algorithm == "tree":
        depth = math.ceil(math.log2(n))
        for k in range(depth):
            cluster.step([(g, g - 2**k, whole, True) for g in range(n) if g % 2 ** (k + 1) == 2**k])
        for k in reversed(range(depth)):
            cluster.step([(g - 2**k, g, whole, False) for g in range(n) if g % 2 ** (k + 1) == 2**k])
    else:
        own = [list(gpu) for gpu in cluster.chunks]
        for k in range(1, n):  # each sends its own share, kept aside, to the k-th next
            for g in range(n):
                target = (g + k) % n
                cluster.chunks[target] = [a | b for a, b in zip(cluster.chunks[target], own[g])]
                cluster.sent[g] += n
            cluster.steps.append(n)
    return cluster


@pytest.mark.parametrize("gpus", SIZES)
@pytest.mark.parametrize("algorithm", ["naive", "parameter-server", "ring", "tree"])
def test_playing_it_through_costs_the_same(algorithm, gpus):
    size, bandwidth, latency = 1e9 * gpus, 25e9, 5e-6
    cluster = play(algorithm, gpus)
    assert cluster.done
    got = allreduce_cost(gpus=gpus, size=size, bandwidth=bandwidth, latency=latency, algorithm=algorithm)
    chunk = size / gpus
    assert got["sent_per_gpu"] == pytest.approx(chunk * max(cluster.sent.values()))
    assert got["sent_total"] == pytest.approx(chunk * sum(cluster.sent.values()))
    assert got["steps"] == len(cluster.steps)
    assert got["time"] == pytest.approx(sum(latency + chunks * chunk / bandwidth for chunks in cluster.steps))


@pytest.mark.parametrize("gpus", SIZES)
def test_the_ring_meets_the_lower_bound_and_nothing_beats_it(gpus):
    """Patarasuk and Yuan 2009, theorem 1: 2 (n-1)/n of the data from each."""
    sent = {a: allreduce_cost(gpus=gpus, size=1e9, bandwidth=1e9, algorithm=a) for a in ("naive", "parameter-server", "ring", "tree")}
    least = 2 * (gpus - 1) / gpus * 1e9
    assert sent["ring"]["sent_per_gpu"] == pytest.approx(least) == pytest.approx(sent["ring"]["least_per_gpu"])
    assert all(cost["sent_per_gpu"] >= least * (1 - 1e-12) for cost in sent.values())


def test_the_ring_saturates_and_the_tree_wins_where_latency_rules():
    ring = [allreduce_cost(gpus=n, size=1e9, bandwidth=50e9)["time"] for n in (8, 1024)]
    assert ring[1] / ring[0] == pytest.approx((1023 / 1024) / (7 / 8))
    small = {a: allreduce_cost(gpus=256, size=1e3, bandwidth=50e9, latency=1e-5, algorithm=a)["time"] for a in ("ring", "tree")}
    assert small["tree"] < small["ring"] / 10


def test_bus_bandwidth_is_the_links_own_where_there_is_no_latency():
    """nccl-tests, PERFORMANCE.md: bus bandwidth = size / time * 2 (n-1)/n, which a perfect ring makes the link's bandwidth."""
    got = allreduce_cost(gpus=8, size=1e9, bandwidth=450e9)
    assert got["bus_bandwidth"] == pytest.approx(450e9)
