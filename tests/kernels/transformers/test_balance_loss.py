"""Oracles: the formula by hand, autograd's gradient, and real top-1 routing that undercuts the uniform value."""

import pytest

from kernels.library.transformers.balance_loss import balance_loss


def test_by_hand():
    got = balance_loss(experts=8, hot_share=0.5, hot_probability=0.4)
    assert got["over_uniform"] == pytest.approx(8 * (0.5 * 0.4 + 0.5 * 0.6 / 7))
    assert got["loss"] == pytest.approx(0.01 * got["over_uniform"]) and got["without_factor"] == pytest.approx(got["loss"] / 8)


@pytest.mark.parametrize("experts", [2, 8, 256])
def test_the_ends(experts):
    even = balance_loss(experts=experts, hot_share=1 / experts, hot_probability=1 / experts)
    assert even["loss"] == pytest.approx(even["uniform"]) == pytest.approx(0.01)
    assert even["without_factor"] == pytest.approx(even["uniform_without_factor"])
    assert balance_loss(experts=experts)["loss"] == balance_loss(experts=experts)["worst"] == pytest.approx(0.01 * experts)


def test_where_share_and_probability_agree_uniform_is_the_least():
    assert min(balance_loss(hot_share=p / 100, hot_probability=p / 100)["over_uniform"] for p in range(101)) >= 1


def test_real_routing_can_undercut_uniform():
    """Three tokens: two choose expert 0 narrowly, one chooses expert 1 surely."""
    p = [(0.51, 0.49), (0.51, 0.49), (0.01, 0.99)]
    shares, means = (2 / 3, 1 / 3), [sum(row[i] for row in p) / 3 for i in range(2)]
    by_hand = 2 * sum(f * m for f, m in zip(shares, means))
    assert balance_loss(experts=2, hot_share=2 / 3, hot_probability=means[0])["over_uniform"] == pytest.approx(by_hand) and by_hand < 0.9


@pytest.mark.oracle("balance_loss", "autograd's gradient of the loss over single tokens")
def test_the_push_is_autograds():
    torch = pytest.importorskip("torch")
    shares, means = torch.tensor([0.5] + [0.5 / 7] * 7), torch.tensor([0.4] + [0.6 / 7] * 7, requires_grad=True)
    (0.01 * 8 * (shares * means).sum()).backward()
    got = balance_loss(hot_share=0.5, hot_probability=0.4)
    assert (got["push_hot"], got["push_other"]) == (pytest.approx(means.grad[0].item()), pytest.approx(means.grad[1].item()))
