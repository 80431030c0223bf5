"""Oracles: the formula of what torch keeps, and the same operations on real CPU tensors."""

import pytest

torch = pytest.importorskip("torch")

from saved_tensors import saved_bytes
from torch.nn import functional

from kernels import KernelError, plot
from kernels.library.vision.maxpool_memory import maxpool_memory
from kernels.library.vision.maxpool_traffic import maxpool_traffic


@pytest.mark.parametrize(("dtype", "size"), [("bf16", 2), ("fp32", 4)])
def test_torch_keeps_input_and_positions(dtype, size):
    got, formula = maxpool_memory(dtype=dtype), maxpool_traffic(value_bytes=size)
    assert (got["input"], got["positions"]) == (formula["input_memory"], formula["index_memory"])
    assert got["kept"] == formula["torch_keeps"] + got["output"] and got["positions_over_output"] == formula["index_over_output"]
    assert got["peak_gradients"] == got["input"] + got["output"] and got["peak"] == 2 * got["input"] + 2 * got["output"] + got["positions"]


def test_real_tensors_keep_as_much():
    got = maxpool_memory(batch=2, channels=3, size=8, dtype="fp32")

    class Pool(torch.nn.Module):
        def forward(self, x):
            return functional.max_pool2d(x, 2)

    assert saved_bytes(Pool(), torch.zeros(2, 3, 8, 8, requires_grad=True)) == got["input"] + got["positions"]


def test_refusals_and_the_figure():
    with pytest.raises(KernelError, match="must be even"):
        maxpool_memory(size=7)
    assert "positions 206 MB" in plot.draw(maxpool_memory, maxpool_memory()).alt
