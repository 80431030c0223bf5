import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.training.bf16_updates import bf16_updates, path, round_stochastically


def test_small_updates_move_no_bf16_weight():
    got = bf16_updates()
    assert got["weight_bf16"] == 1 and got["lost_share"] == 1
    assert got["weight_fp32"] == pytest.approx(0, abs=1e-4) and got["weight_kahan"] == pytest.approx(0, abs=0.01)
    assert got["spacing"] == 2**-8


def test_updates_of_a_power_of_two_end_at_nought_in_both_exact_ways():
    got = bf16_updates(update=2**-10, steps=1024)
    assert got["weight_fp32"] == got["weight_kahan"] == 0 and got["weight_bf16"] == 1


def test_stochastic_rounding_is_right_on_average():
    """The variance of a step is update * (spacing - update): 512 steps of the spacing 2^-8, 256 of 2^-9, none below."""
    u = 2**-10
    sd = (512 * u * (2**-8 - u) + 256 * u * (2**-9 - u)) ** 0.5
    ends = torch.tensor([bf16_updates(update=u, steps=1024, seed=seed)["weight_stochastic"] for seed in range(24)])
    assert abs(ends.mean().item()) < 3 * sd / 24**0.5 and ends.std().item() == pytest.approx(sd, rel=0.5)


def test_a_large_update_is_not_lost():
    assert path("bf16", 1.0, 0.25, 4, None)[-1] == 0


def test_stochastic_rounding_is_right_on_average_and_a_neighbour():
    x = torch.full((100_000,), 1 + 0.3 * 2**-7)
    rounded = round_stochastically(x, torch.Generator().manual_seed(0)).double()
    assert set(rounded.tolist()) == {1.0, 1 + 2**-7}
    assert rounded.mean().item() == pytest.approx(1 + 0.3 * 2**-7, abs=5e-5)


def test_the_figure():
    assert "bf16 1," in plot.draw(bf16_updates, bf16_updates(steps=100)).alt
