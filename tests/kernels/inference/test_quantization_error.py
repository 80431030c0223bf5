"""Rounding noise against closed forms and torch's own quantiser."""

import math

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.inference.quantization_error import nearest, quantization_error


def test_uniform_weights_meet_the_closed_form_and_six_decibels_a_bit():
    for bits in (4, 8):
        got = quantization_error(bits=bits, rows=128)
        assert got["uniform"] == pytest.approx(20 * math.log10(2**bits - 2), abs=0.05)
    assert got["per_bit"] == pytest.approx(20 * math.log10(2), abs=0.05)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_gaussian_weights_by_their_largest_and_an_outlier_by_its_size(seed):
    got = quantization_error(bits=8, rows=128, seed=seed)
    assert got["tensor"] == pytest.approx(20 * math.log10(math.sqrt(12) * 127 / got["largest"]), abs=0.05)
    assert got["tensor_outlier"] == pytest.approx(20 * math.log10(math.sqrt(12) * 127 / 100), abs=0.3)
    assert got["tensor"] < got["channel"] < got["group"] and got["group"] - got["group_outlier"] < 3


def test_torch_rounds_alike():
    weights = torch.randn(8, 64, generator=torch.Generator().manual_seed(3))
    scales = weights.abs().amax(1) / 127
    theirs = torch.fake_quantize_per_channel_affine(weights, scales, torch.zeros(8, dtype=torch.int32), 0, -127, 127)
    assert torch.allclose(nearest(weights, 8, 64), theirs, atol=1e-6)


def test_the_figure():
    assert "scale per 128" in plot.draw(quantization_error, quantization_error(rows=128)).alt
