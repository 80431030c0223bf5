import pytest

from kernels import plot
from kernels.library.transformers.ring_attention import ring_attention


@pytest.mark.oracle("ring_attention", "arXiv 2310.01889, table 2: 1.0 thousand tokens for an A100's NVLink")
def test_the_papers_block_of_an_a100():
    got = ring_attention(cluster="dgx-a100", path="inside")
    assert round(got["block"] / 1e3, 1) == 1.0
    assert got["block"] == pytest.approx(got["rate"] / got["link"])  # F / B, the paper's condition


@pytest.mark.parametrize("kv_heads, causal", [(32, False), (8, False), (8, True)])
@pytest.mark.oracle("ring_attention", "a ring played out: the products of each pair and the bytes of each vector, counted")
def test_a_ring_played_out(kv_heads, causal):
    c, heads, head_dim = 64, 32, 128
    got = ring_attention(tokens=c, kv_heads=kv_heads, causal=causal)
    pairs = c * c / (2 if causal else 1)
    flops = sum(2 * 2 * head_dim * pairs for _ in range(heads))  # scores and values, a multiply-add each
    sent = sum(2 * head_dim * c for _ in range(2 * kv_heads))  # keys and values, two bytes each
    assert got["products"] == pytest.approx(flops / got["rate"]) and got["sending"] == pytest.approx(sent / got["link"])
    assert got["ratio"] == pytest.approx(got["sending"] / got["products"])


def test_at_the_block_both_take_as_long():
    block = ring_attention()["block"]
    got = ring_attention(tokens=round(block))
    assert got["products"] == pytest.approx(got["sending"], rel=1e-4) and "hidden below" in plot.draw(ring_attention, got).alt
