"""Temperature against torch's softmax over the whole vocabulary, and against the two-token case solved by hand."""

from __future__ import annotations

import math

import pytest

from kernels import KernelError, plot
from kernels.library.inference import temperature_softmax as file
from kernels.library.inference.temperature_softmax import temperature_softmax


@pytest.mark.oracle("temperature_softmax", "torch.softmax over the whole vocabulary")
@pytest.mark.parametrize("temperature", [0.1, 0.7, 1.0, 1.2, 2.5])
@pytest.mark.parametrize(("vocab", "exponent"), [(50_000, 1.2), (2000, 1.0)])
def test_torch_gives_the_same(temperature, vocab, exponent):
    torch = pytest.importorskip("torch")
    logits = -exponent * torch.arange(1, vocab + 1, dtype=torch.float64).log()
    p = (logits / temperature).softmax(0)
    got = temperature_softmax(temperature=temperature, vocab=vocab, exponent=exponent)
    assert got["top"] == pytest.approx(p[0].item(), rel=1e-6)
    assert got["tracked"] == pytest.approx(p[6].item(), rel=1e-6)
    assert got["tail"] == pytest.approx(p[100:].sum().item(), rel=1e-6)
    assert got["entropy"] == pytest.approx(-(p * p.log()).nan_to_num().sum().item(), rel=1e-5)


def test_the_peak_is_the_highest_of_the_temperatures_tried():
    tracked = {t / 20: temperature_softmax(temperature=t / 20, vocab=2000, rank=20)["tracked"] for t in range(2, 51)}
    found = temperature_softmax(vocab=2000, rank=20)
    assert (found["peak"], found["peak_temperature"]) == pytest.approx(max((tracked[t], t) for t in tracked))


def test_two_tokens_by_hand():
    got = temperature_softmax(temperature=2.0)
    assert got["pair"] == pytest.approx(1 / (1 + math.sqrt(49)))  # odds of 49 to 1 become their root, 7 to 1
    assert got["pair_temperature"] == pytest.approx(math.log(49) / math.log(9))


@pytest.mark.parametrize(("rivals", "temperature"), [(0, 1.8), (2, 2.0), (7, 6.0)])
def test_several_equal_tokens_against_torch(rivals, temperature):
    torch = pytest.importorskip("torch")
    p = torch.tensor([0.02] * (rivals + 1) + [1 - 0.02 * (rivals + 1)], dtype=torch.float64)
    got = temperature_softmax(temperature=temperature, rivals=rivals)
    assert got["pair"] == pytest.approx((p.log() / temperature).softmax(0)[0].item())
    assert temperature_softmax(temperature=got["pair_temperature"], rivals=rivals)["pair"] == pytest.approx(0.1)


def test_among_ten_tokens_none_of_two_percent_reaches_a_tenth():
    with pytest.raises(KernelError, match="too little"):
        temperature_softmax(rivals=8)


def test_cold_is_one_hot_and_hot_is_uniform():
    assert temperature_softmax(temperature=0.01)["top"] == pytest.approx(1)
    hot = temperature_softmax(temperature=100, vocab=1000)
    assert hot["entropy"] == pytest.approx(math.log(1000), rel=1e-3)


def test_a_little_heat_helps_where_the_logit_is_below_the_mean():
    """d ln p_i / d(1/T) = z_i - mean z: the tracked token gains from heat at 1 only where its logit is below the mean."""
    z = [-1.2 * math.log(r) for r in range(1, 50_001)]
    mean = sum(math.exp(v) * v for v in z) / sum(map(math.exp, z))
    for rank in (1, 7, 90):
        a, b = (file.at(t, 50_000, 1.2, rank)["tracked"] for t in (1.0, 1.001))
        assert (b > a) == (z[rank - 1] < mean)


def test_the_figure():
    assert "top token" in plot.draw(temperature_softmax, temperature_softmax()).alt
