import math
from statistics import NormalDist

import pytest

numpy = pytest.importorskip("numpy")
torch = pytest.importorskip("torch")

from kernels import plot
from kernels.library.gpu.loss_scaling import fates, loss_scaling


def test_the_shares_are_the_normal_distributions():
    got = loss_scaling()
    assert got["lost"] == pytest.approx(NormalDist(-7, 1).cdf(math.log10(2**-25)), abs=5e-3)
    assert got["coarse"] == pytest.approx(NormalDist(-7, 1).cdf(math.log10(2**-14)) - got["lost"], abs=5e-3)
    assert got["lost_bf16"] == got["lost_scaled"] == got["overflow_scaled"] == 0


def test_numpy_rounds_alike():
    gradients = torch.logspace(-12, 8, 500, dtype=torch.float64)
    with numpy.errstate(over="ignore"):
        half = gradients.numpy().astype(numpy.float16)
    assert fates(gradients, 1.0) == ((half == 0).mean(), numpy.isinf(half).mean())


def test_the_scales_enclose_a_working_range():
    got = loss_scaling()
    assert (
        got["lowest_scale"] < 65536 < got["highest_scale"]
        and got["largest"] * got["highest_scale"] < 65520 <= 2 * got["largest"] * got["highest_scale"]
    )


def test_the_figure():
    assert "become 0 unscaled" in plot.draw(loss_scaling, loss_scaling(n=1000)).alt
