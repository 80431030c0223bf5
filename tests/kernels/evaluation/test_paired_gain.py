import pytest

from kernels import plot
from kernels.library.evaluation.paired_gain import paired_gain, sign


@pytest.mark.parametrize("questions, broken", [(10, 0.0), (20, 0.05), (50, 0.1), (200, 0.0)])
@pytest.mark.oracle("paired_gain", "scipy's exact binomial test, and its normal distribution")
def test_the_sign_test_is_scipy_s(questions, broken):
    stats = pytest.importorskip("scipy.stats")
    got = paired_gain(questions=questions, broken=broken)
    want = stats.binomtest(int(got["gained"]), int(got["gained"] + got["lost"]), 0.5).pvalue
    assert got["p_value"] == pytest.approx(want)
    assert got["z"] == pytest.approx(0.2 / (0.4 / questions) ** 0.5)
    assert got["p_unpaired"] == pytest.approx(2 * stats.norm.sf(got["z"]))
    assert got["gained"] - got["lost"] == round(0.2 * questions)


def test_as_many_questions_as_needed():
    got = paired_gain(broken=0.1)
    n = int(got["needed"])
    assert sign(n, 0.6, 0.8, 0.1)[2] < 0.05 <= sign(n - 10, 0.6, 0.8, 0.1)[2]
    assert paired_gain(after=0.6)["needed"] == 0 and paired_gain(after=0.6)["p_value"] == 1
    assert paired_gain(before=0.0, after=1.0, broken=0.0)["needed"] == 10
    assert paired_gain(after=1.0, broken=0.1)["lost"] == 0  # nothing is wrong after
    assert "5 %" in plot.draw(paired_gain, got).alt
