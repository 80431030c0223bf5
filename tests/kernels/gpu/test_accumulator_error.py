import pytest

numpy = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")

from kernels import KernelError, plot
from kernels.library.gpu.accumulator_error import SUMS, accumulator_error, errors


def test_numpy_adds_alike():
    """The same sums one term at a time in numpy's own half precision: a block of one."""
    a, b = (torch.rand(SUMS, 128, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    exact = (a.half().double() * b.half().double()).numpy()
    total = numpy.zeros(SUMS, dtype=numpy.float16)
    for term in exact.T:
        total = (total.astype(numpy.float64) + term).astype(numpy.float16)
    error = numpy.sqrt(((total - exact.sum(1)) ** 2).mean() / (exact.sum(1) ** 2).mean())
    assert errors(a, b, "fp16", "fp16", 1, [128]) == [pytest.approx(error, rel=1e-9)]


def test_an_accumulator_of_torch_in_bf16():
    """A matrix product whose bf16 partial sums are added in bf16 by torch itself."""
    a, b = (torch.rand(SUMS, 256, generator=torch.Generator().manual_seed(seed)).bfloat16() for seed in (3, 4))
    exact = (a.double() * b.double()).sum(1)
    total = torch.zeros(SUMS, dtype=torch.bfloat16)
    for start in range(0, 256, 64):
        part = (a[:, start : start + 64].double() * b[:, start : start + 64].double()).sum(1)
        total = (total.double() + part).bfloat16()
    error = ((total.double() - exact).square().mean() / exact.square().mean()).sqrt().item()
    assert errors(a.float(), b.float(), "bf16", "bf16", 64, [256]) == [pytest.approx(error, rel=1e-9)]


def test_longer_sums_err_more_in_sixteen_bits():
    short, long = (accumulator_error(k=k) for k in (256, 4096))
    assert long["fp16_error"] > 3 * short["fp16_error"] and long["fp16_error"] > 1000 * long["fp32_error"]
    with pytest.raises(KernelError, match="blocks of 5"):
        accumulator_error(k=64, block=5)


def test_the_figure():
    assert "by accumulator; at 256 terms" in plot.draw(accumulator_error, accumulator_error(k=256)).alt
