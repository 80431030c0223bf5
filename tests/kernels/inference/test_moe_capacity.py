"""Expected overflow against scipy's distributions, against dice, and against a case that can be counted by hand."""

from __future__ import annotations

import pytest

from kernels import KernelError, plot
from kernels.library.inference import moe_capacity as file
from kernels.library.inference.moe_capacity import moe_capacity


def test_the_distributions_are_scipys():
    stats = pytest.importorskip("scipy.stats")
    assert file.binomial(300, 0.1) == pytest.approx(list(stats.binom.pmf(range(301), 300, 0.1)), rel=1e-9, abs=1e-300)
    assert file.betabinomial(300, 5, 90) == pytest.approx(list(stats.betabinom.pmf(range(301), 300, 5, 90)), rel=1e-9, abs=1e-300)


@pytest.mark.oracle("moe_capacity", "routing thrown with dice")
@pytest.mark.parametrize("concentration", [0.0, 5.0])
@pytest.mark.parametrize("factor", [1.0, 1.25])
def test_thrown_dice_drop_that_many(factor, concentration):
    torch = pytest.importorskip("torch")
    torch.manual_seed(3)
    got = moe_capacity(tokens=1024, experts=16, factor=factor, concentration=concentration)
    dropped = []
    for _ in range(4000):
        share = torch.distributions.Dirichlet(torch.full((16,), concentration)).sample() if concentration else torch.full((16,), 1 / 16)
        loads = torch.multinomial(share, 1024, replacement=True).bincount(minlength=16)
        dropped.append((loads - got["capacity"]).clamp(min=0).sum().item() / 1024)
    assert got["dropped"] == pytest.approx(sum(dropped) / len(dropped), rel=0.03, abs=1.5e-4)


@pytest.mark.parametrize("concentration", [5.0, 15.0, 3000.0])
def test_the_fullest_expert_is_that_of_drawn_shares(concentration):
    torch = pytest.importorskip("torch")
    torch.manual_seed(4)
    shares = torch.distributions.Dirichlet(torch.full((64,), concentration)).sample((20_000,))
    assert moe_capacity(concentration=concentration)["fullest"] == pytest.approx(64 * shares.max(1).values.mean().item(), rel=5e-3)
    assert moe_capacity()["fullest"] == 1


def test_two_tokens_and_two_experts_by_hand():
    got = moe_capacity(tokens=2, experts=2, factor=1.0)  # both choose the same expert half of the time: then one of two is dropped
    assert got["capacity"] == 1 and got["dropped"] == pytest.approx(0.25)
    assert got["padding"] == pytest.approx(0.25)


def test_capacity_is_rounded_up_but_not_by_rounding_errors():
    assert moe_capacity(tokens=100, experts=64, factor=1.0)["capacity"] == 2
    assert moe_capacity(tokens=640, experts=64, factor=1.1)["capacity"] == 11
    assert moe_capacity(tokens=4096, experts=64, top_k=8, factor=1.25)["capacity"] == 640


def test_with_room_for_all_nothing_is_dropped():
    assert moe_capacity(tokens=256, experts=8, factor=8.0)["dropped"] == 0


def test_what_makes_no_sense_is_refused():
    with pytest.raises(KernelError, match="top_k is 9"):
        moe_capacity(experts=8, top_k=9)
    with pytest.raises(KernelError, match="top_k 1 only"):
        moe_capacity(top_k=2, concentration=5.0)


def test_the_figure():
    assert "with a skewed router" in plot.draw(moe_capacity, moe_capacity(concentration=5.0)).alt
