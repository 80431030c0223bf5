"""The cache of beams against tensors of that shape, counted by torch without memory."""

from __future__ import annotations

import pytest

from kernels import plot
from kernels.library.inference.beam_cache import beam_cache


@pytest.mark.oracle("beam_cache", "torch tensors of the keys and values, on the meta device")
@pytest.mark.parametrize(("model", "layers", "heads", "width"), [("llama-2-7b", 32, 32, 128), ("llama-3-8b", 32, 8, 128), ("qwen2.5-7b", 28, 4, 128)])
def test_torch_counts_the_same(model, layers, heads, width):
    torch = pytest.importorskip("torch")

    def cache(*shape):
        return sum(torch.empty(*shape, layers, heads, width, dtype=torch.bfloat16, device="meta").nbytes for _ in ("keys", "values"))

    got = beam_cache(model=model)
    assert got["copied"] == cache(4, 2200)
    assert got["shared"] == cache(2000) + cache(4, 200)
    assert got["one"] == cache(2200)
    assert got["saved"] == got["copied"] - got["shared"] == cache(3, 2000)
    assert got["over_one"] == pytest.approx(got["shared"] / got["one"])


def test_candidates_of_a_step():
    assert beam_cache(model="gpt2")["candidates"] == 4 * 50_257 == 201_028


def test_one_beam_is_one_sequence():
    alone = beam_cache(beams=1)
    assert alone["copied"] == alone["shared"] == alone["one"] and alone["saved"] == 0


def test_the_figure():
    assert "beams" in plot.draw(beam_cache, beam_cache()).alt
