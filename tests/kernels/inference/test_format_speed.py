import pytest

from kernels.library.inference.format_speed import format_speed
from kernels.library.machines._devices import DEVICES


def test_the_data_sheets_ratios():
    """NVIDIA A100: tensor cores 16 times the fp32 rate in fp16, 8 times in TF32; int8 twice fp16, int4 twice int8."""
    assert [format_speed(format=f)["peak_ratio"] for f in ("tf32", "fp16", "int8", "int4")] == [8, 16, 32, 64]
    assert [format_speed(format=f)["bytes_ratio"] for f in ("tf32", "fp16", "int8", "int4")] == [1, 2, 4, 8]
    assert format_speed(format="fp16")["peak"] == DEVICES["a100"].half
    assert format_speed(format="fp16")["peak_ratio_tf32"] == pytest.approx(2)
