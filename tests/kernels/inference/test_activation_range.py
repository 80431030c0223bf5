import math

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.inference.activation_range import activation_range, rounded

SMALL = {"batches": 40, "calibration": 8, "size": 1024}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_dynamic_follows_a_varying_scale(seed):
    got = activation_range(seed=seed, **SMALL)
    assert got["gain"] > 3 and got["dynamic_worst"] > got["static_worst"]


def test_gaussian_batches_of_one_scale_meet_the_closed_form():
    got = activation_range(scales="stable", **SMALL)
    m = torch.randn(2000, 1024, generator=torch.Generator().manual_seed(7)).abs().amax(1)
    expected = (20 * torch.log10(math.sqrt(12) * 127 / m)).mean().item()
    assert got["dynamic"] == pytest.approx(expected, abs=0.2)


def test_a_clipped_static_range_wins_where_tails_are_heavy_and_bits_few():
    for seed in (0, 1, 2):
        assert activation_range(bits=4, scales="stable", freedom=4, seed=seed, **SMALL)["clipped_gain"] < -2


def test_values_beyond_the_range_saturate():
    assert rounded(torch.tensor([0.5, 9.0, -9.0]), torch.tensor(1.0), 2).tolist() == [0.0, 1.0, -1.0]  # 0.5 to even


def test_the_figure():
    assert "static" in plot.draw(activation_range, activation_range(**SMALL)).alt
