import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.training.bf16_updates import bf16_updates, path, round_stochastically


def test_small_updates_move_no_bf16_weight():
    got = bf16_updates()
    assert got["weight_bf16"] == 1 and got["lost_share"] == 1
    assert got["weight_fp32"] == pytest.approx(0, abs=1e-4) and got["weight_kahan"] == pytest.approx(0, abs=0.01)
    assert got["weight_stochastic"] == pytest.approx(0, abs=0.02)


def test_the_second_moment_is_that_of_torchs_adam():
    weight = torch.nn.Parameter(torch.ones(1, dtype=torch.bfloat16))
    optimizer = torch.optim.Adam([weight], lr=0.0, betas=(0.9, 0.999), foreach=False)
    weight.grad = torch.ones_like(weight)
    for _ in range(3000):
        optimizer.step()
    assert optimizer.state[weight]["exp_avg_sq"].item() == bf16_updates(steps=10)["v_bf16"] == 0.5


def test_a_large_update_is_not_lost():
    assert path("bf16", 1.0, 0.25, 4, None)[-1] == 0


def test_stochastic_rounding_is_right_on_average_and_a_neighbour():
    x = torch.full((100_000,), 1 + 0.3 * 2**-7)
    rounded = round_stochastically(x, torch.Generator().manual_seed(0)).double()
    assert set(rounded.tolist()) == {1.0, 1 + 2**-7}
    assert rounded.mean().item() == pytest.approx(1 + 0.3 * 2**-7, abs=5e-5)


def test_the_figure():
    assert "bf16 1," in plot.draw(bf16_updates, bf16_updates(steps=100)).alt
