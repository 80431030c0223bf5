"""Oracles: the ratios of NVIDIA's data sheets, and the limits of Amdahl's law."""

import pytest

from kernels import KernelError, plot
from kernels.library.training.mixed_precision_speed import mixed_precision_speed


@pytest.mark.oracle("mixed_precision_speed", "NVIDIA's data sheets of A100 and H100")
def test_the_data_sheets_ratios():
    assert mixed_precision_speed()["rate_ratio"] == pytest.approx(16) and mixed_precision_speed()["rate_ratio_tf32"] == pytest.approx(2)
    assert mixed_precision_speed(gpu="h100")["rate_ratio"] == pytest.approx(14.8, abs=0.05)


@pytest.mark.parametrize(("products", "memory", "expected"), [(1, 0, 16), (0, 1, 2), (0, 0, 1)])
def test_one_kind_of_work_alone(products, memory, expected):
    assert mixed_precision_speed(products=products, memory=memory)["speedup"] == pytest.approx(expected)


def test_by_hand():
    got = mixed_precision_speed()  # 0.05 + 0.075 + 0.05 of the fp32 step is left; TF32 leaves 0.1 + 0.15 + 0.05
    assert got["speedup"] == pytest.approx(1 / 0.175) and got["speedup_tf32"] == pytest.approx(0.3 / 0.175)
    assert got["limit"] == pytest.approx(8) and got["products_left"] == pytest.approx(0.05 / 0.175)


def test_infinitely_fast_products():
    assert mixed_precision_speed(products=0.5, memory=0.5)["limit"] == pytest.approx(4)
    assert mixed_precision_speed(products=1, memory=0)["limit"] == pytest.approx(16)  # nothing else in the step: the ratio of the rates


def test_more_than_the_whole_step():
    with pytest.raises(KernelError):
        mixed_precision_speed(products=0.9, memory=0.2)


def test_the_figure():
    assert "matrix products" in plot.draw(mixed_precision_speed, mixed_precision_speed()).alt
