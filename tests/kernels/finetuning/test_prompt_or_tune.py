"""The break-even by hand, with 2 N, 4 N and 6 N FLOP a token."""

from __future__ import annotations

import pytest

from kernels import KernelError
from kernels.library.finetuning.prompt_or_tune import prompt_or_tune


def test_three_million_tokens_against_two_thousand_a_call():
    got = prompt_or_tune()
    assert got["trained_tokens"] == 3_000_000
    assert got["break_even"] == pytest.approx(3e6 * 4 / (2000 * 2), rel=0.02)
    assert prompt_or_tune(method="full")["break_even"] == pytest.approx(3e6 * 6 / (2000 * 2))


def test_a_prefix_cache_makes_it_later():
    assert prompt_or_tune(cached=0.9)["break_even"] == pytest.approx(10 * prompt_or_tune()["break_even"])
    with pytest.raises(KernelError, match="cached is 1"):
        prompt_or_tune(cached=1.0)


def test_the_prefix_cache_of_llama_3_8b():
    """32 layers, 8 key-value heads of 128, 2 bytes: 128 KiB a token."""
    assert prompt_or_tune()["prefix_cache"] == 2000 * 128 * 1024
