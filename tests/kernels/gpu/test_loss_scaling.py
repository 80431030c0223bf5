import pytest

numpy = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.gpu.loss_scaling import loss_scaling


def drawn(median=1e-7, spread=1.0, n=1_000_000):
    return median * 10 ** (spread * torch.randn(n, generator=torch.Generator().manual_seed(0), dtype=torch.float64))


@pytest.mark.parametrize(("median", "spread", "scale"), [(1e-7, 1.0, 65536.0), (1e-7, 2.0, 256.0), (1e-5, 0.5, 2.0**30), (1e-3, 2.0, 65536.0)])
def test_the_shares_are_those_of_a_million_rounded_gradients(median, spread, scale):
    gradients, got = drawn(median, spread), loss_scaling(median=median, spread=spread, scale=scale)
    half, scaled = gradients.half(), (gradients * scale).half()
    found = {
        "lost": half == 0,
        "coarse": (half > 0) & (half < torch.finfo(torch.float16).tiny),
        "lost_bf16": gradients.bfloat16() == 0,
        "lost_scaled": scaled == 0,
        "overflow_scaled": scaled.isinf(),
    }
    for name, mask in found.items():
        assert got[name] == pytest.approx(mask.double().mean().item(), abs=2e-3), name


def test_the_edges_are_numpys():
    got = loss_scaling(scale=1.0)
    zero, infinite = got["zero_below"], got["infinite_from"]
    with numpy.errstate(over="ignore"):
        assert numpy.float16(zero) == 0 < numpy.float16(zero * 1.0001)
        assert numpy.isinf(numpy.float16(infinite)) and numpy.isfinite(numpy.float16(infinite * 0.9999))
    assert loss_scaling()["infinite_from"] == pytest.approx(65520 / 65536)


def test_the_figure():
    assert "unscaled" in plot.draw(loss_scaling, loss_scaling()).alt
