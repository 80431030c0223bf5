"""The break-even by hand, with 2 N, 4 N and 6 N FLOP a token."""

from __future__ import annotations

import pytest

from kernels import KernelError
from kernels.library.finetuning.finetune_flops import finetune_flops
from kernels.library.finetuning.prompt_or_tune import prompt_or_tune


def test_three_million_tokens_against_two_thousand_a_call():
    got = prompt_or_tune()
    assert got["trained_tokens"] == 3_000_000
    assert got["break_even"] == pytest.approx(3e6 * 4 / (2000 * 2))
    assert prompt_or_tune(method="full")["break_even"] == pytest.approx(3e6 * 6 / (2000 * 2))


@pytest.mark.parametrize(("model", "rank"), [("llama-3-8b", 16), ("llama-2-70b", 64)])
def test_four_and_six_flop_a_weight_are_what_a_step_takes(model, rank):
    step = finetune_flops(model=model, rank=rank)
    assert step["lora"] / step["full_forward"] == pytest.approx(4 / 2, rel=0.05)
    assert step["full"] / step["full_forward"] == pytest.approx(6 / 2)


def test_a_prefix_cache_makes_it_later():
    assert prompt_or_tune(cached=0.9)["break_even"] == pytest.approx(10 * prompt_or_tune()["break_even"])
    with pytest.raises(KernelError, match="cached is 1"):
        prompt_or_tune(cached=1.0)


def test_the_prefix_cache_of_llama_3_8b():
    """32 layers, 8 key-value heads of 128, 2 bytes: 128 KiB a token."""
    assert prompt_or_tune()["prefix_cache"] == 2000 * 128 * 1024


def test_a_prefill_of_2000_tokens_by_hand():
    """Llama-3-8B: 32 blocks of q, o (4096 x 4096), k, v (4096 x 1024) and three of 4096 x 14336; causal attention 2 n^2 d a block."""
    block = 2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336
    expected = 32 * (2 * 2000 * block + 2 * 2000**2 * 4096)
    assert prompt_or_tune()["prefill"] == pytest.approx(expected) == pytest.approx(28.97e12, rel=1e-3)
