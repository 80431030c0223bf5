import pytest

from kernels import plot
from kernels.library.inference.decode_roofline import decode_roofline
from kernels.library.inference.weight_only_gain import weight_only_gain


@pytest.mark.oracle("weight_only_gain", "two steps of decode_roofline, with and without")
@pytest.mark.parametrize("batch", [1, 64, 76, 128, 256, 512])
def test_the_ratio_of_two_decode_steps_without_a_cache(batch):
    times = [decode_roofline(model="llama-2-70b", bits=bits, batch=batch)["time"] for bits in (16, 4.125)]
    assert weight_only_gain(batch=batch)["gain"] == pytest.approx(times[0] / times[1], rel=1e-4)  # a step reads norms too


def test_where_it_fades_and_ends():
    got = weight_only_gain(batch=64)
    assert got["gain"] == got["most"] == pytest.approx(16 / 4.125)  # batch 64 lies below the corner at 76
    assert weight_only_gain(batch=int(got["fades_from"]) + 1)["gain"] < got["most"]
    assert weight_only_gain(batch=int(got["gone_from"]) + 1)["gain"] == 1


def test_the_figure():
    assert "none from 295" in plot.draw(weight_only_gain, weight_only_gain()).alt
