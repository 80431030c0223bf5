import pytest

from kernels.library.rag.rank_fusion import rank_fusion
from kernels.library.rag.recall_at_k import recall_at_k


def test_one_ranker_is_that_of_the_closed_form():
    got = [rank_fusion(seed=s, documents=1001, separation=3.0) for s in range(3)]
    want = recall_at_k(k=10, chunks=1000, separation=3.0)["recall"]
    assert sum(g["first"] for g in got) / 3 == pytest.approx(want, abs=0.05)


def test_two_that_are_one():
    """With a correlation of 1 both lists are the same, and merging changes nothing."""
    got = rank_fusion(seed=1, documents=500, correlation=1.0)
    assert got["first"] == got["second"] == got["either"] == got["fused"] == got["summed"]


def test_fusion_by_a_loop_over_dictionaries():
    """The lists merged as a search engine does it, over the first query's ranks."""
    import torch

    documents, hits = 300, 0
    numbers = torch.Generator().manual_seed(0)
    torch.randn(1, 300, documents, generator=numbers)
    own = torch.randn(2, 300, documents, generator=numbers)
    own[:, :, 0] += 2.0
    for query in range(300):
        votes: dict[int, float] = {}
        for ranker in range(2):
            order = sorted(range(documents), key=lambda d: -float(own[ranker, query, d]))
            for rank, document in enumerate(order[:100], 1):
                votes[document] = votes.get(document, 0.0) + 1 / (60 + rank)
        top = sorted(votes, key=lambda d: -votes[d])[:10]
        hits += 0 in top
    got = rank_fusion(seed=0, documents=documents, separation=2.0)
    assert got["fused"] == pytest.approx(hits / 300, abs=0.011)


def test_a_blind_second_ranker_finds_what_chance_finds():
    got = [rank_fusion(seed=s, documents=500, weaker=8.0)["second"] for s in range(4)]
    assert sum(got) / 4 == pytest.approx(10 / 500, abs=0.02)
