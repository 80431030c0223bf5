"""The key-value cache against the PagedAttention paper, and against a cache allocated in torch."""

from __future__ import annotations

import pytest

from kernels.library.models.kv_cache import kv_cache


def test_opt_13b_takes_800_kb_a_token():
    """Kwon et al. 2023, section 3: 2 vectors x 5120 x 40 layers x 2 bytes = 800 KB; up to 1.6 GB for 2048 tokens."""
    got = kv_cache(model="opt-13b", tokens=2048, batch=1, dtype="fp16")
    assert got["per_token"] == 800 * 1024
    assert got["total"] / 1e9 == pytest.approx(1.6, rel=0.05)


def test_opt_13b_weights_take_26_gb():
    """Section 1, figure 1: 26 GB, 65 % of an A100 of 40 GB."""
    assert kv_cache(model="opt-13b", tokens=1, batch=1)["weights"] / 1e9 == pytest.approx(26, rel=0.02)


@pytest.mark.parametrize(
    "model, layers, heads, width, times", [("llama-2-7b", 32, 32, 128, 1), ("llama-2-70b", 80, 8, 128, 8), ("qwen2.5-7b", 28, 4, 128, 7)]
)
def test_a_cache_made_in_torch_has_that_size(model, layers, heads, width, times):
    torch = pytest.importorskip("torch")
    with torch.device("meta"):
        cache = [torch.empty(3, heads, 100, width, dtype=torch.bfloat16) for _ in range(layers) for _ in ("key", "value")]
    got = kv_cache(model=model, tokens=100, batch=3, dtype="bf16")
    assert got["total"] == sum(t.numel() * t.element_size() for t in cache)
    assert got["per_token_mha"] == times * got["per_token"]


def test_the_cache_equals_the_weights_where_it_says():
    got = kv_cache(model="llama-2-7b", tokens=4096, batch=8)
    assert got["per_token"] * 8 * got["tokens_of_weights"] == pytest.approx(got["weights"])
    assert kv_cache(model="llama-2-7b", tokens=4096, batch=8, dtype="int8")["total"] == got["total"] / 2
