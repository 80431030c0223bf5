"""Oracles: torch.optim.Adam's own second moment, and by hand where it sticks."""

import math

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.training.bf16_second_moment import ENTRIES, bf16_second_moment, drawn, step_of


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_the_second_moment_is_that_of_torchs_adam(noise):
    weight = torch.nn.Parameter(torch.ones(ENTRIES, dtype=torch.bfloat16))
    optimizer = torch.optim.Adam([weight], lr=0.0, betas=(0.9, 0.999), foreach=False)
    random = torch.Generator().manual_seed(4)
    v = torch.zeros(ENTRIES, dtype=torch.bfloat16)
    for _ in range(1500):
        weight.grad = ((1 - noise) ** 0.5 + noise**0.5 * drawn("normal", random)).bfloat16()
        optimizer.step()
        step_of(v, weight.grad, 0.999)
    assert torch.equal(optimizer.state[weight]["exp_avg_sq"], v)


def test_equal_gradients_stick_at_a_half():
    got = bf16_second_moment(noise=0.0, steps=4000, scale=1.0)
    assert got["v"] == 0.5 and got["step_factor"] == pytest.approx(2**0.5, rel=0.02)
    assert bf16_second_moment(noise=0.0, steps=4000, beta2=0.95)["v"] > 0.95


@pytest.mark.parametrize("scale", [0.99, 1.1, 1.2, 1.39, 2.0])
def test_where_equal_gradients_stick_depends_on_their_size(scale):
    """The least power of two whose half spacing reaches 0.001 g^2: by bf16's 8 bits, 2^k with 2^(k - 8) >= 0.001 g^2."""
    square = torch.tensor(scale).bfloat16().double().item() ** 2
    stuck = 2.0 ** math.ceil(math.log2(0.001 * square) + 8)
    assert bf16_second_moment(noise=0.0, steps=4000, scale=scale)["v"] == pytest.approx(stuck / scale**2, rel=1e-6)


def test_noise_climbs_and_heavier_tails_climb_higher():
    early, late = (bf16_second_moment(steps=steps)["v"] for steps in (3000, 6000))
    assert 1 < early < late < bf16_second_moment(steps=6000, tails="laplace")["v"]


@pytest.mark.parametrize("tails", ["normal", "laplace"])
def test_the_noise_has_variance_one(tails):
    random = torch.Generator().manual_seed(0)
    x = torch.cat([drawn(tails, random) for _ in range(400)]).double()
    assert x.mean().abs() < 0.02 and x.var().item() == pytest.approx(1, abs=0.03)
    assert x.pow(4).mean().item() == pytest.approx({"normal": 3, "laplace": 6}[tails], rel=0.1)


def test_the_figure():
    assert "fp32" in plot.draw(bf16_second_moment, bf16_second_moment(steps=1000)).alt
