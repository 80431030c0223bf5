import pytest

from kernels import plot
from kernels.library.transformers.attention_flops import attention_flops


def test_counted_by_torch():
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    d, n, heads = 256, 96, 2
    x = torch.empty(n, d, device="meta")
    with FlopCounterMode(display=False) as counter:
        q, k, v = ((x @ torch.empty(d, d, device="meta")).view(n, heads, -1).transpose(0, 1) for _ in range(3))
        mixed = (q @ k.transpose(-2, -1)) @ v
        y = mixed.transpose(0, 1).reshape(n, d) @ torch.empty(d, d, device="meta")
        (y @ torch.empty(d, 4 * d, device="meta")) @ torch.empty(4 * d, d, device="meta")
    assert counter.get_total_flops() == attention_flops(d_model=d, tokens=n, causal=False)["total"]


def test_twelve_d_squared_parameters_take_two_flop_each():  # Kaplan et al. 2020, equation 2.1 and 2.2, for a context near none
    assert attention_flops(d_model=4096, tokens=1, layers=3)["total"] == pytest.approx(2 * 3 * 12 * 4096**2, rel=1e-3)


@pytest.mark.parametrize("causal", [True, False])
def test_at_the_crossover_attention_is_half(causal):
    n = attention_flops(d_model=4096, tokens=1, causal=causal)["crossover"]
    assert n == 4096 * (12 if causal else 6)
    assert attention_flops(d_model=4096, tokens=n, causal=causal)["attention_share"] == 0.5


def test_doubling_is_the_ratio_of_two_runs():
    once, twice = (attention_flops(d_model=4096, tokens=n) for n in (2048, 4096))
    assert once["doubling"] == pytest.approx(twice["total"] / once["total"])


def test_the_figure():
    assert "half at 49,152" in plot.draw(attention_flops, attention_flops(d_model=4096, tokens=2048)).alt.replace("49.2k", "49,152")
