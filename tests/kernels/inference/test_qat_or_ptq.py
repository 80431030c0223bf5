import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.inference.qat_or_ptq import qat_or_ptq, rounded, through


def test_the_gradient_passes_straight_through():
    weights = torch.randn(3, 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
    target = torch.arange(24.0).reshape(3, 8)
    (through(weights, 3) * target).sum().backward()
    assert torch.equal(weights.grad, target) and torch.allclose(through(weights, 3), rounded(weights, 3))


@pytest.mark.parametrize("seed", [0, 1])
def test_qat_takes_back_part_of_what_rounding_costs(seed):
    got = qat_or_ptq(steps=200, further=100, seed=seed)
    assert got["longer"] < got["qat"] < min(got["ptq"], got["longer_ptq"]) and 0 < got["regained"] < 1


def test_at_eight_bits_there_is_little_to_take_back():
    got = qat_or_ptq(bits=8, steps=100, further=20)
    assert got["ptq"] < 1.1 * got["full"]


def test_the_figure():
    assert "QAT" in plot.draw(qat_or_ptq, qat_or_ptq(steps=100, further=30)).alt
