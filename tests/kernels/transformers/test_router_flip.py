"""Oracles: the closed form for two experts, thrown noise, and the ends of the range."""

import math

import pytest

from kernels.library.transformers import router_flip as file
from kernels.library.transformers.router_flip import router_flip


@pytest.mark.parametrize("lead", [0.0, 0.5, 2.0, 5.0])
def test_two_experts_have_a_closed_form(lead):
    assert file.moved(lead, 2) == pytest.approx(0.5 * math.erfc(lead / 2), rel=1e-9)  # a difference of two noises has deviation sqrt 2


@pytest.mark.parametrize(("gap", "noise"), [(1.0, 1.0), (5.0, 1.0), (5.0, 3.0)])
def test_thrown_noise_moves_as_many(gap, noise):
    torch = pytest.importorskip("torch")
    z = noise * torch.randn(400_000, 8, generator=torch.Generator().manual_seed(0))
    z[:, 0] += gap
    share = (z.argmax(1) != 0).double().mean().item()
    assert router_flip(gap=gap, noise=noise)["moved"] == pytest.approx(share, rel=0.01, abs=2e-4)


def test_the_ends():
    assert router_flip(gap=0.0)["moved"] == pytest.approx(7 / 8) == router_flip()["random"]
    assert router_flip(noise=1e3)["moved"] == pytest.approx(7 / 8, abs=2e-3)
    assert router_flip(gap=10.0)["moved"] < 1e-10


def test_the_leaders_probability():
    assert router_flip(gap=5.0)["lead_probability"] == pytest.approx(math.exp(5) / (math.exp(5) + 7))
