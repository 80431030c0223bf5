import math

import pytest

pytest.importorskip("torch")

from kernels import plot
from kernels.library.inference.activation_outliers import activation_outliers


@pytest.mark.parametrize("seed", [0, 1])
def test_order_of_the_methods(seed):
    got = activation_outliers(seed=seed)
    assert got["split"] < got["weights_only"] < got["smooth"] < got["token"] < got["tensor"]


def test_one_scale_for_all_meets_the_noise_of_its_step():
    """The largest of 6 * 256 Gaussian outliers of size 30 sets the step; noise step^2 / 12 against ordinary power 1. Mean of four draws."""
    largest = 30 * math.sqrt(2 * math.log(2 * 6 * 256))
    mean = sum(activation_outliers(outlier=30.0, outputs=16, seed=seed)["sqnr_tensor"] for seed in range(4)) / 4
    assert mean == pytest.approx(20 * math.log10(math.sqrt(12) * 127 / largest), abs=1.5)


def test_without_outliers_smoothing_has_nothing_to_do():
    got = activation_outliers(outlier=1.0)
    assert got["smooth"] == pytest.approx(got["token"], rel=0.1) and got["zeroed_token"] < 0.02
    assert got["sqnr_weights"] == pytest.approx(got["sqnr_token"], abs=1)


def test_alpha_of_nought_leaves_the_activations_scales_in_place():
    assert activation_outliers(alpha=0.0, outputs=32)["sqnr_smooth"] == pytest.approx(activation_outliers(outputs=32)["sqnr_token"], abs=1.5)


def test_the_figure():
    assert "SmoothQuant" in plot.draw(activation_outliers, activation_outliers(tokens=32)).alt
