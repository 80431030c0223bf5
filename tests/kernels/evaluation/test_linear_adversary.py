"""Oracle: random vectors in torch."""

import pytest

from kernels import plot
from kernels.library.evaluation.linear_adversary import linear_adversary


@pytest.mark.oracle("linear_adversary", "random vectors in torch")
def test_normal_weights_against_torch():
    torch = pytest.importorskip("torch")
    random = torch.Generator().manual_seed(0)
    w = torch.randn(150_528, generator=random, dtype=torch.float64)
    w /= w.norm()
    result = linear_adversary()
    assert result["adversarial"] == pytest.approx((8 / 255 * w.abs().sum()).item(), rel=0.01)
    signs = torch.randint(0, 2, (200, len(w)), generator=random, dtype=torch.int8).double() * 2 - 1
    assert result["random"] == pytest.approx((8 / 255 * signs @ w).std().item(), rel=0.15)


def test_equal_weights_gain_the_root_of_the_inputs():
    assert linear_adversary(inputs=10_000, weights="equal")["ratio"] == pytest.approx(100)


def test_the_figure_is_drawn():
    assert plot.draw(linear_adversary, linear_adversary()).alt
