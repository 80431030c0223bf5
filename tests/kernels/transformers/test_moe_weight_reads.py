"""Oracles: routed dice, one token and endless tokens, the products' FLOP per byte counted out."""

import random

import pytest

from kernels import plot
from kernels.library.models.model_shape import model_shape
from kernels.library.models.moe_shape import moe_shape
from kernels.library.transformers import moe_weight_reads as file
from kernels.library.transformers.moe_weight_reads import moe_weight_reads


@pytest.mark.parametrize(("experts", "top_k", "tokens"), [(8, 2, 3), (64, 8, 10), (8, 1, 8)])
def test_dice_touch_that_many(experts, top_k, tokens):
    draw = random.Random(0)
    found = [len({e for _ in range(tokens) for e in draw.sample(range(experts), top_k)}) for _ in range(20_000)]
    assert file.touched(experts, top_k, tokens) == pytest.approx(sum(found) / len(found), rel=0.005)


def test_one_token_reads_what_it_uses():
    got, counts = moe_weight_reads(), moe_shape(model="mixtral-8x7b")
    assert got["touched"] == pytest.approx(2)
    assert got["read"] == pytest.approx(2 * (counts["active_parameters"] - 32000 * 4096))
    assert got["used"] == counts["active_parameters"] - 32000 * 4096 - 65 * 4096  # two norms a layer and the last
    assert got["flops"] == pytest.approx(got["read"], rel=1e-4)  # 16-bit weights: one FLOP a byte at one token, norms apart


def test_endless_tokens_read_everything():
    got, counts = moe_weight_reads(tokens=10_000), moe_shape(model="mixtral-8x7b")
    assert got["share"] == pytest.approx(1)
    assert got["read"] == pytest.approx(2 * (counts["parameters"] - 32000 * 4096)) and got["held"] == 2 * counts["parameters"]


def test_the_dense_model_reads_all_but_its_lookup():
    got = moe_weight_reads(dense="llama-2-70b")
    assert got["dense_read"] == 2 * (model_shape(model="llama-2-70b")["parameters"] - 32000 * 8192)


def test_at_the_ridge_reading_takes_as_long_as_multiplying():
    got = moe_weight_reads(gpu="h100")
    n = got["batch_at_ridge"] * 2 / 8  # tokens of one expert
    weights = 3 * 4096 * 14336
    assert 2 * weights * n / 989.4e12 == pytest.approx(2 * weights / 3.35e12, rel=1e-3)
    assert moe_weight_reads(bits=8.0)["batch_at_ridge"] == pytest.approx(got["batch_at_ridge"] / 2)


def test_caches_of_grouped_queries_turn_the_comparison():
    cached, dense_cached = 32 * 2 * 8 * 128 * 2, 40 * 2 * 40 * 128 * 2  # B a token: 8 key-value heads against 40
    got = moe_weight_reads(tokens=32, context=1024)
    assert got["cache"] == 32 * 1024 * cached and got["dense_cache"] == 32 * 1024 * dense_cached
    assert got["step"] == pytest.approx((got["read"] + got["cache"]) / 3.35e12, rel=1e-3)
    equal = got["equal_context"]
    assert equal == pytest.approx((got["read"] - got["dense_read"]) / 32 / (dense_cached - cached))
    assert moe_weight_reads(tokens=32, context=round(equal))["step_over_dense"] == pytest.approx(1, rel=1e-3)
    assert moe_weight_reads(tokens=32, context=4096)["step_over_dense"] < 1 < got["step_over_dense"]
    assert moe_weight_reads(tokens=32, dense="qwen2.5-14b")["equal_context"] > 0
    assert moe_weight_reads(tokens=32, dense="llama-3-8b")["equal_context"] == 0  # its cache is as large as Mixtral's


def test_without_caches_the_step_is_weights_or_arithmetic():
    few, many = moe_weight_reads(tokens=8), moe_weight_reads(tokens=10_000)
    assert few["step_over_dense"] == pytest.approx(few["over_dense"])
    assert many["step_over_dense"] == pytest.approx(many["flops"] / many["dense_flops"])


def test_the_figure():
    assert "llama-2-13b" in plot.draw(moe_weight_reads, moe_weight_reads(tokens=32)).alt
