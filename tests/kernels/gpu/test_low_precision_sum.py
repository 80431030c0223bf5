import pytest

numpy = pytest.importorskip("numpy")
pytest.importorskip("torch")

from kernels import plot
from kernels.library.gpu.low_precision_sum import low_precision_sum, pairwise, running
from kernels.library.machines.float_format import float_format


def test_ones_stop_where_the_format_says():
    got = low_precision_sum()
    assert got["fp16"] == float_format(format="fp16")["stall"] and got["bf16"] == float_format(format="bf16")["stall"]
    assert got["fp32"] == got["exact"] == 10_000
    assert got["fp16_in_fp32"] == 10_000 and got["bf16_in_fp32"] == 9984  # bf16's neighbour of 10,000


def test_numpy_adds_alike():
    total, sums = numpy.float16(0), []
    for _ in range(4000):
        total = numpy.float16(total + numpy.float16(0.1))
        sums.append(float(total))
    assert running(0.1, 4000, "fp16") == sums and sums[-1] == 256  # from 256 on neighbours lie 1/4 apart


def test_pairwise_stays_within_highams_bound():
    for n in (3, 1000, 4097):
        assert abs(pairwise(0.1, n, "fp16") / (n * 0.1) - 1) <= 2**-11 * (n.bit_length() + 1)


def test_the_figure():
    assert "fp16 ends at 2,048, bf16 at 256" in plot.draw(low_precision_sum, low_precision_sum(n=3000)).alt
