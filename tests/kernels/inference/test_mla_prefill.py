import pytest

from kernels import plot
from kernels.library.inference.mla_cache import mla_cache
from kernels.library.inference.mla_prefill import mla_prefill


@pytest.mark.oracle("mla_prefill", "pairs of queries and keys counted one by one")
def test_pairs_counted_one_by_one():
    own, new, prefix = mla_cache(), 37, 50
    pairs = sum(prefix + 1 + place for place in range(new))
    got = mla_prefill(new=new, prefix=prefix)
    assert got["absorbed"] == new * own["query_flops"] + pairs * own["absorbed_flops"]
    assert got["rebuilt"] == (prefix + new) * own["expand_flops"] + pairs * own["naive_flops"]


@pytest.mark.parametrize("new", [1, 100, 4096])
def test_without_a_prefix_rebuilding_is_cheaper_from_the_first_token(new):
    assert mla_prefill(new=new)["absorbed_over_rebuilt"] > 1 and mla_prefill(new=new)["break_even"] == 0


@pytest.mark.parametrize("prefix", [16, 1000, 100_000])
def test_break_even_is_where_both_cost_the_same(prefix):
    even = mla_prefill(prefix=prefix)["break_even"]
    below, above = (mla_prefill(new=int(even) + more, prefix=prefix)["absorbed_over_rebuilt"] for more in (0, 1))
    assert below <= 1 <= above


def test_behind_a_long_prefix_it_is_that_of_queries_alone():
    assert mla_prefill(prefix=10**7)["break_even"] == pytest.approx(mla_cache()["break_even_queries"], rel=1e-3)


def test_the_figure():
    assert "prefix" in plot.draw(mla_prefill, mla_prefill()).alt
