import pytest

from kernels import plot
from kernels.library.machines._devices import DEVICES
from kernels.library.rag.rag_context import rag_context


@pytest.mark.oracle("rag_context", "Llama 3 8B's products multiplied out by hand")
def test_a_prefill_multiplied_out_by_hand():
    """Llama 3 8B: width 4096, 32 layers, FFN 14336, 8 of 32 heads for keys and values, 128256 tokens; the head once."""
    tokens = 5 * 512 + 200
    layer = 4096 * 4096 * 2 + 2 * 4096 * 1024 + 3 * 4096 * 14336
    pairs = tokens * (tokens + 1) / 2
    flop = tokens * 2 * 32 * layer + 2 * 4096 * 128256 + 32 * 4 * 4096 * pairs
    got = rag_context()
    assert got["tokens"] == tokens
    assert got["prefill"] == pytest.approx(flop / DEVICES["h100"].half, rel=1e-6)
    assert got["cache"] == tokens * 32 * 8 * 128 * 2 * 2
    bare = got["prefill_bare"]
    assert got["per_chunk"] == pytest.approx((got["prefill"] - bare) / 5) and got["over_bare"] == pytest.approx(got["prefill"] / bare)


def test_few_tokens_wait_for_the_weights():
    got = rag_context(chunks=1, chunk=1, rest=1)
    assert got["prefill"] == got["prefill_bare"]
    assert "chunks" in plot.draw(rag_context, rag_context()).alt
