"""Top-k, top-p and min-p against torch on the whole vocabulary, filtered as decoding libraries do it: sorted, summed up, masked."""

from __future__ import annotations

import pytest

from kernels import plot
from kernels.library.inference.truncated_sampling import truncated_sampling

torch = pytest.importorskip("torch")


def zipf(vocab, power):
    return (-power * torch.arange(1, vocab + 1, dtype=torch.float64).log()).softmax(0)


def kept_by_top_p(p, top_p):
    """The tokens before which less than top_p has been gathered."""
    return int((p.cumsum(0) - p < top_p * (1 - 1e-12)).sum())


@pytest.mark.oracle("truncated_sampling", "torch over the whole vocabulary, sorted and summed up")
@pytest.mark.parametrize(("vocab", "exponent"), [(50_000, 1.1), (50_000, 2.2), (1000, 1.1), (700, 0.5)])
@pytest.mark.parametrize("temperature", [0.3, 0.7, 1.0, 1.5, 4.0])
def test_torch_keeps_as_many(vocab, exponent, temperature):
    got = truncated_sampling(temperature=temperature, exponent=exponent, vocab=vocab)
    p, plain = zipf(vocab, exponent / temperature), zipf(vocab, exponent)
    assert got["nucleus"] == pytest.approx(kept_by_top_p(p, 0.9), rel=2e-5, abs=0.5)
    assert got["nucleus_last"] == pytest.approx(kept_by_top_p(plain, 0.9), rel=2e-5, abs=0.5)
    assert got["min_kept"] == int((p >= 0.1 * p[0] * (1 - 1e-12)).sum())
    assert got["min_kept_last"] == int((plain >= 0.1 * plain[0] * (1 - 1e-12)).sum())
    assert got["k_mass"] == pytest.approx(p[:50].sum().item(), rel=1e-6)
    assert got["min_mass"] == pytest.approx(p[: got["min_kept"]].sum().item(), rel=1e-6)
    assert got["nucleus_mass"] == pytest.approx(p[: got["nucleus"]].sum().item(), rel=1e-6)
    assert got["entropy"] == pytest.approx(-(p * p.log()).sum().item(), rel=1e-6)


def test_the_inventorys_example():
    """Zipf 1.1 over 1,000 tokens: 27 or 349 at T = 0.7, 713 or 349 at T = 1.5."""
    cool, hot = (truncated_sampling(vocab=1000, temperature=t) for t in (0.7, 1.5))
    assert (cool["nucleus"], cool["nucleus_last"], hot["nucleus"], hot["nucleus_last"]) == (27, 349, 713, 349)


def test_no_cut_and_every_cut():
    assert truncated_sampling(top_p=1.0)["nucleus"] == 50_000
    assert truncated_sampling(min_p=0.0)["min_kept"] == 50_000
    assert truncated_sampling(min_p=1.0)["min_kept"] == 1
    assert truncated_sampling(temperature=0.05, exponent=5.0)["nucleus"] == 1
    assert truncated_sampling(temperature=20, exponent=0.5, vocab=1000)["nucleus"] == pytest.approx(900, abs=5)


def test_the_sweep_and_the_figure():
    hot = truncated_sampling(temperature=1.5, exponent=1.5)
    assert hot["sweep"].values("temperature first")[hot["sweep"].x.index(1.5)] == hot["nucleus"]
    assert "applied last" in plot.draw(truncated_sampling, hot).alt
