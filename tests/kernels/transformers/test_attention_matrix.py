"""Attention scores against a matrix that torch really makes."""

from __future__ import annotations

import pytest

from kernels.library.transformers.attention_matrix import attention_matrix


@pytest.mark.oracle("attention_matrix", "scores that torch makes, counted in bytes")
@pytest.mark.parametrize("dtype, name", [("fp32", "float32"), ("bf16", "bfloat16"), ("fp16", "float16")])
def test_torch_makes_scores_of_that_size(dtype, name):
    torch = pytest.importorskip("torch")
    with torch.device("meta"):
        query, key = (torch.empty(3, 8, 64, 16, dtype=getattr(torch, name)) for _ in range(2))
        scores = query @ key.transpose(-1, -2)
    got = attention_matrix(tokens=64, heads=8, layers=5, batch=3, dtype=dtype)
    assert got["per_layer"] == scores.numel() * scores.element_size()
    assert got["total"] == 5 * got["per_layer"]
    assert got["per_head"] == got["per_layer"] / 24


def test_128k_tokens_in_16_bits_take_34_gb_a_head():
    assert attention_matrix(tokens=131072, heads=1)["per_head"] == 2**35


def test_doubling_the_tokens_takes_four_times_as_much():
    one, two = (attention_matrix(tokens=n, heads=32, layers=32)["total"] for n in (8192, 16384))
    assert two == 4 * one
