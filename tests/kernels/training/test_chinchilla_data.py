import math

import pytest

from kernels import plot
from kernels.library.training.chinchilla_data import LAWS, chinchilla_data
from kernels.library.transformers.kaplan_chinchilla import LAWS as OTHERS


@pytest.mark.oracle("chinchilla_data", "arXiv 2203.15556, equation 10, worked out by hand for Chinchilla's 70B and 1.4T tokens")
def test_the_loss_of_chinchilla():
    got = chinchilla_data()
    assert got["loss"] == pytest.approx(1.69 + 406.4 / 70e9**0.34 + 410.7 / 1.4e12**0.28) and got["loss"] == pytest.approx(1.937, abs=5e-4)
    assert got["after"] == pytest.approx(1.859, abs=5e-4) and got["change"] == pytest.approx(0.040, abs=5e-4)
    assert got["entropy"] + got["model_term"] + got["data_term"] == pytest.approx(got["loss"])


@pytest.mark.oracle("chinchilla_data", "arXiv 2404.10102's constants, worked out by hand for the same model and tokens")
def test_the_loss_by_the_later_fit():
    got = chinchilla_data(constants="besiroglu")
    assert got["loss"] == pytest.approx(1.8172 + 482.01 / 70e9**0.3478 + 2085.43 / 1.4e12**0.3658)


@pytest.mark.parametrize("constants", ["hoffmann", "besiroglu"])
@pytest.mark.oracle("chinchilla_data", "the slope of the loss in logarithms, by differences")
def test_the_apparent_exponent_is_the_slope(constants):
    got = chinchilla_data(constants=constants, factor=1.0001)
    assert got["apparent"] == pytest.approx(-math.log(got["after"] / got["loss"]) / math.log(1.0001), rel=1e-3)
    assert got["apparent_dimension"] > 5 * got["dimension"] and got["dimension"] == pytest.approx(4 / got["exponent"])


def test_both_sets_of_constants_are_those_used_elsewhere():
    b, other = LAWS["besiroglu"], OTHERS["besiroglu"]
    assert (b.a, b.b, b.alpha, b.beta) == (other.a, other.b, other.alpha, other.beta)
    h, rounded = LAWS["hoffmann"], OTHERS["hoffmann"]
    assert (h.a, h.b) == (rounded.a, rounded.b) and h.beta == pytest.approx(rounded.beta, abs=0.006)
    assert "floor" in plot.draw(chinchilla_data, chinchilla_data()).alt
