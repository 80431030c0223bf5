import itertools

import pytest

from kernels import KernelError, plot
from kernels.library.agents.pass_at_k import pass_at_k


@pytest.mark.oracle("pass_at_k", "every set of k tries, looked at one by one")
@pytest.mark.parametrize(("tries", "successes", "k"), [(8, 5, 4), (10, 3, 2), (6, 0, 3), (6, 6, 3), (7, 1, 7)])
def test_every_set_of_tries(tries, successes, k):
    sets = list(itertools.combinations([True] * successes + [False] * (tries - successes), k))
    got = pass_at_k(tries=tries, successes=successes, k=k)
    assert got["any"] == pytest.approx(sum(map(any, sets)) / len(sets))
    rate = successes / tries
    assert got["plugged_any"] == pytest.approx(1 - (1 - rate) ** k) and got["plugged_all"] == pytest.approx(rate**k)
    assert got["all"] == pytest.approx(sum(map(all, sets)) / len(sets))


def test_it_is_unbiased_and_plugging_is_not():
    """Over all numbers of successes that n = 8 tries at p = 0.3 may give, weighted by their chances."""
    from math import comb

    weights = [comb(8, c) * 0.3**c * 0.7 ** (8 - c) for c in range(9)]
    means = {
        name: sum(w * pass_at_k(tries=8, successes=c, k=4)[name] for c, w in enumerate(weights))
        for name in ("any", "all", "plugged_any", "plugged_all")
    }
    assert means["any"] == pytest.approx(1 - 0.7**4) and means["all"] == pytest.approx(0.3**4)
    assert means["plugged_any"] < means["any"] - 0.02 and means["plugged_all"] > means["all"] + 0.005


def test_what_makes_no_sense():
    with pytest.raises(KernelError, match="at most tries"):
        pass_at_k(tries=3, successes=4)
    with pytest.raises(KernelError, match="fewer tries cannot tell"):
        pass_at_k(tries=3, successes=1, k=4)


def test_the_curve_and_the_figure():
    got = pass_at_k()
    assert got["sweep"].values("all")[3] == pytest.approx(got["all"]) and len(pass_at_k(tries=1000, successes=10, k=1)["sweep"].x) < 50
    assert "pass@k" in plot.draw(pass_at_k, got).alt
