import numpy
import pytest

from kernels import KernelError, plot
from kernels.library.prompting.mcnemar_gain import mcnemar_gain


@pytest.mark.oracle("mcnemar_gain", "numpy's bootstrap of the items, and every course of the throws of a fair coin")
@pytest.mark.parametrize(("gained", "lost", "right"), [(16, 8, 160), (30, 2, 150), (5, 9, 100)])
def test_items_drawn_again(gained, lost, right):
    numbers = numpy.random.default_rng(7)
    weights = numpy.array([gained, lost, 200 - gained - lost]) / 200
    counts = numbers.multinomial(200, weights, 200_000)
    gains = (counts[:, 0] - counts[:, 1]) / 200
    got = mcnemar_gain(items=200, gained=gained, lost=lost, right_before=right)
    assert got["error"] == pytest.approx(gains.std(), rel=0.01) and got["gain"] == pytest.approx((gained - lost) / 200)
    throws = numbers.binomial(gained + lost, 0.5, 400_000)
    assert got["p_value"] == pytest.approx(2 * (throws <= min(gained, lost)).mean(), abs=0.003)
    old, new = right / 200, (right + gained - lost) / 200
    apart = numbers.binomial(200, new, 200_000) / 200 - numbers.binomial(200, old, 200_000) / 200
    assert got["unpaired_half"] == pytest.approx(1.96 * apart.std(), rel=0.01)


def test_p_by_pascals_triangle():
    """Three against nothing: 2 / 8; one against three: 2 (1 + 4) / 16."""
    assert mcnemar_gain(items=20, gained=3, lost=0, right_before=10)["p_value"] == pytest.approx(0.25)
    assert mcnemar_gain(items=20, gained=1, lost=3, right_before=10)["p_value"] == pytest.approx(10 / 16)


def test_the_items_that_it_takes():
    needed = int(mcnemar_gain()["needed"])
    scaled = mcnemar_gain(items=200 * 16, gained=16 * 16, lost=8 * 16, right_before=160 * 16)
    assert 0 < needed < 3200 and scaled["lower"] > 0
    assert mcnemar_gain()["gain"] == pytest.approx(1.96 * mcnemar_gain()["error"] * (200 / needed) ** 0.5, rel=0.01) or needed > 200


def test_what_makes_no_sense():
    for given in ({"gained": 150, "lost": 60}, {"gained": 8}, {"right_before": 190}, {"right_before": 3}):
        with pytest.raises(KernelError):
            mcnemar_gain(**given)


def test_the_curve_and_the_figure():
    got = mcnemar_gain()
    assert got["sweep"].values("lower")[2] == pytest.approx(got["lower"])
    assert "paired items" in plot.draw(mcnemar_gain, got).alt
