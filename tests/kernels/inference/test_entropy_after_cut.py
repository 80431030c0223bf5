"""Entropies behind a cut, against torch's distribution over the kept tokens."""

from __future__ import annotations

import math

import pytest

from kernels import plot
from kernels.library.inference.entropy_after_cut import entropy_after_cut

torch = pytest.importorskip("torch")


@pytest.mark.oracle("entropy_after_cut", "torch.distributions.Categorical over the kept tokens")
@pytest.mark.parametrize(("temperature", "exponent"), [(0.3, 1.5), (1.0, 1.5), (1.5, 1.5), (1.5, 2.2), (2.0, 0.5), (1.0, 1.0)])
def test_torch_gives_the_same_entropies(temperature, exponent):
    p = (-exponent / temperature * torch.arange(1, 50_001, dtype=torch.float64).log()).softmax(0)
    got = entropy_after_cut(temperature=temperature, exponent=exponent)
    for name, kept in {
        "uncut": p,
        "by_k": p[:50],
        "by_p": p[: int((p.cumsum(0) < 0.9).sum()) + 1],
        "by_min": p[p >= 0.1 * p[0] * (1 - 1e-12)],
    }.items():
        assert got[name] == pytest.approx(torch.distributions.Categorical(kept / kept.sum()).entropy().item(), rel=1e-4, abs=1e-9), name
    assert got["choices_p"] == pytest.approx(math.exp(got["by_p"]))


def test_a_fixed_number_of_tokens_bounds_it():
    hot = entropy_after_cut(temperature=20)
    assert hot["by_k"] <= hot["k_bound"] == math.log(50) and hot["by_k"] == pytest.approx(hot["k_bound"], abs=0.01)
    assert hot["uncut"] == pytest.approx(math.log(50_000), abs=0.05)


def test_the_figure():
    assert "min-p" in plot.draw(entropy_after_cut, entropy_after_cut()).alt
