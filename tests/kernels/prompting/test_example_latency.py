import pytest

from kernels.library.prompting.example_latency import example_latency


@pytest.mark.oracle("example_latency", "Llama 3 8B's matrices and causal attention, worked out by hand")
def test_llama_3_8b_by_hand():
    """32 blocks of q, o (4096 x 4096), k, v (4096 x 1024) and three of 4096 x 14336; each new token meets those before it; 989.4 TFLOP/s."""
    block = 2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336

    def flop(tokens):
        return 32 * (2 * tokens * block + 2 * tokens**2 * 4096)

    got = example_latency()
    assert got["prefill_extra"] == pytest.approx((flop(650) - flop(150)) / (0.4 * 989.4e12), rel=1e-3)
    assert got["prefill_base"] == pytest.approx(flop(150) / (0.4 * 989.4e12), rel=1e-3)
    assert got["few"] == pytest.approx(got["zero"] + got["prefill_extra"]) and got["zero"] == pytest.approx(got["prefill_base"] + 49 * 0.01)
    assert got["as_output"] * 0.01 == pytest.approx(got["prefill_extra"])


def test_a_cache_saves_its_share():
    assert example_latency(cached=0.9)["prefill_extra"] == pytest.approx(0.1 * example_latency()["prefill_extra"])
    assert example_latency(cached=1.0)["slower"] == 1
    assert example_latency(extra=0)["ttft_ratio"] == 1
