import pytest

from kernels import KernelError, plot
from kernels.library.evaluation.paired_gain import paired_gain


@pytest.mark.oracle("paired_gain", "scipy's exact binomial test, and every outcome of ten items")
def test_the_sign_test_is_scipy_s():
    test = pytest.importorskip("scipy.stats").binomtest
    for gained, lost in ((14, 6), (6, 14), (3, 3), (0, 8), (60, 40), (900, 700)):
        got = paired_gain(items=5000, gained=gained, lost=lost, right_before=2000)
        assert got["p_value"] == pytest.approx(test(gained, gained + lost).pvalue, rel=1e-9)
        assert got["differing"] == gained + lost
    needed = paired_gain(gained=14, lost=6)["wins_needed"]
    assert test(needed, 20).pvalue <= 0.05 < test(needed - 1, 20).pvalue
    extreme = sum(1 for outcome in range(2**10) if outcome.bit_count() >= 8 or outcome.bit_count() <= 2)
    assert paired_gain(gained=8, lost=2)["p_value"] == pytest.approx(extreme / 2**10)
    assert paired_gain(gained=3, lost=1)["wins_needed"] == 5  # not even four of four


@pytest.mark.oracle("paired_gain", "numpy's bootstrap of the items, and every course of the throws of a fair coin")
@pytest.mark.parametrize(("gained", "lost", "right"), [(16, 8, 160), (30, 2, 150), (5, 9, 100)])
def test_items_drawn_again(gained, lost, right):
    numpy = pytest.importorskip("numpy")
    numbers = numpy.random.default_rng(7)
    weights = numpy.array([gained, lost, 200 - gained - lost]) / 200
    counts = numbers.multinomial(200, weights, 200_000)
    gains = (counts[:, 0] - counts[:, 1]) / 200
    got = paired_gain(items=200, gained=gained, lost=lost, right_before=right)
    assert got["error"] == pytest.approx(gains.std(), rel=0.01) and got["gain"] == pytest.approx((gained - lost) / 200)
    throws = numbers.binomial(gained + lost, 0.5, 400_000)
    assert got["p_value"] == pytest.approx(2 * (throws <= min(gained, lost)).mean(), abs=0.003)
    old, new = right / 200, (right + gained - lost) / 200
    apart = numbers.binomial(200, new, 200_000) / 200 - numbers.binomial(200, old, 200_000) / 200
    assert got["unpaired_half"] == pytest.approx(1.96 * apart.std(), rel=0.01)
    assert got["unpaired_z"] == pytest.approx(got["gain"] / apart.std(), rel=0.01)


def test_p_by_pascals_triangle():
    """Three against nothing: 2 / 8; one against three: 2 (1 + 4) / 16; as many either way: 1."""
    assert paired_gain(items=20, gained=3, lost=0, right_before=10)["p_value"] == pytest.approx(0.25)
    assert paired_gain(items=20, gained=1, lost=3, right_before=10)["p_value"] == pytest.approx(10 / 16)
    assert paired_gain(items=20, gained=4, lost=4, right_before=10)["p_value"] == 1


def test_ends():
    """Right before none, right after all: no error left in either accuracy, and no spread of the gain."""
    got = paired_gain(items=10, gained=10, lost=0, right_before=0)
    assert got["gain"] == 1 and got["half"] == 0 and got["unpaired_z"] == 0 and got["p_value"] == pytest.approx(2 / 2**10)


def test_what_makes_no_sense():
    for given in ({"gained": 150, "lost": 60}, {"gained": 0, "lost": 0}, {"right_before": 190}, {"right_before": 3}):
        with pytest.raises(KernelError):
            paired_gain(**given)


def test_the_curve_and_the_figure():
    got = paired_gain()
    assert got["sweep"].values("lower")[2] == pytest.approx(got["lower"])
    assert "paired items" in plot.draw(paired_gain, got).alt
