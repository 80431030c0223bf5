import pytest

from kernels import KernelError, plot
from kernels.library.rag.agreeing_samples import agreeing_samples


@pytest.mark.oracle("agreeing_samples", "scipy's binomial and beta-binomial distributions")
@pytest.mark.parametrize("n, p, rho", [(5, 0.2, 0.5), (11, 0.4, 0.1), (41, 0.3, 0.9), (1, 0.2, 0.3)])
def test_scipy_distributions(n, p, rho):
    from scipy.stats import betabinom, binom

    a, b = p * (1 / rho - 1), (1 - p) * (1 / rho - 1)
    got = agreeing_samples(samples=n, wrong=p, correlation=rho)
    assert got["majority_wrong"] == pytest.approx(betabinom.sf(n // 2, n, a, b))
    assert got["majority_wrong_independent"] == pytest.approx(binom.sf(n // 2, n, p))
    assert got["all_wrong"] == pytest.approx(betabinom.pmf(n, n, a, b)) and got["all_wrong_independent"] == pytest.approx(p**n)
    assert got["wrong_if_unanimous"] == pytest.approx(betabinom.pmf(n, n, a, b) / (betabinom.pmf(n, n, a, b) + betabinom.pmf(0, n, a, b)))
    assert got["wrong_if_unanimous_independent"] == pytest.approx(p**n / (p**n + (1 - p) ** n))
    assert got["effective"] == pytest.approx(n * p * (1 - p) * n / betabinom.var(n, a, b))


def test_ends():
    assert agreeing_samples(correlation=0.0)["majority_wrong"] == pytest.approx(agreeing_samples()["majority_wrong_independent"])
    assert agreeing_samples(correlation=0.999)["majority_wrong"] == pytest.approx(0.2, abs=1e-3)
    assert agreeing_samples(samples=1)["caught"] == pytest.approx(0, abs=1e-12)
    with pytest.raises(KernelError, match="odd"):
        agreeing_samples(samples=4)
    assert "samples" in plot.draw(agreeing_samples, agreeing_samples()).alt
