import pytest

from kernels import plot
from kernels.library.models.model_shape import model_shape
from kernels.library.transformers.attention_flops import attention_flops
from kernels.library.transformers.token_inflation import token_inflation


@pytest.mark.parametrize("causal", [True, False])
def test_against_the_block_s_formula(causal):  # GPT-3: 24 d^2 a token and layer, and the head
    d, layers, vocab, n = 12288, 96, 50257, 2048
    block = attention_flops(d_model=d, tokens=n, layers=layers, causal=causal)["total"]
    assert token_inflation(model="gpt3-175b", tokens=n, causal=causal)["flops"] == pytest.approx(block + 2 * vocab * d * n)


@pytest.mark.oracle("token_inflation", "torch's FLOP counter on every product of the model")
def test_torch_counts_the_same():
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    def counted(tokens):
        def empty(*size):
            return torch.empty(*size, device="meta")

        x, wide = empty(tokens, 4096), empty(tokens, 14336)
        with FlopCounterMode(display=False) as counter:
            for inputs, outputs in ((4096, 4096), (4096, 1024), (4096, 1024), (4096, 4096), (4096, 14336), (4096, 14336)):
                x @ empty(inputs, outputs)
            wide @ empty(14336, 4096)
            empty(32, tokens, 128) @ empty(32, 128, tokens) @ empty(32, tokens, 128)
        block = counter.get_total_flops()
        with FlopCounterMode(display=False) as counter:
            x @ empty(4096, 128256)
        return 32 * block + counter.get_total_flops()

    found = token_inflation(model="llama-3-8b", tokens=500, inflation=3.0, causal=False)
    assert (found["flops"], found["flops_after"]) == (counted(500), counted(1500))


def test_its_limits():
    short, long = (token_inflation(tokens=n) for n in (1, 10**9))
    assert short["ratio"] == pytest.approx(4, rel=1e-3) and long["ratio"] == pytest.approx(16, rel=1e-3)
    assert short["linear_ratio"] == 4 and short["attention_ratio"] == 16


def test_half_way():
    n = round(token_inflation()["halfway_at"])
    assert token_inflation(tokens=n)["ratio"] == pytest.approx(10, rel=1e-4)


def test_two_parameters_a_token_and_mixtures():
    dense, mixture = model_shape(model="llama-3-8b"), model_shape(model="mixtral-8x7b")
    weights = dense["linear"] + dense["vocab"] * dense["d_model"]
    assert token_inflation(tokens=1)["flops"] == pytest.approx(2 * weights, rel=1e-4)
    used = mixture["active_parameters"] - mixture["norms"] - mixture["vocab"] * mixture["d_model"]
    assert token_inflation(model="mixtral-8x7b", tokens=1)["flops"] == pytest.approx(2 * used, rel=1e-4)


def test_the_cache():
    assert token_inflation(tokens=8000)["kv_cache_after"] == 2 * 32 * 8 * 128 * 2 * 32000


def test_the_figure():
    assert "16: attention alone" in plot.draw(token_inflation, token_inflation()).alt
