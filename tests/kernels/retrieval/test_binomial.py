"""The tails of the binomial distribution, beside scipy's."""

import pytest

from kernels.library.retrieval._binomial import fewer


@pytest.mark.parametrize("p", [1e-6, 0.03, 0.5, 0.97])
@pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 100), (7, 10), (50, 100), (99, 100), (10, 10_000), (9_700, 10_000)])
def test_scipy(k, n, p):
    stats = pytest.importorskip("scipy.stats")
    assert fewer(k, n, p) == pytest.approx(stats.binom(n, p).cdf(k - 1), rel=1e-9, abs=1e-300)


def test_ends():
    assert fewer(0, 10, 0.5) == 0 and fewer(11, 10, 0.5) == 1 and fewer(3, 10, 0.0) == 1 and fewer(3, 10, 1.0) == 0
