"""Oracles: tabled expectations of the largest of n normals, and drawn answers with drawn errors."""

import math

import pytest

from kernels import plot
from kernels.library.finetuning.reward_overoptimisation import SIZES, chosen, grid, reward_overoptimisation

LARGEST_NORMAL = {2: 1 / math.sqrt(math.pi), 4: 1.02938, 8: 1.42360, 16: 1.76599}  # order statistics, Harter 1961


@pytest.fixture(scope="module")
def result():
    return reward_overoptimisation()


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_nearly_gaussian_errors_give_the_order_statistics(scale):
    spread = math.sqrt(1 + scale**2)
    for n, expected in LARGEST_NORMAL.items():
        proxy, true = chosen(n, 1000.0, scale)
        assert true == pytest.approx(expected / spread, rel=5e-3)
        assert proxy == pytest.approx(expected * spread, rel=5e-3)


@pytest.mark.parametrize(("tail", "scale"), [(2, 1.0), (2, 0.5), (5, 2.0), (30, 1.0)])
def test_drawn_answers_agree(tail, scale):
    torch = pytest.importorskip("torch")
    random = torch.Generator().manual_seed(0)
    prompts, n = 40_000, 64
    true = torch.randn(prompts, n, generator=random, dtype=torch.float64)
    squares = torch.randn(prompts, n, tail, generator=random, dtype=torch.float64).square().sum(2)
    proxy = true + scale * torch.randn(prompts, n, generator=random, dtype=torch.float64) / (squares / tail).sqrt()
    winner = true.gather(1, proxy.argmax(1, keepdim=True))
    assert chosen(n, float(tail), scale)[1] == pytest.approx(winner.mean().item(), abs=4 * winner.std().item() / prompts**0.5)
    if tail > 2:
        best = proxy.amax(1)
        assert chosen(n, float(tail), scale)[0] == pytest.approx(best.mean().item(), abs=4 * best.std().item() / prompts**0.5)


def test_the_grid_holds_all_of_the_proxy():
    for tail, scale in ((2.0, 2.0), (30.0, 0.5)):
        assert sum(g for _, _, g, _ in grid(tail, scale)) == pytest.approx(1, abs=1e-6)
        proxy, true = chosen(1, tail, scale)
        assert abs(proxy) < 1e-9 and abs(true) < 1e-9


def test_heavy_tails_peak_and_fall_while_the_proxy_climbs(result):
    assert 4 <= result["best_n"] <= 32 and result["true"] < 0.5 * result["best"]
    proxies = [chosen(n, 2.0, 1.0)[0] for n in SIZES]
    assert proxies == sorted(proxies)
    assert result["kl"] == pytest.approx(math.log(1024) - 1023 / 1024)
    light = reward_overoptimisation(tail=30)
    assert light["best_n"] == 1024 and light["true"] == light["best"] < light["proxy"]


def test_the_figure_is_drawn(result):
    assert "peaks at n = 16" in plot.draw(reward_overoptimisation, result).alt
