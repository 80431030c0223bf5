import random

import pytest

from kernels import plot
from kernels.library.gpu.warp_divergence_cost import warp_divergence_cost


@pytest.mark.parametrize(("probability", "diverges"), [(0.01, 0.275), (0.1, 0.966), (0.5, 1.0), (0.0, 0.0), (1.0, 0.0)])
def test_how_often_a_warp_diverges(probability, diverges):
    assert warp_divergence_cost(probability=probability)["diverges"] == pytest.approx(diverges, abs=2e-3)


@pytest.mark.oracle("warp_divergence_cost", "lanes thrown one by one")
@pytest.mark.parametrize(("probability", "cost_if", "cost_else"), [(0.01, 1, 1), (0.1, 3, 1), (0.5, 1, 0.5), (0.3, 0, 1)])
def test_it_is_what_throwing_lanes_gives(probability, cost_if, cost_else):
    thrown, warps = random.Random(1), 20_000
    alone = together = 0.0
    for _ in range(warps):
        lanes = [thrown.random() < probability for _ in range(32)]
        together += cost_if * any(lanes) + cost_else * (not all(lanes))
        alone += sum(cost_if if lane else cost_else for lane in lanes) / 32
    found = warp_divergence_cost(probability=probability, cost_if=float(cost_if), cost_else=float(cost_else))
    assert found["slowdown"] == pytest.approx(together / alone, rel=0.01)


def test_a_warp_of_one_never_diverges():
    assert warp_divergence_cost(probability=0.3, warp=1)["slowdown"] == pytest.approx(1.0)


def test_the_figure():
    pytest.importorskip("matplotlib")
    assert "1 %" in plot.draw(warp_divergence_cost, warp_divergence_cost(probability=0.01)).alt.replace("\N{NO-BREAK SPACE}", " ")
