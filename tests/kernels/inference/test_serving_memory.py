import pytest

from kernels.library.inference.serving_memory import serving_memory


def test_llama_2_70b_by_hand():
    got = serving_memory(model="llama-2-70b", format="int4", tokens=1000)
    assert got["per_token"] == 2 * 80 * 8 * 128 * 2 and got["cache"] == 327_680_000
    blocks = 80 * (2 * 8192 * 8192 + 2 * 8192 * 1024 + 3 * 8192 * 28672)
    rest = 2 * 32000 * 8192 + (2 * 80 + 1) * 8192
    assert got["weights"] == blocks * 4.125 / 8 + 2 * rest
    assert got["tokens_fit"] == (81920 * 2**20 - got["weights"]) // 327_680
    assert got["sequences_fit"] == got["tokens_fit"] // 1000
    assert got["tokens_fit_mha"] == pytest.approx(got["tokens_fit"] / 8, abs=1)


@pytest.mark.oracle("serving_memory", "the released fp16 checkpoint of Llama 2 7B, 13.48 GB")
def test_formats_of_llama_2_7b_and_its_fp16_file():
    """The released fp16 checkpoint is 13.48 GB."""
    got = serving_memory(model="llama-2-7b", format="fp16")
    assert got["weights"] / 1e9 == pytest.approx(13.48, abs=0.005) and got["weights_fp32"] == 2 * got["weights"]
    assert got["cache"] == 2**31  # 0.5 MiB a token, 4096 tokens
    assert serving_memory(model="llama-2-7b", format="fp16", batch=8)["cache"] == 8 * got["cache"]


def test_what_does_not_fit_leaves_no_tokens():
    got = serving_memory(model="llama-2-70b", format="fp16")
    assert got["left"] < 0 and got["tokens_fit"] == 0
