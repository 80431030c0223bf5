"""Oracles: QLoRA's printed NF4 levels, and what rounding to bf16 gives for a spread of values."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.finetuning.lora_merge import dequantised, lora_merge, nf4_codes, nf4_levels

PRINTED = (  # QLoRA, arXiv 2305.14314, appendix E
    -1.0, -0.6961928, -0.52507305, -0.39491749, -0.28444138, -0.18477343, -0.09105004, 0.0,
    0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def result():
    return lora_merge(d=256)


def test_the_levels_are_the_papers():
    assert nf4_levels() == pytest.approx(PRINTED, abs=2e-6)


def test_quantising_what_is_quantised_changes_nothing():
    weights = torch.randn(64, 64, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    once = dequantised(*nf4_codes(weights))
    assert torch.equal(once, dequantised(*nf4_codes(once)))
    levels = torch.tensor(PRINTED, dtype=torch.float64)
    blocks = weights.reshape(-1, 64)
    scales = blocks.abs().amax(dim=1, keepdim=True)
    nearest = levels[(blocks[:, :, None] / scales[:, :, None] - levels).abs().argmin(-1)] * scales
    assert torch.allclose(once.reshape(-1, 64), nearest, atol=1e-5)


def test_bf16_rounds_by_its_spacing(result):
    """Eight bits of mantissa: a relative error of 2^-8 / sqrt(12) over a mantissa between 1 and 2, so between half of that and all of it."""
    low, high = 2**-8 / 12**0.5, 2**-7 / 12**0.5
    assert low / 2 < result["error_bf16"] * 0.03 < high
    assert result["kept_bf16"] == pytest.approx(1, abs=0.01)


def test_a_small_update_vanishes_in_nf4(result):
    assert result["kept_nf4"] < 0.2 and result["unchanged_nf4"] > 0.95 and result["error_nf4"] > 0.9
    assert lora_merge(d=256, update=1.0)["error_nf4"] < 0.2


def test_a_larger_update_comes_through_with_noise():
    """At the ratio of LoRA's table 7, 6.91 / 61.95, most of it is kept, and the error is that of quantising anew."""
    larger = lora_merge(d=256, update=6.91 / 61.95)
    assert 0.7 < larger["kept_nf4"] < 1 and larger["error_nf4"] * 0.11 == pytest.approx(larger["base_error_nf4"], rel=0.3)


def test_the_figure_is_drawn(result):
    assert "into NF4" in plot.draw(lora_merge, result).alt
