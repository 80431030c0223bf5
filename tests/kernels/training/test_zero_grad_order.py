"""Oracles: the closed forms of both recurrences, and of AdamW's decay."""

import math

import pytest

pytest.importorskip("torch")

from kernels import plot
from kernels.library.training.zero_grad_order import DECAY, path, zero_grad_order


@pytest.fixture(scope="module")
def result():
    return zero_grad_order()


def sgd(weight, rate=0.1):
    import torch

    return torch.optim.SGD([weight], lr=rate)


@pytest.mark.parametrize("curvature", [0.1, 1.0, 3.0])
def test_never_zeroed_is_an_undamped_swing(curvature):
    theta = math.acos(1 - 0.1 * curvature / 2)
    expected = [math.cos((t + 0.5) * theta) / math.cos(theta / 2) for t in range(201)]
    assert path("never", 200, curvature, sgd) == pytest.approx(expected, abs=1e-9)


def test_zeroed_on_either_side_of_the_step_is_plain_descent(result):
    assert result["start"] == result["after_step"] == pytest.approx(0.9**100)


def test_zeroed_between_nothing_moves_but_the_decay_of_gradients_kept_as_noughts(result):
    assert result["between"] == result["between_decay"] == 1
    assert result["between_decay_zeros"] == pytest.approx((1 - 0.1 * DECAY) ** 100)


def test_the_swing(result):
    theta = math.acos(0.95)
    assert result["period"] == pytest.approx(2 * math.pi / theta)


@pytest.mark.parametrize("rate", [0.1, 0.01])
def test_adams_swing_by_its_recurrence(rate):
    weight, summed, first, second, seen = 1.0, 0.0, 0.0, 0.0, [1.0]
    for t in range(1, round(4 / rate) + 1):
        summed += weight
        first, second = 0.9 * first + 0.1 * summed, 0.999 * second + 0.001 * summed**2
        weight -= rate * (first / (1 - 0.9**t)) / (math.sqrt(second / (1 - 0.999**t)) + 1e-8)
        seen.append(weight)
    assert zero_grad_order(adam_rate=rate)["adam_overshoot"] == pytest.approx(-min(seen)) and min(seen) < -0.5


def test_gradients_add_up(result):
    assert result["repeats"] == 2


def test_micro_batches_add_up_to_the_large_batch():
    """Mean losses of equal parts, each divided by their number."""
    import torch

    x, y = (torch.randn(256, size, generator=torch.Generator().manual_seed(size), dtype=torch.float64) for size in (16, 1))
    weight = torch.ones(16, 1, dtype=torch.float64, requires_grad=True)
    (large,) = torch.autograd.grad((x @ weight - y).square().mean(), weight)
    for part, target in zip(x.split(32), y.split(32)):
        ((part @ weight - target).square().mean() / 8).backward()
    assert weight.grad is not None and torch.allclose(weight.grad, large, rtol=1e-12)


def test_the_figure():
    assert "swings for ever" in plot.draw(zero_grad_order, zero_grad_order()).alt
