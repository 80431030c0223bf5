import pytest

from kernels.library.training.dimension_scaling import dimension_scaling


@pytest.mark.oracle("dimension_scaling", "error and data solved for each other by bisection")
@pytest.mark.parametrize("dimension, power", [(4, 4), (16, 4), (10, 2)])
def test_halving_is_where_half_is_left(dimension, power):
    low, high = 1.0, 1e6
    for _ in range(200):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if dimension_scaling(dimension=dimension, power=power, factor=middle)["left"] > 0.5 else (low, middle)
    assert dimension_scaling(dimension=dimension, power=power)["halving"] == pytest.approx(low, rel=1e-6)


@pytest.mark.oracle("dimension_scaling", "worked out by hand")
def test_ten_times_the_data():
    got = dimension_scaling(dimension=4.0)
    assert got["exponent"] == 1 and got["left"] == pytest.approx(0.1) and got["gain"] == pytest.approx(0.9) and got["halving"] == 2
    assert dimension_scaling(dimension=100.0)["halving"] == 2**25 and dimension_scaling(dimension=100.0)["left"] == pytest.approx(0.912, abs=5e-4)
    assert got["sweep"].values("d4")[2] == pytest.approx(0.1)
    assert got["halving_digits"] == pytest.approx(0.30103, abs=1e-5)
