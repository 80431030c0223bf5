import pytest

torch = pytest.importorskip("torch")

from kernels.library.transformers.permuted_attention import permuted_attention, run


def test_one_layer_is_torch_s_attention():
    random = torch.Generator().manual_seed(0)
    x, *weights = (torch.randn(n, 8, generator=random, dtype=torch.float64) for n in (5, 8, 8, 8))
    q, k, v = (x @ w for w in weights)
    for causal in (False, True):
        want = x + torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
        assert torch.allclose(run(x, [weights], causal), want, atol=1e-12)


def test_an_encoder_layer_of_torch_commutes_with_shuffling():
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True, dtype=torch.float64).eval()
    x, order = torch.randn(1, 7, 16, dtype=torch.float64), torch.tensor([3, 0, 6, 1, 5, 2, 4])
    assert torch.allclose(layer(x)[:, order], layer(x[:, order]), atol=1e-12)
    got = permuted_attention(tokens=7, width=16)
    assert got["unmasked"] < 1e-12 and got["all_outputs"] < 1e-12 and got["causal_one"] < 1e-12


def test_two_causal_layers_know_the_order():
    assert permuted_attention()["causal_two"] > 1e-3
    assert permuted_attention(tokens=3, width=4, seed=5)["causal_two"] > 1e-6
