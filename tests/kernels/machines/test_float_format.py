import math

import pytest

from kernels import plot
from kernels.library.machines.float_format import BITS, float_format

TORCH = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16", "fp8-e4m3": "float8_e4m3fn", "fp8-e5m2": "float8_e5m2"}


@pytest.mark.parametrize("format", BITS)
def test_it_agrees_with_torch(format):
    torch = pytest.importorskip("torch")
    info, got = torch.finfo(getattr(torch, TORCH[format])), float_format(format=format)
    assert (got["largest"], got["smallest_normal"], got["epsilon"]) == (info.max, info.smallest_normal, info.eps)
    least = torch.tensor([got["smallest"], got["smallest"] / 2], dtype=torch.float64)
    assert least.to(getattr(torch, TORCH[format])).double().tolist() == [got["smallest"], 0]


def test_the_stall_and_the_decades():
    assert float_format(format="fp16")["stall"] == 2048 and float_format(format="bf16")["stall"] == 256
    assert math.isclose(float_format(format="bf16")["decades"], 78.57, abs_tol=0.01)


def test_the_figure():
    assert "fp16: 6e-08 to 6.55e+04, 11 significant bits" in plot.draw(float_format, float_format(format="fp16")).alt
