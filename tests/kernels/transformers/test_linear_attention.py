import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.transformers.linear_attention import feature, linear_attention


def test_a_recurrence_token_by_token_gives_the_same():
    """Sums kept over the tokens, as decoding would, against weights for all pairs, in fp64."""
    random = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(30, 8, generator=random, dtype=torch.float64) for _ in range(3))
    state, norm = torch.zeros(8, 8, dtype=torch.float64), torch.zeros(8, dtype=torch.float64)
    weights = (feature(q) @ feature(k).T).tril()
    pairs = weights @ v / weights.sum(1, keepdim=True)
    for t in range(30):
        state, norm = state + feature(k[t])[:, None] * v[t], norm + feature(k[t])
        assert torch.allclose(feature(q[t]) @ state / (feature(q[t]) @ norm), pairs[t])
    assert (feature(q) > 0).all()


def test_both_orders_agree_and_weights_alone_grow():
    got = linear_attention(tokens=512)
    assert got["order_error"] < 1e-12 and got["saving"] == 8 and got["state"] == 64 * 65
    assert got["sum_over_tokens"] == pytest.approx(linear_attention(tokens=1024)["sum_over_tokens"], rel=0.1)
    assert got["softmax_gap"] > 0.3


def test_the_mean_of_the_feature_is_known():
    """E[elu(x) + 1] of a normal x is phi(0) + 1/2 + e^(1/2) (1 - Phi(1)): a weight's mean is its square times the width."""
    normal = torch.distributions.Normal(0.0, 1.0)
    mean = 1 / (2 * torch.pi) ** 0.5 + 0.5 + torch.e**0.5 * (1 - normal.cdf(torch.tensor(1.0)).item())
    assert linear_attention(tokens=4096)["sum_over_tokens"] == pytest.approx(64 * mean**2, rel=0.05)
    assert "without denominator" in plot.draw(linear_attention, linear_attention(tokens=64)).alt
