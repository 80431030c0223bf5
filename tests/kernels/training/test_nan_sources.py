import math

import pytest

torch = pytest.importorskip("torch")

from kernels.library.training.nan_sources import FLAGS, nan_sources


@pytest.mark.parametrize("dtype", ["fp32", "bf16", "fp16"])
def test_every_source(dtype):
    got = nan_sources(dtype=dtype)
    assert all(got[flag] == 1 for flag in FLAGS)
    assert got["naive_right_nan"] == got["naive_wrong_inf"] == got["stable_right_finite"] == 1
    assert got["clamped_wrong"] == 100


def test_where_a_sigmoid_is_one():
    assert nan_sources()["saturates_at"] == pytest.approx(24 * math.log(2), abs=2e-3)
    # rounded once, as torch's 16-bit sigmoid is: 1 - p falls below half of the spacing under 1
    assert nan_sources(dtype="bf16")["saturates_at"] == pytest.approx(math.log(2**9 - 1), rel=2**-7)
    assert nan_sources(dtype="fp16")["saturates_at"] == pytest.approx(math.log(2**12 - 1), rel=2**-10)


def test_the_loss_from_the_logit():
    got = nan_sources()
    assert got["stable_wrong"] == pytest.approx(math.log1p(math.exp(got["saturates_at"])))


def test_the_classical_softmax_is_infinity_over_infinity():
    large = torch.exp(torch.tensor([100.0, 0.0]))
    assert (large / large.sum()).isnan()[0]
