"""A few tokens through the filters, against torch with masks of minus infinity on the logits, one filter after the other."""

from __future__ import annotations

import itertools

import pytest

from kernels import KernelError, plot
from kernels.library.inference.filtered_tokens import filtered_tokens

torch = pytest.importorskip("torch")


def masked(logits, top_k, top_p, min_p):
    """Each filter in its turn masks logits; what is left is normalised before the next one looks."""
    logits = torch.where(logits < logits.topk(min(top_k, len(logits))).values[-1], -torch.inf, logits)
    order = logits.sort(descending=True)
    removed = order.values.softmax(0).cumsum(0) - order.values.softmax(0) >= top_p * (1 - 1e-12)
    logits = logits.masked_fill(torch.zeros(len(logits), dtype=torch.bool).scatter(0, order.indices, removed), -torch.inf)
    p = logits.softmax(0)
    return logits.masked_fill(p < min_p * p.max() * (1 - 1e-12), -torch.inf)


@pytest.mark.oracle("filtered_tokens", "torch, logits masked filter by filter")
@pytest.mark.parametrize("given", [(0.4, 0.3, 0.2, 0.1, 0.0), (0.5, 0.3, 0.1, 0.06, 0.04), (0.95, 0.03, 0.02, 0.0, 0.0), (0.3, 0.2, 0.15, 0.15, 0.1)])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("cuts", [{"top_p": 0.5}, {"top_p": 0.9}, {"min_p": 0.1}, {"min_p": 0.7}, {"top_k": 2}, {}])
def test_torch_leaves_the_same(given, temperature, cuts):
    p = torch.tensor([*given, max(0.0, 1 - sum(given))], dtype=torch.float64)
    p = p[p > 1e-9]
    cuts_all = {"top_k": 6, "top_p": 1.0, "min_p": 0.0, **cuts}
    names = dict(zip(("first", "second", "third", "fourth", "fifth"), given))
    first = masked(p.log() / temperature, **cuts_all).softmax(0).sort(descending=True).values
    last = (masked(p.log(), **cuts_all) / temperature).softmax(0).sort(descending=True).values
    for order, want in (("temperature first", first), ("temperature last", last)):
        got = filtered_tokens(**names, temperature=temperature, order=order, **cuts)
        assert got["kept"] == int((want > 0).sum())
        assert got["first"] == pytest.approx(want[0].item()) and got["second"] == pytest.approx(want[1].item(), abs=1e-12)
        assert got["last"] == pytest.approx(want[want > 0][-1].item())


def test_by_hand():
    cut = filtered_tokens(first=0.5, second=0.3, third=0.15, fourth=0.05, top_p=0.9)
    assert (cut["kept"], cut["mass"], cut["mass_before_last"]) == (3, pytest.approx(0.95), pytest.approx(0.8))
    assert cut["first"] == pytest.approx(0.5 / 0.95) and cut["ratio"] == pytest.approx(5 / 3)
    assert filtered_tokens(first=0.8, second=0.1, third=0.08, fourth=0.02, min_p=0.1)["threshold"] == pytest.approx(0.08)


def test_cold_is_greedy_whatever_the_cut():
    for top_p, min_p in itertools.product((0.001, 0.5, 1.0), (0.0, 1.0)):
        assert filtered_tokens(temperature=0.01, top_p=top_p, min_p=min_p)["first"] == pytest.approx(1)


def test_too_much_probability():
    with pytest.raises(KernelError, match="add up"):
        filtered_tokens(first=0.9, second=0.4)


def test_what_the_filters_see_and_the_figure():
    warm = filtered_tokens(first=0.5, second=0.3, third=0.1, fourth=0.06, fifth=0.04, temperature=2, min_p=0.1)
    want = (torch.tensor([0.5, 0.3, 0.1, 0.06, 0.04], dtype=torch.float64).log() / 2).softmax(0)
    assert warm["seen"].values("seen") == pytest.approx(want.tolist())
    assert "min-p 0.1" in plot.draw(filtered_tokens, warm).alt
    assert "1: 0.25" in plot.draw(filtered_tokens, filtered_tokens(first=0.25, second=0.25, third=0.25, fourth=0.25)).alt
