"""The cache of latent attention against the DeepSeek-V2 paper (arXiv 2405.04434), and its FLOP against torch's counter."""

from __future__ import annotations

import pytest

from kernels import plot
from kernels.library.inference.mla_cache import mla_cache


def test_the_cache_is_that_of_a_gqa_with_two_and_a_quarter_groups():
    """Table 1: (d_c + d_R) l, about 9/2 d_h l, "equal to GQA with only 2.25 groups"."""
    got = mla_cache()
    assert got["mla_as_groups"] == 2.25
    assert got["mla_numbers"] == 576 == 4.5 * 128


def test_against_deepseek_67b_the_cache_shrinks_by_93_percent():
    """Abstract: 93.3 % less. The older model has 95 layers and 8 key-value heads; section 3.2.3: the new one stores 6 bits on average."""
    old, new = mla_cache(layers=95, kv_heads=8)["gqa_per_token"], mla_cache(bits=6)["mla_per_token"]
    assert 1 - new / old == pytest.approx(0.933, abs=0.0005)
    assert 1 - mla_cache()["mla_per_token"] / old == pytest.approx(0.822, abs=0.0005)


@pytest.mark.parametrize(("heads", "head_dim", "latent", "rope"), [(128, 128, 512, 64), (4, 8, 32, 4)])
def test_torch_counts_the_same_flops(heads, head_dim, latent, rope):
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    from kernels.library.inference.mla_absorb import Layer

    got = mla_cache(heads=heads, head_dim=head_dim, latent=latent, rope=rope)
    tokens = 48
    with torch.device("meta"):
        layer = Layer(tokens, 1, heads, head_dim, latent, rope, "bf16", "meta")

    def counted(call):
        with FlopCounterMode(display=False) as counter:
            call()
        return counter.get_total_flops()

    made = mla_cache(heads=heads, head_dim=head_dim, latent=latent, rope=rope, tokens=tokens, batch=1)
    assert made["layer_latents"] == layer.cache.numel() * 2
    assert made["layer_keys_values"] == sum(t.numel() for t in layer.expand()) * 2
    assert counted(layer.absorbed) == got["query_flops"] + tokens * got["absorbed_flops"]
    assert counted(layer.expand) == tokens * got["expand_flops"]
    assert counted(layer.expanded) == tokens * (got["expand_flops"] + got["naive_flops"])


def test_break_even_is_where_both_ways_cost_the_same():
    got = mla_cache()
    n = got["break_even_queries"]
    assert n * got["absorbed_flops"] == pytest.approx(got["expand_flops"] + n * got["naive_flops"])


def test_the_figure():
    drawn = plot.draw(mla_cache, mla_cache())
    assert "MHA: 3.93 MB" in drawn.alt and "MLA: 69.1 kB" in drawn.alt
