"""Oracles: torch's logsigmoid and its gradient, and the values that a closed form has at zero."""

import math

import pytest

from kernels.library.finetuning.preference_loss import preference_loss


def test_without_a_margin_the_loss_is_ln_2():
    result = preference_loss(chosen=-40.0, rejected=-40.0, beta=0.1)
    assert result["loss"] == result["loss_at_start"] == pytest.approx(math.log(2))
    assert result["slope"] == -0.5


@pytest.mark.oracle("preference_loss", "torch's logsigmoid and its gradient")
@pytest.mark.parametrize(("chosen", "rejected", "beta"), [(2.0, 0.5, 1.0), (-30.0, -80.0, 0.1), (-5.0, 3.0, 0.5)])
def test_loss_and_slope_are_those_of_torch(chosen, rejected, beta):
    torch = pytest.importorskip("torch")
    margin = torch.tensor(beta * (chosen - rejected), dtype=torch.float64, requires_grad=True)
    loss = -torch.nn.functional.logsigmoid(margin)
    loss.backward()
    result = preference_loss(chosen=chosen, rejected=rejected, beta=beta)
    assert result["loss"] == pytest.approx(loss.item(), rel=1e-12)
    assert result["slope"] == pytest.approx(margin.grad.item(), rel=1e-12)


def test_a_huge_margin_the_wrong_way_costs_its_size():
    assert preference_loss(chosen=-900.0)["loss"] == pytest.approx(900.0)
