import pytest

from kernels import plot
from kernels.library.rag.faithful_answers import faithful_answers


@pytest.mark.oracle("faithful_answers", "scipy's beta-binomial distribution")
@pytest.mark.parametrize("f, n, rho", [(0.9, 5, 0.3), (0.5, 12, 0.05), (0.99, 20, 0.9)])
def test_scipy_beta_binomial(f, n, rho):
    from scipy.stats import betabinom, binom

    got = faithful_answers(faithfulness=f, claims=n, correlation=rho)
    assert got["whole"] == pytest.approx(betabinom.pmf(n, n, f * (1 / rho - 1), (1 - f) * (1 / rho - 1)), rel=1e-9)
    assert got["independent"] == pytest.approx(binom.pmf(n, n, f))
    assert got["flawed"] == pytest.approx(1 - got["whole"])


def test_the_ends():
    assert faithful_answers(correlation=1)["whole"] == 0.9
    assert faithful_answers(correlation=0)["whole"] == pytest.approx(0.9**5)
    assert faithful_answers(faithfulness=faithful_answers()["claims_needed"])["independent"] == pytest.approx(0.9)
    assert "claim" in plot.draw(faithful_answers, faithful_answers(correlation=0.5)).alt
