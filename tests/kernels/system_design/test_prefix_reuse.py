"""A cached prefix against the prefill counted token by token."""

from __future__ import annotations

import pytest

from kernels import KernelError
from kernels.library.system_design.prefix_reuse import prefix_reuse


@pytest.mark.oracle("prefix_reuse", "the prefill counted token by token, each attending to those before it")
@pytest.mark.parametrize("prompt, shared", [(300, 200), (64, 0), (50, 49)])
def test_token_by_token(prompt, shared):
    matrices = 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336)
    each = [2 * matrices + 32 * 4 * 4096 * (k + 1) for k in range(prompt)]
    got = prefix_reuse(prompt=prompt, shared=shared, rest=0.0, reached=0.4)
    assert got["saved"] == pytest.approx(sum(each[:shared]) / sum(each))
    assert got["prefill"] == pytest.approx(sum(each) / (0.4 * 989.4e12), rel=1e-3)
    assert got["ttft_cut"] == pytest.approx(got["saved"])
    assert got["prefill_left"] == pytest.approx(sum(each[shared:]) / (0.4 * 989.4e12), rel=1e-3)
    assert got["cache"] == shared * 2 * 32 * 8 * 128 * 2


def test_what_is_not_prefill_stays():
    got = prefix_reuse()
    assert got["ttft"] - got["ttft_left"] == pytest.approx(got["saved"] * got["prefill"])
    assert got["ttft_cut"] == pytest.approx(1 - got["ttft_left"] / got["ttft"])
    assert prefix_reuse(gpus=2)["prefill"] == pytest.approx(got["prefill"] / 2)
    assert got["share"] == pytest.approx(2 / 3)
    with pytest.raises(KernelError, match="at least the last token"):
        prefix_reuse(prompt=10, shared=10)


def test_a_prompt_of_few_tokens_exactly():
    """The first token attends to itself alone, the second to two."""
    matrices = 32 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336)
    attended = 32 * 4 * 4096
    got = prefix_reuse(prompt=2, shared=1, rest=0.0)
    assert got["saved"] == pytest.approx((2 * matrices + attended) / (4 * matrices + 3 * attended), rel=1e-12)
