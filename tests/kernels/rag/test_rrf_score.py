import pytest

from kernels.library.rag.rrf_score import rrf_score


@pytest.mark.oracle("rrf_score", "lists merged in a loop")
@pytest.mark.parametrize("a, b, alone", [(3, 12, 1), (1, 0, 2), (62, 62, 1), (0, 0, 1)])
def test_lists_merged_in_a_loop(a, b, alone):
    lists = [{"x": a, "y": alone}, {"x": b}]
    votes = dict.fromkeys("xy", 0.0)
    for ranks in lists:
        for name, rank in ranks.items():
            votes[name] += 1 / (60 + rank) if rank else 0
    got = rrf_score(rank_a=a, rank_b=b, alone=alone)
    assert got["both"] == pytest.approx(votes["x"]) and got["single"] == pytest.approx(votes["y"])
    assert got["ratio"] == pytest.approx(votes["x"] / votes["y"])


def test_the_worst_pair_is_worth_one():
    worst = int(rrf_score()["worst_pair"])
    assert worst == 62 and rrf_score(rank_a=worst, rank_b=worst)["ratio"] == pytest.approx(1)
