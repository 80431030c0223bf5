"""Oracles: the parts added up by hand for one width, attention_flops' shares, the limits of short and of endless sequences."""

import pytest

from kernels import plot
from kernels.library.machines._devices import DEVICES
from kernels.library.transformers.attention_flops import attention_flops
from kernels.library.transformers.block_roofline import block_roofline

PEAK, BANDWIDTH = DEVICES["h100"].peak["bf16"], DEVICES["h100"].bandwidth


def test_a_block_of_width_2048_by_hand():
    got, rows, d = block_roofline(d_model=2048), 8192, 2048
    assert got["products_time"] == pytest.approx(rows * 24 * d**2 / PEAK)  # all four are bound by arithmetic
    scores = 4 * 2048**2 * 16 * 2  # bytes of all sequences' and heads' scores: more than the products' arithmetic takes
    assert got["core_time_naive"] == pytest.approx((4 * scores + 4 * rows * d * 2) / BANDWIDTH)
    assert got["core_time_flash"] == pytest.approx(2 * 4 * 2048**2 * d / PEAK)
    assert got["norms_time_fused"] == pytest.approx(2 * rows * d * 4 / BANDWIDTH)
    assert got["elementwise_time"] == pytest.approx(rows * d * (16 + 12) / BANDWIDTH)


@pytest.mark.parametrize("width", [2048, 12288])
def test_the_share_of_the_flop_is_the_other_kernels(width):
    expected = attention_flops(d_model=width, tokens=2048)["attention_share"]
    got = block_roofline(d_model=width)
    assert got["core_flops_share"] == pytest.approx(expected)
    assert got["sweep"].values("flops")[got["sweep"].x.index(width)] == pytest.approx(expected)


def test_a_faster_core_is_amdahls_law_and_never_gains_more_than_all_of_it():
    got = block_roofline(d_model=2048, faster=1e9)
    assert got["faster_core"] == pytest.approx(1 / (1 - got["core_share_naive"]))
    assert 1 < block_roofline(d_model=2048)["faster_core"] < got["faster_core"]


def test_scores_written_out_take_over_at_long_context_and_norms_do_not():
    short, long = block_roofline(tokens=512), block_roofline(tokens=65536, sequences=1)
    assert long["core_share_naive"] > 0.9 > short["core_share_naive"]
    assert long["norms_share_eager"] < short["norms_share_eager"]


def test_fusing_takes_the_norms_bytes():
    got = block_roofline(norm="rms", gated=True, ffn_ratio=2.6875)
    assert got["norms_time_eager"] / got["norms_time_fused"] == pytest.approx(40 / 4)


def test_one_token_reads_weights():
    got, d = block_roofline(tokens=1, sequences=1), 4096
    assert got["products_time"] == pytest.approx((2 * 12 * d**2 + 2 * 16 * d) / BANDWIDTH, rel=0.01)


def test_the_figure():
    assert "tiled" in plot.draw(block_roofline, block_roofline(d_model=2048)).alt
